"""Tests of service.approles."""

"""Tests of service.api.approles."""

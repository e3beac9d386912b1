"""Tests of service.api.sessions."""

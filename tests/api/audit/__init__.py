"""Tests of service.api.audit."""

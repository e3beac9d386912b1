"""Tests of service.api.secrets."""

"""Tests of service.secrets."""

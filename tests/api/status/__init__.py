"""Tests of service.api.status."""

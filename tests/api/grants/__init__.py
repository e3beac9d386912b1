"""Tests of service.api.grants."""

"""Tests of service.api.tokens."""

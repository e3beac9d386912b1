"""Tests of service.api.keys."""

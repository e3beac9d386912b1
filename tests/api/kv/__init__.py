"""Tests of service.api.kv."""

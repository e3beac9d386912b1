"""Tests of service.tokens."""

"""Tests of service.access."""

"""Tests of service.grants."""

"""Tests of service.keys."""

"""Tests of service.api.shares."""

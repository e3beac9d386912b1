"""Tests of service.shares."""

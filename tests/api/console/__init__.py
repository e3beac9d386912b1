"""Tests of service.api.console."""

"""Tests of service.vault."""

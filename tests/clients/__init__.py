"""Tests with real programs that were written for Vault."""

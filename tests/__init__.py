"""Tests: what a user, an operator and an attacker would say of the service, tried on the real thing."""

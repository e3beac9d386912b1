"""Tests of service.crypto."""

"""Tests of service.transfer."""

"""Tests of service.backup."""

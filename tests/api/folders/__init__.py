"""Tests of service.api.folders."""

"""Tests of service.transfer.formats."""

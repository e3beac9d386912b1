"""Tests of service.transfer.kv_source."""

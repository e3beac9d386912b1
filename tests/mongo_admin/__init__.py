"""Tests of service.mongo_admin."""

"""Tests of service.transfer.formats.dotenv."""

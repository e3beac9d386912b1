"""Tests, with real processes: MongoDB, gunicorn, and for some Docker."""

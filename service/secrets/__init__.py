"""Secrets: create, read, list, change and destroy them. Knows nothing of HTTP or MongoDB."""

"""Secrets: create, read, list, change and destroy them. Independent of HTTP and MongoDB."""

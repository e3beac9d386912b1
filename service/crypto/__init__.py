"""Encryption, tags and key wrapping. Independent of storage and of callers."""

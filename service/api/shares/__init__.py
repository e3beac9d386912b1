"""``/vault/share``: schemas and views."""

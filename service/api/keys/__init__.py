"""``/vault/key``: schemas and views."""

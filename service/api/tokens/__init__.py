"""``/vault/token``: schemas and views."""

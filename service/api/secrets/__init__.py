"""``/vault/secret``: schemas and views."""

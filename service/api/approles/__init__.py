"""``/vault/approle``: schemas and views."""

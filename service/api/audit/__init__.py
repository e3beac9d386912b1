"""``/vault/audit``: schemas and views."""

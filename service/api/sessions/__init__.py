"""``/vault/session``: schemas and views."""

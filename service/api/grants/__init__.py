"""``/vault/grant``: schemas and views."""

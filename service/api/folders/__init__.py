"""``/vault/folder``: options for all secrets in a folder."""

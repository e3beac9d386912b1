"""``/vault/status``."""

"""The door for clients of HashiCorp Vault and OpenBao: ``/v1``, the KV engine's version 2."""

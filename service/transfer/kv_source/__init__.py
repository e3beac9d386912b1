"""Reads the secrets of a KV version 2 mount in a running HashiCorp Vault or OpenBao."""

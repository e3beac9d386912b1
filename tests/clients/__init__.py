"""Clients of HashiCorp Vault and OpenBao, unchanged, against a real server of ours."""

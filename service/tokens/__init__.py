"""Tokens: authentication, and the use cases to create, renew and revoke them."""

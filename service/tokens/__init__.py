"""Tokens: authentication, and the use cases of creating, renewing and revoking them."""

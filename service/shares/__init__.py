"""Shares: links that reveal one secret once, to somebody without a token."""

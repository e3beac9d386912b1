"""Sealing and opening. Knows nothing of where the bytes are kept or who asks for them."""

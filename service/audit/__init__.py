"""The record of who did what. Knows nothing of MongoDB or HTTP."""

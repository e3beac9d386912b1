"""A small secret manager: AES-256-GCM envelope encryption in front of MongoDB."""

__version__ = "1.0.0"

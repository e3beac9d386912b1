"""A small secret manager: AES-256-GCM envelope encryption in front of MongoDB."""

__version__ = "0.1.0"

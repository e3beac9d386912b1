"""Backups: create, restore and drill."""

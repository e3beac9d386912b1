"""Grants: which Swarm services may be given which secrets."""

"""Tests of what site.yml deploys, on a real engine, a real Swarm and a real MongoDB."""

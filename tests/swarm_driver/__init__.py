"""Tests of service.swarm_driver."""

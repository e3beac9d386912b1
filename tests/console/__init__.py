"""Tests of the console and of shared links in a real browser."""

"""The documentation, and what makes those of its pages that have a source elsewhere."""

"""The documentation: its links, its messages, and the pages that are made from a source."""

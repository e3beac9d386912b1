"""The use cases: one readable function per thing that a caller can ask, whatever door they came through."""

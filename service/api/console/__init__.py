"""``/console`` for people with a token and ``/share`` for a recipient without one: static pages, no state."""

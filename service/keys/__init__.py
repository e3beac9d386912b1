"""Master keys: load them, check them against the database, count their wraps, rewrap."""

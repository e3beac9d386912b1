"""Files that secrets come from and go to: their formats, and what is read from them as requests."""

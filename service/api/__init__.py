"""HTTP: the only package, with ``app``, that knows Flask."""

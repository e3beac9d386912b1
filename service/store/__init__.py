"""MongoDB, and the only package that knows it. What it keeps are opaque bytes and metadata."""

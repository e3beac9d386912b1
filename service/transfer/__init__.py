"""Import and export of secrets: file formats, import plans and the use cases."""

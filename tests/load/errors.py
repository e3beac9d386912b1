"""The error that ends a command early."""


class Refused(Exception):
    """The command cannot be carried out as asked; the message says what to do."""

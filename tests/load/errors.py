"""What ends a command before its time."""


class Refused(Exception):
    """The command cannot be carried out as asked; the message says what to do."""

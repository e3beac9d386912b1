"""The errors of the package.

::

    SourceError
    ├── SourceUnusable      nothing can be read: the address, the credentials or the mount
    ├── SourceUnavailable   it did not answer for now, even after several attempts
    └── NotReadable         one secret or folder cannot be read; the others are not affected

Messages are for the operator, and never contain a value or a credential.
"""

from __future__ import annotations


class SourceError(Exception):
    """Base class of the errors of this package."""


class SourceUnusable(SourceError):
    """Nothing can be read with these settings; the message says what to change."""


class SourceUnavailable(SourceError):
    """The server did not answer, is sealed or refuses more calls; the same call may succeed later."""


class NotReadable(SourceError):
    """This secret or folder cannot be read."""

"""The QR code of a link, for the page to draw: a phone that scans it opens the link."""

from __future__ import annotations

import segno
from flask import request

from ...environment import is_origin

# It is shown on a screen and neither torn nor dirty: medium (15 %) is plenty.
_ERROR_LEVEL = "m"


def modules(url: str) -> list[str]:
    """Return the modules, row by row, 1 for a dark one, without the quiet zone of four around them."""
    code = segno.make_qr(url, error=_ERROR_LEVEL)
    return ["".join(str(module) for module in row) for row in code.matrix]


def origin() -> str:
    """Return the address of this service as the caller has it: browsers say it, others name the host."""
    sent = request.environ.get("HTTP_ORIGIN", "")
    return sent if is_origin(sent) else request.host_url.rstrip("/")

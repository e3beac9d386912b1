"""The headers of both pages, their assets, and whatever is refused beside them."""

from __future__ import annotations

from flask import Flask, Response, request

# Nothing is inline, so there are no hashes and no nonces.  With `trusted-types 'none'` no script can turn
# text into markup: a hostile name stays text.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script';"
    " trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Origin-Agent-Cluster": "?1",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "clipboard-write=(self), clipboard-read=(), camera=(), microphone=(),"
    " geolocation=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_FOLDERS = ("/console/", "/share/")


def init_app(app: Flask) -> None:
    """Add the headers to every response below ``/console`` and ``/share``, errors included."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    # By path: a refused method has no endpoint to ask for its blueprint.
    if f"{request.path}/".startswith(_FOLDERS):
        response.headers.update(HEADERS)
    return response

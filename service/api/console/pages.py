"""The routes of the console, of the page for shared links, and of their assets."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort

from . import assets, headers

# As long as caches keep anything (RFC 9111 has no limit; a year is the custom): the address has the hash.
_FOREVER = "public, max-age=31536000, immutable"


def init_app(app: Flask, *, console: bool, share: bool, authentication: bool) -> None:
    """Serve the pages that are enabled, and their assets if either is.

    Without ``authentication`` the console opens signed in.
    """
    headers.init_app(app)
    pages = Blueprint("console", __name__)
    if console:
        words = {"authentication": _on(authentication), "share": _on(share)}
        pages.add_url_rule("/console", "console", lambda: _page("console.html", **words))
    if share:
        pages.add_url_rule("/share", "share", lambda: _page("share.html"))
    if console or share:
        pages.add_url_rule("/console/assets/<digest>/<name>", "asset", _asset)
    app.register_blueprint(pages)


def _on(value: bool) -> str:
    return "on" if value else "off"


def _page(name: str, **values: str) -> Response:
    return Response(
        assets.page(name, **values),
        content_type="text/html; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


def _asset(digest: str, name: str) -> Response:
    asset = assets.all_assets().get(name)
    if asset is None or digest != assets.digest():
        # Of another release: the page says that it was updated.
        abort(404)
    return Response(asset.content, content_type=asset.content_type, headers={"Cache-Control": _FOREVER})

"""The files of both pages, read once, and the hash that their addresses contain."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
# Pages are no assets: they are served under addresses of their own, and must not be cached.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HASH_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    content: bytes
    content_type: str


@cache
def all_assets() -> dict[str, Asset]:
    """Return the scripts, styles and icons, by name."""
    files = sorted(FOLDER.iterdir())
    return {
        file.name: Asset(file.read_bytes(), _TYPES[file.suffix]) for file in files if file.suffix in _TYPES
    }


@cache
def digest() -> str:
    """Return a hash of all assets: during an update, no page loads half of another release's."""
    total = hashlib.sha256()
    for name, asset in all_assets().items():
        total.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(asset.content).digest())
    return total.hexdigest()[:_HASH_CHARACTERS]


def page(name: str, **values: str) -> bytes:
    """Return a page with the address of its assets, and ``values`` in place of ``{name}``.

    The values are this service's own words: they are not escaped.
    """
    text = (FOLDER / name).read_text()
    for key, value in {"assets": f"/console/assets/{digest()}", **values}.items():
        text = text.replace(f"{{{key}}}", value)
    return text.encode()

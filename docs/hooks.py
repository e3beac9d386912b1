"""What the site needs of mkdocs beyond its configuration: anchors as code browsers make them."""

from __future__ import annotations

import re
from typing import Any


def slugify(text: str, separator: str) -> str:
    """Return the anchor of a heading: the same on the site and where the file is shown as it is."""
    kept = re.sub(r"[^\w\- ]", "", text.strip().lower())
    return kept.replace(" ", separator)


def on_config(config: Any) -> Any:
    """Let the table of contents use these anchors."""
    config["mdx_configs"].setdefault("toc", {})["slugify"] = slugify
    return config

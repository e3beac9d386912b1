"""The system's Chromium, as the tests start it."""

from __future__ import annotations

import shutil
from typing import Any

from playwright.sync_api import Browser, Playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "there is no Chromium: apt-get install chromium"


def launch(playwright: Playwright, *arguments: str, **options: Any) -> Browser:
    """Start it; the caller closes it."""
    # Its own sandbox wants a user that is not root, or namespaces that containers do not have.
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *arguments], **options
    )

"""What is wrong with how a page looks, which nobody sees in its nodes."""

from __future__ import annotations

from itertools import combinations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# The narrowest window is the one that WCAG 2.2 asks for (1.4.10).
WIDE, PHONE, NARROWEST = 1280, 390, 320


def flaws(page: Page) -> list[object]:
    """Return what axe finds in each colour scheme and width, what does not fit, and what overlaps."""
    found: list[object] = []
    for width in (WIDE, PHONE, NARROWEST):
        page.set_viewport_size({"width": width, "height": 800})
        if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append((width, "overflow", needed))
        found += [(width, "overlap", pair) for pair in overlaps(page)]
        # Narrower than a phone, nothing is arranged in another way.
        for scheme in ("light", "dark") if width != NARROWEST else ():
            page.emulate_media(color_scheme=scheme)
            violations = Axe().run(page, options=RULES).response["violations"]
            found += [(width, scheme, one["id"], one["nodes"][0]["html"][:200]) for one in violations]
    page.set_viewport_size({"width": WIDE, "height": 800})
    return found


def overlaps(page: Page) -> list[tuple[int, int]]:
    """Return the pairs of cards that lie over each other, which axe does not see."""
    boxes = page.locator("main .card").evaluate_all(
        "(cards) => cards.map((card) => card.getBoundingClientRect().toJSON())"
    )

    def over(one: dict[str, float], other: dict[str, float]) -> bool:
        return all(
            one[start] + 1 < other[start] + other[size] and other[start] + 1 < one[start] + one[size]
            for start, size in (("x", "width"), ("y", "height"))
        )

    return [pair for pair in combinations(range(len(boxes)), 2) if over(*(boxes[one] for one in pair))]

"""The pages of the documentation as files: headings, anchors and links, without what is in code."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from docs.hooks import slugify

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("roles/**/README.md")),
    *sorted(DOCS.rglob("*.md")),
)

_HEADING = re.compile(r"(#{1,6}) (.+?)\s*#*")
_LINK = re.compile(r"(?<!\\)!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)")


def lines(page: Path) -> Iterator[str]:
    """Yield the lines that are not in a code block."""
    fence = ""
    for line in page.read_text().splitlines():
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and not fence:
            fence = mark[1]
        elif mark and fence and mark[1].startswith(fence):
            fence = ""
        elif not fence:
            yield line


@cache
def headings(page: Path) -> list[tuple[int, str]]:
    """Return the headings with their levels, as they are written."""
    found = (_HEADING.fullmatch(line) for line in lines(page))
    return [(len(each[1]), each[2]) for each in found if each]


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors of a page; a second heading of the same text has a number behind it."""
    seen: dict[str, int] = {}
    result = set()
    for _, text in headings(page):
        slug = slugify(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", ""), "-")
        result.add(f"{slug}_{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
    return result


@cache
def links(page: Path) -> list[str]:
    """Return the targets of all links and pictures."""
    text = re.sub(r"(`+)(?:(?!\1).)+\1", "`code`", "\n".join(lines(page)), flags=re.DOTALL)
    found: list[str] = _LINK.findall(text)
    return found

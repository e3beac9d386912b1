"""Every relative link and anchor in README, CHANGELOG and the documentation leads somewhere."""

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import service
from tests import yaml_files
from tests.docs.pages import DOCS, PAGES, ROOT, anchors, headings, lines, links

# Where a path in the prose may begin, so that it is one of this repository.
_FOLDERS = "docs|inventory|molecule|playbooks|roles|scripts|service|tests"
_PATH = re.compile(rf"`((?:{_FOLDERS})/[A-Za-z0-9_./*-]+?)/?`")

# What is a name in the code and no ordinary word: policy.require, ON_PATHS, AuditRecord, from_environment.
_SYMBOL = re.compile(
    r"`((?:[a-z_]+\.)?_*[A-Za-z]+(?:_[A-Za-z]+|[a-z][A-Z][A-Za-z]*)+|[a-z_]+\.[a-z_]+|[A-Z][A-Za-z]+)`"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_leads_somewhere(page: Path) -> None:
    """Files that exist, and headings that they have."""
    assert [] == [target for target in links(page) if not _exists(page, target)]


def _exists(page: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.is_relative_to(ROOT) or not file.exists():
        return False
    # The site has the documentation alone.
    if page.is_relative_to(DOCS) and not file.is_relative_to(DOCS):
        return False
    return not anchor or anchor in anchors(file)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_files_that_there_are(page: Path) -> None:
    """A path of this repository in the prose is one that exists; ``inventory/mine`` is the reader's own."""
    named = {path for line in lines(page) for path in _PATH.findall(line)}
    paths = {path for path in named if not path.startswith("inventory/mine")}

    assert [] == [path for path in sorted(paths) if not any(ROOT.glob(path))]


@pytest.mark.parametrize("page", sorted(DOCS.glob("contributing/*.md")), ids=lambda page: page.stem)
def test_names_symbols_that_there_are(page: Path) -> None:
    """What a page for contributors calls by name is still called like this."""
    named = {name for line in lines(page) for name in _SYMBOL.findall(line)}
    words = set(re.findall(r"\w+", _sources()))

    assert [] == [name for name in sorted(named) if not set(name.split(".")) <= words]


@cache
def _sources() -> str:
    files = [*ROOT.glob("service/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("docs/*.py")]
    files += [*ROOT.glob("roles/**/*.yml"), *ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("molecule/**/*.yml")]
    files.append(ROOT / "mkdocs.yml")
    scripts = [*ROOT.glob("service/api/console/static/*.js")]
    # The pages call modules of the console by their files' names.
    return "\n".join([*(file.read_text() for file in files + scripts), *(file.name for file in scripts)])


def test_readme_is_one_page() -> None:
    """At most 150 lines, no table of variables, and the version that there is."""
    text = (ROOT / "README.md").read_text()

    assert len(text.splitlines()) <= 150
    assert "| variable |" not in text
    assert f"Version {service.__version__};" in text


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(ROOT)))
def test_has_a_place(page: Path) -> None:
    """Each page has one title, is in the site's navigation, and another page links to it."""
    navigation = yaml_files.load(ROOT / "mkdocs.yml")["nav"]

    assert 1 == sum(level == 1 for level, _ in headings(page))
    assert str(page.relative_to(DOCS)) in set(_files(navigation))
    assert _linking()[page] - {page} or page == DOCS / "index.md"


@cache
def _linking() -> dict[Path, set[Path]]:
    """Return the pages that link to each page."""
    found = defaultdict(set)
    for page in PAGES:
        for target in links(page):
            if not re.match(r"[a-z]+:|#", target):
                found[(page.parent / target.partition("#")[0]).resolve()].add(page)
    return found


def _files(node: object) -> list[str]:
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return [file for child in children for file in _files(child)]

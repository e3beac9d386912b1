"""Pages that are made from a source are not older than it, and those written by hand lack nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from docs import generate
from service.api.kv import routes
from service.models import Action, AuditRecord
from service.swarm_driver.errors import Outcome
from tests.docs.pages import DOCS, ROOT


@pytest.mark.check
def test_is_not_older_than_its_source() -> None:
    """Write them again with ``python -m docs.generate``."""
    finished = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == finished.returncode, finished.stderr


def test_every_command_is_found_in_either_form_of_help() -> None:
    """Of argparse and of click."""
    argparse = (
        "positional arguments:\n  COMMAND\n    dev       run the API\n              more\n    audit  x\n\nopt"
    )
    click = "Options:\n  --help  Show this.\n\nCommands:\n  dev    run the API\n  audit  x\n"

    assert ["dev", "audit"] == generate.subcommands(argparse)
    assert ["dev", "audit"] == generate.subcommands(click)


def as_on_the_page(template: str) -> str:
    """Return how the page about Vault's API names a route: ``M/data/p`` for ``/v1/<mount>/data/<path>``."""
    on_mount = template.startswith("/v1/<mount>/")
    return template.removeprefix("/v1/").replace("<mount>", "M").replace("<path>", "p" if on_mount else "M")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("reference/scopes.md", list(Action)),
        ("reference/audit-records.md", list(AuditRecord.__slots__)),
        ("reference/swarm-driver.md", list(Outcome)),
        ("reference/vault-api.md", sorted({as_on_the_page(route) for _, route in routes.templates()})),
        ("reference/playbooks.md", [f"`playbooks/{each.name}`" for each in ROOT.glob("playbooks/*.yml")]),
    ],
)
def test_lacks_nothing(page: str, words: list[str]) -> None:
    """A scope, a field of a record, a route of Vault or a playbook that is new has to be written down."""
    text = (DOCS / page).read_text()

    assert [] == [word for word in words if f"`{word}" not in text and word not in text]


def test_readme_and_site_show_the_same_pictures() -> None:
    """They can be read on light and on dark pages: each brings a background of its own."""
    for picture in ("overview.svg", "layers.svg"):
        assert 'fill="#ffffff"' in Path(DOCS / "assets" / picture).read_text()

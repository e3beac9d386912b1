"""Commands that pages show are commands that there are."""

import re
import shlex

import click
import pytest

from service.commands import root
from tests.docs.pages import DOCS, ROOT

# Up to what a shell takes for itself, or the end of the code.
_CALL = re.compile(r"python3? -m service ([^\n|<>;&)#]*)")
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_SCRIPT = re.compile(r"scripts/([a-z_]+\.sh)")
_PLAYBOOK = re.compile(r"ansible-playbook (?:-i \S+ )?((?:playbooks/)?[a-z_]+\.yml)")
# Its synopses are made from the commands themselves.
_PAGES = [page for page in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))) if page.name != "commands.md"]


def calls() -> list[str]:
    """Return what follows ``python -m service`` in the shell's lines of each page written by hand."""
    blocks = [block for page in _PAGES for block in _BLOCK.findall(page.read_text())]
    return sorted({call.strip() for block in blocks for call in _CALL.findall(block)})


@pytest.mark.parametrize("call", calls())
def test_can_be_typed(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its command and options are valid; it is parsed, not run."""
    monkeypatch.setattr(click.Command, "invoke", lambda *_: 0)

    assert 0 == root.run(shlex.split(call))


def test_scripts_and_playbooks_are_there() -> None:
    """Whatever a page tells to run."""
    text = "\n".join(page.read_text() for page in _PAGES)
    named = {f"scripts/{name}" for name in _SCRIPT.findall(text)} | set(_PLAYBOOK.findall(text))

    assert len(named) > 15
    assert [] == [name for name in sorted(named) if not (ROOT / name).is_file()]

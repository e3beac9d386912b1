"""commands.root and cli: names, help, usage errors, exit codes, and what is not imported."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from service import __version__, cli
from service.commands import root
from tests import yaml_files
from tests.gunicorn_server import ROOT, free_port

# Without a database, a key or anything else that is configured.
BARE = {"PATH": os.environ["PATH"], "LISTEN": f"127.0.0.1:{free_port()}"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with no configuration."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env=BARE | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def modules_after(program: str) -> tuple[set[str], str]:
    """Run a program that ends with ``done()``: the modules it imported by then, and its standard error."""
    define = "import sys\ndef done(): print('MODULES', *sys.modules)\n"
    finished = subprocess.run(
        # Not of the test run: neither site-packages' start-up files nor a measurement of coverage.
        [sys.executable, "-S", "-c", define + program],
        cwd=ROOT,
        env=BARE | {"PYTHONPATH": str(Path(click.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(finished.stdout.partition("MODULES")[2].split()), finished.stderr


def all_commands() -> Iterator[tuple[list[str], click.Command]]:
    """Yield every command and subcommand with its path."""
    for name in root.COMMANDS:
        command = root.root.get_command(click.Context(root.root), name)
        assert command is not None
        yield [name], command
        if isinstance(command, click.Group):
            yield from (([name, child], found) for child, found in command.commands.items())


@pytest.mark.parametrize("name", root.COMMANDS)
def test_a_command_has_the_purpose_that_the_table_shows(name: str) -> None:
    """The table exists so that no module is imported to list them; it must say the same."""
    command = root.root.get_command(click.Context(root.root), name)

    assert command is not None
    assert root.COMMANDS[name][1] == command.help


def test_every_command_has_help_and_refuses_unknown_options(capsys: pytest.CaptureFixture[str]) -> None:
    """``-h`` and ``--help`` are the same text on standard output; a usage error is not, and exits with 2."""
    for path, command in [([], root.root), *all_commands()]:
        texts = []
        for option in ("-h", "--help"):
            assert 0 == cli.main([*path, option])
            texts.append(capsys.readouterr().out)
        assert texts[0] == texts[1]
        assert texts[0].startswith(f"usage: {' '.join([root.PROGRAM, *path])} ")
        assert command.help
        assert command.help.split()[0] in texts[0]

        assert 2 == cli.main([*path, "--nonsense"])
        printed = capsys.readouterr()
        assert ("", True) == (printed.out, "No such option" in printed.err)


@pytest.mark.parametrize("group", [[], ["token"], ["key"], ["escrow"], ["backup"], ["mongo"]], ids=str)
def test_a_group_alone_shows_its_help_as_an_error(
    group: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and nothing on standard output: a pipe behind it gets no help text."""
    assert 2 == cli.main(group)
    printed = capsys.readouterr()
    assert ("", True) == (printed.out, printed.err.startswith("usage: "))


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["key", "nonsense"],
        ["audit", "nonsense"],
        ["audit", "--last", "many"],
        ["audit", "--last"],
        ["backup", "create", "--output"],
        ["audit", "export", "--format", "xml"],
        ["audit", "export", "--since", "yesterday"],
        ["token", "create", "--name", "x"],
        ["token", "create", "--name", "x", "--scope", "admin", "--expires-in", "soon"],
        ["token", "revoke"],
        ["token", "revoke", "a", "b"],
        ["escrow", "open", "file"],
        ["escrow", "seal", "--given", "nonsense", "name"],
        ["import"],
        ["import", "-", "--existing", "nonsense"],
        ["backup", "restore"],
        ["mongo", "setup"],
        ["mongo", "check-version", "seven"],
        ["mongo", "--local", "a:1", "status"],
        ["mongo", "status", "--wait", "long"],
        ["dev", "--port", "http"],
        ["health", "now"],
        ["completion", "csh"],
    ],
    ids=" ".join,
)
def test_a_usage_error_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The usage of that command and the reason, on standard error."""
    assert 2 == cli.main(arguments)
    printed = capsys.readouterr()
    assert ("", True) == (printed.out, printed.err.startswith(f"usage: {root.PROGRAM}"))
    assert "\nError: " in printed.err


def test_prints_the_version() -> None:
    """Of the package, and nothing else."""
    finished = run("--version")

    assert (0, f"{__version__}\n", "") == (finished.returncode, finished.stdout, finished.stderr)


def test_a_refusal_is_one_line_and_exits_with_2() -> None:
    """Here of a command that finds no configuration."""
    finished = run("key", "names")

    assert (2, "", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
    assert finished.stderr.startswith("secret-manager: ")


def test_ctrl_c_exits_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And prints nothing."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(click.Command, "invoke", interrupt)

    assert 130 == cli.main(["key", "names"])
    assert ("", "") == capsys.readouterr()


@pytest.mark.parametrize("options", [[], ["--watch"]])
def test_a_health_check_imports_next_to_nothing(options: list[str]) -> None:
    """It runs again and again in every container, and each of these costs processor time and memory."""
    modules, error = modules_after(f"from service.cli import main; main(['health', *{options}]); done()")

    costly = {"click", "ssl", "http.client", "email", "ipaddress", "pathlib", "dataclasses", "inspect"}
    others = {"flask", "pymongo", "cryptography", "argparse", "json", "logging"}
    assert "no answer on 127.0.0.1:" in error
    assert set() == modules & (costly | others)


def test_help_and_completion_import_no_command() -> None:
    """The names and purposes come from the table."""
    modules, _ = modules_after("from service.cli import main; main(['--help']); done()")
    assert {"click", "service.commands.root"} <= modules
    assert set() == modules & {f"service.commands.{module}" for module, _ in root.COMMANDS.values()}
    assert set() == modules & {"flask", "pymongo", "cryptography"}


# Not those in backticks or C(): prose also names a command without its arguments.
CALL = re.compile(r"(?<![`(])python3? -m service +([a-z][^|`<>;)'\"…\n]*)")
TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# Variables of a role or a play whose value is the end of a call.
PREFIXES = {"service_command": "", "mongo_command": "mongo ", "vault_api_token_arguments": "token "}


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield all strings in parsed YAML, each with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from strings(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, key)


def filled(text: str) -> str:
    """Return a text with something that fits in the place of each template."""

    def value(template: re.Match[str]) -> str:
        if option := re.search(r"'(--[a-z-]+)'", template[1]):
            return option[1]
        if "mongo_member_options" in template[1]:
            return "--member mongodb-1:27017"
        if template[1].strip() in PREFIXES:
            return "VARIABLE"
        return "7.0.26" if "regex_search('db version" in template[1] else "1"

    return TEMPLATE.sub(value, re.sub(r"\{%.*?%\}", "", text, flags=re.DOTALL))


@cache
def calls() -> set[str]:
    """Return what follows ``python -m service`` in roles, plays, scenarios, scripts and the README."""
    found: set[str] = set()
    for name in ("roles", "playbooks", "molecule", "scripts", "README.md"):
        for file in [ROOT / name, *sorted((ROOT / name).rglob("*.yml")), *(ROOT / name).rglob("files/*")]:
            if not file.is_file():
                continue
            values = strings(yaml_files.load(file)) if file.suffix == ".yml" else [("", file.read_text())]
            for key, value in values:
                if key in PREFIXES:
                    found.add(PREFIXES[key] + filled(value))
                # The interpreter may be a template as well.
                found.update(CALL.findall(filled(value).replace("1 -m service", "python -m service")))
    return {call.partition(" # ")[0].strip() for call in found if "VARIABLE" not in call}


@pytest.mark.parametrize("call", sorted(calls()))
def test_every_call_in_this_repository_is_valid(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsed, not run."""
    monkeypatch.setattr(click.Command, "invoke", lambda *_: 0)

    assert 0 == root.run(call.split())


def test_finds_the_calls() -> None:
    """So that the test above does not pass because it looks in the wrong place."""
    found = {" ".join(call.split()[:2]) for call in calls()}

    assert {
        "audit verify",
        "backup create",
        "backup drill",
        "escrow seal",
        "indexes --check",
        "key names",
        "key rewrap",
        "mongo check-version",
        "mongo setup",
        "mongo step-down",
        "token create",
    } <= found

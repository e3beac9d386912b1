"""swarm.hooks: what the program is started with, and what its end means."""

import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from service.swarm.hooks import HookFailed, Moment, Values, require_program, run

VALUES = Values("team/billing/db", 3, 4, b"old-hunter1\n", b"new-hunter2\0")
# Writes down all that it was given.
REPORTER = """#!{python}
import json, os, sys
json.dump(
    {{
        "arguments": sys.orig_argv[1:],
        "environment": dict(os.environ),
        "old": os.read(3, 100).decode(),
        "new": os.read(4, 100).decode(),
        "descriptors": [number for number in range(100) if os.path.exists(f"/proc/self/fd/{{number}}")],
        "is_regular": [os.path.isfile(f"/proc/self/fd/{{number}}") for number in (3, 4)],
    }},
    open({report!r}, "w"),
)
"""


def program(folder: Path, text: str) -> Path:
    """Write a program, and return it."""
    file = folder / "hook"
    file.write_text(text)
    file.chmod(0o700)
    return file


def report(folder: Path, moment: Moment = Moment.BEFORE) -> dict[str, Any]:
    """Run a program that says what it was given, and return that."""
    written = folder / "report"
    run(program(folder, REPORTER.format(python=sys.executable, report=str(written))), moment, VALUES)
    found: dict[str, Any] = json.loads(written.read_text())
    return found


@pytest.mark.parametrize("moment", list(Moment))
def test_has_the_moment_as_its_only_argument(tmp_path: Path, moment: Moment) -> None:
    """One of before, after and failed."""
    assert [str(tmp_path / "hook"), moment.value] == report(tmp_path, moment)["arguments"]


def test_has_whole_values_on_descriptors(tmp_path: Path) -> None:
    """From their beginning, in files of memory that can be read twice."""
    found = report(tmp_path)

    assert ("old-hunter1\n", "new-hunter2\0") == (found["old"], found["new"])
    assert [True, True] == found["is_regular"]


def test_has_large_values(tmp_path: Path) -> None:
    """Larger than a pipe holds, and nobody has to read them."""
    values = Values("team/billing/keystore", 1, 2, b"o" * 400_000, b"n" * 500_000)

    run(
        program(tmp_path, f"#!/bin/sh\nwc -c <&3 > {tmp_path}/sizes; wc -c <&4 >> {tmp_path}/sizes"),
        Moment.BEFORE,
        values,
    )

    assert ["400000", "500000"] == (tmp_path / "sizes").read_text().split()


def test_has_no_value_where_others_can_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither in its arguments nor in its environment, and the runner prints none."""
    found = report(tmp_path)

    assert "hunter" not in json.dumps([found["arguments"], found["environment"]])
    assert "hunter" not in "".join(capfd.readouterr())
    assert "hunter" not in repr(VALUES)


def test_is_told_which_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside what the command's environment has."""
    monkeypatch.setenv("PGHOST", "db.example.org")

    environment = report(tmp_path)["environment"]

    assert ("team/billing/db", "3", "4", "db.example.org") == tuple(
        environment[name] for name in ("SECRET_PATH", "OLD_VERSION", "NEW_VERSION", "PGHOST")
    )


def test_has_no_other_descriptor_of_the_command(tmp_path: Path) -> None:
    """Whatever else the command has open stays its own."""
    with (tmp_path / "open").open("w"):
        assert [0, 1, 2, 3, 4] == report(tmp_path)["descriptors"]


def test_leaves_no_descriptor_open(tmp_path: Path) -> None:
    """A roll may run it three times."""
    before = os.listdir("/proc/self/fd")  # noqa: PTH208

    run(program(tmp_path, "#!/bin/true"), Moment.BEFORE, VALUES)

    assert before == os.listdir("/proc/self/fd")  # noqa: PTH208


def test_is_ended_by_a_pipe_that_nobody_reads(tmp_path: Path) -> None:
    """Python ignores that signal, and a shell could not change it back: ``yes | head`` would complain."""
    run(
        program(tmp_path, f"#!/bin/sh\ngrep SigIgn /proc/self/status > {tmp_path}/ignored"),
        Moment.BEFORE,
        VALUES,
    )

    ignored = int((tmp_path / "ignored").read_text().split()[1], 16)
    assert 0 == ignored & (1 << (signal.SIGPIPE - 1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("#!/bin/sh\nexit 7", "before ended with status 7"),
        ("#!/bin/sh\nkill -9 $$", "before was ended by signal 9"),
        ("#!/no/such/interpreter", "cannot be run: No such file or directory"),
        ("", "cannot be run: Exec format error"),
    ],
    ids=["status", "signal", "interpreter", "format"],
)
def test_fails_with_a_reason(tmp_path: Path, text: str, says: str) -> None:
    """The message names the program and not the values."""
    with pytest.raises(HookFailed, match=says) as error:
        run(program(tmp_path, text), Moment.BEFORE, VALUES)

    assert str(tmp_path / "hook") in str(error.value)
    assert "hunter" not in str(error.value)


def test_must_be_an_executable_file(tmp_path: Path) -> None:
    """A folder is none, and neither is a file that nobody may execute."""
    file = program(tmp_path, "#!/bin/true")
    require_program(file)

    file.chmod(stat.S_IRUSR)
    for wrong in (tmp_path, tmp_path / "missing", file):
        with pytest.raises(HookFailed, match="is no executable file"):
            require_program(wrong)

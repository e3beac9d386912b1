"""transfer.files: a file is complete, readable by its owner only, and replaces none; or it does not exist."""

import stat
from pathlib import Path

import pytest

from service.errors import ConfigurationError
from service.transfer import files


def test_a_file_has_its_name_once_it_is_complete(tmp_path: Path) -> None:
    """An incomplete file is never taken for a complete one, and only the owner can read it."""
    path = tmp_path / "export"

    with files.atomic_file(path) as file:
        file.write(b"content")
        assert not path.exists()
        (unnamed,) = tmp_path.iterdir()
        assert 0o600 == stat.S_IMODE(unnamed.stat().st_mode)

    assert [path] == list(tmp_path.iterdir())
    assert (b"content", 0o600) == (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))


def test_leaves_nothing_after_an_error(tmp_path: Path) -> None:
    """What was written so far is removed, and the error is raised."""

    def write() -> None:
        with files.atomic_file(tmp_path / "export") as file:
            file.write(b"content")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()

    assert [] == list(tmp_path.iterdir())


def test_replaces_no_file(tmp_path: Path) -> None:
    """Neither one that existed before nor one that is created during the work."""
    path = tmp_path / "export"

    def write() -> None:
        with files.atomic_file(path) as file:
            file.write(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(ConfigurationError, match="cannot write"):
        write()
    with pytest.raises(ConfigurationError, match="already exists"), files.atomic_file(path):
        pytest.fail("it was opened")

    assert [path] == list(tmp_path.iterdir())
    assert b"theirs" == path.read_bytes()


def test_says_why_it_cannot_be_written(tmp_path: Path) -> None:
    """In one line."""
    with (
        pytest.raises(ConfigurationError, match="No such file or directory"),
        files.atomic_file(tmp_path / "no" / "x"),
    ):
        pytest.fail("it was opened")

"""transfer.formats.folder_of_files: each file is one value, from a folder or from a tar archive of it."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from service.errors import ImportFormatError
from service.transfer.formats import folder_of_files
from tests.transfer.formats.readings import errors, shorten


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a compose file names it, and one below it."""
    (tmp_path / "tls").mkdir()
    (tmp_path / "db_password").write_bytes(b"s3cret\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "tls" / "key.p12").write_bytes(b"\xff\x00")
    return tmp_path


def archived(folder: Path) -> bytes:
    """Return what ``tar -C folder -c .`` writes."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.add(folder, ".")
    return output.getvalue()


def test_reads_each_file_as_it_is(folder: Path) -> None:
    """All its bytes: whether a newline at the end belongs to the value is not for us to say."""
    expected = [("db_password", b"s3cret\n"), ("empty", b""), ("tls/key.p12", b"\xff\x00")]

    assert expected == shorten(folder_of_files.read(folder))
    content = archived(folder)
    assert folder_of_files.is_tar(content)
    assert expected == sorted(shorten(folder_of_files.read_tar(content)))


def test_refuses_what_is_no_secret(folder: Path) -> None:
    """Links lead elsewhere, a pipe never ends, and names with a dot in front are other programs'."""
    (folder / "link").symlink_to("/etc/hostname")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    (folder / ".env").write_text("A=hunter2")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("hunter2")
    (folder / "a b").write_text("hunter2")

    for lines in (folder_of_files.read(folder), folder_of_files.read_tar(archived(folder))):
        found = "\n".join(sorted(errors(lines)))
        for name in ("link", "dangling", "pipe"):
            assert f"{name}: neither a file nor a folder" in found
        assert ".env: a name with a dot in front" in found
        assert ".git/HEAD: a name with a dot in front" in found
        assert 'the name "a b" cannot be a path' in found


def test_links_to_folders_are_refused(folder: Path) -> None:
    """They are not followed: what is behind them was not meant, or is in a circle."""
    (folder / "circle").symlink_to(".")

    for lines in (folder_of_files.read(folder), folder_of_files.read_tar(archived(folder))):
        (error,) = errors(lines)
        assert error.startswith("circle: neither a file nor a folder")


@pytest.mark.parametrize("length", [700, 512, 1600, 2048])
def test_an_archive_that_is_cut_off_is_refused_as_a_whole(folder: Path, length: int) -> None:
    """A part of it is not what was meant."""
    with pytest.raises(ImportFormatError, match="the tar archive is damaged"):
        list(folder_of_files.read_tar(archived(folder)[:length]))


def test_a_damaged_archive_is_refused_as_a_whole(folder: Path) -> None:
    """A header that is none is not the end."""
    content = bytearray(archived(folder))
    content[512:520] = b"xxxxxxxx"

    with pytest.raises(ImportFormatError, match="the tar archive is damaged"):
        list(folder_of_files.read_tar(bytes(content)))


def test_what_cannot_be_read_is_not_left_out(tmp_path: Path) -> None:
    """A folder without permission would hold secrets as well."""
    with pytest.raises(ImportFormatError, match="cannot read what is in the folder"):
        list(folder_of_files.read(tmp_path / "gone"))

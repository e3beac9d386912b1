"""No role uses a fixed name in a shared folder: whoever made it first would stay its owner."""

import re

import pytest

from tests.roles import ROOT

FILES = [
    ROOT / "site.yml",
    *(
        file
        for folder in ("roles", "playbooks")
        for file in sorted((ROOT / folder).rglob("*"))
        if file.is_file()
    ),
]
# A name inside a folder where everybody may create files; the folder itself is where `tempfile` and mktemp
# put names that nobody can guess.
FIXED_NAME = re.compile(r"(?<![\w}])(?:/var/tmp|/tmp|/dev/shm|/var/lock|/run/lock)/[^\s'\";)]+")
# In a container these folders are its own.
IN_A_CONTAINER = {("roles/mongo/vars/main.yml", "/tmp/listened")}


def test_no_role_or_playbook_has_a_fixed_name_in_a_shared_folder() -> None:
    """Not even one that the play deletes first: in between, another user may create it again."""
    found = {
        (str(file.relative_to(ROOT)), name)
        for file in FILES
        if file.suffix != ".pyc"
        for name in FIXED_NAME.findall(file.read_text())
    }

    assert IN_A_CONTAINER == found


@pytest.mark.parametrize("name", ["/tmp/x", "/var/tmp/{{ name }}.tar", "'/dev/shm/$USER'"])
def test_such_names_are_recognized(name: str) -> None:
    """Also those that only look as if they were unique."""
    assert FIXED_NAME.search(f"dest: {name}")


@pytest.mark.parametrize("line", ["path: /var/tmp", "TMPDIR: /var/tmp", "target: /tmp", "/opt/tmp/x"])
def test_the_folders_themselves_are_not(line: str) -> None:
    """There `tempfile` and mktemp make theirs."""
    assert not FIXED_NAME.search(line)

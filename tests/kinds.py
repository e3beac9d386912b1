"""What kind of test a test is: one marker each, told by its folder and by what it needs.

Another kind is declared in ``pyproject.toml`` as well, where ``addopts`` says what `pytest` by itself runs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from _pytest.mark.expression import Expression

KINDS = ("quick", "database", "browser", "playbook", "check", "long_check", "cluster", "lab")
# Of each test that was collected, before `-m` chose among them: its markers of these kinds.
COLLECTED = pytest.StashKey[dict[str, list[str]]]()

_FOLDERS = {
    "tests/clients/": "database",
    "tests/cluster/": "cluster",
    "tests/console/": "browser",
    "tests/lab/": "lab",
}
_FILES = {
    "tests/test_plan.py": "playbook",
    "tests/test_escrow_plays.py": "playbook",
    "tests/roles/test_swarm_secrets.py": "playbook",
    "tests/test_checks.py": "check",
}
# Fixtures that start a mongod, or an OpenBao; all others that need one ask for one of these.
_DATABASES = {"mongo", "own_mongo", "bare", "openbao"}
# These files start mongods or servers without the fixtures.
_DATABASE_FILES = (
    "tests/commands/test_dev.py",
    "tests/commands/test_mongo.py",
    "tests/commands/test_mongo_setup.py",
    "tests/mongo_admin/test_upgrade.py",
    "tests/mongo_admin/test_users.py",
    "tests/store/test_tls.py",
    "tests/store/test_waiting.py",
    "tests/swarm/test_database_hooks.py",
)
_NOT_QUICK = {"mongod", "bao", "gunicorn", "ansible-playbook", "molecule", "docker"}


def mark(item: pytest.Item) -> None:
    """Give a test the marker of its kind, and remember what it has; one that is marked itself stays so."""
    if not _kinds(item):
        item.add_marker(_kind(item))
    item.config.stash.setdefault(COLLECTED, {})[item.nodeid] = _kinds(item)


def selects(expression: str, kind: str) -> bool:
    """Return whether ``-m expression`` chooses tests of this kind."""
    try:
        return not expression or Expression.compile(expression).evaluate(lambda name, **_: name == kind)
    except SyntaxError:
        return False  # pytest says so, and runs nothing


def is_quick(item: pytest.Item) -> bool:
    """Return whether the test is one of the quick ones."""
    return _kinds(item) == ["quick"]


@contextmanager
def nothing_slow_starts() -> Iterator[None]:
    """Fail whatever starts a database, a server or a playbook: a test that does is not a quick one."""
    start = subprocess.Popen.__init__

    def checked(self: subprocess.Popen[Any], args: Any, *rest: Any, **options: Any) -> None:
        words = {Path(str(word)).name for word in ([args] if isinstance(args, str) else args)}
        assert not words & _NOT_QUICK, f"a quick test starts {words & _NOT_QUICK}: see tests/kinds.py"
        start(self, args, *rest, **options)

    with mock.patch.object(subprocess.Popen, "__init__", checked):
        yield


def _kinds(item: pytest.Item) -> list[str]:
    return [marker.name for marker in item.iter_markers() if marker.name in KINDS]


def _kind(item: pytest.Item) -> str:
    file = item.nodeid.split("::")[0]
    for folder, kind in _FOLDERS.items():
        if file.startswith(folder):
            return kind
    if file in _FILES:
        return _FILES[file]
    needs_database = file in _DATABASE_FILES or _DATABASES & set(getattr(item, "fixturenames", ()))
    return "database" if needs_database else "quick"

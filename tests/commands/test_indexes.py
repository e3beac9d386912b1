"""commands.indexes, which a role calls."""

import subprocess

from pymongo.database import Database

from tests.commands.operator import operate
from tests.programs import as_text


def run(environment: dict[str, str], *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the service."""
    return as_text(operate(environment, *arguments, **changed))


def test_prints_changes_and_nothing_if_there_were_none(
    environment: dict[str, str], nothing_yet: None
) -> None:
    """Three runs of a role: create, nothing, another expiry."""
    del environment["MASTER_KEY"]  # the command reads no secret, so it is given none

    first = run(environment, "indexes", AUDIT_TTL_DAYS="30")
    second = run(environment, "indexes", AUDIT_TTL_DAYS="30")
    third = run(environment, "indexes", AUDIT_TTL_DAYS="7")

    assert 42 == len(first.stdout.splitlines())
    assert ("", "") == (second.stdout, second.stderr)
    assert "audit_logs: index timestamp_1: expiry changed from 30 days to 7 days\n" == third.stdout
    assert {0} == {finished.returncode for finished in (first, second, third)}


def test_check_changes_nothing_and_reports_by_exit_code(
    environment: dict[str, str], database: Database, nothing_yet: None
) -> None:
    """1 if something would change, otherwise 0."""
    before = run(environment, "indexes", "--check")
    assert [] == database.list_collection_names()
    run(environment, "indexes")
    after = run(environment, "indexes", "--check")

    assert (1, 42) == (before.returncode, len(before.stdout.splitlines()))
    assert (0, "") == (after.returncode, after.stdout)


def test_says_in_one_line_why_it_cannot(environment: dict[str, str]) -> None:
    """Exit code 2, so that it is not taken for "something would be changed"."""
    finished = run(environment, "indexes", "--check", AUDIT_TTL_DAYS="soon")

    assert (2, 1) == (finished.returncode, len(finished.stderr.splitlines()))

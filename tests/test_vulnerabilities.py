"""tests.vulnerabilities: what it makes of pip-audit's output, which is made up: the real data changes."""

import json
from typing import Any

import pytest

from tests.vulnerabilities import verdict

CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
SKIPPED = {"name": "gevent", "skip_reason": "Dependency not found"}
VULNERABLE = {
    "name": "jinja2",
    "version": "3.1.0",
    "vulns": [{"id": "PYSEC-2099-1", "fix_versions": ["3.1.7"], "aliases": [], "description": "x"}],
}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([CLEAN], 0, "1 packages audited: no known vulnerability"),
        ([CLEAN, VULNERABLE], 1, "known vulnerabilities:\njinja2 3.1.0: PYSEC-2099-1, mended in 3.1.7"),
        ([CLEAN, SKIPPED], 0, "NOT AUDITED: pip-audit has no data on 1 of 2 packages: gevent"),
        # What it has found counts, whatever else it could not find out.
        ([SKIPPED, VULNERABLE], 1, "known vulnerabilities:\njinja2 3.1.0: PYSEC-2099-1, mended in 3.1.7"),
    ],
)
def test_says_what_was_found(packages: list[dict[str, Any]], code: int, said: str) -> None:
    """Only a vulnerability is a failure."""
    assert (code, said) == verdict(json.dumps({"dependencies": packages, "fixes": []}), "")


@pytest.mark.parametrize(
    ("errors", "code", "said"),
    [
        (
            "Traceback\nrequests.exceptions.ProxyError: no route",
            0,
            "NOT AUDITED: pip-audit cannot reach its data: requests.exceptions.ProxyError: no route",
        ),
        (
            "ERROR:Could not connect",
            0,
            "NOT AUDITED: pip-audit cannot reach its data: ERROR:Could not connect",
        ),
        ("No module named pip_audit", 1, "pip-audit failed: No module named pip_audit"),
        ("", 1, "pip-audit failed: it printed nothing"),
    ],
)
def test_tells_data_that_is_out_of_reach_from_a_failure(errors: str, code: int, said: str) -> None:
    """pip-audit prints nothing but errors in both cases."""
    assert (code, said) == verdict("", errors)

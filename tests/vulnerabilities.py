"""Looks for known vulnerabilities in the service's packages: ``python -m tests.vulnerabilities``.

Ends with 1 if there is one, or if pip-audit fails.  Where it cannot reach its data this says so and ends
with 0: a machine without it must not keep a change from landing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "service" / "requirements.lock"
COMMAND = (
    *(sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"),
    # The lock file has everything: no pip needs to find out what comes with it.
    *("--disable-pip", "--require-hashes", "--requirement", str(LOCK)),
)

# What its library for HTTP raises, and what it says itself.
_UNREACHABLE = re.compile(r"^requests\.exceptions\.|Could not connect", re.MULTILINE)


def verdict(printed: str, errors: str) -> tuple[int, str]:
    """Return the exit code and what to say about the output of pip-audit."""
    try:
        packages: list[dict[str, Any]] = json.loads(printed)["dependencies"]
    except ValueError:
        reason = errors.strip().splitlines()[-1] if errors.strip() else "it printed nothing"
        if _UNREACHABLE.search(errors):
            return 0, f"NOT AUDITED: pip-audit cannot reach its data: {reason}"
        return 1, f"pip-audit failed: {reason}"
    found = [
        f"{package['name']} {package['version']}: {each['id']}, mended in "
        + (" or ".join(each["fix_versions"]) or "no version")
        for package in packages
        for each in package.get("vulns", [])
    ]
    if found:
        return 1, "\n".join(["known vulnerabilities:", *found])
    if unknown := [package["name"] for package in packages if "skip_reason" in package]:
        return 0, (
            f"NOT AUDITED: pip-audit has no data on {len(unknown)} of {len(packages)} packages: "
            + ", ".join(unknown)
        )
    return 0, f"{len(packages)} packages audited: no known vulnerability"


def main() -> int:
    """Run pip-audit, and say what came of it."""
    finished = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    code, said = verdict(finished.stdout, finished.stderr)
    print(said)
    return code


if __name__ == "__main__":
    sys.exit(main())

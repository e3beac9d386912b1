"""Prints the software bill of materials of the image in which it runs, as CycloneDX 1.5 (JSON).

    python3 sbom.py NAME WHEELS    while the image is built; WHEELS is the folder of what is installed

It lists the Python packages of the wheels with their hashes, Debian's packages, and Python itself.  Nothing
in it depends on the time or the machine, so that the same image has the same bill.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote


def bill(name: str, wheels: Path) -> dict[str, Any]:
    """Return the bill of an image called ``name``."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": name, "bom-ref": name}},
        "components": [
            *python_packages(wheels),
            *debian_packages(),
            _component("generic", "python", platform.python_version()),
        ],
    }


def python_packages(wheels: Path) -> Iterator[dict[str, Any]]:
    """Yield a component for each wheel."""
    for wheel in sorted(wheels.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        with wheel.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        normalized = re.sub(r"[-_.]+", "-", name).lower()
        yield _component("pypi", normalized, version) | {"hashes": [{"alg": "SHA-256", "content": digest}]}


def debian_packages() -> Iterator[dict[str, Any]]:
    """Yield a component for each package that dpkg has installed; none if there is no dpkg."""
    try:
        listed = subprocess.run(
            [
                "/usr/bin/dpkg-query",
                "--show",
                "--showformat=${db:Status-Status} ${Package} ${Version} ${Architecture}\\n",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except FileNotFoundError:
        return
    for line in listed.splitlines():
        status, name, version, architecture = line.split(" ")
        if status == "installed":
            yield _component("deb/debian", name, version, f"?arch={architecture}")


def _component(kind: str, name: str, version: str, qualifiers: str = "") -> dict[str, Any]:
    purl = f"pkg:{kind}/{quote(name, safe='')}@{quote(version, safe='')}{qualifiers}"
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}


if __name__ == "__main__":
    json.dump(bill(sys.argv[1], Path(sys.argv[2])), sys.stdout, indent=1)

"""sbom: a bill of materials that other programs read, of what is really there."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[1]


def test_is_valid_and_complete(tmp_path: Path) -> None:
    """Against the schema of CycloneDX itself; names as registries write them, the hash of each wheel."""
    (tmp_path / "Zope.Event-6.2-py3-none-any.whl").write_bytes(b"a wheel")

    printed = run(tmp_path)

    assert None is JsonStrictValidator(SchemaVersion.V1_5).validate_str(printed)
    components = {
        component["purl"].split("?")[0]: component for component in json.loads(printed)["components"]
    }
    assert [{"alg": "SHA-256", "content": hashlib.sha256(b"a wheel").hexdigest()}] == components[
        "pkg:pypi/zope-event@6.2"
    ]["hashes"]
    assert "pkg:generic/python@" + ".".join(map(str, sys.version_info[:3])) in components
    if Path("/usr/bin/dpkg-query").exists():
        assert any(purl.startswith("pkg:deb/debian/base-files@") for purl in components)


def test_is_the_same_for_the_same_image(tmp_path: Path) -> None:
    """No time and no random number in it."""
    assert run(tmp_path) == run(tmp_path)


def run(wheels: Path) -> str:
    """Run it as the build does."""
    return subprocess.run(
        [sys.executable, ROOT / "service" / "sbom.py", "image", wheels],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

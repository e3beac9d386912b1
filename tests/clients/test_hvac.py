"""hvac's own test suite, unmodified, against a real server.

Its source distribution comes from the package index that pip is configured with.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gunicorn_server import Server

HVAC = "hvac==2.4.0 --hash=sha256:e0056ad9064e7923e874e6769015b032580b639e29246f5ab1044f7959c1c7e0\n"
MISSING = "what hvac's tests import is missing: pip install -r tests/clients/requirements.txt"
# The suite asks it for its version, to leave out what older ones cannot do.
VAULT = "#!/bin/sh\necho 'Vault v1.19.0 (0)'\n"
CONFTEST = Path(__file__).with_name("hvac_conftest.py")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the suite, with a conftest.py of ours."""
    if not all(importlib.util.find_spec(name) for name in ("packaging", "parameterized", "hcl")):
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("hvac")
    requirements = folder / "requirements.txt"
    requirements.write_text(HVAC)
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "hvac"]
    subprocess.run([*download, "--requirement", requirements, "--dest", folder], check=True)
    (archive,) = folder.glob("hvac-*.tar.gz")
    subprocess.run(["tar", "--extract", "--gzip", "--file", archive, "--directory", folder], check=True)
    unpacked = folder / archive.name.removesuffix(".tar.gz")
    shutil.copy(CONFTEST, unpacked / "conftest.py")
    vault = unpacked / "bin/vault"
    vault.parent.mkdir()
    vault.write_text(VAULT)
    vault.chmod(0o700)
    return unpacked


_TOKENS = (
    "(test_auth_token_manipulation or self_auth or orphaned or accessor or max_ttl or token_periodic"
    " or test_wrap or health or missing_token or invalid_token or client_ or seal_status)"
    # The first two make login methods before anything else, the last needs a standby.
    " and not test_unwrap and not gcp and not standby"
)
# What is chosen of the suite, and how many tests that is; all else is about other engines.
SELECTIONS = {
    "kv": (["api/secrets_engines/test_kv_v2.py"], "", 84),
    "tokens, wrapping and health": (
        [
            "api/auth_methods/test_token.py",
            "api/system_backend/test_wrapping.py",
            "api/system_backend/test_health.py",
            "api/system_backend/test_leader.py",
            "v1/test_integration.py",
        ],
        _TOKENS,
        27,
    ),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("files", "names", "count"), SELECTIONS.values(), ids=SELECTIONS)
def test_the_suite_passes(
    serve: Callable[..., Server],
    give: Callable[..., str],
    suite: Path,
    files: list[str],
    names: str,
    count: int,
) -> None:
    """All of it, and nothing is skipped."""
    server = serve(AUTH_REQUIRED="true", KV_MOUNTS="secret=,kvv2=kvv2")
    server.wait_until()
    token = give("admin")
    environment = {
        "HOME": str(suite),
        "PATH": f"{suite / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "SUITE_TOKEN": token,
        "VAULT_ADDR": server.url,
    }
    chosen = [f"tests/integration_tests/{file}" for file in files]
    command = [sys.executable, "-m", "pytest", "--quiet", "--override-ini=addopts=", "-k", names]

    finished = subprocess.run(
        [*command, *chosen],
        cwd=suite,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    # Where a test fails, pytest shows the arguments of calls.
    output = (finished.stdout or finished.stderr).replace(token, "TOKEN")
    *_, summary = output.splitlines() or [""]
    outcomes = re.findall(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)", summary)
    assert [(str(count), "passed")] == outcomes, output[-5000:]

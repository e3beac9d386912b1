"""Packages of node that tests use; ``tests/node`` pins them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def node_with(package: str) -> str:
    """Return the path of node, which finds the package by NODE_PATH; else skip the test, or fail in CI."""
    node = shutil.which("node")
    if (
        node is not None
        and not subprocess.run(
            [node, "-e", f"require({package!r})"], capture_output=True, check=False
        ).returncode
    ):
        return node
    missing = (
        f"node's {package} is missing: npm ci in a copy of tests/node, and its node_modules as NODE_PATH"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)

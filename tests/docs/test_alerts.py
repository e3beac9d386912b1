"""docs/alerts: promtool accepts the rules, each alert fires when it should, and its metrics exist."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.audit import anchors
from service.audit.checkpointer import Checkpointer, audit_log
from service.audit.writer import ChainWriter
from service.crypto.keyring import KeyRing
from service.models import DrillResult, now
from service.store.store import Store
from tests import yaml_files
from tests.calls import ask
from tests.certificates import Authority

DOCS = Path(__file__).parents[2] / "docs"
RULES = DOCS / "alerts/secret-manager.rules.yml"
RULE_TESTS = DOCS / "alerts/secret-manager.rules.test.yml"
# Prometheus makes this metric itself.
FOREIGN = {"up"}


def rules() -> list[dict[str, Any]]:
    """Return the rules of all alerts."""
    (group,) = yaml_files.load(RULES)["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


@pytest.mark.check
@pytest.mark.parametrize(
    "command", [["check", "rules", RULES.name], ["test", "rules", RULE_TESTS.name]], ids=["check", "test"]
)
def test_promtool_accepts_the_rules(command: list[str]) -> None:
    """Their syntax is valid, and their own tests pass."""
    if (promtool := shutil.which("promtool")) is None:
        reason = "promtool is missing: apt-get install --no-install-recommends prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    finished = subprocess.run(
        [promtool, *command], cwd=RULES.parent, capture_output=True, text=True, check=False
    )

    assert 0 == finished.returncode, finished.stdout + finished.stderr


def test_each_alert_has_a_severity_and_a_description() -> None:
    """It also waits, in case the problem passes by itself."""
    for rule in rules():
        assert {"alert", "expr", "for", "labels", "annotations"} == rule.keys()
        assert {"summary", "description"} == rule["annotations"].keys()
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert re.fullmatch("[1-9][0-9]*[mhd]", rule["for"])


def test_each_alert_is_tested_and_explained() -> None:
    """It fires in a test of the rules, and the how-to page explains it."""
    page = (DOCS / "how-to/alerts.md").read_text()

    names = {rule["alert"] for rule in rules()}
    assert names == set(_fired(yaml_files.load(RULE_TESTS)))
    assert names == set(re.findall(r"^\| `(SecretManager\w+)` \|", page, re.MULTILINE))


def _fired(tests: dict[str, Any]) -> Iterator[str]:
    for test in tests["tests"]:
        yield from (case["alertname"] for case in test.get("alert_rule_test", ()) if case["exp_alerts"])
        for case in test.get("promql_expr_test", ()):
            for sample in case["exp_samples"]:
                yield from re.findall(r'alertname="(\w+)"', sample["labels"])


def test_each_metric_of_the_rules_exists(
    make_client: Callable[..., FlaskClient],
    authority: Authority,
    store: Store,
    ring: KeyRing,
    give: Callable[..., str],
    tmp_path: Path,
) -> None:
    """It has the labels that the rules select."""
    file = str(authority.issue("alerts"))
    client = make_client(TLS_CERT_FILE=file, TLS_KEY_FILE=file, AUDIT_ANCHOR_DIR=str(tmp_path))
    store.drills.write(DrillResult(now(), success=True, records=1, failed=0, made_at=now()))
    ask(client, "create/", secret="YQ==")
    ask(client, "deliver")
    give("deliver:*", expires_in=3600)
    log = audit_log(store, ring, 60, 0, tmp_path)
    assert Checkpointer(log, ChainWriter(store.audit, log.key.keys)).run(due=True)
    anchors.follow(log)

    shown = client.get("/metrics").text

    for rule in rules():
        for name, labels in re.findall(r"\b((?:vault|up)\w*)\b(?:\{([^}]*)\})?", rule["expr"]):
            if name not in FOREIGN:
                selected = [line for line in shown.splitlines() if re.match(rf"{name}[ {{]", line)]
                for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
                    selected = [line for line in selected if f'{label}="{value}"' in line]
                assert selected, (rule["alert"], name, labels)

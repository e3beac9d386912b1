"""What the database once held is put back, field by field: the answers are errors or the present truth."""

from __future__ import annotations

import base64
import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations, cycle
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.crypto import tags
from service.crypto.keyring import KeyRing
from service.errors import Tampered
from service.store import secret_documents
from tests.calls import TOKEN, WHOAMI, ask, id_of, post
from tests.conftest import Clock

Document = dict[str, Any]
# A field of a document, and inside a version: its number in the array and its name.
Place = tuple[str] | tuple[str, int, str]

PATHS = ["app/new", "app/old", "app/older"]


@dataclass
class Life:
    """The states of one document, the present one last."""

    client: FlaskClient
    collection: Any
    selected: Document = field(default_factory=dict)
    states: list[Document] = field(default_factory=list)

    def keep(self) -> None:
        """Keep the present state if it is a new one."""
        (present,) = self.collection.find(self.selected)
        if not self.states or present != self.states[-1]:
            self.states.append(present)

    def do(self, call: str, **body: Any) -> None:
        """Make a call, and keep what it has made of the document."""
        answer = ask(self.client, call, **body)
        assert answer.status_code in (200, 201), (call, answer.text)
        self.keep()

    def mixtures(self, size: int) -> Iterator[tuple[tuple[Place, ...], Document]]:
        """Yield the present state with so many fields of an earlier one, for all of them."""
        present = self.states[-1]
        for earlier in self.states[:-1]:
            differing = [
                place for place in places(earlier, present) if at(earlier, place) != at(present, place)
            ]
            for chosen in combinations(differing, size):
                mixed = copy.deepcopy(present)
                for place in chosen:
                    put(mixed, place, at(earlier, place))
                if read_part(mixed) not in map(read_part, self.states):
                    yield chosen, mixed


def read_part(document: Document) -> Document:
    """Leave out when MongoDB removes a token, which nothing else reads."""
    return {name: value for name, value in document.items() if name != "ended_at"}


def places(*documents: Document) -> list[Place]:
    """Return the places of all fields, and of those in versions that all of the documents have."""
    found: dict[Place, None] = {}
    for document in documents:
        found |= dict.fromkeys((name,) for name in document if name != "_id")
    for index in range(min(len(document.get("versions", [])) for document in documents)):
        for document in documents:
            found |= dict.fromkeys(("versions", index, name) for name in document["versions"][index])
    return list(found)


def at(document: Document, place: Place) -> Any:
    """Return what is there; an ellipsis if nothing is."""
    if len(place) == 1:
        return document.get(place[0], ...)
    return document["versions"][place[1]].get(place[2], ...)


def put(document: Document, place: Place, value: Any) -> None:
    """Put a value there, or remove what is there."""
    target = document if len(place) == 1 else None
    if target is None:
        if not isinstance(document.get("versions"), list) or len(document["versions"]) <= place[1]:
            return
        target = document["versions"][place[1]]
    if value is ...:
        target.pop(place[-1], None)
    else:
        target[place[-1]] = copy.deepcopy(value)


@pytest.fixture
def life(client: FlaskClient, database: Database) -> Life:
    """Moved, rotated, configured, read, deleted and restored."""
    life = Life(client, database.secrets)
    value = iter(base64.b64encode(f"value {number}".encode()).decode() for number in range(9))
    life.do("create/", secret=next(value), path=PATHS[2], labels={"stage": "test"}, max_versions=3)
    life.do("update", path=PATHS[2], new_path=PATHS[1])
    life.do("update", path=PATHS[1], secret=next(value))
    life.do("delete", path=PATHS[1], versions=[1])
    life.do("undelete", path=PATHS[1], versions=[1])
    life.do("update", path=PATHS[1], new_path=PATHS[0], labels={"stage": "production"})
    life.do("update", path=PATHS[0], version_expires_in=7200, cas_required=True)
    life.do("update", path=PATHS[0], secret=next(value), expected_version=2, version_expires_in=3600)
    life.do("delete", path=PATHS[0])
    life.do("undelete", path=PATHS[0])
    life.do("update", path=PATHS[0], max_reads=3, expires_in=5000, delete_version_after=9000)
    life.do("fetch", path=PATHS[0])
    life.do("destroy", path=PATHS[0], versions=[1])
    return life


def go_on(life: Life, end: str, clock: Clock) -> None:
    """Bring the life to one of its ends."""
    match end:
        case "rotated":
            life.do("update", path=PATHS[0], secret="ZW5k", expected_version=3)
        case "deleted":
            life.do("delete", path=PATHS[0])
        case "destroyed":
            life.do("destroy", path=PATHS[0])
        case "read out":
            life.do("fetch", path=PATHS[0])
            life.do("fetch", path=PATHS[0])
        case "expired":
            clock.ahead = timedelta(seconds=6000)


ENDS = ["rotated", "deleted", "destroyed", "read out", "expired"]


def calls(secret_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Return calls for what the service says about a secret, by id and by every path that it ever had."""
    return [
        ("describe", {"secret_id": secret_id}),
        *(("fetch", {"secret_id": secret_id, "version": version}) for version in (1, 2, 3)),
        *(("fetch", {"path": path}) for path in PATHS),
        ("list", {}),
        ("list", {"deleted": True}),
        ("list", {"labels": {"stage": "test"}}),
    ]


def answer(life: Life, document: Document, call: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the answer about this document, which a fetch may change."""
    life.collection.replace_one({"_id": document["_id"]}, document)
    found = ask(life.client, call, **body).json
    return {field: value for field, value in found.items() if field != "request_id"}


def is_true(found: dict[str, Any], truth: dict[str, Any]) -> bool:
    """Return whether an answer is the present truth, or tells no more than that something is wrong."""
    if "secrets" in truth:
        return all(each in truth["secrets"] for each in found["secrets"])
    errors = ("/problems/record-tampered", "/problems/secret-not-found")
    return found == truth or found.get("type") in errors


@pytest.mark.parametrize("end", ENDS)
def test_single_fields_of_earlier_states_of_a_secret(life: Life, clock: Clock, end: str) -> None:
    """Any field of any earlier state: no other value, no other limit, no other story."""
    go_on(life, end, clock)
    present = life.states[-1]
    asked = [(*each, answer(life, present, *each)) for each in calls(present["_id"])]
    turns = cycle(asked[1:])
    tried = 0
    for chosen, mixed in life.mixtures(1):
        for call, body, truth in (asked[0], next(turns), next(turns)):
            found = answer(life, mixed, call, body)
            assert is_true(found, truth), (chosen, call, body, found, truth)
        tried += 1
    assert tried > 100


@pytest.mark.parametrize("end", ENDS)
def test_pairs_of_fields_of_earlier_states_of_a_secret(
    life: Life, clock: Clock, end: str, ring: KeyRing
) -> None:
    """Only what decides no answer passes the check that every answer begins with; the others are errors."""
    go_on(life, end, clock)
    present = life.states[-1]
    asked = [(*each, answer(life, present, *each)) for each in calls(present["_id"])]
    tried = 0
    for chosen, mixed in life.mixtures(2):
        tried += 1
        try:
            tags.verify_secret(secret_documents.read(mixed), ring, lambda: False)
        except Tampered:
            continue
        for call, body, truth in asked:
            found = answer(life, mixed, call, body)
            assert is_true(found, truth), (chosen, call, body, found, truth)
    assert tried > 1000


@pytest.fixture
def token_life(guarded: FlaskClient, give: Callable[..., str], database: Database) -> tuple[Life, str]:
    """Used, renewed, used again and revoked."""
    token = give("fetch:*", max_uses=5, expires_in=3600, renewable=True)
    admin = give("admin")
    life = Life(guarded, database.tokens, {"_id": id_of(token)})
    life.keep()
    for call, caller, body in (
        ("whoami", token, None),
        ("renew", admin, {"token_id": id_of(token)}),
        ("whoami", token, None),
        ("whoami", token, None),
        ("revoke", admin, {"token_id": id_of(token)}),
    ):
        # Renewed tokens end a second later, so that their times differ.
        time.sleep(0.002)
        assert 200 == post(guarded, TOKEN + call, body, caller).status_code, call
        life.keep()
    return life, token


@pytest.mark.parametrize("present", [-1, -2], ids=["revoked", "used"])
def test_fields_of_earlier_states_of_a_token(
    token_life: tuple[Life, str], guarded: FlaskClient, present: int
) -> None:
    """Any field or two of any earlier state: no more uses, no other end, and revoked for good.

    Two fields may be all in which an earlier state differs: then that whole state is put back.
    """
    life, token = token_life
    states = life.states[: len(life.states) + present + 1]
    authentication = guarded.application.extensions["secret-manager"].authentication
    tried = 0
    for size in (1, 2):
        for chosen, mixed in Life(guarded, life.collection, life.selected, states).mixtures(size):
            life.collection.replace_one(life.selected, mixed)
            authentication.forget(id_of(token))
            answer = post(guarded, WHOAMI, None, token)
            used = life.collection.find_one(life.selected)["uses"]
            right = present == -2 and used == states[-1]["uses"] + 1
            assert answer.status_code in (401, 500) or right, (chosen, answer.text)
            tried += 1
    assert tried > 20

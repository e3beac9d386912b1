"""secrets.state: a 404 says to programs what has become of a secret, to callers whose scopes cover it."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask.testing import FlaskClient

from service.models import now
from tests.calls import BATCH, ask, id_of, post

MEMBERS = ("state", "at", "by", "from")


@pytest.mark.parametrize("version", [False, True])
@pytest.mark.parametrize(("operation", "state"), [("delete", "deleted"), ("destroy", "destroyed")])
def test_who_ended_it_and_when(
    guarded: FlaskClient, give: Callable[..., str], operation: str, state: str, version: bool
) -> None:
    """Of a secret and of a version, in a single call and in a batch; a stranger is told nothing of it."""
    admin, stranger = give("admin"), give("fetch:other/*")
    ask(guarded, "create/", admin, path="team/a", secret="YQ==")
    ask(guarded, operation, admin, path="team/a", **({"versions": [1]} if version else {}))

    answer = ask(guarded, "fetch", admin, path="team/a").json
    item = post(guarded, BATCH, {"secrets": [{"path": "team/a"}]}, admin).json["secrets"][0]

    for told in (answer, item):
        assert (state, id_of(admin)) == (told["state"], told["by"])
        assert abs((now() - datetime.fromisoformat(told["at"])).total_seconds()) < 60
        assert told["at"] in told["detail"]
    assert not set(MEMBERS) & ask(guarded, "fetch", stranger, path="team/a").json.keys()


def test_who_read_it_and_from_where(client: FlaskClient) -> None:
    """The last read of a secret with limited reads."""
    ask(client, "create/", path="a", secret="YQ==", max_reads=1)
    ask(client, "fetch", path="a")

    told = ask(client, "fetch", path="a").json

    assert ("read", "anonymous", "127.0.0.1") == (told["state"], told["by"], told["from"])
    assert told["at"] in told["detail"]

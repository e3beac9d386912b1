"""How long a replica may take to stop, what is mounted into it, and what is imported from the Swarm."""

import re

import pytest

from tests.roles import ROOT, filters

FILTERS = filters("vault_api")
grace = FILTERS["vault_api_stop_grace_seconds"]


def test_by_default_it_is_45_seconds() -> None:
    """As it always was, so that no service is updated for it."""
    assert 45 == grace({})
    assert 45 == grace({"MONGO_TIMEOUT_SECONDS": "5"})


@pytest.mark.parametrize("timeout", range(1, 31))
def test_the_orchestrator_is_more_patient_than_gunicorn(timeout: int) -> None:
    """For every value that the service allows; by 10 seconds at least."""
    for given in (timeout, str(timeout)):
        assert grace({"MONGO_TIMEOUT_SECONDS": given}) >= 3 * timeout + 5 + 10


def test_a_value_in_a_file_may_be_the_longest() -> None:
    """Nobody here can read it."""
    assert grace({"MONGO_TIMEOUT_SECONDS": "30"}) == grace({"MONGO_TIMEOUT_SECONDS_FILE": "/run/secrets/t"})


def test_a_value_that_is_no_number_is_named() -> None:
    """With what to write instead."""
    with pytest.raises(
        ValueError, match="MONGO_TIMEOUT_SECONDS in vault_api_environment is 'soon': write a whole"
    ):
        grace({"MONGO_TIMEOUT_SECONDS": "soon"})


def test_gunicorn_is_as_patient_as_is_assumed_here() -> None:
    """The formula and the limits are the service's: this fails if they change there."""
    gunicorn = (ROOT / "service" / "gunicorn.conf.py").read_text()
    settings = (ROOT / "service" / "settings.py").read_text()

    assert re.search(r"^graceful_timeout = 3 \* \S*mongo_timeout \+ 5$", gunicorn, re.MULTILINE)
    assert 'integer("MONGO_TIMEOUT_SECONDS", 5, 1, 30)' in settings


def test_secrets_and_configs_are_files_of_the_service_alone() -> None:
    """Mode 0400; a config lies beside the secrets."""
    owner = {"uid": "65532", "gid": "65532", "mode": 0o400}

    assert [{**owner, "secret_name": "uri_v1", "filename": "mongo_uri"}] == FILTERS["vault_api_secret_files"](
        {"mongo_uri": "uri_v1"}
    )
    assert [{**owner, "config_name": "ca_v1", "filename": "/run/secrets/tls_ca"}] == FILTERS[
        "vault_api_config_files"
    ]({"tls_ca": "ca_v1"})


def test_an_imported_secret_has_its_name_or_a_path() -> None:
    """White space after a comma does no harm; a path may have colons of its own."""
    assert {"db": "db", "smtp_v3": "mail/password", "a.b-c": "x:y"} == FILTERS["vault_api_import_paths"](
        ["db", " smtp_v3:mail/password", "a.b-c:x:y"]
    )


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ([], "no secret is named"),
        ([""], "'' is not the name of a Docker secret: write NAME or NAME:PATH"),
        (["team/db"], "'team/db' is not the name"),
        (["db:"], "'db:' is not the name"),
        (["db", "db:other"], "db is named twice"),
    ],
)
def test_says_what_cannot_be_imported(secrets: list[str], says: str) -> None:
    """Before anything is started."""
    with pytest.raises(ValueError, match=re.escape(says)):
        FILTERS["vault_api_import_paths"](secrets)

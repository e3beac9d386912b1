"""transfer.importing: the plan for every secret is known before anything is written."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from service.access import policy
from service.errors import InvalidFields, VersionConflict
from service.models import Action, now
from service.secrets import modify
from service.secrets.create import CreateSecret
from service.secrets.generate import Recipe
from service.secrets.modify import UpdateSecret
from service.secrets.options import SecretOptions
from service.secrets.services import SecretServices
from service.store.secret_queries import SecretRef
from service.transfer import importing
from service.transfer.importing import Existing, ImportOutcome, ImportStep
from tests.secrets.secrets import DAY, SECOND, entry, keep, value_of

UPDATE, SKIP, REFUSE = Existing.UPDATE, Existing.SKIP, Existing.REFUSE


def request(path: str, value: Any = b"value", **options: Any) -> CreateSecret:
    """Return a secret to import."""
    return CreateSecret(value, path, SecretOptions(**options))


def plan(vault: SecretServices, existing: Existing, *requests: CreateSecret) -> list[ImportStep]:
    """Plan as the operator."""
    return importing.plan(vault, policy.OPERATOR, requests, existing)


def outcomes(vault: SecretServices, existing: Existing, *requests: CreateSecret) -> list[ImportOutcome]:
    """Return the outcome for each."""
    return [step.outcome for step in plan(vault, existing, *requests)]


def carry_out(vault: SecretServices, *steps: ImportStep) -> None:
    """Carry out the plan."""
    for step in steps:
        importing.carry_out(vault, entry(), policy.OPERATOR, step)


def by_path(path: str) -> SecretRef:
    """Return the reference to a path."""
    return SecretRef(path, is_path=True)


@pytest.mark.parametrize("existing", list(Existing))
def test_creates_new_secrets(vault: SecretServices, existing: Existing, database: Database) -> None:
    """However existing ones are treated; nothing is written before the plan is carried out."""
    steps = plan(vault, existing, request("a", b"1"), request("b", b"2", labels={"env": "prod"}))
    before = database.secrets.count_documents({})
    carry_out(vault, *steps)

    assert ([ImportOutcome.CREATE] * 2, 0) == ([step.outcome for step in steps], before)
    assert (b"1", b"2") == (value_of(vault, "a"), value_of(vault, "b"))
    assert [{"k": "env", "v": "prod"}] == database.secrets.find_one({"path": "b"})["labels"]


def test_existing_secrets_stay_unless_asked(vault: SecretServices) -> None:
    """An existing secret is refused, skipped or given the new value."""
    keep(vault, "there", b"old")
    both = (request("there", b"new"), request("not-there"))

    refused = plan(vault, REFUSE, *both)
    assert [ImportOutcome.REFUSE, ImportOutcome.CREATE] == [step.outcome for step in refused]
    assert "another secret has this path" in str(refused[0].error)
    assert [ImportOutcome.SKIP, ImportOutcome.CREATE] == outcomes(vault, SKIP, *both)
    steps = plan(vault, UPDATE, *both)
    assert [ImportOutcome.NEW_VERSION, ImportOutcome.CREATE] == [step.outcome for step in steps]

    carry_out(vault, *steps)
    assert b"new" == value_of(vault, "there")


def test_an_equal_value_is_not_a_new_version(vault: SecretServices, database: Database) -> None:
    """Running an import again changes nothing."""
    keep(vault, "a", b"same", labels={"env": "prod"}, max_versions=3)
    before = database.secrets.find_one()

    assert [ImportOutcome.SAME] == outcomes(vault, UPDATE, request("a", b"same"))
    assert [ImportOutcome.SAME] == outcomes(
        vault, UPDATE, request("a", b"same", labels={"env": "prod"}, max_versions=3)
    )
    assert before == database.secrets.find_one()


def test_other_settings_with_an_equal_value_are_not_a_new_version(vault: SecretServices) -> None:
    """The settings are changed, and the version stays."""
    keep(vault, "a", b"same")
    end = now() + DAY

    for options in ({"labels": {"env": "prod"}}, {"expires_at": end}, {"version_expires_at": end}):
        (step,) = plan(vault, UPDATE, request("a", b"same", **options))
        assert ImportOutcome.NEW_SETTINGS == step.outcome
        carry_out(vault, step)
        assert [ImportOutcome.SAME] == outcomes(vault, UPDATE, request("a", b"same", **options))

    found = vault.secrets.find_whole([by_path("a")], policy.access_filter(policy.OPERATOR, Action.FETCH))
    secret = found[by_path("a")]
    assert (1, (("env", "prod"),), end) == (secret.current, secret.labels, secret.versions[0].expires_at)


def test_an_empty_value_in_the_place_of_another_must_be_meant(vault: SecretServices) -> None:
    """A placeholder in a file looks like this; an empty secret may stay or become empty."""
    keep(vault, "full", b"real")
    keep(vault, "empty", b"")
    both = (request("full", b""), request("empty", b""), request("new", b""))

    refused, same, create = plan(vault, UPDATE, *both)
    assert [ImportOutcome.REFUSE, ImportOutcome.SAME, ImportOutcome.CREATE] == [
        refused.outcome,
        same.outcome,
        create.outcome,
    ]
    assert isinstance(refused.error, InvalidFields)
    assert "--allow-empty" in str(refused.error.errors)
    assert [ImportOutcome.SKIP] == outcomes(vault, SKIP, request("full", b""))

    (allowed,) = importing.plan(vault, policy.OPERATOR, both[:1], UPDATE, allow_empty=True)
    carry_out(vault, allowed)
    assert (ImportOutcome.EMPTIED, b"") == (allowed.outcome, value_of(vault, "full"))


def test_a_value_to_be_generated_is_never_equal(vault: SecretServices) -> None:
    """It is not known before."""
    keep(vault, "a", b"x")
    (step,) = plan(vault, UPDATE, request("a", Recipe(8, "ab")))
    carry_out(vault, step)

    assert ImportOutcome.NEW_VERSION == step.outcome
    assert 8 == len(value_of(vault, "a"))


def test_comparing_uses_up_no_read(vault: SecretServices) -> None:
    """The value is not returned."""
    keep(vault, "once", b"value", max_reads=1)

    assert [ImportOutcome.SAME] == outcomes(vault, UPDATE, request("once", b"value"))
    assert b"value" == value_of(vault, "once")


def test_an_update_requires_the_version_in_the_plan(vault: SecretServices) -> None:
    """A change made since is not overwritten; this also satisfies ``cas_required``."""
    keep(vault, "a", b"old", cas_required=True)
    steps = plan(vault, UPDATE, request("a", b"new"))
    modify.update(vault, entry(), policy.OPERATOR, by_path("a"), UpdateSecret(b"theirs", 1))

    with pytest.raises(VersionConflict):
        carry_out(vault, *steps)

    carry_out(vault, *plan(vault, UPDATE, request("a", b"new")))
    assert b"new" == value_of(vault, "a")


def test_a_deleted_secret_counts_as_existing(vault: SecretServices) -> None:
    """It can be undeleted, so it is not replaced; the error of an update says what to do."""
    keep(vault, "a")
    modify.delete(vault, entry(), policy.OPERATOR, by_path("a"))

    assert [ImportOutcome.REFUSE] == outcomes(vault, REFUSE, request("a"))
    assert [ImportOutcome.SKIP] == outcomes(vault, SKIP, request("a"))
    (step,) = plan(vault, UPDATE, request("a"))
    assert ImportOutcome.REFUSE == step.outcome
    assert "undelete restores it" in str(step.error)


def test_a_deleted_version_is_followed_by_another(vault: SecretServices) -> None:
    """The secret is still in use, but has no value to compare."""
    keep(vault, "a", b"value")
    modify.delete(vault, entry(), policy.OPERATOR, by_path("a"), [1])

    carry_out(vault, *plan(vault, UPDATE, request("a", b"value")))

    assert b"value" == value_of(vault, "a")


@pytest.mark.parametrize("existing", list(Existing))
def test_an_ended_secret_is_not_existing(vault: SecretServices, existing: Existing, indexed: None) -> None:
    """If it is destroyed, or expired and not yet removed, the path is free."""
    keep(vault, "destroyed")
    modify.destroy(vault, entry(), policy.OPERATOR, by_path("destroyed"))
    keep(vault, "expired", expires_at=timedelta(seconds=1))
    later = replace(vault, clock=lambda: now() + 2 * SECOND)

    steps = plan(later, existing, request("destroyed", b"1"), request("expired", b"2"))
    carry_out(later, *steps)

    assert [ImportOutcome.CREATE] * 2 == [step.outcome for step in steps]
    assert (b"1", b"2") == (value_of(later, "destroyed"), value_of(later, "expired"))


def test_refuses_what_could_not_be_created(vault: SecretServices) -> None:
    """All of them at once, each for its own reason."""
    steps = plan(
        vault,
        REFUSE,
        request("no//path"),
        request("large", bytes(65_537)),
        request("label", labels={"smt_0123456789abcdef_" + "0" * 72: ""}),
        request("far", expires_at=timedelta(days=365 * 200)),
        request("version-far", version_expires_at=timedelta(days=365 * 200)),
        request("good"),
    )

    assert [ImportOutcome.REFUSE] * 5 + [ImportOutcome.CREATE] == [step.outcome for step in steps]
    assert "a secret may have up to 65536 bytes (MAX_SECRET_BYTES)" == str(steps[1].error)


def test_leaves_out_what_has_ended_since(vault: SecretServices) -> None:
    """The rest of an old export is imported."""
    ended = now() - SECOND

    assert [ImportOutcome.OVER, ImportOutcome.OVER, ImportOutcome.CREATE] == outcomes(
        vault,
        REFUSE,
        request("a", expires_at=ended),
        request("b", version_expires_at=ended),
        request("c", expires_at=now() + DAY),
    )


def test_refuses_to_update_what_does_not_open(vault: SecretServices, database: Database) -> None:
    """An altered record needs an investigation and is not overwritten."""
    keep(vault, "payload")
    keep(vault, "place")
    database.secrets.update_one({"path": "payload"}, {"$set": {"versions.0.payload": bytes(60)}})
    database.secrets.update_one({"path": "place"}, {"$set": {"path": "elsewhere"}})

    steps = plan(vault, UPDATE, request("payload"), request("elsewhere"))

    assert [ImportOutcome.REFUSE] * 2 == [step.outcome for step in steps]
    assert ["tampered"] * 2 == [step.error.reason for step in steps if step.error]


def test_compares_values_in_batches(vault: SecretServices) -> None:
    """So that they fit into memory; the order stays."""
    few = replace(vault, max_secret_bytes=8 * 2**20)
    for number in range(0, 9, 2):
        keep(vault, f"{number}", b"value")

    found = outcomes(few, UPDATE, *(request(f"{number}") for number in range(9)))

    assert [ImportOutcome.SAME if number % 2 == 0 else ImportOutcome.CREATE for number in range(9)] == found


def test_shows_no_value(vault: SecretServices) -> None:
    """The repr of a step does not contain the value."""
    assert "value" not in repr(plan(vault, REFUSE, request("a")))

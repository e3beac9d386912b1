"""vault.importing: what would become of each secret is known before anything is written."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from service.access import policy
from service.errors import VersionConflict
from service.models import Action, now
from service.secrets import modify
from service.secrets.create import NewSecret
from service.secrets.generate import Recipe
from service.secrets.modify import Update
from service.secrets.options import Settings
from service.secrets.vault import Vault
from service.store.secret_queries import Name
from service.transfer import importing
from service.transfer.importing import Existing, Outcome, Step
from tests.secrets.secrets import DAY, SECOND, entry, keep, value_of

UPDATE, SKIP, REFUSE = Existing.UPDATE, Existing.SKIP, Existing.REFUSE


def wish(path: str, value: Any = b"value", **settings: Any) -> NewSecret:
    """Return a secret to import."""
    return NewSecret(value, path, Settings(**settings))


def plan(vault: Vault, existing: Existing, *wishes: NewSecret) -> list[Step]:
    """Plan as the operator does."""
    return importing.plan(vault, policy.OPERATOR, wishes, existing)


def outcomes(vault: Vault, existing: Existing, *wishes: NewSecret) -> list[Outcome]:
    """Return what would become of each."""
    return [step.outcome for step in plan(vault, existing, *wishes)]


def carry_out(vault: Vault, *steps: Step) -> None:
    """Do what was planned."""
    for step in steps:
        importing.carry_out(vault, entry(), policy.OPERATOR, step)


def named(path: str) -> Name:
    """Return the name of a path."""
    return Name(path, is_path=True)


@pytest.mark.parametrize("existing", list(Existing))
def test_creates_what_there_is_not(vault: Vault, existing: Existing, database: Database) -> None:
    """However existing ones are treated; nothing is written before it is carried out."""
    steps = plan(vault, existing, wish("a", b"1"), wish("b", b"2", labels={"env": "prod"}))
    before = database.secrets.count_documents({})
    carry_out(vault, *steps)

    assert ([Outcome.CREATE] * 2, 0) == ([step.outcome for step in steps], before)
    assert (b"1", b"2") == (value_of(vault, "a"), value_of(vault, "b"))
    assert [{"k": "env", "v": "prod"}] == database.secrets.find_one({"path": "b"})["labels"]


def test_what_there_is_stays_unless_told_otherwise(vault: Vault) -> None:
    """One secret that is there is refused, skipped or given the new value."""
    keep(vault, "there", b"old")
    both = (wish("there", b"new"), wish("not-there"))

    refused = plan(vault, REFUSE, *both)
    assert [Outcome.REFUSE, Outcome.CREATE] == [step.outcome for step in refused]
    assert "another secret has this path" in str(refused[0].error)
    assert [Outcome.SKIP, Outcome.CREATE] == outcomes(vault, SKIP, *both)
    steps = plan(vault, UPDATE, *both)
    assert [Outcome.NEW_VERSION, Outcome.CREATE] == [step.outcome for step in steps]

    carry_out(vault, *steps)
    assert b"new" == value_of(vault, "there")


def test_an_equal_value_is_no_new_version(vault: Vault, database: Database) -> None:
    """Running an import again changes nothing."""
    keep(vault, "a", b"same", labels={"env": "prod"}, max_versions=3)
    before = database.secrets.find_one()

    assert [Outcome.SAME] == outcomes(vault, UPDATE, wish("a", b"same"))
    assert [Outcome.SAME] == outcomes(
        vault, UPDATE, wish("a", b"same", labels={"env": "prod"}, max_versions=3)
    )
    assert before == database.secrets.find_one()


def test_other_settings_with_an_equal_value_are_no_new_version(vault: Vault) -> None:
    """They are changed, and the version stays."""
    keep(vault, "a", b"same")
    end = now() + DAY

    for settings in ({"labels": {"env": "prod"}}, {"expires_at": end}, {"version_expires_at": end}):
        (step,) = plan(vault, UPDATE, wish("a", b"same", **settings))
        assert Outcome.NEW_SETTINGS == step.outcome
        carry_out(vault, step)
        assert [Outcome.SAME] == outcomes(vault, UPDATE, wish("a", b"same", **settings))

    found = vault.secrets.find_whole([named("a")], policy.reach(policy.OPERATOR, Action.FETCH))
    secret = found[named("a")]
    assert (1, (("env", "prod"),), end) == (secret.current, secret.labels, secret.versions[0].expires_at)


def test_a_value_to_be_made_is_never_equal(vault: Vault) -> None:
    """Nobody knows it before."""
    keep(vault, "a", b"x")
    (step,) = plan(vault, UPDATE, wish("a", Recipe(8, "ab")))
    carry_out(vault, step)

    assert Outcome.NEW_VERSION == step.outcome
    assert 8 == len(value_of(vault, "a"))


def test_comparing_uses_up_no_read(vault: Vault) -> None:
    """The value goes nowhere."""
    keep(vault, "once", b"value", max_reads=1)

    assert [Outcome.SAME] == outcomes(vault, UPDATE, wish("once", b"value"))
    assert b"value" == value_of(vault, "once")


def test_an_update_wants_the_version_that_was_planned_for(vault: Vault) -> None:
    """What somebody changed meanwhile is not overwritten; a secret that demands it is content."""
    keep(vault, "a", b"old", cas_required=True)
    steps = plan(vault, UPDATE, wish("a", b"new"))
    modify.update(vault, entry(), policy.OPERATOR, named("a"), Update(b"theirs", 1))

    with pytest.raises(VersionConflict):
        carry_out(vault, *steps)

    carry_out(vault, *plan(vault, UPDATE, wish("a", b"new")))
    assert b"new" == value_of(vault, "a")


def test_what_was_deleted_is_there(vault: Vault) -> None:
    """It can be brought back, so nothing takes its place; whoever updates it is told what to do."""
    keep(vault, "a")
    modify.delete(vault, entry(), policy.OPERATOR, named("a"))

    assert [Outcome.REFUSE] == outcomes(vault, REFUSE, wish("a"))
    assert [Outcome.SKIP] == outcomes(vault, SKIP, wish("a"))
    (step,) = plan(vault, UPDATE, wish("a"))
    assert Outcome.REFUSE == step.outcome
    assert "undelete brings it back" in str(step.error)


def test_a_deleted_version_is_followed_by_another(vault: Vault) -> None:
    """The secret itself is in use, and has no value to compare."""
    keep(vault, "a", b"value")
    modify.delete(vault, entry(), policy.OPERATOR, named("a"), [1])

    carry_out(vault, *plan(vault, UPDATE, wish("a", b"value")))

    assert b"value" == value_of(vault, "a")


@pytest.mark.parametrize("existing", list(Existing))
def test_what_is_over_is_not_there(vault: Vault, existing: Existing, indexed: None) -> None:
    """Destroyed, or expired and not yet removed: the path is free."""
    keep(vault, "destroyed")
    modify.destroy(vault, entry(), policy.OPERATOR, named("destroyed"))
    keep(vault, "expired", expires_at=timedelta(seconds=1))
    later = replace(vault, clock=lambda: now() + 2 * SECOND)

    steps = plan(later, existing, wish("destroyed", b"1"), wish("expired", b"2"))
    carry_out(later, *steps)

    assert [Outcome.CREATE] * 2 == [step.outcome for step in steps]
    assert (b"1", b"2") == (value_of(later, "destroyed"), value_of(later, "expired"))


def test_refuses_what_could_not_be_created(vault: Vault) -> None:
    """Each for its own reason, all at once."""
    steps = plan(
        vault,
        REFUSE,
        wish("no//path"),
        wish("large", bytes(65_537)),
        wish("label", labels={"smt_0123456789abcdef_" + "0" * 72: ""}),
        wish("far", expires_at=timedelta(days=365 * 200)),
        wish("version-far", version_expires_at=timedelta(days=365 * 200)),
        wish("good"),
    )

    assert [Outcome.REFUSE] * 5 + [Outcome.CREATE] == [step.outcome for step in steps]
    assert "a secret may have up to 65536 bytes" == str(steps[1].error)


def test_leaves_out_what_has_ended_since(vault: Vault) -> None:
    """An export of last year is imported all the same."""
    ended = now() - SECOND

    assert [Outcome.OVER, Outcome.OVER, Outcome.CREATE] == outcomes(
        vault,
        REFUSE,
        wish("a", expires_at=ended),
        wish("b", version_expires_at=ended),
        wish("c", expires_at=now() + DAY),
    )


def test_refuses_to_update_what_does_not_open(vault: Vault, database: Database) -> None:
    """An altered record is for somebody to look at, not to write over."""
    keep(vault, "payload")
    keep(vault, "place")
    database.secrets.update_one({"path": "payload"}, {"$set": {"versions.0.payload": bytes(60)}})
    database.secrets.update_one({"path": "place"}, {"$set": {"path": "elsewhere"}})

    steps = plan(vault, UPDATE, wish("payload"), wish("elsewhere"))

    assert [Outcome.REFUSE] * 2 == [step.outcome for step in steps]
    assert ["tampered"] * 2 == [step.error.reason for step in steps if step.error]


def test_looks_at_many_a_few_at_a_time(vault: Vault) -> None:
    """So that their values fit into memory; the order stays."""
    few = replace(vault, max_secret_bytes=8 * 2**20)
    for number in range(0, 9, 2):
        keep(vault, f"{number}", b"value")

    found = outcomes(few, UPDATE, *(wish(f"{number}") for number in range(9)))

    assert [Outcome.SAME if number % 2 == 0 else Outcome.CREATE for number in range(9)] == found


def test_shows_no_value(vault: Vault) -> None:
    """Whoever prints a step sees what would happen and nothing else."""
    assert "value" not in repr(plan(vault, REFUSE, wish("a")))

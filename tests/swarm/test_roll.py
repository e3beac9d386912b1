"""swarm.roll: what is refused, in which order things are done, and the exit code of each end.

With real hooks.  That services then have the value is seen in ``tests/cluster/test_roll.py``.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from service.swarm.consumers import Allowances
from service.swarm.roll import Outcome, Roll, RollRefused, RollRequest
from tests.swarm.memory import PATH, MemoryEngine, MemoryVault

TWO_VERSIONS = 2
# Writes down when it was run and what for; it fails at the moment {fails}.
HOOK = """#!/bin/sh
echo "$1 $OLD_VERSION $NEW_VERSION $(cat <&3) $(cat <&4)" >> {folder}/hooks
[ "$1" != "{fails}" ]
"""


class Stage:
    """Two services with version 1, of two versions; what is said is in ``said``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = MemoryEngine("api", "web")
        self.vault = MemoryVault(TWO_VERSIONS)
        self.said: list[str] = []

    def roll(self, **request: Any) -> Outcome:
        """Roll with these options."""
        self.said.clear()
        asked = RollRequest(path=PATH, seconds=1.0, **request)
        return Roll(self.engine, self.vault, asked, self.said.append).run()  # type: ignore[arg-type]

    def hook(self, fails: str = "") -> Path:
        """Return a hook that fails at this moment."""
        file = self.folder / "hook"
        file.write_text(HOOK.format(folder=self.folder, fails=fails))
        file.chmod(0o700)
        return file

    def hooks(self) -> list[str]:
        """Return what the hooks have written down."""
        file = self.folder / "hooks"
        return file.read_text().splitlines() if file.exists() else []

    def refusal(self, **request: Any) -> str:
        """Return why it is refused; nothing is written then."""
        with pytest.raises(RollRefused, match=r"^nothing was touched: ") as error:
            self.roll(**request)
        assert [] == self.engine.written
        return str(error.value)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return a stage."""
    return Stage(tmp_path)


def test_one_after_the_other_between_the_hooks(stage: Stage) -> None:
    """The hook has both versions and both values; the old object stays, as services would go back to it."""
    assert Outcome.ALL_NEW == stage.roll(hook=stage.hook())

    assert ["create db.v2", "update api", "update web"] == stage.engine.written
    assert {"api": "db.v2", "web": "db.v2"} == stage.engine.versions()
    assert ["before 1 2 value-1 value-2", "after 1 2 value-1 value-2"] == stage.hooks()


def test_fetches_no_value_without_a_hook(stage: Stage) -> None:
    """So the token needs no `fetch`."""
    assert Outcome.ALL_NEW == stage.roll()

    assert [] == stage.vault.fetched


def test_a_dry_run_changes_nothing(stage: Stage) -> None:
    """It neither fetches nor runs the hook."""
    assert Outcome.ALL_NEW == stage.roll(hook=stage.hook(), dry_run=True)

    assert ([], [], []) == (stage.engine.written, stage.hooks(), stage.vault.fetched)
    assert "api: has version 1, to be updated" in stage.said


def test_a_hook_that_fails_before_is_a_refusal(stage: Stage) -> None:
    """No service was touched; `failed` is for rolls that began."""
    assert "the hook failed" in stage.refusal(hook=stage.hook(fails="before"))

    assert ["before 1 2 value-1 value-2"] == stage.hooks()


def test_a_hook_that_fails_after_can_be_repeated(stage: Stage) -> None:
    """Exit code 1; the second run finds the old version where services would go back to."""
    assert Outcome.ALL_NEW_HOOK_FAILED == stage.roll(hook=stage.hook(fails="after"))
    assert Outcome.ALL_NEW == stage.roll(hook=stage.hook())

    after = "after 1 2 value-1 value-2"
    assert ["before 1 2 value-1 value-2", after, after] == stage.hooks()


def test_says_if_nothing_tells_what_the_hook_would_withdraw(stage: Stage) -> None:
    """A service that was updated for another reason goes back to the same version."""
    for name in ("api", "web"):
        stage.engine.on_version(name, 2)
        stage.engine.on_version(name, 2)

    assert Outcome.ALL_NEW == stage.roll(hook=stage.hook())

    assert [] == stage.hooks()
    assert any(line.startswith("the hook is not run: ") for line in stage.said)


def test_all_old_if_the_first_service_fails(stage: Stage) -> None:
    """Exit code 3; the hook withdraws the new value, and the second service is not touched."""
    stage.engine.ends["api"] = "rollback_completed"

    assert Outcome.ALL_OLD == stage.roll(hook=stage.hook())

    assert {"api": "db.v1", "web": "db.v1"} == stage.engine.versions()
    assert ["before", "failed"] == [line.split()[0] for line in stage.hooks()]
    assert "update web" not in stage.engine.written


def test_a_hook_that_fails_when_all_failed_is_said(stage: Stage) -> None:
    """The exit code is that of the services."""
    stage.engine.ends["api"] = "rollback_completed"

    assert Outcome.ALL_OLD == stage.roll(hook=stage.hook(fails="failed"))

    assert any("hook failed ended with status 1" in line for line in stage.said)


def test_mixed_if_a_later_service_fails(stage: Stage) -> None:
    """Exit code 4; both values are needed, so no hook withdraws one."""
    stage.engine.ends["web"] = "rollback_completed"

    assert Outcome.MIXED == stage.roll(hook=stage.hook())

    assert {"api": "db.v2", "web": "db.v1"} == stage.engine.versions()
    assert ["before"] == [line.split()[0] for line in stage.hooks()]
    assert {"api: runs with version 2", "web: runs with version 1"} <= set(stage.said)


def test_a_mixed_roll_goes_on(stage: Stage) -> None:
    """Only what is left is updated, and the hooks are run again."""
    stage.engine.ends["web"] = "rollback_completed"
    stage.roll(hook=stage.hook())
    stage.engine.ends.clear()
    stage.engine.written.clear()

    assert Outcome.ALL_NEW == stage.roll(hook=stage.hook())

    assert ["update web"] == stage.engine.written
    assert ["before", "before", "after"] == [line.split()[0] for line in stage.hooks()]


def test_all_or_nothing_puts_those_back_that_were_updated(stage: Stage) -> None:
    """Exit code 3."""
    stage.engine.ends["web"] = "rollback_completed"

    assert Outcome.ALL_OLD == stage.roll(hook=stage.hook(), all_or_nothing=True)

    assert {"api": "db.v1", "web": "db.v1"} == stage.engine.versions()
    assert ["before", "failed"] == [line.split()[0] for line in stage.hooks()]


def test_a_hook_needs_one_old_version(stage: Stage) -> None:
    """With two, a hook that is told of one could change the password that services with the other use."""
    stage.engine.on_version("web", 2)
    stage.vault.states[3] = "live"

    assert "services have the versions 1, 2" in stage.refusal(hook=stage.hook())
    assert [] == stage.hooks()

    assert Outcome.ALL_NEW == stage.roll(hook=stage.hook(), to=2)
    assert Outcome.ALL_NEW == stage.roll(hook=stage.hook())
    assert {"api": "db.v3", "web": "db.v3"} == stage.engine.versions()


def test_generates_one_value_for_a_roll_that_is_run_again(stage: Stage) -> None:
    """Some services have the current version, others an older one: that roll is unfinished."""
    stage.engine.on_version("api", 2)
    stage.engine.on_version("web", 2)
    stage.engine.ends["web"] = "rollback_completed"
    assert Outcome.MIXED == stage.roll(generate={"length": 40})
    stage.engine.ends.clear()

    assert Outcome.ALL_NEW == stage.roll(generate={"length": 40})

    assert {1, 2, 3} == stage.vault.states.keys()
    assert {"api": "db.v3", "web": "db.v3"} == stage.engine.versions()


def test_goes_on_with_a_last_update_that_has_not_ended(stage: Stage) -> None:
    """A roll was killed once all services had the current version, but the last of them not yet its tasks."""
    stage.engine.on_version("api", 2)
    stage.engine.on_version("web", 2)
    stage.engine.begin_update("web")

    assert Outcome.ALL_NEW == stage.roll(generate={"length": 40}, hook=stage.hook())

    assert {1, 2} == stage.vault.states.keys()
    assert "web: waiting for the update that an earlier roll began" in stage.said
    assert ["after 1 2 value-1 value-2"] == stage.hooks()


def test_generates_nothing_that_destroys_a_version_in_use(stage: Stage) -> None:
    """The oldest version goes when there are too many."""
    stage.vault.max_versions = TWO_VERSIONS

    assert "would destroy version 1" in stage.refusal(generate={})
    assert {1, 2} == stage.vault.states.keys()


def test_refuses_what_the_vault_would_not_deliver(stage: Stage) -> None:
    """It asks for every service before the first is touched."""
    stage.vault.refuses = {"web"}

    assert "the vault would not deliver to web: not allowed" in stage.refusal()


def test_refuses_a_version_that_is_not_live(stage: Stage) -> None:
    """The new one always, the old one unless the operator gives the way back up."""
    assert "version 7 cannot be had: there is none" in stage.refusal(to=7)
    stage.vault.states[1] = "deleted"
    assert "version 1 is deleted, so there is no way back" in stage.refusal()

    assert Outcome.ALL_NEW == stage.roll(allowed=Allowances(no_way_back=True))


def test_refuses_a_hook_that_is_no_program(stage: Stage) -> None:
    """Before anything is generated."""
    assert "is no executable file" in stage.refusal(hook=stage.folder / "missing", generate={})
    assert {1, 2} == stage.vault.states.keys()


def test_refuses_if_no_service_has_the_secret(stage: Stage) -> None:
    """There would be nothing to do, which would look like success."""
    stage.engine = MemoryEngine()

    assert re.search(
        r"no service has a Docker secret of team/billing/db .*declare one first", stage.refusal()
    )


def test_the_outcomes_are_the_exit_codes_of_the_documentation() -> None:
    """Scripts depend on the numbers; a refusal is 2."""
    assert [0, 1, 3, 4] == [
        Outcome.ALL_NEW,
        Outcome.ALL_NEW_HOOK_FAILED,
        Outcome.ALL_OLD,
        Outcome.MIXED,
    ]

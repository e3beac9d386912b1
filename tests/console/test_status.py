"""The page Status: what is switched off, how old the last backup and drill are, and who may see that."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from service.dev.mongod import EmbeddedMongo
from tests.conftest import variables
from tests.console.conftest import Pages, sign_in
from tests.gunicorn_server import ROOT, Server


@pytest.fixture
def backup(mongo: EmbeddedMongo, tmp_path: Path) -> Callable[[], None]:
    """Return a function that makes a backup and tries it."""

    def operate(*command: str) -> None:
        environment = {**os.environ, **variables(mongo)}
        subprocess.run([sys.executable, "-m", "service", *command], env=environment, cwd=ROOT, check=True)

    def backup() -> None:
        operate("backup", "create", "--output", str(tmp_path / "backup"))
        operate("backup", "drill", str(tmp_path / "backup"))

    return backup


def test_shows_replicas_the_log_and_what_is_switched_off(open_server: Server, pages: Pages) -> None:
    """Without authentication and TLS, in red; and there was no backup yet."""
    page = pages.open(open_server, "/console#/status")

    service = page.get_by_role("region", name="The service")
    expect(service.get_by_text("off", exact=True)).to_have_count(2)
    expect(service.get_by_text("127.0.0.1")).to_be_visible()
    expect(service.get_by_text("records,")).to_be_visible()
    expect(page.locator(".alarm").filter(has_text="authentication is off")).to_be_visible()
    expect(page.locator(".alarm").filter(has_text="TLS is off")).to_be_visible()
    expect(page.get_by_role("region", name="Replicas").get_by_text(socket.gethostname())).to_be_visible()
    expect(page.get_by_text("There is no successful backup of the last two days.")).to_be_visible()
    expect(page.get_by_role("region", name="Master keys").get_by_text("primary")).to_be_visible()


def test_a_backup_and_a_drill_are_due_after_two_days(
    open_server: Server, pages: Pages, backup: Callable[[], None]
) -> None:
    """In order when just made, and red when the clock says that it was long ago."""
    backup()
    page = pages.open(open_server, "/console#/status")
    backups = page.get_by_role("region", name="Backups")
    expect(backups.get_by_text("succeeded")).to_have_count(2)
    expect(backups.locator(".alarm")).to_have_count(0)

    later = pages.profile(open_server).new_page()
    later.clock.install(time=datetime.now(UTC) + timedelta(days=2, minutes=5))
    later.goto(f"{open_server.url}/console#/status")
    expect(later.get_by_role("region", name="Backups").locator(".alarm")).to_have_count(2)


def test_what_needs_the_scope_audit_is_not_asked_for_without_it(
    guarded_server: Server, pages: Pages, token: Callable[..., str]
) -> None:
    """Everybody sees the checks; auditors see the rest, with the keys in short."""
    page = pages.open(guarded_server, "/console#/status")
    sign_in(page, token("list:*"))
    expect(page.get_by_role("region", name="Checks of this replica").get_by_text("in order")).to_have_count(3)
    expect(page.get_by_text("for whoever has the scope audit")).to_be_visible()
    assert not [url for url in pages.requests if url.endswith(("/vault/status", "/vault/key/status"))]

    auditor = pages.open(guarded_server, "/console#/status")
    sign_in(auditor, token("audit"))
    expect(auditor.get_by_role("region", name="Replicas")).to_be_visible()
    expect(auditor.get_by_role("region", name="Master keys").get_by_text("primary")).to_be_visible()
    assert not [url for url in pages.requests if url.endswith("/vault/key/status")]


def test_the_checks_stay_when_the_rest_cannot_be_read(open_server: Server, pages: Pages) -> None:
    """They are what there is to see when the database does not answer."""
    page = pages.open(open_server, "/console#/tokens")
    page.route("**/vault/status", lambda route: route.abort())

    page.get_by_role("link", name="Status").click()

    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    expect(page.get_by_role("region", name="Checks of this replica").get_by_text("in order")).to_have_count(3)

"""The conftest.py of hvac's own test suite: the server is one that runs, and its mounts are configuration.

The suite would start a ``vault``, and make and remove a mount for each test.
"""

import os

import hvac
from hvac.api.system_backend.mount import Mount

from tests import utils
from tests.utils import hvac_integration_test_case

URL = os.environ["VAULT_ADDR"]
TOKEN = os.environ["SUITE_TOKEN"]
UNCHANGED = {"max_versions": 0, "cas_required": False, "delete_version_after": "0s"}


class Running:
    """Takes the place of the suite's ``ServerManager``."""

    def __init__(self, **_):
        self.client = hvac.Client(url=URL, token=TOKEN)
        self.root_token = TOKEN

    def start(self):
        pass

    initialize = unseal = stop = start

    def get_active_vault_addresses(self):
        return [URL]


def create_client(url=URL, **options):
    """Return a client without the suite's TLS files."""
    return hvac.Client(url=url, **{name: options[name] for name in ("token", "session") if name in options})


def enable(_self, *_, **__):
    """Make no mount: it is there."""


def disable(self, path):
    """Leave a mount as if it were made anew."""
    # A change of its options takes a second, until it holds in all processes of the server.
    if self._adapter.get(f"/v1/{path}/config")["data"] != UNCHANGED:
        self._adapter.post(f"/v1/{path}/config", json=UNCHANGED)
    _destroy_below(self._adapter, f"/v1/{path}/metadata/")


def _destroy_below(adapter, folder):
    try:
        names = adapter.list(folder)["data"]["keys"]
    except hvac.exceptions.InvalidPath:
        return
    for name in names:
        if name.endswith("/"):
            _destroy_below(adapter, folder + name)
        else:
            adapter.delete(folder + name)


hvac_integration_test_case.ServerManager = Running
hvac_integration_test_case.create_client = utils.create_client = create_client
Mount.enable_secrets_engine = enable
Mount.disable_secrets_engine = disable

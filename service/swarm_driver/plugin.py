"""The ``config.json`` of the managed plugin: ``python -m service.swarm_driver.plugin BUILD`` prints it.

Beside a ``rootfs`` from the API's image it is all that ``docker plugin create`` needs.  Fields:
https://docs.docker.com/reference/api/extend_config_spec/ and moby's ``types.PluginConfig``.
"""

from __future__ import annotations

import json
import sys
from pathlib import PurePosixPath
from typing import Any

# Where the plugin finds its configuration folder, and where that is on the machine unless the operator sets
# `configuration.source`.  It must exist before the plugin starts, also after a reboot: not under /run.
FOLDER = PurePosixPath("/etc/secret-manager-driver")
DEFAULT_SOURCE = PurePosixPath("/var/lib/secret-manager-driver")
# The engine mounts this folder of its own into the plugin.
SOCKETS = PurePosixPath("/run/docker/plugins")
SOCKET = "driver.sock"


def config(build: str) -> dict[str, Any]:
    """Return the document; ``build`` names what the plugin is made of, so that two can be compared.

    No token in ``env``: `docker plugin inspect` shows it.
    """
    return {
        "description": f"Gives Swarm services their secrets from the vault (build {build})",
        "documentation": "",
        "entrypoint": ["python3", "-m", "service.swarm_driver"],
        "workdir": "/srv",
        "env": [
            {"name": "PYTHONPATH", "value": "/opt/packages"},
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
        ],
        "interface": {"types": ["docker.secretprovider/1.0"], "socket": SOCKET},
        # The API's address is one of a node, not of an overlay network.
        "network": {"type": "host"},
        "linux": {"capabilities": [], "allowAllDevices": False, "devices": []},
        "mounts": [
            {
                "name": "configuration",
                "description": "The folder with driver.json, ca.pem and token",
                "source": str(DEFAULT_SOURCE),
                "destination": str(FOLDER),
                "type": "bind",
                "options": ["rbind", "ro"],
                "settable": ["source"],
            }
        ],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(config(sys.argv[1]), indent=2) + "\n")

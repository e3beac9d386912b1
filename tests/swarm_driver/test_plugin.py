"""plugin: the managed plugin's config.json."""

import json
import subprocess
import sys

from service.swarm_driver import plugin
from tests.gunicorn_server import ROOT


def test_asks_for_no_more_than_it_needs() -> None:
    """The host's network and one folder to read; the token is not in the environment."""
    config = plugin.config("0123abcd")

    assert {"type": "host"} == config["network"]
    assert {"capabilities": [], "allowAllDevices": False, "devices": []} == config["linux"]
    (mount,) = config["mounts"]
    assert "ro" in mount["options"]
    assert ["source"] == mount["settable"]
    assert {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} == {variable["name"] for variable in config["env"]}
    assert {"types": ["docker.secretprovider/1.0"], "socket": "driver.sock"} == config["interface"]
    assert "0123abcd" in config["description"]


def test_is_printed() -> None:
    """For the role that builds the plugin."""
    printed = subprocess.run(
        [sys.executable, "-m", "service.swarm_driver.plugin", "0123abcd"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )

    assert plugin.config("0123abcd") == json.loads(printed.stdout)


def test_the_program_loads_nothing_of_the_service() -> None:
    """It starts fast and stays small, and no package that it does not need can break it."""
    code = "import sys, service.swarm_driver.__main__; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = printed.stdout.split()

    assert [] == [
        name
        for name in loaded
        if (name.startswith("service.") and not name.startswith("service.swarm_driver"))
        or name.partition(".")[0] in {"flask", "pymongo", "cryptography", "click", "marshmallow", "gevent"}
    ]

"""``python -m service.swarm_driver``: listen first, and do everything else later.

The engine disables a plugin whose socket does not accept within ten seconds, or that ends at once.  So
nothing is read, checked or connected to before there is a call.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .configuration import ConfigurationFolder
from .driver import Driver
from .errors import Outcome
from .log import Log
from .plugin import FOLDER, SOCKET, SOCKETS
from .process import drop_rights
from .renewal import Renewal
from .server import listen
from .vault import Vault


async def serve(socket: Path, folder: ConfigurationFolder, log: Log) -> None:
    """Answer calls at ``socket`` until SIGTERM."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    # As process 1 of the plugin it would not be ended otherwise.
    loop.add_signal_handler(signal.SIGTERM, ended.set)

    def report(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        # Only the type: messages of exceptions quote what they failed on.
        log.write("fault", outcome=Outcome.INTERNAL_ERROR, reason=type(context.get("exception")).__name__)

    loop.set_exception_handler(report)
    vault = Vault()
    server = await listen(socket, Driver(folder, vault, log))
    log.write("started")
    renewal = loop.create_task(Renewal(folder, vault, log).run())
    await ended.wait()
    server.close()
    renewal.cancel()
    vault.close()
    with suppress(FileNotFoundError):
        socket.unlink()
    log.write("stopped")


def main(arguments: list[str]) -> int:
    """Run the driver with these arguments; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m service.swarm_driver",
        description="Gives Swarm services their secrets from the vault.",
    )
    parser.add_argument(
        "--socket", type=Path, default=Path(SOCKETS, SOCKET), help="where to listen (default: %(default)s)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(FOLDER),
        help="the folder with driver.json, ca.pem and token (default: %(default)s)",
    )
    chosen = parser.parse_args(arguments)
    drop_rights()
    asyncio.run(serve(chosen.socket, ConfigurationFolder(chosen.folder), Log(sys.stdout.fileno())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""audit.anchor_file: a process under gevent, as a worker is, never waits for itself."""

import subprocess
import sys
from pathlib import Path

from tests.gunicorn_server import ROOT

# A worker that stops keeps its checkpoint twice in a row: its thread ends with it, then so does the worker.
TWICE = """
from gevent import monkey; monkey.patch_all()
import sys, threading
from dataclasses import replace
from pathlib import Path
from service.audit import chain
from service.audit.anchor_file import AnchorFile
from service.audit.checkpoints import Checkpoint
from service.models import now

anchor = AnchorFile(Path(sys.argv[1]))
first = Checkpoint(1, now(), (), None, chain.BEGINNING, bytes(32))
thread = threading.Thread(target=anchor.replace, args=(None, first))
thread.start()
thread.join()
anchor.replace(anchor.read(), replace(first, number=2))
print(anchor.read().number)
"""


def test_two_threads_of_a_worker_replace_it_one_after_the_other(tmp_path: Path) -> None:
    """The lock of the first ends with its work, though gevent closes what has it only later."""
    finished = subprocess.run(
        [sys.executable, "-c", TWICE, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ("2\n", "") == (finished.stdout, finished.stderr)

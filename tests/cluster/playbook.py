"""Runs ansible-playbook as an operator does, and reads what it says at its end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANSIBLE_PLAYBOOK = str(Path(sys.executable).parent / "ansible-playbook")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its exit code, all of its output, and the sums of its recap."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        """How many tasks changed something, over all hosts."""
        return self._sum("changed")

    @property
    def failed(self) -> int:
        """How many hosts failed or were not reached."""
        return self._sum("failed") + self._sum("unreachable")

    @property
    def changed_tasks(self) -> list[str]:
        """The names of the tasks that changed something."""
        blocks = re.split(r"^(?:TASK|RUNNING HANDLER) ", self.output, flags=re.MULTILINE)[1:]
        return [
            block[1 : block.index("]")]
            for block in blocks
            if re.search(r"^changed: ", block, flags=re.MULTILINE)
        ]

    def _sum(self, name: str) -> int:
        counts = re.findall(rf"^\S+ +: ok=.*?{name}=(\d+)", self.output, flags=re.MULTILINE)
        if not counts:
            raise AssertionError(f"no recap in: {self.output[-2000:]}")
        return sum(map(int, counts))


def command(playbook: str, *arguments: str, **variables: object) -> list[str]:
    """Return the command line; ``variables`` become ``-e name=value``."""
    extra = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
    return [ANSIBLE_PLAYBOOK, playbook, *arguments, *extra]


def play(playbook: str, *arguments: str, **variables: object) -> Run:
    """Run a playbook to its end, whatever that is."""
    finished = subprocess.run(
        command(playbook, *arguments, **variables),
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
        check=False,
    )
    return Run(finished.returncode, finished.stdout)


def play_well(playbook: str, *arguments: str, **variables: object) -> Run:
    """Run a playbook that must succeed."""
    run = play(playbook, *arguments, **variables)
    assert run.code == 0, run.output[-8000:]
    return run

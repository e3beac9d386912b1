"""exclusive: one caller at a time, whichever process it reaches."""

import multiprocessing
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from service.errors import TooManyRequests
from service.exclusive import Exclusive


def exclusive(folder: Path | None) -> Exclusive:
    """As a process has it."""
    return Exclusive(folder, "work", "work is being done")


@pytest.mark.parametrize("shared", [True, False])
def test_a_second_caller_is_told_to_wait(tmp_path: Path, *, shared: bool) -> None:
    """In the same process; afterwards it is free again, also after an error."""
    work = exclusive(tmp_path if shared else None)

    with ExitStack() as stack:
        stack.enter_context(work.hold())
        with pytest.raises(TooManyRequests, match="work is being done for another caller"):
            stack.enter_context(work.hold())
    with pytest.raises(KeyError), work.hold():
        raise KeyError
    with work.hold():
        pass


def _hold(folder: Path, held: Connection) -> None:
    with exclusive(folder).hold():
        held.send("held")
        held.recv()


def test_another_process_is_told_to_wait_until_the_first_one_ends(tmp_path: Path) -> None:
    """However it ends."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_hold, args=(tmp_path, there))
    process.start()
    assert "held" == here.recv()

    with pytest.raises(TooManyRequests), exclusive(tmp_path).hold():
        pass
    process.kill()
    process.join()
    with exclusive(tmp_path).hold():
        pass

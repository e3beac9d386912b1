"""commands.progress: long commands report progress, short ones print nothing."""

import pytest

from service.commands.progress import Progress


def test_says_every_few_seconds_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, so that standard output has only the result."""
    seconds = iter([0.0, 1.0, 5.0, 5.0, 6.0, 11.0, 11.0])
    progress = Progress("importing", 40, clock=lambda: next(seconds))

    for _ in range(4):
        progress.add(10)

    printed = capsys.readouterr()
    assert ("importing: 20 of 40 secrets\nimporting: 40 of 40 secrets\n", "") == (printed.err, printed.out)


def test_goes_without_a_total(capsys: pytest.CaptureFixture[str]) -> None:
    """If the total is unknown."""
    seconds = iter([0.0, 9.0, 9.0])
    Progress("exporting", clock=lambda: next(seconds)).add(3)

    assert "exporting: 3 secrets\n" == capsys.readouterr().err

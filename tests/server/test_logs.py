"""logs: one JSON document per line, and nothing in it that a stranger's exception quotes."""

import json
import logging

from service.server.logs import JsonFormatter


def line(record: logging.LogRecord) -> dict[str, object]:
    """Return the line that the formatter makes of a record, parsed."""
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, object] = json.loads(text)
    return parsed


def test_shows_the_known_fields_only() -> None:
    """What is not in the list of fields stays out, whoever attached it."""
    record = logging.makeLogRecord({"msg": "request", "levelname": "INFO", "status": 200, "body": "hunter2"})

    assert line(record)["status"] == 200
    assert "hunter2" not in JsonFormatter().format(record)


def test_tells_an_exceptions_type_and_place_but_not_its_message() -> None:
    """A library's message may quote the very value it choked on."""
    try:
        int("hunter2")
    except ValueError as error:
        record = logging.makeLogRecord(
            {"msg": "failed", "exc_info": (type(error), error, error.__traceback__)}
        )

    assert line(record)["exception"] == "ValueError"
    assert "test_logs.py" in str(line(record)["where"])
    assert "hunter2" not in JsonFormatter().format(record)


def test_keeps_line_ends_inside_the_line() -> None:
    """A message cannot pretend to be two."""
    assert line(logging.makeLogRecord({"msg": "one\n{}"}))["message"] == "one\n{}"

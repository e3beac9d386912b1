"""server.logs: one JSON document per line, without any exception's message."""

import json
import logging

from service.server.logs import JsonFormatter


def line(record: logging.LogRecord) -> dict[str, object]:
    """Return the line that the formatter makes of a record, parsed."""
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, object] = json.loads(text)
    return parsed


def test_shows_only_known_fields() -> None:
    """Extra attributes that are not in FIELDS are left out."""
    record = logging.makeLogRecord({"msg": "request", "levelname": "INFO", "status": 200, "body": "hunter2"})

    assert line(record)["status"] == 200
    assert "hunter2" not in JsonFormatter().format(record)


def test_shows_an_exception_s_type_and_traceback_but_not_its_message() -> None:
    """A library's message may quote the value that caused it."""
    try:
        int("hunter2")
    except ValueError as error:
        record = logging.makeLogRecord(
            {"msg": "failed", "exc_info": (type(error), error, error.__traceback__)}
        )

    assert line(record)["exception"] == "ValueError"
    assert "test_logs.py" in str(line(record)["where"])
    assert "hunter2" not in JsonFormatter().format(record)


def test_escapes_line_breaks() -> None:
    """A message cannot look like two lines."""
    assert line(logging.makeLogRecord({"msg": "one\n{}"}))["message"] == "one\n{}"

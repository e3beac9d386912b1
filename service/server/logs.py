"""One JSON document per line on standard error; nothing in it that a caller could have hidden a secret in."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

# Extra attributes that our own log calls may set, and no other.
FIELDS = ("request_id", "method", "route", "status", "duration_ms", "client_ip", "checkpoint")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line; of an exception it tells the type and the places, never the message.

    Messages of libraries' exceptions quote what they choke on: a document, a header, a URI.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name in FIELDS if (value := getattr(record, name, None)) is not None})
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["where"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])
            ]
        return json.dumps(line)


def config(level: str) -> dict[str, Any]:
    """Return the logging configuration (the form of ``logging.config.dictConfig``) for all loggers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": level, "handlers": ["stderr"]},
        # At DEBUG pymongo logs whole commands, and gunicorn the path and the headers of requests.
        "loggers": {
            "pymongo": {"level": "WARNING"},
            # A copy outside the database of how far the audit log had come, whatever else is logged.
            "service.audit.checkpointer": {"level": "INFO"},
            "gunicorn.error": {
                "level": "INFO" if level == "DEBUG" else level,
                "handlers": [],
                "propagate": True,
            },
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }

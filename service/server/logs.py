"""JSON logs, one document per line on standard error, without any text that may contain a secret."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

# The only extra attributes of log records that are written.
FIELDS = ("request_id", "method", "route", "status", "duration_ms", "client_ip", "checkpoint")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line; for an exception, its type and traceback, never its message.

    Libraries' messages quote the value that caused the exception: a document, a header, a URI.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line break."""
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
    """Return the configuration of all loggers, for ``logging.config.dictConfig``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": level, "handlers": ["stderr"]},
        # At DEBUG pymongo logs whole commands, and gunicorn logs paths and headers of requests.
        "loggers": {
            "pymongo": {"level": "WARNING"},
            # Always on: its lines are a copy of the audit log's checkpoints outside the database.
            "service.audit.checkpointer": {"level": "INFO"},
            "gunicorn.error": {
                "level": "INFO" if level == "DEBUG" else level,
                "handlers": [],
                "propagate": True,
            },
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }

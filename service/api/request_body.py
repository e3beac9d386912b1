"""The bytes of a request's body, as long as they are not too many."""

from __future__ import annotations

from flask import current_app
from flask.globals import request_ctx
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from ..errors import EncodedBody, MalformedJson, TooLarge


def read_body() -> bytes:
    """Return the body of the current request.

    Raises:
        EncodedBody: it is compressed.
        TooLarge: it is longer than the request's ``max_content_length``.
        MalformedJson: it ended early.
    """
    # Each access to flask.request looks the context up.
    asked = request_ctx.request
    if asked.environ.get("HTTP_CONTENT_ENCODING", "").lower() not in ("", "identity"):
        raise EncodedBody
    limit = asked.max_content_length
    try:
        body = asked.get_data()
        # Werkzeug truncates a chunked body at the limit without an error.
        if limit is not None and len(body) >= limit:
            raise RequestEntityTooLarge
    except RequestEntityTooLarge:
        if limit == current_app.config["MAX_CONTENT_LENGTH"]:
            raise TooLarge(f"the body must be shorter than {limit} bytes (see MAX_SECRET_BYTES)") from None
        raise TooLarge(f"the body must be shorter than {limit} bytes") from None
    except (BadRequest, ParseException):
        raise MalformedJson("the body ended early or its chunks are malformed") from None
    return body

"""flask-smorest's blueprint: it documents the views, and each request takes a shorter way to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import marshmallow
from flask import Response, current_app
from flask.globals import request_ctx
from flask_smorest import Blueprint
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from .. import strict_json
from ..errors import EncodedBody, InvalidFields, MalformedJson, NotJson, TooLarge

View = TypeVar("View", bound=Callable[..., Any])
Decorator = Callable[[View], View]

# As compact as Flask's, and made once instead of for each response.
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class JsonBlueprint(Blueprint):
    """A blueprint whose views take and return JSON.

    flask-smorest wraps a view once for each decorator, and the errors of webargs, which reads its bodies,
    would have to be translated.  Here the decorators leave flask-smorest's marks, from which it writes the
    OpenAPI document, and do no more than load the body and dump the result.
    """

    def arguments(self, schema: Any, **documentation: Any) -> Decorator[Any]:
        """Load the body with ``schema`` as the view's next argument."""
        mark = super().arguments(schema, **documentation)
        loader = _instance(schema)

        def decorate(view: Any) -> Any:
            @wraps(view)
            def wrapper(*args: Any) -> Any:
                return view(*args, _load(loader))

            return _marked(wrapper, mark(view))

        return decorate

    def response(self, status_code: int, schema: Any = None, **documentation: Any) -> Decorator[Any]:
        """Dump the view's result with ``schema``, unless it is a response already."""
        mark = super().response(status_code, schema, **documentation)
        dumper = _instance(schema)

        def decorate(view: Any) -> Any:
            @wraps(view)
            def wrapper(*args: Any) -> Any:
                result = view(*args)
                if isinstance(result, Response):
                    return result
                document = _ENCODER.encode(dumper.dump(result))
                return Response(f"{document}\n", status_code, content_type="application/json")

            return _marked(wrapper, mark(view))

        return decorate

    def alt_response(self, status_code: int, **documentation: Any) -> Decorator[Any]:
        """Document another response."""
        mark = super().alt_response(status_code, **documentation)
        return lambda view: _marked(view, mark(view))

    def doc(self, **documentation: Any) -> Decorator[Any]:
        """Add to the documentation."""
        mark = Blueprint.doc(**documentation)
        return lambda view: _marked(view, mark(view))


def _instance(schema: Any) -> Any:
    return schema() if isinstance(schema, type) else schema


def _marked(view: Any, documented: Any) -> Any:
    view._apidoc = documented._apidoc
    return view


def _load(schema: marshmallow.Schema) -> Any:
    try:
        return schema.load(_body())
    except marshmallow.ValidationError as error:
        raise InvalidFields(error.normalized_messages()) from None  # type: ignore[no-untyped-call]


def _body() -> Any:
    """Return the request's body, parsed."""
    # Each access to flask.request looks the context up.
    asked = request_ctx.request
    # The usual one first: to parse it takes as long as to parse the body.
    if asked.content_type != "application/json" and not asked.is_json:
        raise NotJson("send the body as JSON, with the header Content-Type: application/json")
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
    try:
        return strict_json.loads(body)
    except strict_json.RepeatedName:
        raise MalformedJson("the body has a name twice in one object: send each name once") from None
    # Syntax errors, invalid UTF-8, numbers with thousands of digits, deep nesting.
    except (ValueError, RecursionError):
        raise MalformedJson("the body is not a JSON document") from None

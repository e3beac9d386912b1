"""Sends requests to a server, and tells in what two answers differ.

Ids, times and what remains of a lifetime are different in each answer: only their form is compared.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.api.kv.oracle.scenarios import Request

MISSING = "<missing>"
_HEADERS = (
    *("Allow", "Cache-Control", "Content-Type", "Location", "Retry-After", "WWW-Authenticate"),
    "X-Vault-Namespace",
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_IDS = {"accessor", "client_token", "token", "wrapped_accessor"}
_SECONDS_LEFT = {"ttl", "lease_duration", "creation_ttl"}
_PLACEHOLDER = re.compile(r"\$([a-z_]+(?:\.[a-z_]+)?)")


class Side:
    """One of the two servers, in a scenario: its mount, and its own tokens by name."""

    def __init__(self, url: str, mount: str, texts: Mapping[str, str]) -> None:
        self._address = urlsplit(url).netloc
        self._mount = mount
        self._texts = dict(texts)

    def answer(self, request: Request) -> dict[str, Any]:
        """Send a request and return what there is of the answer, ids and times by their form."""
        method, _, path = request.line.partition(" ")
        headers = {name: self._filled(text) for name, text in request.headers.items()}
        if request.token is not None:
            headers.setdefault("X-Vault-Token", self._texts[request.token])
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            # Nothing is added but the length: no content type, and the path stays as it is.
            connection.request(method, f"/v1/{self._path(path)}", self._body(request.body), headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        body = _parsed(content)
        for name, member in request.keep.items():
            self._texts[name] = _member(body, member)
        return {
            "status": response.status,
            **{name: response.headers[name] for name in _HEADERS if name in response.headers},
            "body": self._form(_member(body, request.only), request.only.rpartition("|")[2]),
        }

    def _path(self, path: str) -> str:
        return re.sub(r"(^|/)M(?=/|$|\?)", rf"\g<1>{self._mount}", path)

    def _body(self, body: Any) -> bytes | None:
        if body is None or isinstance(body, bytes):
            return body
        return self._filled(json.dumps(body)).encode()

    def _filled(self, text: str) -> str:
        text = re.sub(r"\bM/", f"{self._mount}/", text)
        return _PLACEHOLDER.sub(lambda found: self._texts[found[1]], text)

    def _form(self, value: Any, name: str = "") -> Any:
        match value:
            case dict():
                return {self._form(key): self._form(each, key) for key, each in value.items()}
            case list():
                return [self._form(each) for each in value]
            case str():
                return self._form_of_text(value, name)
            case int() if name in _SECONDS_LEFT and value > 0:
                return f"<about {-(-value // 10) * 10} s>"
            case int() if abs(value - time.time()) < 3600:
                return "<unix time>"
        return value

    def _form_of_text(self, text: str, name: str) -> str:
        for known, value in self._texts.items():
            if text == value:
                return f"${known}"
        if _UUID.fullmatch(text):
            return "<uuid>"
        if found := _TIME.fullmatch(text):
            return "<time>" if found[2] == "Z" else "<time with an offset>"
        return "<id>" if text and name in _IDS else text


Difference = tuple[str, Any, Any]


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[Difference]:
    """Return each member of two answers whose value is not the same in both, and the two values.

    Of answers with different statuses there is nothing else to compare.
    """
    found = list(_differences(ours, theirs, ""))
    return [each for each in found if each[0] == "status"] or found


def _differences(ours: Any, theirs: Any, member: str) -> Iterator[Difference]:
    if isinstance(ours, list) and isinstance(theirs, list):
        ours, theirs = dict(_numbered(ours)), dict(_numbered(theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted({*ours, *theirs}):
            below = f"{member}.{name}" if member else name
            yield from _differences(ours.get(name, MISSING), theirs.get(name, MISSING), below)
    elif (type(ours), ours) != (type(theirs), theirs):
        yield member, ours, theirs


def _numbered(items: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((str(number), item) for number, item in enumerate(items))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _member(document: Any, path: str) -> Any:
    for name in path.split("|") if path else ():
        document = document.get(name, MISSING) if isinstance(document, dict) else MISSING
    return document

"""A client of Vault's HTTP API: one call at a time, not too many a second, and each tried several times."""

from __future__ import annotations

import json
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from ... import strict_json
from .errors import SourceUnavailable, SourceUnusable

# Pauses between the attempts at one call, in seconds.
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_MAX_PAUSE = 60.0
_TOO_MANY = 429
# Vault takes requests of up to 32 MiB, so no secret is larger.
_MAX_ANSWER_BYTES = 64 * 2**20
_MAX_SHOWN = 200
# What a header can carry.
_CREDENTIAL = re.compile(rb"[!-~]{1,8192}")


class Answer(NamedTuple):
    """A status and the JSON document, None if there is none; its numbers are ``Number``."""

    status: int
    document: Any

    @property
    def error(self) -> str:
        """What the server says went wrong, in printable ASCII."""
        texts = self.document.get("errors") if isinstance(self.document, dict) else None
        text = str(texts[0]) if isinstance(texts, list) and texts else "no reason given"
        return f"{json.dumps(text[:_MAX_SHOWN])[1:-1]} ({self.status})"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is; without ``ca`` the system's certificate authorities are trusted.

    ``seconds`` is how long one attempt may wait for the server, ``rate`` how many calls it gets a second.
    """

    url: str
    ca: Path | None = None
    namespace: str = ""
    seconds: float = 30.0
    rate: float = 50.0


class Client:
    """A connection to a server.

    Every method raises ``SourceUnavailable`` if it does not answer, and ``SourceUnusable`` if it is no Vault,
    or does not accept the credentials.
    """

    def __init__(
        self,
        server: Server,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Read the address and the CA's certificate; nothing is sent yet.

        Raises:
            SourceUnusable: one of them cannot be used.
        """
        self._server = server
        self._connection = _connection(server)
        self._clock = clock
        self._sleep = sleep
        self._token = ""
        self._answered = False
        self._next_call_at = clock()
        self._renew_at: float | None = None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def use_token(self, token: bytes) -> None:
        """Use a token, and renew it as long as it can be.

        Raises:
            SourceUnusable: the server does not accept it.
        """
        self._token = _credential("token", token)
        self._require_token()

    def log_in(self, mount: str, role_id: bytes, secret_id: bytes) -> None:
        """Use the token that AppRole gives for a role; ``mount`` is where AppRole is enabled.

        Raises:
            SourceUnusable: the login is refused.
        """
        body = {
            "role_id": _credential("role id", role_id),
            "secret_id": _credential("secret id", secret_id),
        }
        answer = self._call("POST", f"auth/{mount}/login", body)
        if answer.status >= 400:
            raise SourceUnusable(f"the login at auth/{mount} is refused: {answer.error}")
        try:
            token = str(answer.document["auth"]["client_token"])
        except (KeyError, TypeError):
            raise SourceUnusable(f"the login at auth/{mount} gave no token") from None
        self.use_token(token.encode())

    def get(self, path: str, query: str = "") -> Answer:
        """Read a path below ``/v1/``, which is quoted here.

        Raises:
            SourceUnusable: the token has ended.
        """
        if self._renew_at is not None and self._clock() >= self._renew_at:
            self._renew()
        answer = self._call("GET", path, query=query)
        if answer.status == 403:
            # Either this path is not for the token, or the token has ended, and then no path is.
            self._require_token()
        return answer

    def _require_token(self) -> None:
        answer = self._call("GET", "auth/token/lookup-self")
        if answer.status != 200:
            raise SourceUnusable(
                f"the token is not accepted: {answer.error}; it must be valid here, and allowed to read"
                " auth/token/lookup-self, as the policy `default` has it"
            )
        if self._renew_at is None:
            data = answer.document.get("data") or {}
            self._plan_renewal(data.get("renewable"), data.get("ttl"))

    def _renew(self) -> None:
        self._renew_at = None
        answer = self._call("POST", "auth/token/renew-self", {})
        # Refused: the token lasts as long as it lasts.
        if answer.status == 200:
            auth = answer.document.get("auth") or {}
            self._plan_renewal(auth.get("renewable"), auth.get("lease_duration"))

    def _plan_renewal(self, renewable: object, seconds: object) -> None:
        if renewable is True and isinstance(seconds, strict_json.Number) and float(seconds.text) > 0:
            self._renew_at = self._clock() + float(seconds.text) / 2

    def _call(self, method: str, path: str, body: Mapping[str, str] | None = None, query: str = "") -> Answer:
        target = f"/v1/{quote(path)}{f'?{query}' if query else ''}"
        why = ""
        for pause in (*_PAUSES, None):
            self._wait_for_turn()
            at_least = 0.0
            try:
                response, content = self._send(method, target, body)
            except ssl.SSLCertVerificationError as error:
                raise SourceUnusable(
                    f"{self._server.url}: its certificate is not accepted ({error.verify_message}): name the"
                    " CA that issued it with --ca"
                ) from None
            except (OSError, HTTPException) as error:
                self._connection.close()
                why = _describe(error, self._server.seconds)
                # What has never answered is more likely a typing error than an outage.
                if not self._answered:
                    break
            else:
                self._answered = True
                if response.status != _TOO_MANY and response.status < 500:
                    return self._answer(response, content)
                why = _answer_of(response, content).error
                at_least = _retry_after(response)
            if pause is not None:
                # Not all of those who were refused come back together.
                self._sleep(max(at_least, pause * random.uniform(0.5, 1)))  # noqa: S311  (no secret)
        raise SourceUnavailable(f"{self._server.url} does not answer: {why}")

    def _send(self, method: str, target: str, body: Mapping[str, str] | None) -> tuple[HTTPResponse, bytes]:
        # Without the first, agents of Vault may refuse to pass a call on.
        headers = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        if self._token:
            headers["X-Vault-Token"] = self._token
        if self._server.namespace:
            headers["X-Vault-Namespace"] = self._server.namespace
        content = None if body is None else json.dumps(body).encode()
        self._connection.request(method, target, content, headers)
        response = self._connection.getresponse()
        answer = response.read(_MAX_ANSWER_BYTES + 1)
        if len(answer) > _MAX_ANSWER_BYTES:
            raise HTTPException("its answer is larger than any of Vault")
        return response, answer

    def _answer(self, response: HTTPResponse, content: bytes) -> Answer:
        if 300 <= response.status < 400:
            # A token is not sent to where a server points.
            other = urlsplit(response.headers.get("Location", ""))
            raise SourceUnusable(
                f"{self._server.url} refers to {other.scheme}://{other.netloc}: name that address, if it is"
                " the active node"
            )
        answer = _answer_of(response, content)
        if not isinstance(answer.document, dict):
            raise SourceUnusable(
                f"{self._server.url} answers with no JSON object: is this Vault or OpenBao, and should it be"
                " https, or http?"
            )
        return answer

    def _wait_for_turn(self) -> None:
        early = self._next_call_at - self._clock()
        if early > 0:
            self._sleep(early)
        self._next_call_at = max(self._next_call_at, self._clock()) + 1 / self._server.rate


def _connection(server: Server) -> HTTPConnection:
    try:
        url = urlsplit(server.url)
        host, port = url.hostname, url.port
    except ValueError:
        host = None
    if not host or url.scheme not in {"http", "https"} or url.path.strip("/") or url.query or url.username:
        raise SourceUnusable(
            "the address of the server must look like https://vault.example.org:8200, with nothing after it"
        )
    if url.scheme == "http":
        return HTTPConnection(host, port, timeout=server.seconds)
    return HTTPSConnection(host, port, timeout=server.seconds, context=_tls(server.ca))


def _tls(ca: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cadata=ca.read_text("ascii"))
    except (ssl.SSLError, ValueError):
        raise SourceUnusable(f"{ca} has no readable certificate: it must be PEM") from None
    except OSError as error:
        raise SourceUnusable(f"cannot read {ca}: {error.strerror}") from None
    return context


def _credential(what: str, content: bytes) -> str:
    if not _CREDENTIAL.fullmatch(content):
        raise SourceUnusable(f"the file of the {what} must hold the {what} and nothing else")
    return content.decode("ascii")


def _answer_of(response: HTTPResponse, content: bytes) -> Answer:
    try:
        text = content.decode()
        document, _ = strict_json.read(text, len(text) - len(text.lstrip()))
    except RecursionError:
        document = {}  # no Vault nests its own fields, so it is this one secret
    except ValueError:
        document = None
    return Answer(response.status, document)


def _retry_after(response: HTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    # It may also be a date, which no Vault sends.
    return min(float(text), _MAX_PAUSE) if text.isascii() and text.isdigit() else 0.0


def _describe(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:g} s"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)

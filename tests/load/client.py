"""A client for this service as a user would write it: any address, short time limits, retries."""

from __future__ import annotations

import base64
import hashlib
import math
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import requests

from .journal import STOPPED, Kind, Operation, Result
from .targets import Api

CONNECT_SECONDS = 2
ANSWER_SECONDS = 8
# With shorter limits, requests that the client itself cut off would count as failures of the service.
_MIN_SECONDS = 0.05
_PAUSE_SECONDS = (0.1, 0.5)

# Another attempt at another address may succeed after these; everything else is an answer.
_RETRIED_STATUSES = {502, 503, 504}
_RETRIED_ERRORS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)

_random = random.SystemRandom()


class Stop:
    """When work ends: after ``seconds``, or when ``ask`` is called.

    It is a single number without a lock, so a signal handler may call ``ask`` at any time.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._at = time.monotonic() + seconds

    def ask(self) -> None:
        """End the work now."""
        self._at = min(self._at, time.monotonic())

    def remaining(self) -> float:
        """Return the seconds until the end, negative after it."""
        return self._at - time.monotonic()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One request: its id, its URL, and the answer or the name of the error."""

    request_id: str
    url: str
    answer: requests.Response | str

    @property
    def error(self) -> str | None:
        """The error as one word, if another attempt may succeed, else None."""
        if isinstance(self.answer, str):
            return self.answer
        return str(self.answer.status_code) if self.answer.status_code in _RETRIED_STATUSES else None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The outcome of the last attempt; ``error`` is None if there was none."""

    result: Result
    secret_id: str | None
    error: str | None = None


# Takes the body of a 200 and returns whether it is the right answer.
_Judge = Callable[[Mapping[str, Any]], _Verdict]


class Client:
    """The client of one thread; an operation with all its attempts may take ``give_up`` seconds."""

    def __init__(self, api: Api, give_up: float, stop: Stop) -> None:
        self._urls = api.urls
        self._give_up = give_up
        self._stop = stop
        self._session = requests.Session()
        # A proxy or a netrc from the environment must not be used for the project's own nodes.
        self._session.trust_env = False
        self._session.verify = str(api.ca) if api.ca else True
        if api.token:
            self._session.headers["Authorization"] = f"Bearer {api.token}"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def create(self, value: bytes) -> Operation:
        """Store a value as a new secret."""

        def judge(answer: Mapping[str, Any]) -> _Verdict:
            return _Verdict(Result.OK, str(uuid.UUID(str(answer["secret_id"]))))

        body = {"secret": base64.b64encode(value).decode()}
        return self._operate(Kind.CREATE, "/vault/secret/create/", body, None, digest(value), judge)

    def fetch(self, secret_id: str, expected: str) -> Operation:
        """Fetch a secret and compare its value's digest with the expected one."""

        def judge(answer: Mapping[str, Any]) -> _Verdict:
            value = base64.b64decode(answer["secret"], validate=True)
            right = (answer["secret_id"], digest(value)) == (secret_id, expected)
            return _Verdict(Result.OK if right else Result.WRONG, secret_id)

        body = {"secret_id": secret_id}
        return self._operate(Kind.FETCH, "/vault/secret/fetch", body, secret_id, expected, judge)

    def _operate(
        self,
        kind: Kind,
        path: str,
        body: Mapping[str, str],
        secret_id: str | None,
        expected: str,
        judge: _Judge,
    ) -> Operation:
        started = time.time()
        attempts = self._attempts(path, body)
        # An operation that was cut off by the end of the run ended then, not later.
        end = time.time() + (min(0, self._stop.remaining()) if attempts[-1].error else 0)
        verdict = self._verdict(attempts[-1], secret_id, judge)
        errors = [*(attempt.error for attempt in attempts), verdict.error]
        return Operation(
            t=started,
            end=max(started, end),
            op=kind,
            id=verdict.secret_id,
            digest=expected,
            attempts=len(attempts),
            request_ids=(attempts[-1].request_id,) if verdict.result in (Result.OK, Result.WRONG) else (),
            url=attempts[-1].url,
            result=verdict.result,
            errors=tuple(error for error in errors if error),
        )

    def _attempts(self, path: str, body: Mapping[str, str]) -> list[_Attempt]:
        """Try until there is an answer or no time is left; only the last attempt counts."""
        limit = Stop(self._give_up)
        attempts = [self._attempt(path, body, "", self._remaining(limit))]
        while attempts[-1].error:
            time.sleep(max(0, min(_random.uniform(*_PAUSE_SECONDS), self._remaining(limit))))
            seconds = self._remaining(limit)
            if seconds <= 0:
                break
            attempts.append(self._attempt(path, body, attempts[-1].url, seconds))
        return attempts

    def _attempt(self, path: str, body: Mapping[str, str], failed: str, seconds: float) -> _Attempt:
        """Send one request, if possible not to the address that has just ``failed``."""
        url = _random.choice([url for url in self._urls if url != failed] or self._urls)
        request_id = uuid.uuid4().hex
        seconds = max(seconds, _MIN_SECONDS)
        answer: requests.Response | str
        try:
            answer = self._session.post(
                url + path,
                json=body,
                headers={"X-Request-ID": request_id},
                timeout=(min(CONNECT_SECONDS, seconds), min(ANSWER_SECONDS, seconds)),
                allow_redirects=False,
            )
        except _RETRIED_ERRORS as error:
            answer = type(error).__name__
        return _Attempt(request_id, url, answer)

    def _verdict(self, attempt: _Attempt, secret_id: str | None, judge: _Judge) -> _Verdict:
        if isinstance(attempt.answer, str) or attempt.error:
            return _Verdict(Result.GAVE_UP, secret_id, STOPPED if self._stop.remaining() <= 0 else None)
        if attempt.answer.status_code != 200:
            return _Verdict(Result.ERROR, secret_id, str(attempt.answer.status_code))
        try:
            return judge(attempt.answer.json())
        except (KeyError, TypeError, ValueError):
            return _Verdict(Result.ERROR, secret_id, "malformed answer")

    def _remaining(self, limit: Stop) -> float:
        return min(limit.remaining(), self._stop.remaining())


def digest(value: bytes) -> str:
    """Return the SHA-256 of a value, in hex, as stored in the journal."""
    return hashlib.sha256(value).hexdigest()

"""A client of the vault's API, for commands that run on a manager."""

from __future__ import annotations

import json
import re
import ssl
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from .errors import SwarmError, VaultNotReached, VaultRefused

Document: TypeAlias = dict[str, Any]

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?:(?P<name>[A-Za-z0-9.-]+)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\]):(?P<port>[0-9]{1,5})/?"
)
_TOKEN = re.compile(r"[!-~]{1,1024}")
_SECONDS = 15.0
_PAGE = 1000


class Address(NamedTuple):
    """Where an API listens; an IPv6 ``host`` is without brackets."""

    tls: bool
    host: str
    port: int

    def __str__(self) -> str:
        """Return it as it is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class Vault:
    """The vault at the first of some addresses that answers.

    Every method raises ``VaultNotReached`` if none answers, and ``VaultRefused`` if one refuses.  A call that
    breaks off is repeated at the next address, so it may be carried out twice.
    """

    def __init__(self, addresses: Sequence[str], ca: Path | None, token: Path) -> None:
        """Read the CA's certificate and the token.

        Raises:
            SwarmError: an address, the certificate or the token cannot be used.
        """
        if not addresses:
            raise SwarmError("there is no address of the vault")
        self._addresses = [_address(text) for text in addresses]
        self._tls = _tls(ca) if any(address.tls for address in self._addresses) else None
        self._token = _read_token(token)

    def describe(self, path: str) -> Document:
        """Return what there is to know about a secret but its values."""
        return self._post("/vault/secret/describe", {"path": path})

    def fetch(self, path: str, version: int) -> bytes:
        """Return the value of a version; it is recorded, as every fetch is."""
        answer = self._post("/vault/secret/fetch", {"path": path, "version": version})
        return b64decode(answer["secret"])

    def check_delivery(self, path: str, version: int | None, service: Mapping[str, Any]) -> int:
        """Return which version would be delivered; None stands for the current one.

        ``service`` has ``id``, ``name``, and where they matter ``labels`` and ``image``.
        """
        asked: Document = {"path": path, "service": dict(service), "check": True}
        if version is not None:
            asked["version"] = version
        return int(self._post("/vault/secret/deliver", asked)["version"])

    def generate(self, path: str, rule: Mapping[str, Any], expected_version: int) -> int:
        """Let the vault generate a value, if the secret is at ``expected_version``; return its version."""
        asked = {"path": path, "generate": dict(rule), "expected_version": expected_version}
        return int(self._post("/vault/secret/update", asked)["version"])

    def audit_records(
        self,
        since: datetime | None = None,
        max_records: int = 10_000,
        **conditions: str,
    ) -> list[Document]:
        """Return the newest audit records for which all conditions hold, newest first.

        ``conditions`` are fields of ``/vault/audit/search`` such as ``path``, ``operation``, ``service`` or
        ``task_id``.  Each record's ``authentic`` says whether the service wrote it.
        """
        asked: Document = {**conditions, "limit": min(max_records, _PAGE)}
        if since is not None:
            asked["since"] = since.isoformat()
        records: list[Document] = []
        while True:
            page = self._post("/vault/audit/search", asked)
            records += page["records"]
            if page["cursor"] is None or len(records) >= max_records:
                return records[:max_records]
            asked["cursor"] = page["cursor"]

    def _post(self, path: str, document: Mapping[str, Any]) -> Document:
        body = json.dumps(document).encode()
        tried = []
        for address in self._addresses:
            try:
                status, answer = self._send(address, path, body)
            except (OSError, HTTPException) as error:
                tried.append(f"{address}: {_cause(error)}")
                continue
            return _document(status, answer)
        raise VaultNotReached(f"the vault is not reachable: {'; '.join(tried)}")

    def _send(self, address: Address, path: str, body: bytes) -> tuple[int, bytes]:
        connection = (
            HTTPSConnection(address.host, address.port, timeout=_SECONDS, context=self._tls)
            if address.tls
            else HTTPConnection(address.host, address.port, timeout=_SECONDS)
        )
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _document(status: int, answer: bytes) -> Document:
    try:
        document = json.loads(answer)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise VaultRefused(status, {"detail": f"status {status}, and no JSON document: is this the vault?"})
    if status >= 400:
        raise VaultRefused(status, document)
    return document


def _address(text: str) -> Address:
    match = _ADDRESS.fullmatch(text)
    if not match or not 1 <= int(match["port"]) <= 65_535:
        raise SwarmError(f"{text} is no address of the vault: it must look like https://192.0.2.11:8000")
    return Address(match["scheme"] == "https", match["name"] or match["ipv6"], int(match["port"]))


def _tls(ca: Path | None) -> ssl.SSLContext:
    if ca is None:
        raise SwarmError("an address with https needs the file of the CA that issued the vault's certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=_read(ca).decode("ascii"))
    except (ValueError, ssl.SSLError):
        raise SwarmError(f"{ca} has no readable certificate: it must be PEM") from None
    return context


def _read_token(file: Path) -> str:
    token = _read(file).decode("latin-1").strip()
    if not _TOKEN.fullmatch(token):
        raise SwarmError(f"{file} does not hold one token and nothing else")
    return token


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SwarmError(f"cannot read {file}: {error.strerror}") from None


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_SECONDS:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    return str(getattr(error, "strerror", None) or type(error).__name__)

"""Renews the driver's token long before it ends, so that no call ever meets one that has expired."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime
from typing import Any

from .configuration import ConfigurationFolder
from .errors import DeliveryError, InvalidAnswer, Outcome, TokenRefused, VaultUnavailable
from .http1 import Response
from .log import Log
from .vault import Vault

RENEW = "/vault/token/renew"

# Managers that start together do not ask together.
_FIRST_SECONDS = (0.0, 5.0)
# How often is looked whether a renewal is due, or the token another one.
_LOOK_SECONDS = (45.0, 75.0)
# The part of its lifetime after which a token is renewed; what is left is for a vault that is away.
_RENEW_AFTER = (0.3, 0.5)
_MAX_SECONDS = 86_400.0
# A token that cannot be renewed stays so until it is replaced.
_REFUSED_SECONDS = 3_600.0
_ANSWER_SECONDS = 10.0


class Renewal:
    """Renews the token of the configuration folder, with calls that delay no other."""

    def __init__(self, folder: ConfigurationFolder, vault: Vault, log: Log) -> None:
        self._folder = folder
        self._vault = vault
        self._log = log
        self._token = ""
        self._due = 0.0

    async def run(self) -> None:
        """Renew it whenever that is due, until the task is cancelled."""
        pause = _FIRST_SECONDS
        while True:
            # Not a secret: it only spreads calls.
            await asyncio.sleep(random.uniform(*pause))  # noqa: S311
            pause = _LOOK_SECONDS
            try:
                await self.renew_if_due()
            except DeliveryError as error:
                self._log.write("renewal", outcome=error.outcome, reason=str(error))
            except Exception as error:  # noqa: BLE001  (the timer must survive any error)
                self._log.write("renewal", outcome=Outcome.INTERNAL_ERROR, reason=type(error).__name__)

    async def renew_if_due(self) -> None:
        """Renew the token if it is another one than at the last renewal, or if that was long ago.

        Raises:
            DeliveryError: it was due and has not been renewed; the message says why.
        """
        configuration = self._folder.read()
        now = asyncio.get_running_loop().time()
        if configuration.token == self._token and now < self._due:
            return
        response = await self._vault.post(configuration, RENEW, {}, now + _ANSWER_SECONDS)
        if response.status in {401, 403}:
            self._token, self._due = configuration.token, now + _REFUSED_SECONDS
            raise TokenRefused("the driver's token cannot be renewed: it has ended, or is not renewable")
        if response.status != 200:
            raise VaultUnavailable(
                f"the vault does not renew the driver's token now: status {response.status}"
            )
        renewed = _parse(response)
        expires_at = renewed["expires_at"]
        left = _MAX_SECONDS if expires_at is None else (expires_at - datetime.now(UTC)).total_seconds()
        pause = random.uniform(*_RENEW_AFTER) * left  # noqa: S311
        self._token, self._due = configuration.token, now + min(pause, _MAX_SECONDS)
        self._log.write(
            "renewal",
            outcome=Outcome.RENEWED,
            token_id=renewed["token_id"],
            expires_at=None if expires_at is None else expires_at.isoformat(),
        )


def _parse(response: Response) -> dict[str, Any]:
    """Return the token's id, and when it ends, or None for never."""
    try:
        answer = json.loads(response.body)
        ends = answer["expires_at"]
        return {
            "token_id": str(answer["token_id"]),
            "expires_at": None if ends is None else datetime.fromisoformat(ends).astimezone(UTC),
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidAnswer("the vault's answer to a renewal is not a token's description") from None

"""Shows that the key ring opens what the database already holds, before anything is added to it.

A service started with the wrong key would work at first: it would seal new secrets under that key,
and the mistake would come to light with the first old one.
"""

from __future__ import annotations

from ..crypto import envelope
from ..crypto.context import Context
from ..crypto.keyring import KeyRing
from ..errors import KeyRingUnproven, Tampered, Unopenable
from ..models import Envelope
from ..store.canary import CanaryStore
from ..store.secrets import SecretStore
from . import values

# No secret's id looks like this, so neither opens in the other's place.
_CONTEXT = Context("canary", version=1)
_CONTENT = b"the key ring fits the data"


class KeyProof:
    """Remembers that the proof was given; ``check`` gives it anew."""

    def __init__(self, canaries: CanaryStore, secrets: SecretStore, ring: KeyRing) -> None:
        self._canaries = canaries
        self._secrets = secrets
        self._ring = ring
        self._given = False

    def require(self) -> None:
        """Return at once where the proof was given before; otherwise give it.

        Raises:
            KeyRingUnproven: the ring does not open what is there; the message names the key ids.
            StoreUnavailable: the database did not answer.
        """
        if not self._given:
            self.check()

    def check(self) -> None:
        """Open the canary; seal one first where the database has none.

        Raises:
            KeyRingUnproven: the ring does not open what is there; the message names the key ids.
            StoreUnavailable: the database did not answer.
        """
        self._given = False
        try:
            canary = self._canaries.find() or self._make_canary()
            if envelope.open_(canary, _CONTEXT, self._ring) != _CONTENT:
                raise Tampered("opens, but to something else")
        except Unopenable as error:
            raise KeyRingUnproven(
                f"the key ring ({', '.join(self._ring.key_ids)}) does not open what the database holds"
                f" ({error}): start with the key that belongs to this database"
            ) from error
        self._given = True

    def _make_canary(self) -> Envelope:
        # Data older than its canary (an earlier implementation's): what is there must open first.
        found = self._secrets.find_any()
        if found is not None:
            for version in found.versions:
                if version.sealed is not None:
                    values.open_(found, version, self._ring)
        canary = envelope.seal(_CONTENT, _CONTEXT, self._ring)
        self._canaries.insert(canary)
        # Another process may have been first, with other keys: the one that is kept counts.
        return self._canaries.find() or canary

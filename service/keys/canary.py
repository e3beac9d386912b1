"""Shows that the key ring opens what the database already holds, before anything is added to it.

A service started with the wrong key would work at first: it would seal new secrets under that key,
and the mistake would come to light with the first old one.  The same with a key that was taken away too
early: so the database remembers every key that any process has held, and one that lacks a key of those
looks once whether anything is under it.
"""

from __future__ import annotations

from ..crypto import envelope, key_ranges, secret_values
from ..crypto.context import Context
from ..crypto.keyring import KeyRing
from ..errors import CannotDecrypt, KeyRingMismatch, RestoreUnfinished, Tampered
from ..models import Envelope
from ..store.canary import CanaryStore
from ..store.master_keys import KeyStore
from ..store.rewrap import RewrapStore
from ..store.secrets import SecretStore

# No secret's id looks like this, so neither opens in the other's place.
_CONTEXT = Context("canary", version=1)
_CONTENT = b"the key ring fits the data"


def open_(canary: Envelope, ring: KeyRing) -> None:
    """Return where the canary opens and is one.

    Raises:
        UnknownKey, Tampered: it does not, or is something else.
    """
    if envelope.open_(canary, _CONTEXT, ring) != _CONTENT:
        raise Tampered("opens, but to something else")


class KeyRingCheck:
    """Remembers that the proof was given; ``check`` gives it anew."""

    def __init__(
        self,
        canaries: CanaryStore,
        secrets: SecretStore,
        ring: KeyRing,
        keys: KeyStore,
        sealed: RewrapStore,
    ) -> None:
        self._canaries = canaries
        self._secrets = secrets
        self._ring = ring
        self._keys = keys
        self._sealed = sealed
        self._passed = False
        self._nothing_missing = False

    def require(self) -> None:
        """Return at once where the proof was given before; otherwise give it.

        Raises:
            KeyRingMismatch: the ring does not open what is there; the message names the key ids.
            StoreUnavailable: the database did not answer.
        """
        if not self._passed:
            self.check()

    def check(self) -> None:
        """Open the canary; the first time, look for anything under a key that the ring lacks as well.

        Later it would only take good processes out of service, because of one that still has an old key.

        Raises:
            KeyRingMismatch: the ring does not open what is there; the message names the key ids.
            RestoreUnfinished: what is there is not all of it.
            StoreUnavailable: the database did not answer.
        """
        self._passed = False
        self._require_no_restore()
        self.open_canary()
        if not self._nothing_missing:
            self._require_nothing_missing()
            self._keys.register(self._ring.key_ids)
            self._nothing_missing = True
        self._passed = True

    def open_canary(self) -> Envelope:
        """Return the canary once it opened; seal one first where the database has none.

        Raises:
            KeyRingMismatch: the ring does not open it; the message names the key ids.
            StoreUnavailable: the database did not answer.
        """
        try:
            canary = self._canaries.find() or self._make_canary()
            open_(canary, self._ring)
        except CannotDecrypt as error:
            raise KeyRingMismatch(
                f"the key ring ({', '.join(self._ring.key_ids)}) does not open what the database holds"
                f" ({error}): start with the key that belongs to this database, beside the new one where"
                " `python -m service key rewrap` has not said yet that nothing needs it"
            ) from error
        return canary

    def rewrap_canary(self) -> None:
        """Bring the canary under the primary master key.

        Raises:
            KeyRingMismatch: the ring does not open it; the message names the key ids.
            StoreUnavailable: it may or may not have been brought there.
        """
        canary = self.open_canary()
        self._canaries.rewrap(canary, self._ring.rewrap(canary.data_key, _CONTEXT))

    def _require_no_restore(self) -> None:
        if (since := self._canaries.restoring_since()) is not None:
            raise RestoreUnfinished(
                f"a backup is being restored since {since.isoformat(timespec='seconds')}; if nobody does that"
                " any more, it was interrupted: run `python -m service backup restore` again"
            )

    def _require_nothing_missing(self) -> None:
        for key_id in self._keys.registered():
            if key_id not in self._ring.key_ids and self._sealed.any_under(key_ranges.for_key(key_id)):
                raise KeyRingMismatch(
                    f"something is under master key {key_id}, which the key ring"
                    f" ({', '.join(self._ring.key_ids)}) lacks: add that key to MASTER_KEYS_DIR; one may be"
                    " taken away where `python -m service key rewrap` has said that nothing needs it"
                )

    def _make_canary(self) -> Envelope:
        # Data older than its canary (an earlier implementation's): what is there must open first.
        found = self._secrets.find_any()
        if found is not None:
            for version in found.versions:
                if version.sealed is not None:
                    secret_values.open_(found, version, self._ring)
        canary = envelope.seal(_CONTENT, _CONTEXT, self._ring)
        self._canaries.insert(canary)
        # Another process may have been first, with other keys: the one that is kept counts.
        return self._canaries.find() or canary

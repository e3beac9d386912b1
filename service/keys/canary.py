"""Key check value (canary): checks that the key ring fits the database before anything is added.

A service started with the wrong key would work at first: it would encrypt new secrets under that key, and
fail at the first old one.  So the database holds a canary, a known value encrypted like a secret's, that
the ring must decrypt.

The canary's content also says whether the database may hold records of earlier versions, which are not
authenticated as a whole.  A new database never does; another one until a rewrap has brought all of them over.
Anyone who can write to the database can put back only a canary that it once had.

A key may also have been removed too early.  So the database records the id of every key that any process
has loaded; a process that lacks one of them checks once whether anything is under it.
"""

from __future__ import annotations

from ..crypto import envelope, key_ranges, secret_values
from ..crypto.context import Context
from ..crypto.keyring import KeyRing
from ..errors import CannotDecrypt, KeyRingMismatch, RestoreUnfinished, Tampered
from ..models import Envelope
from ..records import LegacyValue
from ..store.canary import CanaryStore
from ..store.master_keys import KeyStore
from ..store.rewrap import RewrapStore
from ..store.secrets import SecretStore

# Not a possible id of a secret, so a canary cannot stand in for a value, nor a value for the canary.
_CONTEXT = Context("canary", version=1)
_CONTENT = b"the key ring fits the data, and every record has a tag over all of it"
_CONTENT_WITH_EARLIER = b"the key ring fits the data"


def open_(canary: Envelope, ring: KeyRing) -> bool:
    """Check that the ring decrypts the canary; return whether there may be records of earlier versions.

    Raises:
        UnknownKey, Tampered: it does not, or the content is not the canary's.
    """
    content = envelope.open_(canary, _CONTEXT, ring)
    if content not in (_CONTENT, _CONTENT_WITH_EARLIER):
        raise Tampered("decrypts, but is not the canary")
    return content == _CONTENT_WITH_EARLIER


class KeyRingCheck:
    """The check of the key ring against the canary; remembers that it passed.

    KeyRingMismatch means that the ring lacks a key that the database needs; its message names the key ids.
    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(
        self,
        canaries: CanaryStore,
        secrets: SecretStore,
        ring: KeyRing,
        keys: KeyStore,
        rewrap_store: RewrapStore,
    ) -> None:
        self._canaries = canaries
        self._secrets = secrets
        self._ring = ring
        self._keys = keys
        self._rewrap_store = rewrap_store
        self._passed = False
        self._has_all_keys = False
        self._accepts_earlier = False

    def require(self) -> None:
        """Run ``check`` unless it has passed before.

        Raises:
            KeyRingMismatch, RestoreUnfinished: as ``check``.
        """
        if not self._passed:
            self.check()

    def check(self) -> None:
        """Decrypt the canary; until that has passed once, also look for data under a key the ring lacks.

        That look-up is not repeated: if another process still wrote under an old key, it would take
        working processes out of service.

        Raises:
            KeyRingMismatch: the ring does not fit the database.
            RestoreUnfinished: a restore is running or was interrupted, so the data is incomplete.
        """
        self._passed = False
        self._require_no_restore()
        self.open_canary()
        if not self._has_all_keys:
            self._require_all_keys()
            self._keys.register(self._ring.key_ids)
            self._has_all_keys = True
        self._passed = True

    def open_canary(self) -> Envelope:
        """Decrypt the canary and return it; if the database has none, create it first.

        Raises:
            KeyRingMismatch: the ring does not decrypt it.
        """
        try:
            canary = self._canaries.find() or self._make_canary()
            self._accepts_earlier = open_(canary, self._ring)
        except CannotDecrypt as error:
            raise KeyRingMismatch(
                f"the key ring ({', '.join(self._ring.key_ids)}) does not open what the database holds"
                f" ({error}): start with the key that belongs to this database; keep it beside a new key"
                " until `python -m service key rewrap` reports that nothing needs it"
            ) from error
        return canary

    def accepts_earlier(self) -> bool:
        """Return whether records of earlier versions are accepted.

        Raises:
            KeyRingMismatch, RestoreUnfinished: as ``check``.
        """
        self.require()
        if self._accepts_earlier:
            # Another process may have brought the last one over.
            self.open_canary()
        return self._accepts_earlier

    def renew_canary(self, *, accept_earlier: bool = False) -> None:
        """Replace the canary, unless it is as it should be, with one under the primary master key.

        Raises:
            KeyRingMismatch: the ring does not decrypt the present one.
            StoreUnavailable: it may or may not have been replaced.
        """
        canary = self.open_canary()
        is_primary = envelope.master_key_id(canary) == self._ring.key_ids[0]
        if is_primary and self._accepts_earlier == accept_earlier:
            return
        content = _CONTENT_WITH_EARLIER if accept_earlier else _CONTENT
        self._canaries.replace(canary, envelope.seal(content, _CONTEXT, self._ring))
        self.open_canary()

    def _require_no_restore(self) -> None:
        if (since := self._canaries.restoring_since()) is not None:
            raise RestoreUnfinished(
                f"a restore has been running since {since.isoformat(timespec='seconds')}; if it was"
                " interrupted, run `python -m service backup restore` again"
            )

    def _require_all_keys(self) -> None:
        for key_id in self._keys.registered():
            if key_id not in self._ring.key_ids and self._rewrap_store.any_under(key_ranges.for_key(key_id)):
                raise KeyRingMismatch(
                    f"stored data needs master key {key_id}, which the key ring"
                    f" ({', '.join(self._ring.key_ids)}) lacks: add that key to MASTER_KEYS_DIR; remove a key"
                    " only after `python -m service key rewrap` has reported that nothing needs it"
                )

    def _make_canary(self) -> Envelope:
        # An earlier implementation stored data without a canary: the ring must decrypt some of it first.  No
        # other data is from before there was one, so that removing the canary makes no record acceptable.
        secret = self._secrets.find_any()
        if secret is not None:
            for version in secret.versions:
                if version.sealed is not None:
                    secret_values.open_(secret, version, self._ring)
        is_earlier = secret is not None and isinstance(secret.versions[-1].sealed, LegacyValue)
        content = _CONTENT_WITH_EARLIER if is_earlier else _CONTENT
        canary = envelope.seal(content, _CONTEXT, self._ring)
        self._canaries.insert(canary)
        # Another process may have inserted one first, under other keys: the stored one counts.
        return self._canaries.find() or canary

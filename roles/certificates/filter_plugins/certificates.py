"""Which certificates there should be, which the Swarm has, and which of them are to be issued.

What is known of an issued certificate is in the labels of its Docker secret, or for the CA of its Docker
config, so that any controller can continue.  Times are text, ``YYYYMMDDHHMMSSZ`` in UTC, and sort as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_PREFIX = "secret-manager."
_KIND = "tls"


def certificates_wanted(
    api_names: Iterable[str], members: Iterable[Mapping[str, Any]], any_member: str
) -> list[dict[str, Any]]:
    """List the certificates that the cluster needs.

    Args:
        api_names: names and addresses by which callers reach the API.
        members: those of MongoDB, each with its ``name``; none if the database is the user's own.
        any_member: the name to which every member answers.

    Returns:
        For each certificate ``name``, ``names`` (such as ``DNS:localhost``, ``IP:127.0.0.1``) and ``usage``.
    """
    wanted = [{"name": "api", "names": [_typed(name) for name in api_names], "usage": ["serverAuth"]}]
    for member in members:
        names = [member["name"], any_member, "localhost", "127.0.0.1"]
        # A member is a server to some members and a client to others.
        usage = ["serverAuth", "clientAuth"]
        wanted.append({"name": member["name"], "names": [_typed(name) for name in names], "usage": usage})
    if len(wanted) > 1:
        wanted.append({"name": "client", "names": [], "usage": ["clientAuth"]})
    return wanted


def certificates_newest(specs: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Read the newest version of each certificate from the labels.

    Args:
        specs: the ``Spec`` of each Docker secret and config of certificates, as ``docker inspect`` shows it.

    Returns:
        By the certificate's name: ``name``, ``version`` (a number), ``secret`` (the Docker object's name),
        ``data`` (base64, of the CA only), ``names`` (joined by commas), ``issuer`` (the CA's fingerprint,
        ``own`` for a certificate that the user provided, empty for the CA), ``fingerprint``, ``not_after``.
    """
    newest: dict[str, dict[str, Any]] = {}
    for spec in specs:
        labels = spec["Labels"]
        name, version = labels[_PREFIX + "certificate"], int(labels[_PREFIX + "version"])
        if name not in newest or version > newest[name]["version"]:
            newest[name] = {
                "name": name,
                "version": version,
                "secret": spec["Name"],
                "data": spec.get("Data") or "",
                "names": labels[_PREFIX + "names"],
                "issuer": labels[_PREFIX + "issuer"],
                "fingerprint": labels[_PREFIX + "fingerprint"],
                "not_after": labels[_PREFIX + "not-after"],
            }
    return newest


def certificates_expired(specs: Iterable[Mapping[str, Any]], now: str) -> bool:
    """Say whether a certificate has expired that members need to trust each other.

    Replaced versions count as well: they exist until no service uses them, so a run that continues an
    interrupted one is told.

    Args:
        specs: as for ``certificates_newest``.
        now: the present time.
    """
    return any(
        spec["Labels"][_PREFIX + "not-after"] < now
        for spec in specs
        if (name := spec["Labels"][_PREFIX + "certificate"]) == "ca" or name.startswith("mongodb-")
    )


def certificates_to_issue(
    wanted: Iterable[Mapping[str, Any]],
    found: Mapping[str, Mapping[str, Any]],
    ca_fingerprint: str,
    ca_end: str,
    renew_before: str,
    renew_all: bool = False,
    provided_fingerprint: str = "",
) -> list[dict[str, Any]]:
    """Select the certificates that are missing, differ from what is wanted or end soon.

    Args:
        wanted: as ``certificates_wanted`` returns them.
        found: as ``certificates_newest`` returns them.
        ca_fingerprint: of the CA that issues now; empty in a check that has none yet.
        ca_end: when that CA ends.  A certificate that ends together with it cannot be made longer.
        renew_before: certificates that end earlier than this are renewed.
        renew_all: renew every certificate, whatever its age.
        provided_fingerprint: of the API's certificate if the user provides it; it is only compared then.

    Returns:
        What is in ``wanted``, each with the ``version`` to give to it.
    """
    selected = []
    for one in wanted:
        current = found.get(one["name"])
        if current is None:
            outdated = True
        elif one["name"] == "api" and provided_fingerprint:
            outdated = current["fingerprint"] != provided_fingerprint
        else:
            outdated = (
                renew_all
                or current["names"] != ",".join(one["names"])
                or current["issuer"] != ca_fingerprint
                or current["not_after"] < min(renew_before, ca_end)
            )
        if outdated:
            version = current["version"] + 1 if current else 1
            selected.append({key: one[key] for key in ("name", "names", "usage")} | {"version": version})
    return selected


def certificates_uncovered(names: Iterable[str], certificate_names: Iterable[str]) -> list[str]:
    """List the names that a certificate does not cover; a wildcard stands for one label (RFC 6125, 6.4.3)."""
    covered = set(certificate_names)
    return [name for name in names if not {name, re.sub(r"^[^.]+(?=\..)", "*", name)} & covered]


def certificates_labels(values: Mapping[str, Any]) -> list[str]:
    """Write what is known of a certificate as arguments of ``docker secret create``.

    Args:
        values: ``certificate`` (its name), ``version``, ``names`` (a list), ``issuer``, ``fingerprint`` and
            ``not_after``.
    """
    labels = {
        "kind": _KIND,
        "certificate": values["certificate"],
        "version": values["version"],
        "names": ",".join(values["names"]),
        "issuer": values["issuer"],
        "fingerprint": values["fingerprint"],
        "not-after": values["not_after"],
    }
    return [f"--label={_PREFIX}{key}={value}" for key, value in labels.items()]


def _typed(name: str) -> str:
    """Say of a name whether it is one or an address, as subjectAltName wants it."""
    return f"{'IP' if re.fullmatch(r'[0-9.]+', name) or ':' in name else 'DNS'}:{name}"


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "certificates_expired": certificates_expired,
            "certificates_labels": certificates_labels,
            "certificates_newest": certificates_newest,
            "certificates_to_issue": certificates_to_issue,
            "certificates_uncovered": certificates_uncovered,
            "certificates_wanted": certificates_wanted,
        }

"""Which Docker secrets, mounts and grants services need for the vault's secrets that they are to have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

_PATH_LABEL = "secret-manager.path"
_VERSION_LABEL = "secret-manager.version"
_ENCODING_LABEL = "secret-manager.encoding"
_DRIVER = "secret-manager"

# What Swarm accepts; shorter than its 64 characters, so that `.v` and a number fit behind it.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,48}[A-Za-z0-9])?")
_SERVICE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
# Nothing that ends a field of the engine's client.
_TARGET = re.compile(r"[A-Za-z0-9_./-]+")
_MODE = re.compile(r"0[0-7]{3}")
_OWN_STACK = "secret-manager_"

Entry = dict[str, Any]
Document = Mapping[str, Any]


def swarm_secrets_entries(wanted: Iterable[Document]) -> list[Entry]:
    """Return the entries with what was left out: name, version, state; target, owner and mode of files."""
    return [_entry(each) for each in wanted]


def _entry(each: Document) -> Entry:
    name = each.get("name") or each["path"].rsplit("/", 1)[-1]
    return {
        "path": each["path"],
        "name": name,
        "version": str(each.get("version") or "latest"),
        "encoding": each.get("encoding"),
        "state": each.get("state") or "present",
        "services": [
            {
                "name": service["name"],
                "target": service.get("target") or name,
                "uid": str(service.get("uid", "0")),
                "gid": str(service.get("gid", "0")),
                "mode": str(service.get("mode", "0444")),
            }
            for service in each.get("services") or []
        ],
    }


def swarm_secrets_mistakes(entries: Iterable[Entry]) -> list[str]:
    """Say what is wrong with the entries, before anything is asked or changed."""
    return list(_mistakes(list(entries)))


def _mistakes(entries: list[Entry]) -> Iterator[str]:
    if not entries:
        yield "it is empty; name a secret, such as path: team/app/db-password"
    names = [entry["name"] for entry in entries]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two entries have the name {name}; give one of them another `name`"
    mounted = set()
    for entry in entries:
        if entry["path"].strip("/") != entry["path"]:
            yield f"{entry['path']}: a path has no slash at its start or end, as in team/app/db-password"
        elif not _NAME.fullmatch(entry["name"]):
            yield f"the name {entry['name']} takes at most 50 letters, digits, `_`, `.` and `-`; set `name`"
        if entry["version"] != "latest" and not re.fullmatch(r"[1-9][0-9]{0,8}", entry["version"]):
            yield f"the version of {entry['path']} is {entry['version']}; write a number from 1, or latest"
        for service in entry["services"]:
            yield from _service_mistakes(service)
            mount = (service["name"], service["target"])
            if mount in mounted and entry["state"] == "present":
                yield f"{service['name']} gets two secrets as {service['target']}; give one another `target`"
            mounted.add(mount)


def _service_mistakes(service: Entry) -> Iterator[str]:
    name = service["name"]
    if not _SERVICE.fullmatch(name):
        yield f"{name} is no name of a service"
    if name.startswith(_OWN_STACK):
        yield f"{name} is a service of the vault itself, which must start without it"
    if not _TARGET.fullmatch(service["target"]):
        yield f"the target {service['target']} of {name} takes letters, digits, `_`, `.`, `-` and `/`"
    if not _MODE.fullmatch(service["mode"]):
        yield f'the mode {service["mode"]} of {name} is not four octal digits in quotes, such as "0400"'
    for kind in ("uid", "gid"):
        if not re.fullmatch(r"[0-9]{1,10}", service[kind]):
            yield f"the {kind} {service[kind]} of {name} is no number"


def swarm_secrets_plan(entries: Iterable[Entry], described: Iterable[Document]) -> list[Entry]:
    """Return the entries with a version's number, and the name and labels of the Docker secret.

    ``described`` has the vault's description of each.  ``problem`` says why the vault would not deliver the
    version; it is empty if it would.
    """
    return [_planned(entry, document) for entry, document in zip(entries, described, strict=True)]


def _planned(entry: Entry, document: Document) -> Entry:
    version = document["version"] if entry["version"] == "latest" else int(entry["version"])
    labels = {_PATH_LABEL: entry["path"], _VERSION_LABEL: str(version)}
    if entry["encoding"]:
        labels[_ENCODING_LABEL] = entry["encoding"]
    return entry | {
        "version": version,
        "object": f"{entry['name']}.v{version}",
        "labels": labels,
        "problem": _problem(entry["path"], version, document),
    }


def _problem(path: str, version: int, document: Document) -> str:
    states = {each["version"]: each["state"] for each in document["versions"]}
    if version not in states:
        return f"there is no version {version} of {path}"
    for state in (document["state"], states[version]):
        if state != "live":
            return f"version {version} of {path} is {state}"
    if document["max_reads"] is not None:
        return f"{path} has max_reads, and such a secret is delivered to no service"
    return ""


def swarm_secrets_others(plan: Iterable[Entry], objects: Iterable[Document]) -> list[str]:
    """Say which Docker secrets have a wanted name, and another driver or other labels of ours."""
    by_name = _by_name(objects)
    return [
        f"{entry['object']} has {found}, and not {entry['labels']}"
        for entry in plan
        if entry["object"] in by_name and (found := _kind(by_name[entry["object"]])) != entry["labels"]
    ]


def _kind(found: Document) -> dict[str, str] | str:
    driver = (found["Spec"].get("Driver") or {}).get("Name")
    if driver not in (_DRIVER, f"{_DRIVER}:latest"):
        return f"the driver {driver}" if driver else "a value of its own"
    return {
        label: text
        for label, text in (found["Spec"].get("Labels") or {}).items()
        if label.startswith("secret-manager.")
    }


def _by_name(objects: Iterable[Document]) -> dict[str, Document]:
    return {each["Spec"]["Name"]: each for each in objects}


def swarm_secrets_missing(plan: Iterable[Entry], objects: Iterable[Document]) -> list[Entry]:
    """Return the entries whose Docker secret is to be made."""
    by_name = _by_name(objects)
    return [entry for entry in plan if entry["object"] not in by_name]


def swarm_secrets_create_command(entry: Entry, driver: str) -> list[str]:
    """Return the command that makes an entry's Docker secret."""
    labels = [word for label, text in entry["labels"].items() for word in ("--label", f"{label}={text}")]
    return ["docker", "secret", "create", "--driver", driver, *labels, entry["object"]]


def swarm_secrets_fact(
    plan: Iterable[Entry], objects: Iterable[Document], missing: Iterable[Entry], made: Iterable[Document]
) -> dict[str, Any]:
    """Return name, id and version of each Docker secret; in check mode, one to be made has no id."""
    ids = {name: found["ID"] for name, found in _by_name(objects).items()}
    ids |= {entry["object"]: each.get("stdout", "") for entry, each in zip(missing, made, strict=True)}
    return {
        entry["name"]: {
            "name": entry["object"],
            "id": ids[entry["object"]],
            "version": entry["version"],
        }
        for entry in plan
    }


def swarm_secrets_updates(
    plan: Iterable[Entry], objects: Iterable[Document], services: Iterable[Document]
) -> list[dict[str, Any]]:
    """Return for each service that exists and mounts something else: the command of its one update.

    A mount is known by its target; mounts with other targets are left alone.
    """
    ids = {name: found["ID"] for name, found in _by_name(objects).items()}
    entries = list(plan)
    updates = []
    for service in services:
        mounts = {mount["File"]["Name"]: mount for mount in service["secrets"] or [] if mount.get("File")}
        changed = {
            wanted["target"]: (entry["object"], wanted)
            for entry in entries
            for wanted in entry["services"]
            if wanted["name"] == service["name"]
            and _mounted(mounts.get(wanted["target"])) != (ids.get(entry["object"]), *_file(wanted))
        }
        if changed:
            updates.append(
                {
                    "service": service["name"],
                    "status": service["update"],
                    "command": [
                        *("docker", "service", "update", "--quiet", "--detach=false"),
                        *_mount_flags(mounts, changed),
                        service["name"],
                    ],
                    "summary": f"update the service {service['name']}: "
                    + ", ".join(f"{name} as {target}" for target, (name, _) in changed.items()),
                }
            )
    return updates


def _mounted(mount: Document | None) -> tuple[str, str, str, int] | None:
    if mount is None:
        return None
    file = mount["File"]
    return mount["SecretID"], file["UID"], file["GID"], file["Mode"]


def _file(wanted: Entry) -> tuple[str, str, int]:
    return wanted["uid"], wanted["gid"], int(wanted["mode"], 8)


def _mount_flags(mounts: Mapping[str, Document], changed: Mapping[str, tuple[str, Entry]]) -> Iterator[str]:
    removed = {mounts[target]["SecretName"] for target in changed if target in mounts}
    for name in sorted(removed):
        yield from ("--secret-rm", name)
    for name, wanted in changed.values():
        yield from ("--secret-add", _mount_option(name, wanted))
    # `--secret-rm` takes away every mount of the object, also under targets that stay.
    for target, mount in mounts.items():
        if target not in changed and mount["SecretName"] in removed:
            file = mount["File"]
            kept = {"target": target, "uid": file["UID"], "gid": file["GID"], "mode": f"{file['Mode']:04o}"}
            yield from ("--secret-add", _mount_option(mount["SecretName"], kept))


def _mount_option(name: str, file: Mapping[str, str]) -> str:
    return ",".join([f"source={name}", *(f"{key}={file[key]}" for key in ("target", "uid", "gid", "mode"))])


def swarm_secrets_unneeded(
    entries: Iterable[Entry], objects: Iterable[Document], services: Iterable[Document]
) -> list[str]:
    """Return the Docker secrets to remove: all of an absent entry, the older ones of a present one.

    Never one that a service mounts, or would mount after a rollback: Swarm accepts a rollback to a
    secret that is gone, stops the tasks, and starts none.
    """
    needed = {
        mount["SecretName"]
        for service in services
        for mount in [*(service["secrets"] or []), *(service["previous"] or [])]
    }
    return [name for entry in entries for name in _versions(entry, objects) if name not in needed]


def _versions(entry: Entry, objects: Iterable[Document]) -> Iterator[str]:
    for name, found in _by_name(objects).items():
        number = name.removeprefix(f"{entry['name']}.v")
        kind = _kind(found)
        if number == name or not number.isdecimal() or isinstance(kind, str):
            continue
        if kind.get(_PATH_LABEL) == entry["path"] and (
            entry["state"] == "absent" or int(number) < entry["version"]
        ):
            yield name


def swarm_secrets_mounted(
    entries: Iterable[Entry], objects: Iterable[Document], services: Iterable[Document]
) -> list[str]:
    """Say which services mount Docker secrets that are to be absent."""
    names = {name for entry in entries for name in _versions(entry, objects)}
    return [
        f"{mount['SecretName']} in {service['name']}"
        for service in services
        for mount in service["secrets"] or []
        if mount["SecretName"] in names
    ]


def swarm_secrets_grants_missing(
    plan: Iterable[Entry], grants: Iterable[Document]
) -> list[dict[str, list[str]]]:
    """Return the grants to create: one for each path, for the services that no grant names with it.

    A grant with a condition counts too: somebody decided on it, and a grant without one would undo that.
    """
    found = list(grants)
    missing = []
    for entry in plan:
        services = [
            service["name"]
            for service in entry["services"]
            if not any(_names(grant, service["name"], entry["path"]) for grant in found)
        ]
        if services:
            missing.append({"services": services, "paths": [entry["path"]]})
    return missing


def _names(grant: Document, service: str, path: str) -> bool:
    return any(_matches(pattern, service) for pattern in grant["services"]) and any(
        _matches(pattern, path) for pattern in grant["paths"]
    )


def _matches(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def swarm_secrets_grants_over(entries: Iterable[Entry], grants: Iterable[Document]) -> list[str]:
    """Return the ids of grants of an entry's path alone, for none but its services."""
    found = list(grants)
    return [
        grant["grant_id"]
        for entry in entries
        for grant in found
        if grant["paths"] == [entry["path"]]
        and set(grant["services"]) <= {service["name"] for service in entry["services"]}
    ]


def swarm_secrets_describe_grant(grant: Mapping[str, list[str]]) -> str:
    """Say what a grant to create lets whom have."""
    return f"grant {', '.join(grant['services'])} the secret {', '.join(grant['paths'])}"


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            each.__name__: each
            for each in (
                swarm_secrets_create_command,
                swarm_secrets_describe_grant,
                swarm_secrets_entries,
                swarm_secrets_fact,
                swarm_secrets_grants_missing,
                swarm_secrets_grants_over,
                swarm_secrets_missing,
                swarm_secrets_mistakes,
                swarm_secrets_mounted,
                swarm_secrets_others,
                swarm_secrets_plan,
                swarm_secrets_unneeded,
                swarm_secrets_updates,
            )
        }

"""Writes the reference pages that have a source elsewhere, so that nothing is typed twice.

    python -m docs.generate            write the pages
    python -m docs.generate --check    write nothing; exit with 1 if a page differs from its source

The pages are kept in the repository, so that they can be read in a code browser too.
"""

from __future__ import annotations

import ast
import base64
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
ASSETS = ROOT / "docs" / "assets"

# The variables that most clusters set, in the order of the table.
USUAL_VARIABLES = (
    "images_source",
    "images_pull_mongod",
    "images_pull_python",
    "images_pull_api",
    "swarm_advertise_addr",
    "swarm_data_path_addr",
    "swarm_overlay_encrypted",
    "swarm_autolock",
    "master_key_escrow_public_key",
    "mongo_uri",
    "mongo_uri_version",
    "mongo_tls_mode",
    "mongo_priority",
    "mongo_memory_limit",
    "mongo_cache_gb",
    "mongo_history_seconds",
    "certificates_api_names",
    "certificates_ca_certificate",
    "certificates_ca_key",
    "certificates_ca_passphrase",
    "certificates_api_certificate",
    "certificates_api_key",
    "certificates_days",
    "certificates_renew_days",
    "certificates_warn_days",
    "backup_destination",
    "backup_s3_url",
    "backup_s3_client",
    "backup_s3_environment",
    "backup_keep",
    "backup_schedule",
    "backup_schedule_drill",
    "vault_api_port",
    "vault_api_tls",
    "vault_api_publish_mode",
    "vault_api_replicas",
    "vault_api_workers",
    "vault_api_threads",
    "vault_api_log_level",
    "vault_api_audit_ttl_days",
    "vault_api_trusted_proxies",
    "vault_api_auth",
    "vault_api_auth_failures_per_minute",
    "vault_api_metrics_networks",
    "vault_api_docs",
    "docker_engine_daemon_options",
)
SCRIPTS = (
    "create_secret.sh",
    "fetch_secret.sh",
    "update_secret.sh",
    "list_secrets.sh",
    "delete_secret.sh",
    "follow_secret.sh",
)
PROBLEM = "application/problem+json"

_COLUMNS = "96"
# What a reader of Environment is called, and how its values are described.
_KINDS = {
    "text": "text",
    "boolean": "`true` or `false`",
    "choice": "one word",
    "address": "`host:port`",
    "networks": "networks, separated by commas",
    "names": "host names, separated by commas",
    "items": "a list, separated by commas",
}

_ABOUT_API = """\
A running service shows the same at `/docs` (Swagger UI) and `/openapi.json` (OpenAPI 3.1). Bodies are JSON,
secrets in them are base64. A trailing slash is optional. Ids and paths travel in bodies, so they reach no
access log.

Every call with **token: yes** needs the header `Authorization: Bearer smt_…`. Which scope it takes:
[Scopes](scopes.md). Every error is a problem document:
[Answers that are errors](../troubleshooting/answers.md).
"""

_ABOUT_SETTINGS = """\
The service reads these environment variables, each also as `NAME_FILE`: the path of a file that holds the
value, which is how Docker secrets arrive. Setting both is an error. A value that cannot be used ends the
start with one line that says what to do: [Refusals of the start](../troubleshooting/start.md).

The roles set them for you: see [Variables of a cluster](cluster-variables.md). `.env.example` is the same
list as a file.
"""

_ABOUT_VARIABLES = """\
Variables go into the inventory's `group_vars/all.yml`. The addresses of a node, `mongo_priority` and
`mongo_member` (the number of its member, for life; without it, its place in the list) are set per host.
Then run `ansible-playbook site.yml`:
[Change a setting](../how-to/cluster/change-a-setting.md).

An engine that was there before is used as it is and never reconfigured.
"""

_ABOUT_COMMANDS = """\
They run where the settings of the service are. On a node of a cluster that runs a replica, that is inside its
container:

```sh
api=$(docker ps -q -f name=secret-manager_api | head -n 1)
docker exec $api python3 -m service token list
```

Exit codes: 0 is success, 1 is a finding (the output names it), 2 is a refusal with one line that says why
([Refusals of commands](../troubleshooting/commands.md)), 130 is Ctrl-C.
"""

_ABOUT_METRICS = """\
`GET /metrics` answers in Prometheus's text format, for all workers of one replica. Only the networks in
`METRICS_NETWORKS` may read it (loopback unless you say otherwise):
[Scrape metrics](../how-to/cluster/metrics.md). Those of the last restore drill are missing until there was
one. They come from the database, like those of the disk, of the reserved wraps, of the newest checkpoint
and of the tokens that drivers use, and are missing while it does not answer. `vault_audit_anchor_intact` is
missing where nothing is kept.
"""

_ABOUT_PACKAGES = """\
What is in `service/`, the top layer first. A layer may import what is below it, and nothing above it:
[Architecture](../explanation/architecture.md).
"""


def pages() -> dict[Path, str]:
    """Return every generated page with its content."""
    return {
        REFERENCE / "api.md": api(),
        REFERENCE / "settings.md": settings(),
        REFERENCE / "cluster-variables.md": cluster_variables(),
        REFERENCE / "commands.md": commands(),
        REFERENCE / "metrics.md": metrics(),
        REFERENCE / "packages.md": packages(),
        ASSETS / "layers.svg": layers_picture(),
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with ``--check``; return the exit code."""
    wanted = pages()
    outdated = [path for path, content in wanted.items() if not path.exists() or path.read_text() != content]
    if "--check" not in arguments:
        for path in outdated:
            path.write_text(wanted[path])
            sys.stdout.write(f"{path.relative_to(ROOT)}: written\n")
        return 0
    for path in outdated:
        sys.stderr.write(f"{path.relative_to(ROOT)} differs from its source: run `python -m docs.generate`\n")
    return 1 if outdated else 0


def _page(title: str, source: str, parts: Iterable[str]) -> str:
    note = f"<!-- Generated from {source} by `python -m docs.generate`. Do not edit. -->"
    return "\n\n".join([f"# {title}", note, *(part.strip("\n") for part in parts)]) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Return text as it may stand in a table; readers of Markdown disagree on a bar in code."""

    def as_html(code: re.Match[str]) -> str:
        return f"<code>{escape(code[1], quote=False).replace('|', '&#124;')}</code>"

    return re.sub(r"`([^`|]*\|[^`]*)`", as_html, text)


def _prose(text: str) -> str:
    """Return text on one line, with placeholders such as ``<token>`` as code, or they are HTML."""
    one_line = " ".join(text.split())
    return re.sub(r"(?<!`)<([a-z_ -]+)>(?!`)", r"`<\1>`", one_line)


# API, from the OpenAPI document


def openapi() -> Mapping[str, Any]:
    """Return the OpenAPI document that the service would serve; no database is asked."""
    from service.app import create_app
    from service.environment import Environment
    from service.settings import Settings

    variables = {"MASTER_KEY": base64.b64encode(bytes(32)).decode()}
    app = create_app(Settings.from_environment(Environment(variables)))
    document: Mapping[str, Any] = json.loads(app.test_client().get("/openapi.json").data)
    return document


def api() -> str:
    """Return the page about the calls of the API."""
    document = openapi()
    parts = [
        _ABOUT_API,
        _table(("call", "purpose", "token"), _overview(document)),
    ]
    for tag in document["tags"]:
        operations = [each for each in _operations(document) if tag["name"] in each[2]["tags"]]
        if operations:
            parts.append(f"## {tag['name'].capitalize()}")
            parts += [_operation(document, *each) for each in operations]
    return _page("API", "the OpenAPI document", parts)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post"}:
                yield path, method.upper(), operation


def _overview(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for path, method, operation in _operations(document):
        anchor = _slug(f"{method} {path}")
        token = "yes" if operation.get("security") else "no"
        yield (f"[`{method} {path}`](#{anchor})", _prose(operation["summary"]), token)


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    parts = [f"### `{method} {path}`", _prose(operation["summary"])]
    if description := operation.get("description"):
        parts.append(_prose(description))
    if body := operation.get("requestBody"):
        content = body["content"]["application/json"]
        schema = _resolve(document, content["schema"])
        required = set(schema.get("required", ()))
        rows = [
            (f"`{name}`", _type(document, field), "yes" if name in required else "", _meaning(field))
            for name, field in schema.get("properties", {}).items()
        ]
        if rows:
            parts.append(_table(("field", "type", "required", "meaning"), rows))
        examples = content.get("examples") or {"": {"value": content.get("example")}}
        for name, example in examples.items():
            if example["value"] is not None:
                label = f"Body, {name}:" if name else "Body:"
                parts.append(f"{label}\n\n{_json(example['value'])}")
    parts += _success(operation)
    errors = [
        (status, f"{response['description']}: `{detail}`")
        for status, response in sorted(operation["responses"].items())
        if (detail := response.get("content", {}).get(PROBLEM, {}).get("example", {}).get("detail"))
    ]
    if errors:
        parts.append(_table(("status", "for example"), errors))
    return "\n\n".join(parts)


def _success(operation: Mapping[str, Any]) -> Iterator[str]:
    for status, response in operation["responses"].items():
        for kind, content in response.get("content", {}).items():
            if status == "200" and kind == "application/json":
                examples = content.get("examples") or {"": {"value": content.get("example")}}
                for name, example in examples.items():
                    if example["value"] is not None:
                        label = f"Answer, {name}:" if name else "Answer:"
                        yield f"{label}\n\n{_json(example['value'])}"


def _json(value: object) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"


def _resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if reference := schema.get("$ref"):
        name = str(reference).rpartition("/")[2]
        found: Mapping[str, Any] = document["components"]["schemas"][name]
        return found
    return schema


def _type(document: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    reference, field = field.get("$ref"), _resolve(document, field)
    if reference:
        members = ", ".join(f"`{name}`" for name in field.get("properties", {}))
        return f"object with {members}" if members else "object"
    kinds = field.get("type", "any")
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    text = " or ".join(names)
    if values := field.get("enum"):
        return " or ".join(f"`{value}`" for value in values)
    if "array" in names and (items := field.get("items")):
        return f"array of {_type(document, items)}"
    if field.get("format") in {"uuid", "date-time", "byte"}:
        text += {"uuid": " (UUID)", "date-time": " (ISO 8601)", "byte": " (base64)"}[field["format"]]
    if "minimum" in field and "maximum" in field:
        text += f", {field['minimum']} to {field['maximum']}"
    return text


def _meaning(field: Mapping[str, Any]) -> str:
    return _prose(field.get("description", ""))


def _slug(text: str) -> str:
    from docs.hooks import slugify

    return slugify(text, "-")


# Settings, from Settings itself and .env.example


class _Reader:
    """Reads like an environment and writes down what it was asked for."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self.asked: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._environment, name)

        def read(*args: Any, **kwargs: Any) -> Any:
            given = tuple(inspect.signature(method).bind(*args, **kwargs).arguments.values())
            self.asked.setdefault(given[0], (name, given[1:]))
            return method(*args, **kwargs)

        return read


def settings() -> str:
    """Return the page about the environment variables of the service."""
    from service.environment import Environment
    from service.settings import NAMES, Settings

    reader = _Reader(Environment({"MASTER_KEY": base64.b64encode(bytes(32)).decode()}))
    Settings.from_environment(reader)  # type: ignore[arg-type]  # it reads like one
    meanings = _env_example()
    rows = [(f"`{name}`", *_setting(name, reader.asked.get(name)), meanings[name]) for name in NAMES]
    return _page(
        "Settings of the service",
        "`service/settings.py` and `.env.example`",
        [
            _ABOUT_SETTINGS,
            _table(("variable", "default", "takes", "meaning"), rows),
        ],
    )


def _setting(name: str, asked: tuple[str, tuple[Any, ...]] | None) -> tuple[str, str]:
    """Return the default of a setting and what it takes."""
    if asked is None:
        return "none", "text"
    kind, given = asked
    if not given:
        return ("required" if name == "MASTER_KEY" else "none"), _KINDS.get(kind, "text")
    default, *bounds = given
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    takes = _KINDS.get(kind, "text")
    if len(bounds) == 2:
        takes = f"{bounds[0]} to {bounds[1]}"
    elif len(bounds) == 1:
        takes = ", ".join(f"`{choice}`" for choice in bounds[0])
    return f"`{shown}`" if shown else "none", takes


def _env_example() -> dict[str, str]:
    """Return what ``.env.example`` says about each variable: the comment above it, or above its group."""
    found: dict[str, str] = {}
    comment: list[str] = []
    fresh = True
    for line in (ROOT / ".env.example").read_text().splitlines():
        if assignment := re.match(r"(?:# )?([A-Z][A-Z_]+)=", line):
            found[assignment[1]] = _prose(" ".join(comment))
            fresh = True
        elif line.startswith("# "):
            comment = [line[2:]] if fresh else [*comment, line[2:]]
            fresh = False
        else:
            comment, fresh = [], True
    return found


# Variables of a cluster, from the roles' argument_specs


def cluster_variables() -> str:
    """Return the page about the roles' variables."""
    specs = {
        path.parents[1].name: yaml.safe_load(path.read_text())["argument_specs"]
        for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
    }
    options = {
        name: option
        for entries in specs.values()
        for name, option in entries["main"].get("options", {}).items()
    }
    parts = [
        _ABOUT_VARIABLES,
        "## Those that most clusters set",
        _table(
            ("variable", "default", "meaning"), (_variable(name, options[name]) for name in USUAL_VARIABLES)
        ),
        "## All of them, by role",
    ]
    for role, entries in specs.items():
        usual = entries["main"].get("options", {})
        parts.append(f"### {role}")
        parts.append(_yaml_prose(entries["main"]["short_description"]))
        parts += _option_table(usual)
        for entry, spec in entries.items():
            if entry != "main":
                own = {
                    name: each for name, each in spec.get("options", {}).items() if each != usual.get(name)
                }
                purpose = _yaml_prose(spec["short_description"]).rstrip(".")
                shared = spec.get("options", {}).keys() - own.keys()
                also = " It takes the role's variables above as well." if shared else ""
                parts.append(f"With `tasks_from: {entry}`: {purpose}.{also}")
                parts += _option_table(own)
    return _page("Variables of a cluster", "`roles/*/meta/argument_specs.yml`", parts)


def _option_table(options: Mapping[str, Any]) -> list[str]:
    rows = [
        (f"`{name}`", _kind(option), _default(option), _yaml_prose(option["description"]))
        for name, option in options.items()
    ]
    return [_table(("variable", "type", "default", "meaning"), rows)] if rows else []


def _variable(name: str, option: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"`{name}`", _default(option), _yaml_prose(option["description"])


def _kind(option: Mapping[str, Any]) -> str:
    if choices := option.get("choices"):
        return " or ".join(f"`{choice}`" for choice in choices)
    kind = str(option.get("type", "str"))
    return f"{kind} of {option['elements']}" if "elements" in option else kind


def _default(option: Mapping[str, Any]) -> str:
    if option.get("required"):
        return "required"
    default = option.get("default")
    if default is None or default in ("", [], {}):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, list | dict):
        return f"`{json.dumps(default)}`"
    return f"`{' '.join(str(default).split())}`"


def _yaml_prose(description: str | list[str]) -> str:
    text = " ".join(description) if isinstance(description, list) else description
    return _prose(re.sub(r"\b[BCIOV]\(([^)]*(?:\([^)]*\)[^)]*)*)\)", r"`\1`", text))


# Commands, from their --help


def commands() -> str:
    """Return the page about the commands and scripts, in the words of their own help."""
    parts = [
        "## The service's commands",
        _ABOUT_COMMANDS,
        *(
            f"### `{' '.join(('python -m service', *command))}`\n\n```text\n{shown}\n```"
            for command, shown in _helps().items()
        ),
        "## Scripts",
        "Small clients for a shell, in `scripts/`. They need `curl`.",
    ]
    for script in SCRIPTS:
        shown = _run([str(ROOT / "scripts" / script), "--help"])
        parts.append(f"### `scripts/{script}`\n\n```text\n{shown}\n```")
    return _page("Commands", "the `--help` of each command and script", parts)


def _helps() -> dict[tuple[str, ...], str]:
    """Return the help of every command, each followed by its own commands."""
    found: dict[tuple[str, ...], str] = {}
    level: list[tuple[str, ...]] = [()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while level:
            shown = dict(zip(level, pool.map(_help, level), strict=True))
            found |= shown
            level = [(*command, name) for command, text in shown.items() for name in subcommands(text)]
    order = list(found)
    return {command: found[command] for command in sorted(found, key=lambda each: _place(each, order))}


def _place(command: tuple[str, ...], order: list[tuple[str, ...]]) -> list[int]:
    return [order.index(command[: length + 1]) for length in range(len(command))]


def _help(command: tuple[str, ...]) -> str:
    return _run([sys.executable, "-m", "service", *command, "--help"])


def subcommands(shown: str) -> list[str]:
    """Return the commands that a help text lists, one in each line of its block of commands."""
    found: list[str] = []
    inside = False
    for line in shown.splitlines():
        if re.fullmatch(r"(?:  )?(?:COMMAND|action|Commands:)", line):
            inside = True
        elif not line.strip():
            inside = False
        elif inside and (name := re.match(r" {2,4}([a-z][a-z-]*)(?:\s|$)", line)):
            found.append(name[1])
    return found


def _run(command: list[str]) -> str:
    environment = {**os.environ, "COLUMNS": _COLUMNS, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return "\n".join(line.rstrip() for line in finished.stdout.strip().splitlines())


# Metrics, from the registry


def metrics() -> str:
    """Return the page about what ``/metrics`` shows."""
    from prometheus_client import REGISTRY

    from service import metrics as declared
    from service.models import DrillResult

    at = datetime(2026, 1, 31, tzinfo=UTC)
    # Without a folder for several processes the library's own collectors are in the registry as well.
    shown = [family for family in REGISTRY.collect() if family.name.startswith("vault_")]
    labels = {
        getattr(each, "_name", ""): getattr(each, "_labelnames", ()) for each in vars(declared).values()
    }
    rows = []
    for family in sorted(shown, key=lambda family: family.name):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        named = ", ".join(f"`{label}`" for label in labels.get(family.name, ()))
        rows.append((f"`{name}`", family.type, named, _prose(family.documentation)))
    scraped = (
        *declared.ready({}),
        *declared.certificates({}),
        *declared.wraps({}, "", 0),
        *declared.disk(0, 0),
        *declared.audit_log(0, 0),
        *declared.anchor(intact=True),
        *declared.driver_tokens(()),
        *declared.drill(DrillResult(at, True, 1, 0, at)),
    )
    for each in scraped:
        named = ", ".join(f"`{label}`" for label in each._labelnames)
        rows.append((f"`{each.name}`", each.type, named, _prose(each.documentation)))
    return _page(
        "Metrics",
        "the registry of `service/metrics.py`",
        [
            _ABOUT_METRICS,
            _table(("metric", "type", "labels", "meaning"), rows),
        ],
    )


# Packages and their layers, from the import contract and the docstrings


def layers() -> list[list[str]]:
    """Return the layers of ``service``, the top one first, each with its packages and modules."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    contract = next(each for each in contracts if each["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def packages() -> str:
    """Return the page about what is in which package, layer by layer."""
    rows = [
        (f"`{name}`", "package" if (ROOT / "service" / name).is_dir() else "module", _purpose(name))
        for layer in layers()
        for name in layer
    ]
    return _page(
        "Packages of the service",
        "the import contract in `pyproject.toml` and the docstrings",
        [
            _ABOUT_PACKAGES,
            _table(("name", "is a", "what it does"), rows),
        ],
    )


def _purpose(name: str) -> str:
    folder = ROOT / "service" / name
    source = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(source.read_text())) or ""
    return _prose(docstring.partition("\n\n")[0].replace("``", "`"))


def layers_picture() -> str:
    """Return the picture of the layers; its colours can be read on light and on dark pages."""
    width, height, gap, left = 720, 30, 8, 12
    lines: list[str] = []
    top = 12
    for layer in layers():
        share = (width - 2 * left - gap * (len(layer) - 1)) / len(layer)
        for number, name in enumerate(layer):
            x = left + number * (share + gap)
            # Packages are filled, modules are not.
            fill = "#c5cae9" if (ROOT / "service" / name).is_dir() else "#ffffff"
            lines.append(
                f'<rect x="{x:.1f}" y="{top}" width="{share:.1f}" height="{height}" rx="5" fill="{fill}"'
                ' stroke="#7986cb"/>'
            )
            lines.append(
                f'<text x="{x + share / 2:.1f}" y="{top + 20}" text-anchor="middle">{escape(name)}</text>'
            )
        top += height + gap
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top + 4}" font-family="sans-serif"'
        ' font-size="13" fill="#1a237e" role="img" aria-label="The layers of the service, top first">\n'
        f'<rect width="{width}" height="{top + 4}" rx="8" fill="#ffffff"/>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The load program's command line."""

from __future__ import annotations

import argparse
import math
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from . import bench, check, figures, idle, journal, report, run, soak, swarm
from .client import Stop
from .errors import Refused
from .targets import Api, own_node

# Not kept in the repository; docs/explanation/performance.md has a copy of one run.
_SAVED = Path(".cache/performance")

FOUND, REFUSED = 1, 2
_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    args = _parser().parse_args(arguments)
    try:
        code: int = args.command(args)
        return code
    except Refused as refused:
        print(f"load: {refused}", file=sys.stderr)
        return REFUSED


def _run(args: argparse.Namespace) -> int:
    load = run.Load(_api(args), args.clients, args.seconds, args.give_up, args.rate)
    stop = Stop(load.seconds)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.ask())
    with journal.Journal(args.journal) as lines:
        run.run(load, lines, stop)
    return 0


def _api(args: argparse.Namespace) -> Api:
    token = args.token_file.read_text().strip() if args.token_file else None
    return Api([own_node(url) for url in args.url], args.cacert, token)


def _mark(args: argparse.Namespace) -> int:
    journal.mark(args.journal, args.text)
    return 0


def _check(args: argparse.Namespace) -> int:
    operations, _ = journal.read(args.journal)
    found = check.check(
        operations,
        check.read_audit(args.audit) if args.audit else None,
        _api(args),
        args.clients,
        args.give_up,
    )
    audited = (
        f"{found.answers} answers looked for in the audit log" if args.audit else "audit log not looked at"
    )
    print(f"{found.checked} acknowledged creates fetched; {audited}")
    _show(found)
    return 0 if found.clean else FOUND


def _show(found: check.Findings) -> None:
    for name, operations in found.by_name():
        print(f"{name}: {len(operations)}")
        for operation in operations[:_SHOWN]:
            print(
                f"  {operation.op} {operation.id} at {operation.end:.3f} by {operation.url}:"
                f" {operation.result} {' '.join(operation.errors)}"
            )


def _report(args: argparse.Namespace) -> int:
    print(report.table(report.rows(*journal.read(args.journal))))
    return 0


def _bench(args: argparse.Namespace) -> int:
    plan = bench.Plan(
        connections=args.connections,
        kinds=tuple(args.kind or bench.KINDS),
        rounds=args.rounds,
        seconds=args.seconds,
        stored=args.stored,
        tls=not (args.plain or args.peer),
        changed=dict(args.set),
        peer=args.peer,
        beside=args.beside,
    )
    rows = bench.run(plan)
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "table.md").write_text(figures.table(rows) + "\n")
    (args.output / "plot.svg").write_text(figures.plot(rows))
    print(figures.table(rows))
    print(f"saved in {args.output}", file=sys.stderr)
    return FOUND if any(row.measured.errors for row in rows) else 0


def _idle(args: argparse.Namespace) -> int:
    for group, percent in (taken := idle.idle(args.seconds)).items():
        print(f"{group}: {percent:.2f} % of a processor")
    print(f"together: {sum(taken.values()):.2f} %")
    return 0


def _swarm(args: argparse.Namespace) -> int:
    # What it has made is removed in any case.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    plan = swarm.Plan(
        api=_api(args),
        tasks=args.tasks,
        name=args.name,
        image=args.image or swarm.image_of(args.api_service),
        restart=shlex.split(args.restart) if args.restart else None,
        api_service=args.api_service,
    )
    rows = []
    for row in swarm.run(plan):
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
    print(swarm.table(rows, plan.tasks))
    return 0


def _soak(args: argparse.Namespace) -> int:
    outcome = soak.soak(args.clients, args.seconds)
    retried = sum(one.attempts > 1 for one in outcome.operations)
    print(f"{len(outcome.operations)} operations, {retried} of them answered 503 before they were done")
    print(
        f"{outcome.findings.checked} acknowledged creates fetched;"
        f" {outcome.findings.answers} answers looked for in the audit log"
    )
    _show(outcome.findings)
    print(f"audit log verified: {outcome.verified}")
    print(f"other errors: {', '.join(sorted(outcome.unexpected)) or 'none'}")
    print(f"memory of a worker: up to {max(outcome.memory):.0f} MiB, at the end × {outcome.growth:.2f}")
    return 0 if outcome.clean else FOUND


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load",
        description="Put load on the service as a client does, and check that nothing is lost.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--journal", type=Path, required=True, metavar="FILE", help="the file that records the operations"
    )
    reaching = argparse.ArgumentParser(add_help=False)
    reaching.add_argument(
        "--url",
        action="append",
        required=True,
        help="an address of the API: https://10.0.0.11:8000; repeatable",
    )
    reaching.add_argument(
        "--cacert",
        type=existing_file,
        metavar="FILE",
        help="the CA's certificate, for https (default: the system's)",
    )
    reaching.add_argument(
        "--token-file",
        type=existing_file,
        metavar="FILE",
        help="a file that holds the token to send (default: none is sent)",
    )
    calling = argparse.ArgumentParser(add_help=False, parents=[reaching])
    calling.add_argument("--clients", type=thread_count, default=8, metavar="N", help="threads (default: 8)")
    calling.add_argument(
        "--give-up", type=positive_number, default=60, metavar="SECONDS", help="per operation (default: 60)"
    )

    started = commands.add_parser("run", parents=[common, calling], help="create and fetch until stopped")
    started.add_argument("--seconds", type=positive_number, default=600, help="how long (default: 600)")
    started.add_argument(
        "--rate", type=positive_number, metavar="N", help="operations per second overall (default: no limit)"
    )
    started.set_defaults(command=_run)

    marked = commands.add_parser("mark", parents=[common], help="record a fault in the journal")
    marked.add_argument("text", help="what was done")
    marked.set_defaults(command=_mark)

    checked = commands.add_parser(
        "check", parents=[common, calling], help="fetch everything that was acknowledged and compare it"
    )
    checked.add_argument("--audit", type=Path, metavar="FILE", help="the audit log as JSON lines")
    checked.set_defaults(command=_check)

    benched = commands.add_parser("bench", help="measure the speed of the service on this machine")
    benched.add_argument("--connections", type=counts, default=(1, 32, 128), metavar="N,N", help="(1,32,128)")
    benched.add_argument(
        "--kind", action="append", choices=bench.KINDS, help="only this call; repeatable (default: all)"
    )
    benched.add_argument("--rounds", type=thread_count, default=3, metavar="N", help="(3)")
    benched.add_argument("--seconds", type=thread_count, default=4, metavar="N", help="of each run (4)")
    benched.add_argument("--stored", type=count, default=1000, metavar="N", help="secrets to fetch (1000)")
    benched.add_argument(
        "--plain", action="store_true", help="plain HTTP, beside the yardstick (default: TLS, as deployed)"
    )
    benched.add_argument("--peer", choices=bench.PEERS, help="another product beside it, on plain HTTP")
    benched.add_argument(
        "--beside", type=Path, metavar="FOLDER", help="another checkout of the service beside it"
    )
    benched.add_argument(
        "--set",
        action="append",
        type=setting,
        default=[],
        metavar="NAME=VALUE",
        help="an environment variable of the service; repeatable",
    )
    benched.add_argument("--output", type=Path, default=_SAVED, metavar="FOLDER", help=f"({_SAVED})")
    benched.set_defaults(command=_bench)

    soaked = commands.add_parser(
        "soak", help="put load on a service whose database is killed twice during the run"
    )
    soaked.add_argument("--clients", type=thread_count, default=32, metavar="N", help="threads (32)")
    soaked.add_argument("--seconds", type=positive_number, default=180, help="how long (180)")
    soaked.set_defaults(command=_soak)

    idled = commands.add_parser("idle", help="show what the cluster on this machine takes while nobody calls")
    idled.add_argument("--seconds", type=positive_number, default=120, help="how long (120)")
    idled.set_defaults(command=_idle)

    swarmed = commands.add_parser(
        "swarm",
        parents=[reaching],
        help="start many tasks with secrets of the vault, on a Swarm of one node, beside plain ones",
    )
    swarmed.add_argument("--tasks", type=thread_count, default=200, metavar="N", help="(200)")
    swarmed.add_argument(
        "--name", default="load-swarm", help="what everything it makes begins with (load-swarm)"
    )
    swarmed.add_argument("--image", help="one that the node has, with sleep in it (default: the API's)")
    swarmed.add_argument(
        "--api-service", default="secret-manager_api", metavar="NAME", help="(secret-manager_api)"
    )
    swarmed.add_argument(
        "--restart",
        metavar="COMMAND",
        help="restart the engine with this command, with the API and without it: 'systemctl restart docker'",
    )
    swarmed.set_defaults(command=_swarm)

    reported = commands.add_parser("report", parents=[common], help="print the cost of each fault")
    reported.set_defaults(command=_report)
    return parser


def positive_number(text: str) -> float:
    """Parse an argument; argparse shows the function's name if this raises."""
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def existing_file(text: str) -> Path:
    """Parse an argument, as above: without the file every request would fail in the same way."""
    path = Path(text)
    if not path.is_file():
        raise ValueError
    return path


def count(text: str) -> int:
    """Parse an argument, as above."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def counts(text: str) -> tuple[int, ...]:
    """Parse an argument, as above."""
    return tuple(thread_count(part) for part in text.split(","))


def setting(text: str) -> tuple[str, str]:
    """Parse an argument, as above."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError
    return name, value


def thread_count(text: str) -> int:
    """Parse an argument, as above."""
    number = int(text)
    if not 0 < number <= 1000:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main())

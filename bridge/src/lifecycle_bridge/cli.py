# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Has the command ``lifecycle-bridge``, with all that it can do in ``COMMANDS``."""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import shtab
import sqlalchemy as sa

from lifecycle_bridge import __version__, notify
from lifecycle_bridge.config import Config, load
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.notify.words import Words
from lifecycle_bridge.os_account import os_account
from lifecycle_bridge.receive import check as check_source
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.tables import CASE_STATES, CASES_SHOWN, alerts, cases, events, sources, timeline
from lifecycle_bridge.store.timelines import who


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 when it is done, 1 when it is not, with the reason on standard error; argparse ends with 2 for a wrong call."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.act(asked, load(asked.config)) or 0)
    except BridgeError as failure:
        print(f"lifecycle-bridge: {failure}", file=sys.stderr)
        return 1
    except sa.exc.DBAPIError as failure:
        print(f"lifecycle-bridge: {_unusable(failure)}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader had enough (`| head`)
        return 0


# -- what it does ------------------------------------------------------------------------------------------------------


def _serve(asked: argparse.Namespace, config: Config) -> int:
    import uvicorn

    from lifecycle_bridge.app import application
    from lifecycle_bridge.logs import setup

    setup(asked.log_level.upper())
    # To standard error: systemd ends a bridge that hangs by SIGABRT, and the journal then shows where each thread was.
    faulthandler.enable(2)
    wrong = _wrong(config)
    if wrong:
        raise BridgeError("\n".join(["it is not set up to work:", *wrong]))
    _database(config, make=True).close()
    host, _, port = config.listen.rpartition(":")
    uvicorn.run(
        application(config),
        host=host.strip("[]") or "0.0.0.0",  # noqa: S104 - who writes `listen: ":8080"` asks for every interface
        port=int(port),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=config.trusted_proxies or None,
        ssl_certfile=config.tls_cert,
        ssl_keyfile=config.tls_key,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=30,
    )
    return 0


def _send(asked: argparse.Namespace, config: Config) -> int:
    from lifecycle_bridge.send import send

    source = config.sources.get(asked.source)
    if source is None:
        raise BridgeError(f"send: there is no source {asked.source}; there are {', '.join(config.sources) or 'none'}")
    url = (asked.url or config.public_url).rstrip("/") + f"/hr/{asked.source}"
    answer = send(source, asked.what, asked.person, url, verify=str(asked.ca) if asked.ca else True)
    print(f"{url} answered {answer.status} {answer.said}".rstrip())
    return 0 if answer.taken else 1


def _cases(asked: argparse.Namespace, config: Config) -> int:
    wanted = asked.state or (
        [] if asked.all else [state for state in CASE_STATES if state not in ("done", "cancelled")]
    )
    query = sa.select(cases).order_by(cases.c.due_at).limit(asked.limit)
    if wanted:
        query = query.where(cases.c.state.in_(wanted))
    if asked.person:
        query = query.where(cases.c.person == asked.person)
    with _database(config).read() as c:
        rows = [dict(row) for row in c.execute(query).mappings()]
    if asked.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(
            f"{row['state']:<10} {row['due_at'][:16]}Z  {row['kind']:<9} {row['stage']:<8}{row['id']}"
            + (f"\n{'':<11}{row['detail']}" if row["detail"] else "")
        )
    if not rows:
        print("no cases" + (f" that are {', '.join(wanted)}" if wanted else ""))
    return 0


def _show(asked: argparse.Namespace, config: Config) -> int:
    with _database(config).read() as c:
        row = c.execute(sa.select(cases).where(cases.c.id == asked.case)).mappings().first()
        lines = (
            c.execute(sa.select(timeline).where(timeline.c.case_id == asked.case).order_by(timeline.c.n))
            .mappings()
            .all()
        )
    if row is None:
        raise BridgeError(f"there is no case {asked.case}: list them with lifecycle-bridge cases --all")
    if asked.json:
        print(json.dumps({**row, "timeline": [dict(line) for line in lines]}, indent=2))
        return 0
    for name in CASES_SHOWN:
        if row[name] not in ("", None, "[]", "{}", 0, False):
            print(f"{name.replace('_', ' '):<12} {row[name]}")
    for line in lines:
        print(
            f"  {line['at'][:19]}Z  {line['what']:<10} {line['detail']}"
            + (f"  ({who(line['by'], line['account'])})" if line["by"] else "")
        )
    return 0


def _act(what: str) -> Callable[[argparse.Namespace, Config], int]:
    def act(asked: argparse.Namespace, config: Config) -> int:
        account = os_account()
        acts, by = CaseActs(_database(config), config, account=account), asked.by or account
        if what == "retry":
            acts.retry(asked.case, by)
        elif what == "run-now":
            acts.run_now(asked.case, by)
        elif what == "cancel":
            acts.cancel(asked.case, by, asked.why)
        elif what == "attest":
            acts.attest(asked.case, asked.system, by, asked.note, asked.what, asked.decision)
        elif what == "settle":
            acts.settle(asked.key, by)
        else:
            acts.release(asked.case, by, asked.why)
        print(f"noted, by {who(by, account)}; the bridge does it as soon as it runs")
        return 0

    return act


def _accept(asked: argparse.Namespace, config: Config) -> int:
    from lifecycle_bridge.poll.runner import Polling
    from lifecycle_bridge.store.inbox import Inbox

    database, account = _database(config), os_account()
    Polling(database, config, Inbox(database)).accept(asked.source, who(asked.by or account, account))
    print(f"the next look takes what {asked.source} shows")
    return 0


def _doctor(asked: argparse.Namespace, config: Config) -> int:
    """Print all that is wrong, a line each, as far as it can be known without a run."""
    wrong = _wrong(config)
    if asked.set_up or _is_new(config):
        if not asked.set_up and not wrong:
            print(
                "✓ the set-up is well; there is no database yet, the bridge makes it when it starts: lifecycle-bridge serve"
            )
        for line in wrong:
            print(f"✗ {line}")
        return 1 if wrong else 0
    try:
        with _database(config).read() as c:
            waiting = c.execute(
                sa.select(sa.func.count()).select_from(events).where(events.c.state == "new")
            ).scalar_one()
            for row in c.execute(sa.select(sources)).mappings():
                if row["trouble"]:
                    wrong.append(f"source {row['name']}: {row['trouble']}")
            wrong += [
                f"alert {row['key']}: {row['detail']}"
                for row in c.execute(sa.select(alerts).where(alerts.c.settled_at == "")).mappings()
            ]
            wrong += [
                f"case {row['id']} is {row['state']}: {row['detail']}"
                for row in c.execute(sa.select(cases).where(cases.c.state.in_(("stuck", "held")))).mappings()
            ]
            print(f"database: {waiting} events wait")
    except BridgeError as failure:
        wrong.append(str(failure))
    for line in wrong:
        print(f"✗ {line}")
    if not wrong:
        print(f"✓ configuration, {len(config.sources)} sources, executor, notices and database are well")
    return 1 if wrong else 0


def _is_new(config: Config) -> bool:
    """Return whether the bridge has never been started here, so that there is no database yet."""
    found = sa.engine.make_url(config.database)
    return found.get_backend_name() == "sqlite" and bool(found.database) and not Path(str(found.database)).exists()


def _wrong(config: Config) -> list[str]:
    """Return the faults with which the bridge does not start, a line each."""
    from lifecycle_bridge.service import executor_of

    wrong = [line for name, source in config.sources.items() for line in check_source(name, source)]
    if not config.sources:
        wrong.append("sources: none; nothing would ever come")
    if not config.inventory.exists():
        wrong.append(f"inventory: {config.inventory} is not there")
    wrong += notify.check(config.notify)
    wrong += Words(config.notices).wrong()
    try:
        wrong += executor_of(config).check()
    except (BridgeError, ImportError) as failure:
        wrong.append(f"executor: {failure}")
    return list(dict.fromkeys(wrong))


def _database(config: Config, make: bool = False) -> Database:
    database = Database(config.database, config.database_password.read() if config.database_password else "")
    file = database.engine.url.database or ""
    if database.sqlite and not make and not Path(file).exists():
        raise BridgeError(
            f"there is no database {file} yet: the bridge makes it when it starts; is it the right one of the configuration?"
        )
    try:
        database.create()
    except sa.exc.DBAPIError as failure:
        raise BridgeError(_unusable(failure)) from None
    return database


def _unusable(failure: sa.exc.DBAPIError) -> str:
    return f"the database cannot be used: {' '.join(str(failure.orig).split())}"


# -- how it is called --------------------------------------------------------------------------------------------------


class Command(NamedTuple):
    """A command: its name, its function, its help, and its arguments as argparse takes them."""

    name: str
    act: Callable[[argparse.Namespace, Config], int]
    help: str
    arguments: Sequence[tuple[str, dict[str, Any]]] = ()


def _command(
    name: str, act: Callable[[argparse.Namespace, Config], int], help: str, *arguments: tuple[str, dict[str, Any]]
) -> Command:
    return Command(name, act, help, arguments)


BY = (
    "--by",
    {"default": "", "help": "who does it; when not given, the account of this machine, which is kept in any case"},
)
CASE = ("case", {"help": "the case's id"})
WHY = ("--why", {"required": True, "help": "the reason, which is kept"})
COMMANDS = (
    _command(
        "serve",
        _serve,
        "listen to HR, run what is due, show the console",
        ("--log-level", {"default": "info", "choices": ["debug", "info", "warning", "error"]}),
    ),
    _command(
        "send",
        _send,
        "sign and send an event, as the HR system would",
        ("source", {}),
        ("what", {"help": "created, changed, terminated, cancelled, revoked, deleted, feed"}),
        ("person", {"help": "the id that HR gave them"}),
        ("--url", {"default": "", "help": "of the bridge; public_url when not given"}),
        ("--ca", {"type": Path, "help": "certificates to trust"}),
    ),
    _command(
        "cases",
        _cases,
        "list cases; without options, those that are not over",
        ("--state", {"action": "append", "choices": CASE_STATES}),
        ("--person", {"default": ""}),
        ("--all", {"action": "store_true"}),
        ("--json", {"action": "store_true"}),
        ("--limit", {"type": int, "default": 500}),
    ),
    _command("show", _show, "one case with its time line", CASE, ("--json", {"action": "store_true"})),
    _command("retry", _act("retry"), "run a case again now", CASE, BY),
    _command("run-now", _act("run-now"), "run a case before its minute", CASE, BY),
    _command("cancel", _act("cancel"), "cancel a case, and stop its run", CASE, WHY, BY),
    _command(
        "release",
        _act("release"),
        "release the brake for these cases' people, by name",
        ("case", {"nargs": "+"}),
        WHY,
        BY,
    ),
    _command(
        "attest",
        _act("attest"),
        "note that a person has done a step that only a person can do, on one system",
        CASE,
        ("--system", {"required": True, "help": "the system whose step waits, as the case names it"}),
        ("--note", {"required": True, "help": "what was done, and where it can be seen; it is kept"}),
        ("--what", {"default": "", "help": "one of several that wait on the system"}),
        (
            "--decision",
            {"default": "", "choices": ["keep", "remove"], "help": "what becomes of what no profile explains there"},
        ),
        BY,
    ),
    _command("settle", _act("settle"), "note that somebody has looked at an alert", ("key", {}), BY),
    _command(
        "accept", _accept, "accept the list that a polled source shows now, however short it is", ("source", {}), BY
    ),
    _command(
        "doctor",
        _doctor,
        "list what is wrong with the set-up, and what waits for a person",
        ("--set-up", {"action": "store_true", "help": "only the set-up: for the start"}),
    ),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lifecycle-bridge", description="HR events in, runs of workforce.lifecycle out."
    )
    parser.add_argument("--version", action="version", version=__version__)
    shtab.add_argument_to(parser, "--print-completion", help="print the completion for this shell, and end")
    config = parser.add_argument(
        "-c",
        "--config",
        type=Path,
        default=Path(os.environ.get("LIFECYCLE_BRIDGE_CONFIG", "bridge.yml")),
        help="the configuration (LIFECYCLE_BRIDGE_CONFIG, else bridge.yml)",
    )
    config.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab reads it there
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help, description=command.help)
        for flag, how in command.arguments:
            sub.add_argument(*flag.split(), **how)
        sub.set_defaults(act=command.act)
    return parser


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Answers of what speaks no HTTP: a directory whose entries hold hostile values, and a mail server whose folders do; also bytes that are neither."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import LifecycleError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff, locate_system
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS
from ldaptor.protocols import pureldap

from tests import support
from tests.hostile import answers, words
from tests.unit import test_endless_answers as odd

Try = Callable[[random.Random], None]
JANE = {"email": "jane@corp.example", "hr_id": "107", "employee_id": "E1007"}
_NAMES = (
    "uid", "mail", "employeeNumber", "cn", "sn", "memberOf", "member", "objectClass", "userPassword", "pwdAccountLockedTime",
    "userAccountControl", "objectGUID", "entryUUID", "namingContexts", "supportedControl", "sshPublicKey", "manager",
)  # fmt: skip


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def entry(chance: random.Random) -> bytes:
    """Somebody, who may be jane, with hostile values."""
    dn = chance.choice(("uid=jane,dc=x", "uid=mark,dc=x", words.text(chance)))
    values = [
        (name, [words.text(chance) for _unused in range(chance.randint(0, 2))]) for name in chance.sample(_NAMES, 5)
    ]
    if chance.random() < 0.7:
        values += [("mail", ["jane@corp.example"]), ("uid", ["jane@corp.example"])]
    if chance.random() < 0.9:
        values += [("entryUUID", [f"id of {dn}"[:40]])]
    return bytes(
        pureldap.LDAPSearchResultEntry(
            objectName=raw(dn), attributes=[(raw(name), [raw(one) for one in several]) for name, several in values]
        ).toWire()
    )


@contextmanager
def directory(folder: Path) -> Iterator[Try]:
    now: list[random.Random] = []

    def say(asked: bytes) -> Iterator[bytes]:
        chance, (number, operation) = now[-1], odd.head_of(asked)
        if operation == 0x63:  # a search
            whole = b"".join(odd.message(number, entry(chance)) for _unused in range(chance.choice((0, 1, 1, 2))))
            whole += odd.message(number, odd.done(0x65))
        else:
            whole = odd.message(number, odd.done({0x66: 0x67, 0x68: 0x69, 0x4A: 0x6B, 0x6C: 0x6D}.get(operation, 0x78)))
        if chance.random() < 0.2:
            changed = bytearray(whole)
            for _unused in range(chance.randint(1, 6)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            yield bytes(changed[: chance.randint(4, len(changed))])
            raise OSError("that was all")
        yield whole

    with odd.server(odd.bound(say)) as one:

        def once(chance: random.Random) -> None:
            now[:] = [chance]
            task = chance.choice((cutoff.TASK, locate_system.TASK))
            params = {name: spec.get("default") for name, spec in task.spec.items()} | {
                "system": "odd",
                "connector": "ldap",
                "url": f"ldap://127.0.0.1:{one.server_address[1]}",
                "credentials": {"user": "cn=admin", "password": "secret"},
                "options": {"base": "dc=x", "tls": "none"},
                "timeout": 0.5,
                "max_wait": 1.0,
                "person": JANE,
            }
            began = time.monotonic()
            answers.judge(task.run(params, check_mode=False))
            assert time.monotonic() - began < 30

        yield once


@contextmanager
def mail_server(folder: Path) -> Iterator[Try]:
    now: list[random.Random] = []
    numbers = (b"7", b"x", b"-1", b"9" * 400, b"", b"\x00", b"1e9")

    def said(chance: random.Random) -> bytes:
        return raw(words.text(chance)).replace(b"\r", b"").replace(b"\n", b"")

    def say(asked: bytes) -> Iterator[bytes]:
        chance = now[-1]
        tag, _unused, command = asked.partition(b" ")
        answer = b""
        if command.startswith(b"CAPABILITY"):
            answer = b"* CAPABILITY IMAP4rev1\r\n"
        elif command.startswith(b"LIST"):
            answer = b'* LIST () "/" INBOX\r\n* LIST (\\Sent) "/" "' + said(chance) + b'"\r\n'
        elif command.startswith(b"STATUS"):
            answer = b"* STATUS INBOX (MESSAGES " + chance.choice(numbers) + b")\r\n"
        elif command.startswith(b"EXAMINE"):
            answer = b"* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT " + chance.choice(numbers) + b"] x\r\n"
        elif b"FETCH" in command:
            answer = b'* 1 FETCH (UID 1 RFC822.SIZE 5 INTERNALDATE "' + said(chance) + b'")\r\n'
        yield (
            answer
            + tag
            + chance.choice((b" OK done", b" OK done", b" NO " + said(chance), b" BAD " + said(chance)))
            + b"\r\n"
        )

    jane = Person.of(JANE)
    from tests.unit.test_imap import INBOX

    with odd.server(say, odd.HELLO) as one:

        def once(chance: random.Random) -> None:
            now[:] = [chance]
            post = odd.mail(one, timeout=0.2)
            began = time.monotonic()
            with suppress(LifecycleError):
                for folder in post.mail_folders(jane):
                    assert not words.STEERS.search(str(folder.name).replace("\t", "")), folder
            with suppress(LifecycleError):
                list(post.mail_messages(jane, INBOX, frozenset()))
            assert time.monotonic() - began < 30

        yield once


@contextmanager
def vpn_host(folder: Path) -> Iterator[Try]:
    """A VPN's own machine: certificates, its index and its clients' files broken, and what its management interface says."""
    from sandbox.box import Box
    from sandbox.vendors.openvpn import OpenVpnHost
    from tests.conformance.test_conformance import SETS

    with Box([OpenVpnHost]) as box:
        host = box["openvpn"]
        genuine = host._answers

        def once(chance: random.Random) -> None:
            scenario = chance.choice(SETS["openvpn"].SCENARIOS)
            host._answers = genuine
            host.reset()
            if chance.random() < 0.5:
                kept = sorted(
                    path for part in ("pki", "ccd") for path in (host.folder / part).rglob("*") if path.is_file()
                )
                path = chance.choice(kept)
                path.write_bytes(words.broken(path.read_bytes(), chance))
            else:
                host._answers = lambda line: [_turned(one, chance) for one in genuine(line)]
            began = time.monotonic()
            want = {**scenario.want, "person": support.person_of(box, scenario.want["person"])}
            answers.judge(support.run(TASKS[scenario.module], box, "openvpn", timeout=0.5, max_wait=1.0, **want))
            assert time.monotonic() - began < 60

        yield once


def _turned(line: str, chance: random.Random) -> str:
    cells = line.split("\t")
    if chance.random() < 0.5:
        said = words.text(chance).encode("utf-8", "replace").decode()
        cells[chance.randrange(len(cells))] = " ".join(said.splitlines())
    return "\t".join(cells)


@contextmanager
def wireguard_host(folder: Path) -> Iterator[Try]:
    """A WireGuard's own machine: its configuration with hostile lines, or bytes that are none."""
    from sandbox.box import Box
    from sandbox.vendors.wireguard import WireGuardHost
    from tests.conformance.test_conformance import SETS

    with Box([WireGuardHost]) as box:
        host = box["wireguard"]

        def once(chance: random.Random) -> None:
            scenario = chance.choice(SETS["wireguard"].SCENARIOS)
            host.reset()
            content = host.file.read_bytes()
            lines = content.split(b"\n")
            lines.insert(chance.randrange(len(lines)), raw(words.text(chance)))
            host.file.write_bytes(words.broken(content, chance) if chance.random() < 0.5 else b"\n".join(lines))
            want = {**scenario.want, "person": support.person_of(box, scenario.want["person"])}
            answers.judge(support.run(TASKS[scenario.module], box, "wireguard", timeout=0.5, max_wait=1.0, **want))

        yield once

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Directories and mail servers that drip, never end or say too much: the call's time and bytes hold. HTTP: test_transport.py.

Deadlines are a second and bounds are generous: a slow machine makes nothing red.
"""

from __future__ import annotations

import itertools
import random
import socketserver
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.imap import connection as imap_connection
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.imap.connector import Imap
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap import wire as ldap_wire
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap.connector import Ldap
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AnswerLost,
    LedgerError,
    LifecycleError,
    ProtocolError,
    Unavailable,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import allowance
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.post import mail as post

#: What a server says next, to what it was sent: pieces, each sent as it comes.
Say = Callable[[bytes], Iterator[bytes]]
ANN = Person.of({"email": "ann@x.example"})
#: A call's time in these tests is twice this; what is far above says only that somebody waited for ever.
TIMEOUT, BOUND = 0.5, 15.0


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, greeting: bytes, say: Say) -> None:
        self.greeting, self.say = greeting, say
        self.connections = 0
        super().__init__(("127.0.0.1", 0), _Talk)


class _Talk(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.connections += 1
        try:
            self.request.sendall(self.server.greeting)
            while asked := self.request.recv(65536):
                for piece in self.server.say(asked):
                    self.request.sendall(piece)
        except OSError:
            self.request.close()
            return  # the other side has had enough


@contextmanager
def server(say: Say, greeting: bytes = b"") -> Iterator[_Server]:
    one = _Server(greeting, say)
    threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield one
    finally:
        one.shutdown()
        one.server_close()


def drip(head: bytes = b"") -> Iterator[bytes]:
    yield head
    for _unused in range(20_000):  # longer than anybody may wait, and not for ever
        time.sleep(0.001)
        yield b"a"
    raise OSError("that was all")


def within_bound(work: Callable[[], Any], error: type[Exception], match: str) -> None:
    begun = time.monotonic()
    with pytest.raises(error, match=match):
        work()
    assert time.monotonic() - begun < BOUND


# -- LDAP --------------------------------------------------------------------------------------------------------------

#: The head of a message of two billion bytes.
GIANT = b"\x30\x84\x7f\xff\xff\xff"


def message(number: int, operation: bytes) -> bytes:
    id = number.to_bytes(4, "big")
    inner = b"\x02\x04" + id + operation
    return b"\x30\x84" + len(inner).to_bytes(4, "big") + inner


def head_of(asked: bytes) -> tuple[int, int]:
    """Return the id and the operation's tag of a request (RFC 4511, 4.1.1); the library counts ids through the whole process."""
    at = 2 + (asked[1] & 0x7F if asked[1] & 0x80 else 0)
    end = at + 2 + asked[at + 1]
    return int.from_bytes(asked[at + 2 : end], "big"), asked[end]


def number_of(asked: bytes) -> int:
    return head_of(asked)[0]


#: Somebody's entry (RFC 4511, 4.5.2), with their uid.
ENTRY = b"\x64\x19\x04\x0auid=a,dc=x\x30\x0b\x30\x09\x04\x03uid\x31\x02\x04\x00"


def done(kind: int) -> bytes:
    return bytes([kind]) + b"\x07\x0a\x01\x00\x04\x00\x04\x00"


def bound(then: Say) -> Say:
    """Lets everybody sign in, and then says this."""

    def say(asked: bytes) -> Iterator[bytes]:
        if head_of(asked)[1] == 0x60:
            yield message(number_of(asked), done(0x61))
        else:
            yield from then(asked)

    return say


def directory(one: _Server, **facts: Any) -> Ldap:
    return Ldap(
        Target(
            "odd",
            "ldap",
            url=f"ldap://127.0.0.1:{one.server_address[1]}",
            credentials={"user": "cn=admin", "password": "secret"},
            options=checked_options("odd", Ldap, {"base": "dc=x", "tls": "none"}),
            **{"timeout": TIMEOUT, **facts},
        )
    )


@pytest.mark.parametrize("say", [lambda asked: drip(GIANT), bound(lambda asked: drip(GIANT))], ids=["bind", "search"])
def test_a_directory_that_drips_is_left_at_the_deadline_of_the_call(say: Say) -> None:
    with server(say) as one:
        within_bound(lambda: directory(one).find_account(ANN), Unavailable, "odd: no whole answer in 1 s")
        assert one.connections == 1, "the time of a call holds its second try too"


def test_a_write_to_a_directory_that_drips_may_have_happened() -> None:
    with server(bound(lambda asked: drip(GIANT))) as one:
        within_bound(
            lambda: directory(one).wire.modify("uid=a", {"sn": [("MODIFY_REPLACE", ["x"])]}, act="change a"),
            AnswerLost,
            "may have happened",
        )


def test_a_directory_is_not_asked_when_the_time_of_the_step_is_over() -> None:
    with server(bound(lambda asked: drip(GIANT))) as one:
        ended = directory(one, until=time.monotonic() - 1)
        within_bound(lambda: ended.find_account(ANN), Unavailable, "the time of this step is over")
        assert one.connections == 0


def test_a_directory_that_answers_without_end_is_read_as_far_as_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldap_wire, "MOST_BYTES", 100_000)

    def endless(asked: bytes) -> Iterator[bytes]:
        block = message(number_of(asked), ENTRY) * 100
        while True:
            yield block

    tracemalloc.start()
    try:
        with server(bound(endless)) as one:
            within_bound(
                lambda: directory(one, timeout=10.0).find_account(ANN), ProtocolError, "longer than 100,000 bytes"
            )
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_a_directory_with_ever_new_pages_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MOST_PAGES", 5)
    cookies = itertools.count(100)

    def ever_new(asked: bytes) -> Iterator[bytes]:
        value = b"\x30\x08\x02\x01\x00\x04\x03" + str(next(cookies)).encode()
        oid = b"1.2.840.113556.1.4.319"
        value = value[:1] + bytes([len(value) - 2]) + value[2:]
        control = b"\x04" + bytes([len(oid)]) + oid + b"\x04" + bytes([len(value)]) + value
        control = b"\x30" + bytes([len(control)]) + control
        yield message(number_of(asked), done(0x65) + b"\xa0" + bytes([len(control)]) + control)

    with server(bound(ever_new)) as one:
        wire = directory(one, timeout=5.0).wire
        within_bound(
            lambda: list(wire.pages("dc=x", "(uid=*)", ["uid"], act="list")), ProtocolError, "more than 5 pages"
        )


@pytest.mark.parametrize("count", [150, pytest.param(5_000, marks=pytest.mark.soak)])
def test_answers_that_are_no_messages_are_errors_of_ours(count: int) -> None:
    """Real messages with bytes changed, cut and doubled: nobody sees what the library makes of them."""
    chance = random.Random(count)

    def broken(asked: bytes) -> Iterator[bytes]:
        whole = bytearray(message(number_of(asked), ENTRY) + message(number_of(asked), done(0x65)))
        for _unused in range(chance.randint(1, 6)):
            whole[chance.randrange(len(whole))] = chance.randrange(256)
        yield bytes(whole[: chance.randint(4, len(whole))])
        raise OSError("that was all")

    with server(bound(broken)) as one:
        for _unused in range(count):
            with suppress(LifecycleError):
                directory(one, timeout=0.5).wire.search("dc=x", "(uid=*)", ["uid"], act="list people")


# -- IMAP --------------------------------------------------------------------------------------------------------------

HELLO = b"* OK hello\r\n"


def mail(one: _Server, **facts: Any) -> Imap:
    return Imap(
        Target(
            "post",
            "imap",
            url=f"imap://127.0.0.1:{one.server_address[1]}",
            credentials={"user": "archiver", "password": "secret"},
            options=checked_options("post", Imap, {"tls": "none", "login": "{local_part}"}),
            **{"timeout": TIMEOUT, **facts},
        )
    )


def talks(to: bytes, then: Callable[[bytes], Iterator[bytes]]) -> Say:
    """An ordinary server, but for one command."""

    def say(asked: bytes) -> Iterator[bytes]:
        tag, _unused, command = asked.partition(b" ")
        if command.startswith(to):
            yield from then(tag)
        elif command.startswith(b"CAPABILITY"):
            yield b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n"
        elif command.startswith(b"EXAMINE"):
            yield b"* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n" + tag + b" OK done\r\n"
        else:
            yield tag + b" OK done\r\n"

    return say


@pytest.mark.parametrize(
    ("to", "head"),
    [
        (b"CAPABILITY", b"* CAPABILITY "),
        (b"LOGIN", b"* "),
        (b"LIST", b'* LIST () "/" '),
        (b"LIST", b"* LIST {100000}\r\n"),
    ],
    ids=["capability", "sign-in", "a line", "a literal"],
)
def test_a_mail_server_that_drips_is_left_at_the_deadline_of_the_call(to: bytes, head: bytes) -> None:
    with server(talks(to, lambda tag: drip(head)), HELLO) as one:
        within_bound(lambda: mail(one).mail_folders(ANN), Unavailable, "post: no whole answer in 1 s")
        assert one.connections == 1, "the time of a call holds its other tries too"


def test_a_mail_server_that_drips_its_greeting_is_left() -> None:
    with server(lambda asked: drip(), b"* OK ") as one:
        one.say = lambda asked: iter(())
        silent = mail(one)
        within_bound(lambda: silent.mail_folders(ANN), Unavailable, "post")


def test_a_mail_server_that_lists_without_end_is_read_as_far_as_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_connection, "MOST_BYTES", 1_000_000)

    def endless(tag: bytes) -> Iterator[bytes]:
        while True:
            yield b'* LIST () "/" "folder"\r\n' * 1000

    tracemalloc.start()
    try:
        with server(talks(b"LIST", endless), HELLO) as one:
            within_bound(lambda: mail(one, timeout=5.0).mail_folders(ANN), ProtocolError, "longer than 1,000,000 bytes")
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_a_message_that_drips_is_left_when_the_time_of_the_step_is_over() -> None:
    from tests.unit.test_imap import INBOX, LISTED

    def say(tag: bytes) -> Iterator[bytes]:
        yield LISTED + tag + b" OK done\r\n"

    def fetch(asked: bytes) -> Iterator[bytes]:
        tag = asked.partition(b" ")[0]
        if b"BODY.PEEK" in asked:
            yield from drip(b"* 1 FETCH (UID 1 BODY[] {1000000}\r\n")
        else:
            yield from talks(b"UID FETCH", say)(asked)
            assert tag

    with server(fetch, HELLO) as one:
        slow = mail(one, timeout=5.0, until=time.monotonic() + 2)
        within_bound(lambda: list(slow.mail_messages(ANN, INBOX, frozenset())), Unavailable, "post")


@pytest.mark.parametrize("count", [20, pytest.param(1_000, marks=pytest.mark.soak)])
def test_answers_that_are_no_imap_are_errors_of_ours(count: int) -> None:
    """Ordinary answers with bytes changed, cut and doubled, and numbers that are none."""
    chance = random.Random(count)
    numbers = (b"7", b"x", b"-1", b"9" * 400, b"", b"\x00", b"1e9")

    def broken(whole: bytes) -> bytes:
        bad = bytearray(whole)
        for _unused in range(chance.choice((0, 0, 1, 3))):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        return bytes(bad[: chance.randint(len(bad) // 2, len(bad))] if chance.random() < 0.2 else bad)

    def say(asked: bytes) -> Iterator[bytes]:
        tag, _unused, command = asked.partition(b" ")
        answer = b""
        if command.startswith(b"CAPABILITY"):
            answer = b"* CAPABILITY IMAP4rev1\r\n"
        elif command.startswith(b"LIST"):
            answer = b'* LIST () "/" INBOX\r\n* LIST (\\Noselect) NIL {5}\r\nother\r\n'
        elif command.startswith(b"STATUS"):
            answer = b"* STATUS INBOX (MESSAGES " + chance.choice(numbers) + b")\r\n"
        elif command.startswith(b"EXAMINE"):
            answer = b"* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT " + chance.choice(numbers) + b"] x\r\n"
        elif b"BODY.PEEK" in command:
            answer = b"* 1 FETCH (UID 1 BODY[] {" + chance.choice((b"5", b"5", b"99999999999")) + b"}\r\nhello)\r\n"
        elif b"FETCH" in command:
            answer = (
                b"* 1 FETCH (UID 1 RFC822.SIZE "
                + chance.choice(numbers)
                + b' INTERNALDATE "17-Jul-1996 02:44:25 -0700")\r\n'
            )
        yield (
            broken(answer + tag + b" OK done\r\n")
            if not command.startswith((b"CAP", b"LOGIN"))
            else answer + tag + b" OK in\r\n"
        )

    from tests.unit.test_imap import INBOX

    with server(say, HELLO) as one:
        for _unused in range(count):
            odd = mail(one, timeout=0.05)
            with suppress(LifecycleError):
                odd.mail_folders(ANN)
            with suppress(LifecycleError):
                list(odd.mail_messages(ANN, INBOX, frozenset()))


# -- letters -----------------------------------------------------------------------------------------------------------


def takes_letters(then: Mapping[bytes, Say]) -> Say:
    """A mail server (RFC 5321) that offers STARTTLS, and says something else after some commands."""

    def say(asked: bytes) -> Iterator[bytes]:
        for command, other in then.items():
            if asked.upper().startswith(command):
                yield from other(asked)
                return
        if asked.upper().startswith(b"EHLO"):
            yield b"250-post\r\n250 STARTTLS\r\n"
        else:
            yield b"354 go on\r\n" if asked.upper().startswith(b"DATA") else b"250 ok\r\n"

    return say


@pytest.mark.parametrize(
    ("greeting", "then"),
    [
        (b"220-", {}),
        (b"220 post\r\n", {b"MAIL": lambda asked: lines()}),
        (b"220 post\r\n", {b"SUBJECT": lambda asked: lines()}),
    ],
    ids=["greeting", "sender", "letter"],
)
def test_a_letter_is_left_when_its_mail_server_does_not_end_an_answer(
    monkeypatch: pytest.MonkeyPatch, greeting: bytes, then: Mapping[bytes, Say]
) -> None:
    monkeypatch.setattr(post, "WHOLE", 1.0)
    with server(takes_letters(then), greeting) as one:
        within_bound(lambda: post.send(letter(), f"127.0.0.1:{one.server_address[1]}", "tell"), LedgerError, "in 1 s")


def test_a_letter_is_left_when_its_mail_server_drips_while_it_agrees_on_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "WHOLE", 1.0)
    monkeypatch.setattr(post, "_HERE", ())

    def go_on(asked: bytes) -> Iterator[bytes]:
        yield b"220 go on\r\n"

    handshake = drip(b"\x16\x03\x03\x40\x00")  # the head of a record of 16 KiB (RFC 8446, 5.1)
    then: dict[bytes, Say] = {b"STARTTLS": go_on, b"\x16": lambda asked: handshake}
    with server(takes_letters(then), b"220 post\r\n") as one:
        within_bound(lambda: post.send(letter(), f"127.0.0.1:{one.server_address[1]}", "tell"), LedgerError, "in 1 s")


def test_a_letter_that_was_taken_is_not_sent_again_when_the_goodbye_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "WHOLE", 1.0)
    with server(takes_letters({b"QUIT": lambda asked: drip(b"221-")}), b"220 post\r\n") as one:
        assert post.send(letter(), f"127.0.0.1:{one.server_address[1]}", "tell") == {}


def lines() -> Iterator[bytes]:
    """An answer of ever more lines: smtplib has a limit for one line only."""
    return (b"250-a\r\n" for _each in drip())


def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Ann leaves", "it@corp.example", "manager@corp.example"
    message.set_content("On Friday.")
    return message

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Texts and answers that want to be executed, to name somebody else, or to break who reads them; made from a seed."""

from __future__ import annotations

import copy
import json
import random
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from sandbox.emulator import Reply

#: One of each kind: templates, shells, paths, HTML, CSV, ANSI, directions, zero bytes, surrogates, LDAP, SQL, headers, other people.
TEXTS = (
    "{{ lookup('pipe', 'touch executed') }}", "{% for x in y %}", "{#", "$(touch executed)", "`touch executed`", "; touch executed",
    "| sh", "&& id", "\n-e x=1", "../../etc/passwd", "..\\..\\x", "/etc/passwd", "..%2f..", "${env_name}", "~root",
    "<script>alert(1)</script>", "'\"><img src=x onerror=1>", "=cmd|' /C calc'!A0", "\n=1+1", "@SUM(1)", "+1", "-1+1",
    "\x1b[2J\x1b]0;x\x07", "\x9b2J", "\u202egnp.exe", "\u2066x\u2069", "\u2028", "\x00", "\ud800", "\udfff\ud800", "\ufeff",
    "E1002,email:mark@corp.example", "email:mark@corp.example", "hr_id:1", "-e", "--extra-vars", "A" * 10_000, "\u0301" * 500,
    "?x=1#y", "%00", "*)(uid=*))(|(uid=*", "' OR 1=1 --", '" or "" eq "', "\r\nX-Evil: 1", "\nBcc: x@evil.example",
    "mark@corp.example", "ｍark@corp.example", "roſs@corp.example", "", " ", "\t", "null", "0", "-1", "1e309", "NaN",
    "https://evil.example/x", "//evil.example", "@evil.example", "9999-99-99", "2026-13-45T99:99:99Z", "\U0001f4a9" * 50,
)  # fmt: skip
#: What stands where something else should: every kind of JSON, and numbers that no library likes.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 10**400, 1e308, 0.1, [], {}, [[]], [None], [{}], {"": ""}, {"id": None}, [1, "x"], "", "x",
)  # fmt: skip
#: What steers a screen, a page or a file, and what Ansible would read as a template.
STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
MARK = re.compile(r"\{\{|\{%|\{#")
#: As long as an answer may be, of characters that take four bytes each in memory; made once, since the test's own memory counts too.
GIANT = b'{"a": "' + "\U0001f4a9".encode() * 3_900_000 + b'"}'


def _bomb() -> bytes:
    """A gigabyte of zeros after decompression: one compressed million a thousand times, as to compress each takes seconds."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    million = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    head, checked = b"\x1f\x8b\x08" + bytes(6) + b"\xff", 0x63F45742
    return head + million * 1_000 + packer.flush() + struct.pack("<II", checked, 1_000_000_000)


BOMB = _bomb()


def text(chance: random.Random) -> str:
    return "".join(chance.choice(TEXTS) for _unused in range(chance.randint(1, 3)))


def value(chance: random.Random) -> Any:
    return text(chance) if chance.random() < 0.5 else copy.deepcopy(chance.choice(VALUES))


def places(whole: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of parsed JSON: its holder, and the key or number."""
    waiting = [whole]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            found: list[Any] = list(holder)
        elif isinstance(holder, list):
            found = list(range(len(holder)))
        else:
            continue
        for key in found:
            yield holder, key
            waiting.append(holder[key])


def turned(whole: Any, chance: random.Random) -> Any:
    """Genuine JSON with one to three of its places changed: another text, another kind, gone, twice, or under another name."""
    whole = [copy.deepcopy(whole)]
    for _unused in range(chance.randint(1, 3)):
        holder, key = chance.choice([(whole, 0), *list(places(whole))[1:]])
        doing = chance.random()
        if doing < 0.6 or holder is whole:
            holder[key] = value(chance)
        elif doing < 0.8:
            del holder[key]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[text(chance)] = holder.pop(key)
    return whole[0]


def broken(content: bytes, chance: random.Random) -> bytes:
    """Bytes that were JSON once."""
    kind = chance.randrange(7)
    if kind == 0:
        return content[: chance.randint(0, len(content))]
    if kind == 1:
        changed = bytearray(content or b"{}")
        for _unused in range(chance.randint(1, 8)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        return bytes(changed)
    if kind == 2:
        return b"[" * 100_000
    if kind == 3:
        return b'{"a":' * 200 + b"1" + b"}" * 200
    if kind == 4:
        return b'{"id": ' + b"9" * 5000 + b"}"
    if kind == 5:
        return text(chance).encode("utf-16", "surrogatepass")
    return chance.choice((b"NaN", b'"', b"null", b"[]", b"0", b"\xff\xfe", b'{"a": Infinity}', b'"\\ud800"', b""))


def answer(reply: Reply, chance: random.Random, *, giants: bool = True) -> Reply:
    """What a broken or hostile system says in place of this."""
    kind = chance.random()
    headers = dict(reply.headers)
    if kind < 0.7:
        try:
            whole = json.loads(reply.content)
        except ValueError:
            return Reply(reply.status, broken(reply.content, chance), headers)
        return Reply(reply.status, json.dumps(turned(whole, chance)).encode(), headers)
    if kind < 0.85:
        return Reply(reply.status, broken(reply.content, chance), headers)
    if kind < 0.9 or not giants and kind > 0.97:
        said = chance.choice(("Retry-After", "Link", "Location", "Content-Type", "ETag"))
        how = text(chance).encode("ascii", "ignore").decode().replace("\r", "").replace("\n", "").replace("\x00", "")
        return Reply(reply.status, reply.content, {**headers, said.lower(): how.strip()})
    if kind < 0.97:
        status = chance.choice((200, 201, 204, 206, 301, 302, 400, 404, 409, 410, 418, 422, 429, 500, 503, 599))
        said = {"error": value(chance), "message": value(chance), "errors": value(chance), "detail": value(chance)}
        how = {"retry-after": chance.choice(("inf", "-1", "1e400", "nan", "99999999999", "x", "Wed, 99 Foo"))}
        return Reply(status, json.dumps(said).encode(), {**headers, **(how if chance.random() < 0.5 else {})})
    if kind < 0.985:
        return Reply(reply.status, BOMB, {**headers, "content-encoding": "gzip"})
    return Reply(reply.status, GIANT, headers)

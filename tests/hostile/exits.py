# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The ways out: others' words on the screen, on pages, in tables, mails, notices, logs, metrics, commands and paths."""

from __future__ import annotations

import csv
import html
import io
import json
import logging
import random
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.model import commands
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.text import cell
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.address import at
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit import prometheus
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.post.letters import Letter
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record.html import environment
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.screen import result_lines
from lifecycle_bridge import logs
from lifecycle_bridge.execute.extra_vars import encoded
from lifecycle_bridge.notify.notice import Notice

from tests.hostile import words
from tests.unit import ledger_sample as sample

Try = Callable[[random.Random], None]
NOW = datetime(2026, 6, 3, 10, 0, tzinfo=UTC)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}


def page_is_ours(page: str) -> None:
    """Nothing of others became a tag, an attribute or a character that turns the text."""
    found = _Tags()
    found.feed(page)
    assert not found.tags & {"script", "img", "iframe", "link", "object"}, found.tags
    assert not {"onerror", "onload", "src"} & found.attributes
    assert not words.STEERS.search(html.unescape(page))


def row(chance: random.Random) -> dict[str, Any]:
    return {
        "system": words.text(chance),
        "step": words.text(chance),
        "person": words.text(chance),
        "outcome": chance.choice(("done", "failed", "needs_human", "x")),
        "msg": words.text(chance),
        "changes": [
            {
                "what": words.text(chance),
                "before": words.value(chance),
                "after": words.value(chance),
                "note": words.text(chance),
            }
        ],
        "residual": [{"what": words.text(chance), "until": words.text(chance)}],
    }


@contextmanager
def screen(folder: Path) -> Iterator[Try]:
    def once(chance: random.Random) -> None:
        result = words.turned(row(chance), chance)
        for line in result_lines.lines(words.text(chance), "cutoff", result):
            shown = [line.system, line.step, line.person, line.message, *map(result_lines.change, line.changes)]
            for text in shown:
                assert not words.STEERS.search(text) and "\n" not in text, text[:100]
                text.encode()

    yield once


@contextmanager
def record(folder: Path) -> Iterator[Try]:
    def once(chance: random.Random) -> None:
        where = folder / f"{chance.random()}.db"
        ledger = Ledger.open(str(where))
        person = {**sample.PERSON, "first_name": words.text(chance), "title": words.text(chance)}
        case = ledger.open_case("offboard", person, "r", {"expected": [], "source": words.text(chance)})
        change = sample.row(words.text(chance), "failed", note=words.text(chance))
        sample.step(ledger, case, "slack", "cutoff", [change])
        made = build.build(ledger, case.id, {})
        page_is_ours(build.render_html(made))
        assert ledger.verify().ok
        for leftover in folder.glob(f"{where.name}*"):
            leftover.unlink()

    yield once


@contextmanager
def pages(folder: Path) -> Iterator[Try]:
    """The environment of every page of the collection, and in each place of a page where a text may stand."""
    template = environment().from_string("<p title='{{ x }}' class=\"{{ x }}\">{{ x }}</p><td>{{ x | e }}</td>")

    def once(chance: random.Random) -> None:
        page_is_ours(template.render(x=words.text(chance)))

    yield once


@contextmanager
def tables(folder: Path) -> Iterator[Try]:
    def once(chance: random.Random) -> None:
        given = [words.text(chance) for _unused in range(5)]
        out = io.StringIO(newline="")
        csv.writer(out).writerow([cell(one) for one in given])
        out.getvalue().encode()
        [read] = csv.reader(io.StringIO(out.getvalue(), newline=""))
        assert len(read) == len(given)
        for one in read:
            assert not words.STEERS.search(one) and "\n" not in one and one.lstrip()[:1] not in ("=", "+", "-", "@")

    yield once


@contextmanager
def letters(folder: Path) -> Iterator[Try]:
    def once(chance: random.Random) -> None:
        letter = Letter("k", ["it@corp.example"], words.text(chance), [words.text(chance) for _unused in range(3)])
        message = message_from_bytes(bytes(letter.message("lifecycle@corp.example")), policy=default)
        assert len(message.keys()) == len(set(message.keys())) and message["Bcc"] is None and message["X-Evil"] is None
        assert not words.STEERS.search(message["Subject"]) and not words.STEERS.search(message.get_content())

    yield once


@contextmanager
def notices(folder: Path) -> Iterator[Try]:
    """What the bridge sends by mail, Slack, Teams and webhooks, as one text and as data."""

    def once(chance: random.Random) -> None:
        said = [words.text(chance) for _unused in range(6)]
        notice = Notice(said[0], "leaver", "stuck", said[1], (said[2], said[3]), said[4], "", said[5], NOW)
        assert not words.STEERS.search(notice.text()) and not words.STEERS.search(notice.title)
        assert "\n" not in notice.title and len(notice.text()) < 5000
        notice.text().encode()
        json.dumps(notice.data()).encode()

    yield once


@contextmanager
def log(folder: Path) -> Iterator[Try]:
    def once(chance: random.Random) -> None:
        entry = logging.LogRecord("x", logging.INFO, "f", 1, "said %s", (words.text(chance),), None)
        entry.person = words.text(chance)
        for value in logs.facts(entry).values():
            assert not isinstance(value, str) or not words.STEERS.search(value) and "\n" not in value
            json.dumps(value, ensure_ascii=False).encode()

    yield once


@contextmanager
def metrics(folder: Path) -> Iterator[Try]:
    sample_line = re.compile(r'\{system="(?:[^"\\\n]|\\.)*"\}')

    def once(chance: random.Random) -> None:
        said = prometheus._labels({"system": words.text(chance)})
        assert sample_line.fullmatch(said), said[:100]
        said.encode()

    yield once


@contextmanager
def printed_commands(folder: Path) -> Iterator[Try]:
    def once(chance: random.Random) -> None:
        given = words.text(chance)
        said = commands.command("offboard", user=given, inventory="company.systems.yml")
        assert len(shlex.split(said)) == 6 and "\n" not in said.replace("\\n", "")
        assert not words.STEERS.search(said) and not words.MARK.search(said)
        assert len(shlex.split(commands.ad_hoc("slack", "account", {"person": given}))) == 6

    yield once


@contextmanager
def variables(folder: Path) -> Iterator[Try]:
    """What the bridge hands to Ansible: YAML whose every text is marked as unsafe."""

    def once(chance: random.Random) -> None:
        from lifecycle_bridge.errors import BridgeError

        try:
            given = [words.text(chance) for _unused in range(2)]
            said = encoded({"user": given[:1], "note": given[1]})
        except BridgeError:
            return
        assert "\n" not in said and said.isascii()
        assert said.count("!unsafe") >= sum(bool(words.MARK.search(one)) for one in given)

    yield once


@contextmanager
def addresses(folder: Path) -> Iterator[Try]:
    def once(chance: random.Random) -> None:
        try:
            path = at("/users/{}/keys", words.text(chance))
        except InputError as e:
            assert not words.STEERS.search(str(e))
            return
        assert path.count("/") == 3 and not re.search(r"[?#\s]", path) and "/../" not in path and path.isascii()

    yield once

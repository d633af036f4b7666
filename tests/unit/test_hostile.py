# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Hostile HR records through every door: nothing is executed, nobody else is named, nothing crashes, and memory stays small."""

from __future__ import annotations

import html
import json
import random
import re
import shlex
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.csv import Csv
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import commands
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, LifecycleError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.identity import asked
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.address import at
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record.html import environment

SEEDS = (
    "{{ lookup('pipe', 'touch owned') }}", "{% for x in y %}", "{#", "$(touch owned)", "`id`", "; rm -rf /", "| sh", "&& id", "\n-e x=1",
    "../../etc/passwd", "..\\..\\x", "/etc/passwd", "..%2f..", "${env_name}", "~root", "<script>alert(1)</script>", "'\"><img src=x onerror=1>",
    "=cmd|' /C calc'!A0", "\n=1+1", "@SUM(1)", "\x1b[2J\x1b]0;x\x07", "\u202egnp.exe", "\u2066x\u2069", "\x00", "\ud800", "\udfff\ud800", "\ufeff",
    "E108,email:ceo@corp.example", "email:ceo@corp.example", "hr_id:1", "-e", "--extra-vars", "A" * 10_000, "\u0301" * 500, "?x=1#y", "%00",
    "*)(uid=*))(|(uid=*", "' OR 1=1 --", "\r\nX-Evil: 1", "ceo@corp.example", "ｃｅｏ@corp.example", "roſs@corp.example", "", " ", "\t", "null", "0", "-1", "1e309",
)  # fmt: skip
FIELDS = tuple(
    name
    for name in Person.__dataclass_fields__
    if name not in ("logins", "attributes", "aliases", "former_names", "status")
)
#: What a screen, a template, a path or a shell would make something of, in a field that names somebody.
DANGEROUS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]|\{\{|\{%|\{#")


def record(chance: random.Random) -> dict[str, Any]:
    def text() -> str:
        return "".join(chance.choice(SEEDS) for _unused in range(chance.randint(1, 3)))

    data: dict[str, Any] = {"email": "jane@corp.example", "hr_id": "107"}
    data |= {name: text() for name in chance.sample(FIELDS, chance.randint(1, 4))}
    if chance.random() < 0.3:
        data["logins"] = {text(): text()}
    if chance.random() < 0.3:
        data["attributes"] = {text(): text() for _unused in range(3)}
    if chance.random() < 0.3:
        data["aliases"] = [text() for _unused in range(2)]
    if chance.random() < 0.3:
        data["former_names"] = [text()]
    return data


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    return [text for one in inner for text in texts(one)]


def judge(data: dict[str, Any]) -> bool:
    """Whether the record came in; what it holds then is harmless wherever it goes."""
    try:
        person = Person.of(data)
    except InputError as e:
        assert not re.search(r"[\x00-\x08\x1b\u202e\ud800-\udfff]", str(e)) and len(str(e)) < 4000
        return False
    plain = person.as_dict()
    assert Person.of(plain) == person, "it is the same after its way through Ansible's variables"
    for text in texts(plain):
        assert not DANGEROUS.search(text) and len(text) <= 1000
        json.dumps(text).encode()
        text.encode()
    assert "," not in person.hr_id + person.employee_id and "/" not in person.email and ".." not in person.email
    for name in (person.hr_id, person.employee_id):
        if name:
            assert asked(f"employee_id:{name}")[1] == name
            assert len(shlex.split(commands.command("offboard", user=name))) >= 4
    for name in person.logins.values():
        if name:
            assert at("/users/{}/keys", name).count("/") == 3
    page = environment().from_string("<p title='{{ x }}'>{{ x }}</p>").render(x=" ".join(texts(plain)))
    assert page.count("<") == 2 and not DANGEROUS.search(html.unescape(page).replace("\n", ""))
    return True


@pytest.mark.parametrize(("count", "seed"), [(300, 1), pytest.param(10_000, 2, marks=pytest.mark.soak)])
def test_hostile_records_come_in_harmless_or_not_at_all(count: int, seed: int) -> None:
    chance = random.Random(seed)
    tracemalloc.start()
    came = sum(judge(record(chance)) for _unused in range(count))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count // 20 < came < count, "the judge saw both"
    assert peak < 100_000_000


@pytest.mark.parametrize(("count", "seed"), [(100, 3), pytest.param(3_000, 4, marks=pytest.mark.soak)])
def test_a_file_with_hostile_rows_stops_nobody_else(count: int, seed: int, tmp_path: Path) -> None:
    import csv

    chance = random.Random(seed)
    options = {"columns": {"email": "mail", "hr_id": "no", "first_name": "first", "title": "title"}}
    for number in range(count):
        path = tmp_path / f"{number}.csv"
        rows = [["grace@corp.example", "1", "Grace", "Boss"], ["lena@corp.example", "2", "Lena", "Dev"]]
        hostile = [chance.choice(SEEDS).replace("\x00", "") for _unused in range(4)]
        rows.insert(1, [one.encode("utf-8", "replace").decode() for one in hostile])
        with path.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([["mail", "no", "first", "title"], *rows])
        source = Csv(
            Target("hr", "csv", options=checked_options("hr", Csv, {**options, "path": str(path), "delimiter": ","}))
        )
        try:
            found = {person.hr_id for person in source.all_people()}
        except LifecycleError as e:
            assert "is already on line" in str(e) or "cells" in str(e) or "CSV" in str(e), e
            continue
        assert {"1", "2"} <= found
        assert [person.email for person in source.find_people("2")] == ["lena@corp.example"] or hostile[1] == "2"


def test_a_page_shows_what_would_turn_the_text_around_it() -> None:
    page = environment().from_string("{{ x }}|{{ y | e }}").render(x="a\u202eb\x1b<", y="<i>")
    assert page == "a\\u202eb\\x1b&lt;|&lt;i&gt;"

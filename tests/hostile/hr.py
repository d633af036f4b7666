# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The doors of HR's words, and of what people type: a list as a file, each HR system's API, the name that a run is given."""

from __future__ import annotations

import csv
import json
import random
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.csv import Csv
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import commands
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, LifecycleError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.identity import Records, asked, names_met
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import people_index
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.address import at
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.modules import person_info

from sandbox.box import Box
from sandbox.hr_lists import hr_worlds
from sandbox.vendors.bamboohr import BambooHr
from sandbox.vendors.hibob import HiBob
from sandbox.vendors.personio import Personio
from tests import support
from tests.hostile import words

Try = Callable[[random.Random], None]
#: HR systems with an API, by connector.
SYSTEMS: dict[str, Any] = {"bamboohr": BambooHr, "hibob": HiBob, "personio": Personio, **hr_worlds()}
_FIELDS = tuple(
    name
    for name in Person.__dataclass_fields__
    if name not in ("logins", "attributes", "aliases", "former_names", "status")
)
GRACE = {"email": "grace@corp.example", "hr_id": "1", "employee_id": "E1001"}


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    return [text for one in inner for text in texts(one)]


def harmless(person: Person) -> None:
    """What came in is the same on its second way in, and nothing in it steers, is a template, or names a second person."""
    plain = person.as_dict()
    assert Person.of(plain) == person, "it is the same after its way through Ansible's variables"
    for text in texts(plain):
        assert not words.STEERS.search(text) and not words.MARK.search(text) and len(text) <= 1000, text[:80]
        text.encode()
    assert "," not in person.hr_id + person.employee_id and "/" not in person.email and ".." not in person.email
    for name in filter(None, (person.hr_id, person.employee_id)):
        assert asked(f"employee_id:{name}")[1] == name
        assert shlex.split(commands.command("offboard", user=name))[0] == "ansible-playbook"
    for name in filter(None, person.logins.values()):
        assert at("/users/{}/keys", name).count("/") == 3


def record(chance: random.Random) -> dict[str, Any]:
    data: dict[str, Any] = {"email": "jane@corp.example", "hr_id": "107"}
    data |= {name: words.text(chance) for name in chance.sample(_FIELDS, chance.randint(1, 4))}
    if chance.random() < 0.3:
        data["logins"] = {words.text(chance): words.text(chance)}
    if chance.random() < 0.3:
        data["attributes"] = {words.text(chance): words.text(chance) for _unused in range(3)}
    if chance.random() < 0.3:
        data["aliases"] = [words.text(chance) for _unused in range(2)]
    if chance.random() < 0.3:
        data["former_names"] = [words.text(chance)]
    return words.turned(data, chance) if chance.random() < 0.2 else data


@contextmanager
def records(folder: Path) -> Iterator[Try]:
    """One record, as every connector hands it in."""

    def once(chance: random.Random) -> None:
        data = record(chance)
        if not isinstance(data, dict):
            return
        try:
            harmless(Person.of(data))
        except InputError as e:
            assert not words.STEERS.search(str(e)) and len(str(e)) < 4000

    yield once


@contextmanager
def file(folder: Path) -> Iterator[Try]:
    """A CSV file with a hostile row between two good ones, or broken bytes."""
    path = folder / "people.csv"
    options = {"path": str(path), "delimiter": ",", "columns": {"email": "mail", "hr_id": "no", "first_name": "first"}}

    def once(chance: random.Random) -> None:
        hostile = [words.text(chance) for _unused in range(3)]
        rows = [["mail", "no", "first"], ["grace@corp.example", "1", "Grace"], hostile, ["lena@corp.example", "2", "L"]]
        with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as out:
            csv.writer(out).writerows(rows)
        if chance.random() < 0.2:
            path.write_bytes(words.broken(path.read_bytes(), chance))
        people_index.INDEXES.clear()
        source = Csv(Target("hr", "csv", options=checked_options("hr", Csv, options)))
        try:
            people = list(source.all_people())
        except LifecycleError as e:
            assert not words.STEERS.search(str(e)), "the whole file is refused, in plain words"
            return
        for person in people:
            harmless(person)

    yield once


def api(name: str) -> Callable[[Path], Any]:
    """An HR system's API, whose answers are turned on their way."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Try]:
        with Box([SYSTEMS[name]]) as box:

            def once(chance: random.Random) -> None:
                box[name].reset()
                people_index.INDEXES.clear()
                support.TOKENS._held.clear()
                box[name].fault(
                    "turned",
                    after=chance.choice((0, 0, 1, 2)),
                    times=chance.choice((1, -1)),
                    turn=lambda reply: words.answer(reply, chance),
                )
                began = time.monotonic()
                result = support.run(
                    person_info.TASK, box, name, user="jane@corp.example", look=chance.random() < 0.5, logins={}
                )
                assert time.monotonic() - began < 30
                _judged(box, name, result)

            yield once

    return opened


def _judged(box: Box, name: str, result: dict[str, Any]) -> None:
    assert box[name].writes() == [], "HR is only read"
    json.dumps(result, ensure_ascii=False).encode()
    if result.get("failed"):
        assert not words.STEERS.search(result["msg"]) and len(result["msg"]) < 20_000
        return
    for one in [*result["people"], *result["related"]]:
        harmless(Person.of(one))
    assert not any(words.STEERS.search(line) for line in result.get("refused") or ())


@contextmanager
def typed(folder: Path) -> Iterator[Try]:
    """What a person types on the command line or into a survey: it names one person whom HR has, or nobody."""
    people = [GRACE, {"email": "mark@corp.example", "hr_id": "2", "employee_id": "E1002"}]

    def once(chance: random.Random) -> None:
        said = words.text(chance)
        records = Records([{"system": "hr", "people": people}])
        met = [one for one in people if names_met(Person.of(one), said)]
        assert len(met) <= 1
        if met:
            value = asked(said)[1].casefold()
            assert value in {str(name).casefold() for name in met[0].values()}, "nothing but a whole name is one"
        assert records.systems == ["hr"]

    yield once

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Texts of HR and of operators that want to be executed: none is, through any door, and who has to look is told where."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from lifecycle_bridge.config import Config, Poll, Secret, Source
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.events import Raw
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.execute.extra_vars import encoded
from lifecycle_bridge.person_ids import refusal
from lifecycle_bridge.poll.csv_drop import CsvDrop
from lifecycle_bridge.receive import SCHEMES, receive
from lifecycle_bridge.send import made
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.cases import Cases
from lifecycle_bridge.store.errands import Errands
from lifecycle_bridge.store.inbox import Inbox
from lifecycle_bridge.store.tables import alerts, cases, events

from tests.bridge.runner_support import real
from tests.bridge.test_eda import heard, plugin

NOW = datetime(2026, 6, 3, 10, 0, tzinfo=UTC)
KEY = "0123456789abcdef0123456789abcdef"


def template(mark: Path) -> str:
    return "{{ lookup('pipe', 'touch " + str(mark) + "') }}"


HOSTILE = (
    "{{ lookup('pipe', 'touch x') }}",
    "{% if true %}7{% endif %}",
    "{# 7 #}",
    "E108,email:ceo@corp.example",
    "7\n8",
    "7\x1b[2J",
    "$(touch x)",
    "7;touch x",
    "`touch x`",
    "7\u202e8",
    "7" * 65,
    "../7",
    "-e",
    " 7",
)


@pytest.mark.parametrize("person", HOSTILE)
def test_an_id_that_could_be_more_than_an_id_is_refused(person: str) -> None:
    assert refusal(person)


@pytest.mark.parametrize(
    "person", ["7", "E-2012", "jürgen", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "hr_id:7", "A/7 b"]
)
def test_what_vendors_use_is_taken(person: str) -> None:
    assert refusal(person) == ""


def test_every_text_is_marked_as_unsafe_and_comes_back_as_it_was() -> None:
    given = {
        "user": ["{{ 1 }}", 'a"b\\c', "ü😀\x7f\u2028\x85\n"],
        "people": {"hr": ["7"]},
        "n": [3, 1.5, True, False, None],
    }

    class Loader(yaml.SafeLoader):
        pass

    unsafe: list[str] = []

    def taken(_loader: Any, node: Any) -> str:
        unsafe.append(node.value)
        return str(node.value)

    Loader.add_constructor("!unsafe", taken)
    text = encoded(given)
    assert yaml.load(text, Loader) == given and "\n" not in text and text.isascii()
    assert sorted(unsafe) == sorted(given["user"])  # type: ignore[type-var] # texts; "7" can be no template
    for wrong in ({"{{ x }}": "1"}, {"a b": "1"}, {"a": object()}, {"a": "\ud800"}, {"a": float("nan")}):
        with pytest.raises(BridgeError, match="hand over extra variables"):
            encoded(wrong)


def test_no_text_is_executed_by_the_real_ansible(tmp_path: Path) -> None:
    """Every way in which a variable reaches a run: an order's, below a list or a mapping, the configuration's."""
    mark = tmp_path / "executed"
    book = tmp_path / "book.yml"
    uses = (
        "{{ user }} {{ people }} {{ note }} {{ of_config }} {{ user | first }} {{ people.hr | map('string') | list }}"
    )
    book.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "tasks": [
                        {"debug": {"msg": uses}},
                        {"debug": {"msg": "{{ item }}"}, "loop": "{{ user }}"},
                        {"set_fact": {"again": "{{ user | first }}"}},
                        {"set_stats": {"data": {"note": "{{ note }}", "again": "{{ again }}"}}},
                    ],
                }
            ]
        )
    )
    hostile = template(mark)
    executor = real(tmp_path, extra_vars={"of_config": hostile})
    result = executor.run(
        Order("case-1", str(book), {"user": [hostile, hostile], "people": {"hr": [hostile]}, "note": hostile}),
        stop=lambda: False,
        progress=lambda step: None,
    )
    assert (result.status, result.detail) == ("successful", "")
    assert result.stats == {"note": hostile, "again": hostile}, "it arrived, as text"
    assert not mark.exists()


def test_a_text_is_the_same_text_for_the_real_ansible(tmp_path: Path) -> None:
    """A number of 007, a moment, a word such as true: none is read as something else, marked or not."""
    texts = [
        "0107",
        "007",
        "1e3",
        "0x1F",
        "true",
        "no",
        "null",
        "~",
        "",
        "<<",
        "=",
        "-",
        "2026-11-28",
        "12:30:45",
        "ü",
        "{x}",
    ]
    texts += ["2026-11-28T18:58:43.000000Z", "a: b", "#jinja2: variable_start_string: '[['", " x ", "a\nb", "E-1"]
    book = tmp_path / "book.yml"
    tasks = [
        {"set_stats": {"data": {"texts": "{{ texts }}", "kinds": "{{ texts | map('type_debug') | unique | list }}"}}}
    ]
    book.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    ended = real(tmp_path).run(
        Order("case-1", str(book), {"texts": texts}), stop=lambda: False, progress=lambda step: None
    )
    assert ended.status == "successful" and ended.stats["texts"] == texts
    assert all("str" in kind.lower() or "text" in kind.lower() for kind in ended.stats["kinds"])


# -- the doors -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path}/bridge.db")
    found.create()
    yield found
    found.close()


def stored(database: Database) -> tuple[list[str], list[str]]:
    """People of events, and the alerts."""
    with database.read() as c:
        return (
            list(c.execute(sa.select(events.c.person).order_by(events.c.n)).scalars()),
            list(c.execute(sa.select(alerts.c.detail).order_by(alerts.c.key)).scalars()),
        )


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@pytest.mark.parametrize("person", ["{{ lookup('pipe', 'touch x') }}", "E108,email:ceo@corp.example", "7" * 90])
def test_a_webhook_s_hostile_id_is_an_alert_with_its_place_and_nothing_more(
    scheme: str, person: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HR_KEY", KEY)
    source = Source(scheme=scheme, secrets=[Secret(env="HR_KEY")])
    request = made(source, "changed", person)
    headers = {name.lower(): value for name, value in request.headers.items()}
    raw = Raw("POST", "/hr/hr", headers, request.body, datetime.now(UTC))
    said = receive(raw, "hr", source, raw.received_at)
    asyncio.run(put(database, [*said.events, *(replace(one, id="other", person="8") for one in said.events)]))
    people, told = stored(database)
    assert people == ["8"], "the others go on"
    assert len(told) == 1 and "entry 1 of the request with the digest" in told[0] and "{{" not in told[0]


async def put(database: Database, found: list[Any]) -> None:
    inbox = Inbox(database)
    await inbox.put(found)
    await inbox.close()


def test_a_list_s_hostile_id_is_an_alert_with_its_record_and_the_others_go_on(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    options = {"folder": str(folder), "id_column": "Number", "complete": "rename"}
    source = Source(poll=Poll(kind="csv", options=options))
    cursor = ""
    for name, rows in (
        ("1.csv", ["7,a", "8,a"]),
        ("2.csv", ["7,b", "\"{{ lookup('pipe', 'touch x') }}\",a", "8,b"]),
    ):
        (folder / name).write_text("\n".join(["Number,Team", *rows]) + "\n")
        found = CsvDrop().poll("hr", source, cursor, NOW)
        Inbox(database).put_now(found.events)
        cursor = found.cursor
        if found.after is not None:
            found.after()
    people, told = stored(database)
    assert people == ["7", "8"]
    assert len(told) == 1 and "record 2 of the list" in told[0]


def decision(person: str, user: str) -> dict[str, Any]:
    runs = [{"kind": "offboard", "stage": "", "at": stamp(NOW)}]
    return {"source": "hr", "id": person, "user": user, "zone": "", "why": "w", "urgent": False, "runs": runs}


def test_a_hostile_id_in_the_answer_of_an_intake_makes_no_case(database: Database) -> None:
    store = Cases(database, Config(sources={}))
    store.apply(
        "b",
        [
            decision("7", "employee_id:{{ lookup('pipe', 'touch x') }}"),
            decision("E108,email:ceo@corp.example", "hr_id:7"),
            decision("8", "hr_id:8"),
        ],
        NOW,
    )
    with database.read() as c:
        assert list(c.execute(sa.select(cases.c.person)).scalars()) == ["8"]
    assert len(stored(database)[1]) == 2


def test_an_operator_s_reason_is_handed_over_and_not_executed(database: Database, tmp_path: Path) -> None:
    """The order that a release makes, run by the real Ansible in a playbook that reads all of it."""
    mark = tmp_path / "executed"
    store = Cases(database, Config(sources={}))
    store.apply("b", [decision("7", "hr_id:7")], NOW)
    (ident,) = store.claim(NOW, 9, "me")
    store.begin(ident, "me", NOW)
    store.settle(ident, Result("failed", codes=("brake",), brakes=("leavers",)), NOW)
    config = Config(sources={})
    acts = CaseActs(database, config)
    with database.read() as c:
        held = c.execute(sa.select(cases.c.id)).scalar_one()
    (ident,) = acts.release([held], "grace" + template(mark), template(mark))
    release = Errands(database, config).begin(ident, "me", NOW)
    assert release is not None
    book = tmp_path / "book.yml"
    tasks = [
        {"debug": {"msg": "{{ by }} {{ note }} {{ user }} {{ of }}"}},
        {"set_stats": {"data": {"n": "{{ note }}"}}},
    ]
    book.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    ended = real(tmp_path).run(
        replace(release, ident="release-1", playbook=str(book)), stop=lambda: False, progress=lambda step: None
    )
    assert ended.status == "successful" and ended.stats == {"n": template(mark)} and not mark.exists()


def test_several_people_are_always_handed_over_as_a_list(database: Database) -> None:
    store = Cases(database, Config(sources={}))
    store.apply("b", [decision("7", "hr_id:7")], NOW)
    (ident,) = store.claim(NOW, 9, "me")
    order = store.begin(ident, "me", NOW)
    assert order is not None and order.extra_vars["user"] == ["hr_id:7"], "a text would be split at its commas"


def test_the_longest_id_fits_into_the_columns_of_postgresql(database: Database) -> None:
    store = Cases(database, Config(sources={}))
    for person in ("7" * 64, "7" * 63 + "8"):
        store.apply("b", [{**decision(person, f"hr_id:{person}"[:64]), "source": "s" * 63}], NOW)
    (ident,) = store.claim(NOW + timedelta(hours=1), 9, "me")
    with database.read() as c:
        ids = list(c.execute(sa.select(cases.c.id)).scalars())
    assert len(set(ids)) == 2 and len(f"{ident}000") <= 100
    assert all(len(one) <= cases.c.id.type.length for one in ids)  # type: ignore[attr-defined] # a String


# -- Event-Driven Ansible ------------------------------------------------------------------------------------------------


def test_no_hostile_id_reaches_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule engine writes variables into a file that Ansible evaluates: there, refusing is all that helps."""
    monkeypatch.setenv("HR_KEY", KEY)
    source = Source(scheme="bamboohr", secrets=[Secret(env="HR_KEY")])
    requests = [made(source, "terminated", person) for person in (*HOSTILE[:4], "107")]
    found, answers = heard(*((one.body, dict(one.headers)) for one in requests))
    assert [one["person"] for one in found] == ["107"] and set(answers) == {200}


def test_the_filter_lets_neither_a_hostile_id_nor_foreign_facts_pass() -> None:
    source = Source(scheme="bamboohr", secrets=[Secret(env="HR_KEY")])
    payload = json.loads(SCHEMES["bamboohr"].make("jml.person.changed", "{{ x }}", KEY, source, NOW).body)
    meta = {"received_at": "{{ lookup('pipe', 'touch x') }}", "uuid": "a{{ x }}", "foreign": "{{ x }}"}
    event = plugin("event_filter", "canonical_hr").main(
        {"payload": payload, "meta": meta}, source="hr", scheme="bamboohr"
    )
    assert event["type"] == "jml.nothing" and "{{" not in json.dumps(event)
    payload = json.loads(SCHEMES["bamboohr"].make("jml.person.changed", "7", KEY, source, NOW).body)
    event = plugin("event_filter", "canonical_hr").main(
        {"payload": payload, "meta": meta}, source="hr", scheme="bamboohr"
    )
    assert event["person"] == "7" and "{{" not in json.dumps(event)

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Who hears what of a case: the table of what is to be sent, HR asked who that is, and a mail server that says what arrived."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock
from lifecycle_bridge.config import Config, Notices
from lifecycle_bridge.execute import Order, Progress, Result
from lifecycle_bridge.post import command_for
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.tables import metadata
from lifecycle_bridge.store.verdicts import Step

from tests.bridge.test_door_notify import MailServer
from tests.bridge.test_work import NOW

DAY = timedelta(days=1)
MARK = {"name": "Mark Ito", "address": "mark@corp.example", "language": "de-DE"}
BOB = {"name": "Bob Fix", "address": "bob@corp.example", "language": ""}
ADA = {
    "name": "Ada Löwe\r\nBcc: all@corp.example",
    "address": "ada@corp.example",
    "private": "ada@home.example",
    "hire_date": "2026-06-13",
    "department": "{{ 7 * 7 }}",
    "manager": MARK,
    "buddy": BOB,
}


class Hr:
    """An executor that knows who people are, as the playbook ``people`` would."""

    def __init__(self) -> None:
        self.cards: dict[str, dict[str, Any]] = {"7": dict(ADA)}
        self.answers = True
        self.asked: list[Order] = []
        self.forgotten: list[str] = []

    def run(self, order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        self.asked.append(order)
        if not self.answers:
            return Result("failed", detail="HR does not answer", temporary=True)
        wanted = order.extra_vars["people"]["hr"]
        return Result(
            "successful", stats={"contacts": {"hr": {one: self.cards[one] for one in wanted if one in self.cards}}}
        )

    def forget(self, ident: str) -> None:
        self.forgotten.append(ident)


class World:
    """A bridge without its loop, whose clock is set by hand; ``end`` and a new one are a restart."""

    def __init__(self, folder: Path, mail: MailServer, hr: Hr, **settings: Any) -> None:
        server = f"smtp://127.0.0.1:{mail.server_address[1]}"
        way = {"kind": "mail", "server": server, "sender": "bridge@corp.example"}
        self.config = Config.model_validate(
            {
                "database": f"sqlite:///{folder}/bridge.db",
                "public_url": "https://bridge.example",
                "sources": {"hr": {"scheme": "bamboohr", "secrets": [{"env": "KEY"}]}},
                "notify": [
                    {**way, "name": "it", "to": ["it@corp.example"], "news": ["prepared", "stuck", "held", "todo", "not_ready", "done", "late"]},
                    {**way, "name": "concerned", "people": ["person", "manager", "buddy"]},
                ],
                **settings,
            }
        )  # fmt: skip
        self.mail, self.bridge = mail, Bridge(self.config, hr)  # type: ignore[arg-type]
        self.bridge.database.create()
        self.batch = 0

    def decided(self, *wanted: tuple[str, str, Any], **facts: Any) -> None:
        self.batch += 1
        runs = [{"kind": kind, "stage": stage, "at": stamp(at)} for kind, stage, at in wanted]
        one = {"source": "hr", "id": "7", "user": "hr_id:7", "zone": "Europe/Berlin", "why": "w", "runs": runs, **facts}
        self.bridge.cases.apply(f"b{self.batch}", [one], clock.now())

    def ran(self, *open_steps: tuple[str, str, str], complete: bool = False) -> None:
        """One run of what is due, and its end."""
        now = clock.now()
        (ident,) = self.bridge.cases.claim(now, 1, "me")
        self.bridge.cases.begin(ident, "me", now)
        said = [{"system": system, "step": step, "outcome": outcome} for system, step, outcome in open_steps]
        one = {"case": "c", "key": "7", "complete": complete, "record": "", "open": said}
        self.bridge.cases.settle(ident, Result("successful" if complete else "failed", stats={"cases": [one]}), now)

    def post(self) -> list[tuple[str, str]]:
        """What arrived: who, and the subject."""
        before = len(self.mail.got)
        self.bridge.outbox.scan(clock.now())
        self.bridge.send_notices(clock.now())
        return sorted((envelope["to"][0], str(message["Subject"])) for envelope, message in self.mail.got[before:])


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server
        server.shutdown()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    def set_to(moment: Any) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_to(NOW)
    return set_to


def test_of_a_joiner_each_hears_what_concerns_them_once_and_in_their_language(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    hr = Hr()
    world = World(tmp_path, mail, hr, notices={"company": "Corp"})
    day = NOW + 10 * DAY
    world.decided(("onboard", "prepare", day - 3 * DAY), ("onboard", "", day))
    assert world.post() == [], "ten days before is too early"

    at(day - 6 * DAY)
    name = "Ada Löwe Bcc: all@corp.example"
    assert world.post() == [
        ("ada@home.example", "Welcome to Corp: your first day is 2026-06-13"),
        ("bob@corp.example", f"You are the buddy of {name}, who begins on 2026-06-13"),
        ("mark@corp.example", f"{name} beginnt am 13.06.2026"),
    ]
    texts = [message.get_content() for _envelope, message in mail.got]
    assert any("{{ 7 * 7 }}" in text for text in texts) and not any("49" in text for text in texts), (
        "HR's words are no program"
    )
    assert all(message["Bcc"] is None for _envelope, message in mail.got)

    world = World(tmp_path, mail, hr, notices={"company": "Corp"})
    assert world.post() == [], "a restart sends nothing again"

    at(day - 3 * DAY)
    world.ran(("badge", "by_hand", "needs_human"))
    assert world.post() == [
        ("it@corp.example", f"[not_ready] onboard {_case(world)}, person 7"),
        ("mark@corp.example", f"Für {name} ist noch nicht alles bereit (13.06.2026)"),
    ]
    at(day)
    world.ran(complete=True)
    got = world.post()
    assert [who for who, _subject in got] == ["ada@corp.example", "bob@corp.example", "mark@corp.example"], (
        "at work from the day on"
    )
    assert world.post() == []


def _case(world: World) -> str:
    with world.bridge.database.read() as c:
        return str(c.execute(sa.text("SELECT id FROM cases ORDER BY due_at LIMIT 1")).scalar_one())


def test_of_a_silent_departure_nobody_hears_before_it_has_happened(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    world = World(tmp_path, mail, Hr())
    world.decided(("offboard", "", NOW + DAY), silent=True)
    assert world.post() == [], "its day is near, and nobody is told"
    at(NOW + DAY)
    world.ran(("okta", "cutoff", "needs_human"))
    assert [who for who, _subject in world.post()] == ["it@corp.example"], "who has to close it is told, by number"
    assert "Ada" not in mail.got[0][1].as_string()
    world.bridge.acts.retry(_case(world), "it@corp.example")
    world.ran(complete=True)
    assert [who for who, _subject in world.post()] == ["it@corp.example", "mark@corp.example"]

    openly = World(tmp_path / "openly", mail, Hr())
    openly.decided(("offboard", "", NOW + 2 * DAY))
    assert [who for who, _subject in openly.post()] == ["mark@corp.example"], "the same, but not silent, is announced"


def test_recipients_of_a_day_get_a_notice_when_it_moves_and_when_it_is_cancelled(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    world = World(tmp_path, mail, Hr())
    world.decided(("onboard", "", NOW + 5 * DAY))
    assert len(world.post()) == 3
    world.decided(("onboard", "", NOW + 6 * DAY))
    assert [subject for _who, subject in world.post()][0].endswith("2026-06-09"), "moved: said again, with the new day"
    world.decided(cancels=["onboard"])
    assert [who for who, _subject in world.post()] == ["ada@home.example", "bob@corp.example", "mark@corp.example"]

    other = World(tmp_path / "other", mail, Hr())
    other.decided(("onboard", "", NOW + 20 * DAY))
    other.post()
    other.decided(cancels=["onboard"])
    assert other.post() == [], "nobody had heard of it"


def test_what_did_not_arrive_is_sent_later_also_by_the_next_bridge(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    hr = Hr()
    world = World(tmp_path, mail, hr)
    world.decided(("onboard", "", NOW + 5 * DAY))
    hr.answers = False
    assert world.post() == []
    hr.answers, mail.answer = True, "451 greylisted"
    assert len(hr.asked) == 1, "and HR is not asked for each notice"
    at(NOW + timedelta(minutes=6))
    world = World(tmp_path, mail, hr)
    assert world.post() == []
    mail.answer = "250 ok"
    at(NOW + timedelta(minutes=30))
    assert len(world.post()) == 3 and world.post() == []

    (one, *_others) = (tmp_path / "killed", 0)
    killed = World(one, mail, hr)
    killed.decided(("offboard", "", clock.now() + DAY))
    killed.bridge.outbox.scan(clock.now())
    assert len(killed.bridge.outbox.claim(clock.now())) == 1  # and killed before it was sent
    assert killed.post() == []
    at(clock.now() + timedelta(minutes=11))
    assert [who for who, _subject in killed.post()] == ["mark@corp.example"]


def test_no_name_and_no_address_is_kept_in_the_database_nor_in_the_run_s_folder(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    hr = Hr()
    world = World(tmp_path, mail, hr)
    world.decided(("onboard", "", NOW + 5 * DAY))
    assert len(world.post()) == 3
    assert hr.forgotten == [order.ident for order in hr.asked] != []
    with world.bridge.database.read() as c:
        kept = json.dumps(
            [[str(cell) for cell in row] for table in metadata.sorted_tables for row in c.execute(sa.select(table))]
        )
    for word in ("Ada", "Löwe", "L\\u00f6we", "Mark", "Bob", "@corp.example", "@home.example"):
        assert word not in kept, word


def test_a_manager_who_has_left_or_is_not_named_gets_nothing(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    hr = Hr()
    hr.cards["7"] = {**ADA, "manager": {}, "buddy": {}}
    world = World(tmp_path, mail, hr)
    world.decided(("offboard", "", NOW + DAY))
    assert world.post() == []
    at(NOW + timedelta(hours=1))
    assert world.post() == [] and len(hr.asked) == 1, "and HR is not asked for ever"


def test_the_company_s_own_text_wins_and_one_that_is_wrong_is_said_before_it_is_needed(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    from lifecycle_bridge.notify.words import Words

    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "onboard-due-person.pt.txt").write_text(
        "Subject: Bem-vinda, {{ person.name }}\nComeça em {{ day }}.\n", encoding="utf-8"
    )
    hr = Hr()
    hr.cards["7"] = {**ADA, "language": "pt-BR", "name": "Ana"}
    world = World(tmp_path, mail, hr, notices={"templates": str(texts)})
    world.decided(("onboard", "", NOW + 5 * DAY))
    assert ("ada@home.example", "Bem-vinda, Ana") in world.post()
    assert any("Começa em 08/06/2026." in message.get_content() for _envelope, message in mail.got)
    assert Words(Notices(templates=texts)).wrong() == []
    (texts / "onboard-due-person.pt.txt").write_text("Subject: x\n{% if %}\n")
    (said,) = Words(Notices(templates=texts)).wrong()
    assert "onboard-due-person.pt.txt, line 2" in said


def test_what_a_run_wants_people_to_hear_is_sent_once_and_again_only_when_it_did_not_arrive(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    world = World(tmp_path, mail, Hr())
    letter = {
        "key": "late:4711:okta:4h",
        "to": ["grace@corp.example"],
        "subject": "4711: okta is 4 h late",
        "lines": ["okta: end sessions"],
        "command": "ansible-playbook x",
    }
    said = Result("successful", stats={"notices": [letter, {"key": "nobody", "to": []}, "not one"]})
    mail.answer = "451 later"
    world.bridge._post_letters(said)
    mail.answer = "250 ok"
    for _run in range(2):
        world.bridge._post_letters(said)
    ((envelope, message),) = mail.got
    assert envelope["to"] == ["grace@corp.example"] and message["Subject"] == "4711: okta is 4 h late"
    assert "ansible-playbook x" in message.get_content()


def test_a_joiner_s_fortnight_day_by_day_who_received_what_and_nobody_is_red_for_what_waits(
    tmp_path: Path, mail: MailServer, at: Callable[[Any], None]
) -> None:
    """From the signed offer to week two, with the clock moved day by day; the bridge and its mails are real, what a run ends with is said."""
    hr = Hr()
    hr.cards["7"] = {**ADA, "name": "Ada", "hire_date": "2026-06-15"}
    world = World(tmp_path, mail, hr)
    day = NOW.replace(hour=6) + 12 * DAY  # a Monday, 08:00 in Berlin
    world.decided(("onboard", "prepare", day - 5 * DAY), ("onboard", "", day))
    laptop, badge, mfa = (
        ("intune", "device", "needs_human"),
        ("badge", "by_hand", "needs_human"),
        ("entra", "controls", "needs_human"),
    )
    # What the systems would say on each day, counted from the first: the device comes on the third day before it, she signs in on the second.
    says = {-5: (laptop, badge), -4: (laptop, badge), -3: (badge,), 0: (mfa,), 1: (mfa,), 2: ()}
    received: dict[int, list[str]] = {}
    for number in range(-12, 11):
        at(day + number * DAY)
        now = clock.now()
        standing = says[max((known for known in says if known <= number), default=-5)]
        while found := world.bridge.cases.claim(now, 1, "me"):
            world.bridge.cases.begin(found[0], "me", now)
            said = [{"system": system, "step": step, "outcome": outcome} for system, step, outcome in standing]
            one = {"case": "c", "key": "7", "complete": not standing, "record": "", "open": said}
            world.bridge.cases.settle(
                found[0], Result("failed" if standing else "successful", stats={"cases": [one]}), now
            )
        if who := [f"{who.partition('@')[0]}: {subject}" for who, subject in world.post()]:
            received[number] = who
        with world.bridge.database.read() as c:
            states = set(c.execute(sa.text("SELECT state FROM cases")).scalars())
        assert states <= {"upcoming", "todo", "done"}, f"day {number}: red for what only waits: {states}"
    waits = f"[not_ready] onboard {_case(world)}, person 7"
    assert received == {
        -7: ["ada: Welcome: your first day is 2026-06-15", "bob: You are the buddy of Ada, who begins on 2026-06-15", "mark: Ada beginnt am 15.06.2026"],
        -5: [f"it: {waits}", "mark: Für Ada ist noch nicht alles bereit (15.06.2026)"],
        2: ["ada: Your accounts are ready", "bob: Ada is ready to work", "mark: Ada kann arbeiten"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("news", "outcome", "command"),
    [
        ("todo", "needs_human", "lifecycle-bridge attest 'a b' --system badge --note 'WHAT WAS DONE'"),
        ("not_ready", "needs_human", "lifecycle-bridge attest 'a b' --system badge --note 'WHAT WAS DONE'"),
        ("todo", "failed", "lifecycle-bridge retry 'a b'"),
        ("stuck", "failed", "lifecycle-bridge retry 'a b'"),
        ("held", "needs_human", "lifecycle-bridge release 'a b' --why REASON"),
    ],
)
def test_a_notice_says_how_it_goes_on_attest_what_waits_and_try_again_what_failed(
    news: str, outcome: str, command: str
) -> None:
    case: Any = SimpleNamespace(id="a b")
    assert command_for(news, case, [Step("badge", "manual_step", outcome)]) == command

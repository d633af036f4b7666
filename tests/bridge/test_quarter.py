# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A generated quarter by the bridge: hires, moves, a reorganisation, leaves, leavers, a mass exit behind the brake, runs whose end is lost, systems
that are down, events that never come. At its end everybody has exactly what they should, and nobody else was written to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Brake, Limit, Timers
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock as collection_clock
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build
from lifecycle_bridge import clock as bridge_clock
from lifecycle_bridge.config import Config, Retry, Secret, Source
from lifecycle_bridge.events import Event
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.intakes import EVERYBODY
from lifecycle_bridge.store.tables import RUN_OPEN, cases, events, runs

from tests.bridge.quarter import InProcess, Quarter, Seat
from tests.unit.hr_company import row

GRACE = "grace@corp.example"
START = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)
TEAMS = ("Sales", "Engineering", "Law", "People")
#: What each team's profile gives, by system; the wiki is everybody's, the crm only the sellers'.
GIVES: Mapping[str, Mapping[str, set[str]]] = {
    "Sales": {"wiki": {"Staff", "Sales"}, "crm": {"Sales"}},
    "Engineering": {"wiki": {"Staff", "Engineering"}, "git": {"Developers"}},
    "Law": {"wiki": {"Staff", "Law"}},
    "People": {"wiki": {"Staff", "People"}, "git": {"Readers"}},
}
POLICY = Policy(
    brake=Brake(
        leavers=Limit(10, 10.0, release=(GRACE,)),
        movers=Limit(50, 20.0, release=(GRACE,)),
        disables=Limit(200, 0.0),
    ),
    timers=Timers(prepare_days=3, access_at="08:00", cut_at="18:00"),
)


class Hr:
    """What HR does on each day, and what each person should have at the end."""

    def __init__(self, people: int, days: int, seed: int) -> None:
        self.random, self.days = random.Random(seed), days
        self.rows = {number: row(number, department=self.random.choice(TEAMS)) for number in range(1, people + 1)}
        self.next = people + 1
        self.touched: set[int] = set()
        self.did: Counter[str] = Counter()
        self.away: dict[int, date] = {}
        self.leaving: set[int] = set()

    def free(self, count: int) -> list[int]:
        """Some who are at work and of whom nothing is under way."""
        may = [
            n
            for n, one in self.rows.items()
            if one["status"] == "active" and n not in self.away and n not in self.leaving
        ]
        return self.random.sample(may, min(count, len(may)))

    def change(self, number: int, **facts: str) -> int:
        self.rows[number] = {**self.rows[number], **facts}
        self.touched.add(number)
        return number

    def of(self, day: date, number: int) -> list[int]:
        """What HR changes on this day; whom."""
        changed = [self.change(n, status="active") for n, until in self.away.items() if until == day]
        self.away = {n: until for n, until in self.away.items() if until != day}
        for one in self.random.choices(["hire", "hire", "move", "title", "leave", "leaver", "nothing", "nothing"], k=3):
            changed += getattr(self, f"_{one}")(day)
        if number == self.days // 3:
            changed += self._reorganised()
        if number == 2 * self.days // 3:
            changed += [self._leaves(n, day) for n in self.free(max(12, len(self.rows) // 10))]
            self.did["mass exit"] += 1
        return changed

    def _nothing(self, day: date) -> list[int]:
        return []

    def _hire(self, day: date) -> list[int]:
        number, self.next = self.next, self.next + 1
        begins = day + timedelta(days=self.random.randrange(2, 9))
        self.rows[number] = row(
            number, department=self.random.choice(TEAMS), status="pending", hire_date=begins.isoformat()
        )
        self.touched.add(number)
        self.did["hire"] += 1
        return [number]

    def _move(self, day: date) -> list[int]:
        self.did["move"] += 1
        return [self.change(n, department=self._other(n)) for n in self.free(1)]

    def _other(self, number: int) -> str:
        return self.random.choice([team for team in TEAMS if team != self.rows[number]["department"]])

    def _title(self, day: date) -> list[int]:
        self.did["title"] += 1
        return [self.change(n, employment_type=f"grade {self.random.randrange(9)}") for n in self.free(2)]

    def _leave(self, day: date) -> list[int]:
        found = [self.change(n, status="leave") for n in self.free(1)]
        self.away |= {n: day + timedelta(days=self.random.randrange(3, 12)) for n in found}
        self.did["leave"] += 1
        return found

    def _leaver(self, day: date) -> list[int]:
        self.did["leaver"] += 1
        return [self._leaves(n, day + timedelta(days=self.random.randrange(5))) for n in self.free(1)]

    def _leaves(self, number: int, day: date) -> int:
        self.leaving.add(number)
        return self.change(number, termination_date=day.isoformat())

    def _reorganised(self) -> list[int]:
        """Eighty of three hundred: most to another team, the others only to another grade."""
        chosen = self.free(max(20, len(self.rows) * 80 // 300))
        self.did["reorganised"] += len(chosen)
        moved = chosen[: len(chosen) * 7 // 8]
        return [self.change(n, department=self._other(n)) for n in moved] + [
            self.change(n, employment_type="grade 9") for n in chosen[len(moved) :]
        ]


class World:
    """The company, the bridge, and the days."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, people: int, days: int, seed: int) -> None:
        self.now = START
        monkeypatch.setattr(collection_clock, "now", lambda: self.now)
        monkeypatch.setattr(bridge_clock, "now", lambda: self.now)
        # Nobody looks at a page here: a page for each of a thousand records takes longer than all the rest.
        monkeypatch.setattr(build, "render_html", lambda made: "")
        self.hr = Hr(people, days, seed)
        self.chance = random.Random(seed + 1)
        self.company = Quarter(folder, POLICY, lambda: self.now, ("wiki", "crm", "git"))
        profiles = folder / "profiles"
        (profiles / "staff.yml").unlink()
        for team, systems in GIVES.items():
            given = "".join(
                f"  {name}: {{groups: [{', '.join(sorted(groups))}]}}\n" for name, groups in systems.items()
            )
            (profiles / f"{team.lower()}.yml").write_text(f"match: {{department: {team}}}\nsystems:\n{given}")
        self.executor = InProcess(self.company, lambda: self.chance.random() < 0.03)
        config = Config(
            database=f"sqlite:///{folder}/bridge.db",
            work=folder / "runs",
            sources={"hr": Source(scheme="bamboohr", secrets=[Secret(env="KEY")])},
            retry=Retry(first=60, longest=3600, times=4),
            at_once=4,
            together=20,
        )
        self.bridge = Bridge(config, self.executor)
        self.bridge.database.create()
        self.own: dict[int, set[str]] = {}
        self.released: Counter[str] = Counter()
        self.sent = 0

    def settle_in(self) -> None:
        """Everybody has what their profile gives, and some a group that no profile explains."""
        for number, one in self.hr.rows.items():
            for name, groups in GIVES[one["department"]].items():
                self.company.systems[name].seats[one["email"]] = Seat(
                    f"{name}-{number}", one["email"], held=set(groups)
                )
            if self.chance.random() < 0.2:
                self.own[number] = {"Chess"}
                self.company.systems["wiki"].seats[one["email"]].held.add("Chess")
            self._hired(number, one)
        self.company.has(*self.hr.rows.values())
        self.says_everybody()
        self.work()
        assert not self.writes(), "the first look touches nobody"

    def _hired(self, number: int, one: Mapping[str, str]) -> None:
        """The ledger knows that a run gave them what they have."""
        gives = {name: {"groups": sorted(groups)} for name, groups in GIVES[one["department"]].items()}
        facts = {"key": one["hire_date"], "profile": one["department"].lower(), "wanted": gives}
        person = {name: value for name, value in one.items() if name != "department"}
        case = self.company.ledger.open_case("onboard", person, "before", facts)
        self.company.ledger.close_case(case.id, run="before", complete=True, summary={"complete": True})

    def writes(self) -> list[tuple[datetime, str, str]]:
        return [one for system in self.company.systems.values() for one in system.writes]

    def says(self, *people: int) -> None:
        """HR's webhook: a tenth never comes, a tenth comes twice."""
        for number in people:
            for _time in range(self.chance.choice([0, 1, 1, 1, 1, 1, 1, 1, 1, 2])):
                self.sent += 1
                told = Event("hr", f"e{self.sent}", "jml.person.changed", str(number), self.now, "0" * 64)
                self.bridge.inbox.put_now([told])

    def says_everybody(self) -> None:
        self.sent += 1
        self.bridge.inbox.put_now([Event("hr", f"all{self.sent}", EVERYBODY, "", self.now, "")])

    def work(self) -> None:
        """What is due now, to its end; one after the other."""
        bridge, owner = self.bridge, self.bridge.bridges.owner
        for _turn in range(10_000):
            bridge.intakes.claim(self.now, owner)
            bridge.cases.claim(self.now, 9, owner)
            with bridge.database.read() as c:
                found = c.execute(
                    sa.select(runs.c.ident, runs.c.kind).where(
                        runs.c.status.in_(RUN_OPEN),
                        sa.or_(runs.c.status != "waiting", runs.c.next_at <= stamp(self.now)),
                    )
                ).all()
            if not found:
                return
            for one in found:
                bridge.carry_out(one.ident, one.kind)
        raise AssertionError("the bridge does not come to an end")

    def releases(self) -> None:
        """Grace looks at what the brake holds, and releases it by name."""
        with self.bridge.database.read() as c:
            held = c.execute(sa.select(cases.c.id, cases.c.outcome).where(cases.c.state == "held")).all()
        if held:
            self.released.update(one.outcome for one in held)
            self.bridge.acts.release([one.id for one in held], GRACE, "it is right so")

    def lives(self) -> None:
        for number in range(self.hr.days):
            day = START.date() + timedelta(days=number)
            for hour in (5, 9, 13, 17, 21):
                self.now = datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)
                for system in self.company.systems.values():
                    system.down = self.chance.random() < 0.03
                if hour == 9:
                    changed = self.hr.of(day, number)
                    self.company.has(*self.hr.rows.values())
                    self.says(*changed)
                if hour == 21 and day.weekday() in (1, 4):  # a whole look finds what no event told
                    self.says_everybody()
                if hour == 13:
                    self.releases()
                self.work()
        for system in self.company.systems.values():
            system.down = False
        self.executor.dies = lambda: False
        for _day in range(12):  # what was begun comes to its end; HR does nothing more
            self.now += timedelta(hours=12)
            for n, until in list(self.hr.away.items()):
                if until <= self.now.date():
                    self.hr.change(n, status="active")
                    del self.hr.away[n]
            self.company.has(*self.hr.rows.values())
            self.says_everybody()
            self.releases()
            self.work()

    def wrong(self) -> list[str]:
        """Everybody who has not exactly what they should; the oracle knows HR and the profiles, and nothing of ours."""
        found = []
        today = self.now.date().isoformat()
        for number, one in self.hr.rows.items():
            gone = bool(one.get("termination_date")) and one["termination_date"] < today
            waits = one["status"] == "pending" and one["hire_date"] > today
            for name, system in self.company.systems.items():
                seat = system.seats.get(one["email"])
                wanted = GIVES[one["department"]].get(name)
                own = self.own.get(number, set()) if name == "wiki" else set()
                if gone and seat is not None and (seat.active or seat.held):
                    found.append(f"{number} has left, and has {seat} on {name}")
                elif waits and seat is not None and seat.active:
                    found.append(f"{number} has not begun, and has {seat} on {name}")
                elif not gone and not waits and number not in self.hr.away:
                    held = seat.held if seat is not None and seat.active else None
                    if wanted is None and held:
                        found.append(f"{number} has {held} on {name}, where {one['department']} has nothing")
                    if wanted is not None and (held is None or not wanted <= held or held - wanted - own):
                        found.append(f"{number} of {one['department']} has {held} on {name}, and should have {wanted}")
                    if wanted is not None and held is not None and own - held:
                        found.append(f"{number} lost {own - held} on {name}, which nobody decided on")
        return found


def lived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, people: int, days: int, seed: int) -> World:
    world = World(tmp_path, monkeypatch, people=people, days=days, seed=seed)
    world.settle_in()
    world.lives()
    with world.bridge.database.read() as c:
        states = dict(c.execute(sa.select(cases.c.state, sa.func.count()).group_by(cases.c.state)).all())
        kinds = dict(c.execute(sa.select(cases.c.kind, sa.func.count()).group_by(cases.c.kind)).all())
        left = c.execute(sa.select(sa.func.count()).where(events.c.state != "done")).scalar_one()
        open_ = c.execute(
            sa.select(cases.c.kind, cases.c.person, cases.c.state, cases.c.outcome).where(
                cases.c.state.not_in(("done", "cancelled", "upcoming"))
            )
        ).all()
    print(
        f"\n{people} people, {days} days, seed {seed}: HR did {dict(world.hr.did)}; {world.sent} events; cases {kinds}, {states};"
        f" {len(world.executor.begun)} runs, {world.executor.lost} whose end was lost; released {dict(world.released)};"
        f" {len(world.writes())} writes"
    )
    assert not left, f"{left} events were never judged"
    # Of a mover somebody decides whether they keep what no profile explains; nothing else waits for anybody.
    asked = [(one.kind, one.state) for one in open_ if int(one.person) in world.own]
    assert [tuple(one) for one in open_ if int(one.person) not in world.own] == []
    assert set(asked) <= {("transfer", "todo")}, asked
    assert world.wrong() == []
    logins = {world.hr.rows[number]["email"] for number in world.hr.touched}
    assert {login for _at, login, _what in world.writes()} <= logins, "somebody was written to of whom HR said nothing"
    assert world.company.ledger.verify().ok
    return world


@pytest.mark.rotating(of=4)
def test_a_fortnight_of_forty_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = lived(tmp_path, monkeypatch, people=40, days=14, seed=3)
    assert world.released["brake:leavers"] and world.released["brake:movers"]


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_quarter_of_three_hundred_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    world = lived(tmp_path, monkeypatch, people=300, days=91, seed=seed)
    assert world.released["brake:leavers"] and world.released["brake:movers"]

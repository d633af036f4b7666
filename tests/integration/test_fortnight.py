# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A joiner's fortnight in the sandbox company, from the signed offer to week two, by the bridge and real runs: the clock is moved day by day.

Who received what and when, and a picture of the console each morning, are kept in ``FORTNIGHT`` (a folder). Nobody is red for what only waits.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from sandbox.__main__ import POLICY
from sandbox.box import Box
from sandbox.catalogue import COMPANY
from sandbox.first_day import first_day
from tests.bridge.test_door_notify import MailServer
from tests.browser import chromium, needs_chromium
from tests.integration.test_hr_starts_it import BIN, ENVIRONMENT, KEY, ROOT, free_port, listening, until

time_machine = pytest.importorskip("time_machine")
pytestmark = [pytest.mark.soak, needs_chromium]
MADRID = ZoneInfo("Europe/Madrid")
ADA, MARK, GRACE = "ada@corp.example", "mark@corp.example", "grace@corp.example"
#: What a case is while nobody has to act, or only somebody's own task waits.
QUIET = {"upcoming", "waiting", "todo", "done"}
CLOCK = ROOT / "tests" / "clock"
#: A callback that moves the clock of a run.
MOVED = f"""
import sys

sys.path.insert(0, {str(CLOCK)!r})
import sitecustomize
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "aggregate", "moved_clock"
"""
#: From which day to which, counted from the first one.
FIRST, LAST = -8, 9
#: When something is due that is to be done in its minute: made ready from five days before, and opened at eight.
DUE = {-5: ("00:01",), 0: ("08:01",)}


def first_monday(now: datetime) -> date:
    """The third Monday of the next September: no public holiday of Spain or Germany is near."""
    for year in (now.year, now.year + 1):
        day = date(year, 9, 15)
        day += timedelta(days=-day.weekday() % 7)
        if datetime(day.year, day.month, day.day, tzinfo=timezone.utc) - now > timedelta(days=30):
            return day
    raise AssertionError("there is a September in every year")


class Clock:
    """The clock of this process, of the bridge and of its runs."""

    def __init__(self, file: Path) -> None:
        self.file, self.offset = file, 0.0
        self.traveller = time_machine.travel(time.time(), tick=True)
        self.own = self.traveller.start()

    def set(self, moment: datetime) -> None:
        real = time_machine.escape_hatch.time.time()
        self.offset = moment.timestamp() - real
        self.own.move_to(real + self.offset)
        part = self.file.with_suffix(".part")
        part.write_text(str(self.offset))
        part.rename(self.file)
        time.sleep(0.5)  # the bridge reads it every tenth of a second

    def stop(self) -> None:
        self.traveller.stop()


def day_of_invitation(exchange: Any) -> bool:
    """Return whether the orientation stands in its organiser's calendar."""
    return any(event["subject"] == "Welcome, Ada" for event in exchange.mailbox_of(GRACE)["events"].values())


class Fortnight:
    """Corp Example, its HR, the bridge, the mail server, and a browser."""

    def __init__(self, folder: Path, shots: Path) -> None:
        self.folder, self.shots = folder, shots
        self.clock = Clock(folder / "clock")
        self.day_one = first_monday(datetime.now(timezone.utc))
        self.at(FIRST, "07:00")
        self.mail = MailServer()
        self.received: list[tuple[int, str, str, str]] = []
        self.states: dict[int, dict[str, str]] = {}
        self.port = free_port()

    def moment(self, day: int, local: str) -> datetime:
        one = self.day_one + timedelta(days=day)
        return datetime.fromisoformat(f"{one}T{local}").replace(tzinfo=MADRID)

    def at(self, day: int, local: str) -> None:
        self.day = day
        self.clock.set(self.moment(day, local))

    # -- the company -----------------------------------------------------------------------------------------------------

    def company(self, box: Box) -> None:
        """Write the systems file: HR has no address for Ada, and one laptop is in stock."""
        self.moved()
        self.box, (hr, microsoft) = box, (box["bamboohr"], box["microsoft"])
        self.exchange = next(part for part in microsoft.parts if part.name == "exchange")
        self.entra = next(part for part in microsoft.parts if part.name == "entra")
        hr.change("120", workEmail="")
        (self.folder / "stock.csv").write_text("serial,platform,model\n5CGADA001,Windows,EliteBook 840\n")
        (self.folder / "group_vars").mkdir()
        stock = {"lifecycle_stock": str(self.folder / "stock.csv")}
        (self.folder / "group_vars" / "all.yml").write_text(yaml.safe_dump(stock))
        policy = {**POLICY, "timers": {"prepare_days": 5, "access_at": "08:00"}}
        (self.folder / "policy.yml").write_text(yaml.safe_dump(policy))
        file = box.write_systems_file(
            self.folder / "company.systems.yml",
            policy=str(self.folder / "policy.yml"),
            ledger=str(self.folder / "ledger.db"),
            records=str(self.folder / "records"),
            archive=str(self.folder / "archive"),
            profiles=str(ROOT / "inventory" / "profiles"),
        )
        systems = yaml.safe_load(file.read_text())
        rule = {"address": "{first_name}@corp.example", "addresses": str(self.folder / "addresses.csv")}
        systems["systems"]["bamboohr"]["options"] |= rule
        file.write_text(yaml.safe_dump(systems, sort_keys=False))

    def moved(self) -> None:
        """Have the bridge's runs move their clocks too: their interpreter is started without ``site``, and with it without sitecustomize."""
        (self.folder / "callbacks").mkdir()
        (self.folder / "callbacks" / "moved_clock.py").write_text(MOVED)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **ENVIRONMENT,
            "PYTHONPATH": str(CLOCK),
            "LIFECYCLE_CLOCK_FILE": str(self.clock.file),
            "ANSIBLE_CALLBACK_PLUGINS": str(self.folder / "callbacks"),
        }

    @contextlib.contextmanager
    def bridge(self) -> Iterator[None]:
        (self.folder / "hr.key").write_text(KEY)
        mail = {"kind": "mail", "server": f"smtp://127.0.0.1:{self.mail.server_address[1]}", "sender": "b@corp.example"}
        acts = ["prepared", "not_ready", "todo", "reminder", "stuck", "held", "done", "alert", "ready"]
        config = {
            "listen": f"127.0.0.1:{self.port}",
            "public_url": f"http://127.0.0.1:{self.port}",
            "database": "sqlite:///bridge.db",
            "work": "runs",
            "inventory": str(self.folder / "company.systems.yml"),
            "executor": {"kind": "runner", "variables": self.environment},
            "sources": {
                "bamboohr": {
                    "scheme": "bamboohr",
                    "secrets": [{"file": str(self.folder / "hr.key")}],
                    "everybody_at": "",
                    "silent_after": 1000,
                },
            },
            "notify": [
                {**mail, "name": "it", "to": ["it@corp.example"], "news": acts},
                {**mail, "name": "concerned", "people": ["person", "manager", "buddy"]},
            ],
            "notices": {"company": "Corp Example"},
            # The sandbox's company has much that reconcile finds, on purpose.
            "chores": {"followups": {"at": "06:00"}, "reconcile": {"at": ""}},
            "console": {"token_file": "console.token"},
        }
        (self.folder / "bridge.yml").write_text(yaml.safe_dump(config))
        self._seen_once()
        with (self.folder / "bridge.log").open("w") as log:
            process = subprocess.Popen(
                [str(BIN / "lifecycle-bridge"), "-c", str(self.folder / "bridge.yml"), "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, "PYTHONPATH": f"{CLOCK}{os.pathsep}{ROOT / 'bridge' / 'src'}"},
            )
        try:
            until(lambda: listening(self.port), "the bridge listens", self.log, process)
            yield
        finally:
            process.terminate()
            process.wait(60)

    def _seen_once(self) -> None:
        """Have the source count as seen: who left long ago in the sandbox's HR is not what is tried here."""
        from lifecycle_bridge.store import Database, stamp
        from lifecycle_bridge.store.tables import sources

        database = Database(f"sqlite:///{self.folder}/bridge.db")
        database.create()
        with database.write() as c:
            c.execute(sources.insert(), [{"name": "bamboohr", "judged_at": stamp(datetime.now(timezone.utc))}])
        database.close()

    def log(self) -> str:
        return (self.folder / "bridge.log").read_text()

    # -- days ------------------------------------------------------------------------------------------------------------

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(self.folder / "bridge.db", timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    def quiet(self) -> bool:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        busy = self.rows("SELECT ident FROM runs WHERE status IN ('ready', 'running', 'waiting', 'stopping')")
        due = self.rows(
            f"SELECT id FROM cases WHERE state IN ('upcoming', 'waiting', 'todo', 'ready') AND next_at <= '{now}'"
        )
        letters = self.rows("SELECT n FROM notices WHERE state IN ('new', 'sending')")
        return not busy and not due and not letters

    def settles(self) -> None:
        """Wait until the bridge has nothing to do for three seconds."""
        end, since = time.monotonic() + 600, time.monotonic()
        while time.monotonic() - since < 3:
            assert time.monotonic() < end, f"day {self.day} does not end\n{self.log()[-4000:]}"
            time.sleep(0.2)
            if not self.quiet():
                since = time.monotonic()

    def looks(self, when: str) -> None:
        """Note who received what, and what the bridge's cases are."""
        news = [(envelope["to"][0], str(message["Subject"])) for envelope, message in self.mail.got]
        for mail in self.entra.state["mails"]:
            to = mail["message"]["toRecipients"][0]["emailAddress"]["address"]
            news.append((to, f"(by Entra) {mail['message']['subject']}"))
        for who in (MARK, GRACE, ADA) if day_of_invitation(self.exchange) else ():
            news.append((who, "(in the calendar) Welcome, Ada"))
        for one in news:
            if news.count(one) > [row[2:] for row in self.received].count(one):
                self.received.append((self.day, when, *one))
        found = self.rows("SELECT stage, state, detail FROM cases WHERE kind = 'onboard' AND person = '120'")
        self.states[self.day] = {row["stage"] or "the day": row["state"] for row in found}
        red = {
            row["state"]: row["detail"]
            for row in self.rows("SELECT state, detail FROM cases")
            if row["state"] not in QUIET
        }
        assert not red, f"day {self.day}: red for what only waits: {red}\n{self.log()[-3000:]}"

    def plays(self, playbook: str, *words: str) -> str:
        done = subprocess.run(
            [
                str(BIN / "ansible-playbook"),
                "-i",
                str(self.folder / "company.systems.yml"),
                f"workforce.lifecycle.{playbook}",
                *words,
            ],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pictured(self, browser: Any) -> None:
        """Take the console's pictures of this morning."""
        page = browser.new_page(viewport={"width": 1100, "height": 860})
        page.set_default_timeout(20_000)
        url = f"http://127.0.0.1:{self.port}"
        page.goto(url)
        page.get_by_label("Local token").fill((self.folder / "console.token").read_text().strip())
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/")
        for name, path in (("overview", "/"), ("people", "/people"), ("ada", "/people/bamboohr/120")):
            page.goto(f"{url}{path}")
            page.wait_for_timeout(300)
            page.screenshot(path=self.shots / f"day{self.day:+03d}-{name}.png", full_page=True)
        page.close()

    def table(self) -> str:
        lines = ["| day | when | who | receives |", "|---|---|---|---|"]
        for day, when, who, subject in self.received:
            lines.append(f"| {day:+d} ({self.day_one + timedelta(days=day):%a}) | {when} | {who} | {subject} |")
        lines += ["", "| day | " + " | ".join(("prepare", "the day")) + " |", "|---|---|---|"]
        lines += [f"| {day:+d} | {s.get('prepare', '')} | {s.get('the day', '')} |" for day, s in self.states.items()]
        return "\n".join(lines) + "\n"


@pytest.fixture
def fortnight(tmp_path: Path) -> Iterator[Fortnight]:
    shots = Path(os.environ.get("FORTNIGHT") or tmp_path / "shots")
    shots.mkdir(parents=True, exist_ok=True)
    world = Fortnight(tmp_path, shots)
    try:
        yield world
    finally:
        (shots / "fortnight.md").write_text(world.table())
        world.mail.shutdown()
        world.clock.stop()


def test_from_the_signed_offer_to_week_two(fortnight: Fortnight) -> None:
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(Box(COMPANY, fortnight.folder / "box"))
        fortnight.company(box)
        browser = stack.enter_context(chromium())
        stack.enter_context(fortnight.bridge())
        box["bamboohr"].subscribe(f"http://127.0.0.1:{fortnight.port}/hr/bamboohr", KEY)
        for day in range(FIRST, LAST):
            for minute in DUE.get(day, ()):
                fortnight.at(day, minute)
                fortnight.settles()
            fortnight.at(day, "09:10")
            if day == FIRST:  # the offer is signed: HR enters the first day
                box["bamboohr"].happens("start", "120", str(fortnight.day_one), {})
            fortnight.settles()
            fortnight.looks("morning")
            fortnight.pictured(browser)
            happens(fortnight, day)
            if day == 0:
                fortnight.at(day, "17:00")
                fortnight.settles()
                fortnight.looks("afternoon")
    print(fortnight.table(), file=sys.stderr)
    judged(fortnight)


def happens(fortnight: Fortnight, day: int) -> None:
    """What people do that day."""
    if day == -3:  # Mark answers the second time he is asked, and IT lays the badge ready
        fortnight.exchange.answer(GRACE, "Welcome, Ada", MARK, "accepted")
        fortnight.plays("attest", "-e", f"user={ADA}", "-e", "system=badge", "-e", '{"by": "Grace Okoye"}')
    if day == 0:  # Ada starts the laptop, registers her second factor, and answers
        first_day(fortnight.box, "ada")


def judged(fortnight: Fortnight) -> None:
    heard = {(day, who): subject for day, _when, who, subject in fortnight.received}
    assert [day for day, _when, who, said in fortnight.received if "by Entra" in said] == [0], "the first credential"
    assert fortnight.box["bamboohr"].state["employees"]["120"]["workEmail"] == ADA, "HR was told"
    assert fortnight.states[LAST - 1].get("the day") == "done", fortnight.table()
    assert any(who == MARK and "answer the invitation" in said for (_day, who), said in heard.items())
    early = [said for day, _when, who, said in fortnight.received if who == ADA and day < 0 and "calendar" not in said]
    assert not early, "nobody writes to an address that she can't read yet"

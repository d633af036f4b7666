# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A person's page with all systems, and what a mover keeps: asked when somebody wants it, kept in memory, decided by name."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.execute import Order, Result
from lifecycle_bridge.looks import Looks, look_of
from lifecycle_bridge.store import stamp
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.cancelling import marks_of
from lifecycle_bridge.store.tables import cases, metadata, runs
from starlette.testclient import TestClient

from tests.bridge.console_support import NOW, STUCK, WHERE, waits
from tests.bridge.test_console_pages import does, text_of
from tests.bridge.test_console_people import NAMES, Company

JANE, TOM = "/people/bamboohr/4711", "/people/bamboohr/2208"
MOVER, TRANSFER = "transfer-bamboohr-2208-7f0c", "transfer-tom-20260322-aa"
KNOWN = WHERE["hr_id:2208"]["known"]["tom@corp.example"]
CHESS, RELEASE, OLD = (f"d{n:016x}" for n in range(3))


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    return Company(tmp_path, where=WHERE)


def until(page: Callable[[], str], words: str) -> str:
    """The page's text once it has these words."""
    for _try in range(200):
        if words in (text := text_of(page())):
            return text
        time.sleep(0.02)
    raise AssertionError(f"{words!r} never stood in: {text}")


def looks_everywhere(client: TestClient, path: str = JANE) -> Any:
    form = client.get(path).text.partition('name="token" value="')[2].partition('"')[0]
    return client.post(f"{path}/look", data={"token": form})


def test_a_page_asks_only_the_ledger_by_itself_and_every_system_when_somebody_wants_it(company: Company) -> None:
    client = company.browser("audit")
    text = until(lambda: client.get(JANE).text, "From the ledger; no system was asked")
    for words in ("device C02JANE001", "not back", "access tokens", "until 2026-03-24 16:20 UTC", "jane@corp.example"):
        assert words in text, words
    assert "jroth" not in text and [one["ask_systems"] for one in company.app.state.hr.asked] == ["false"]
    assert looks_everywhere(client).headers["location"] == f"{JANE}?said=look"
    text = until(lambda: client.get(JANE).text, "Read from the systems themselves")
    for words in (
        "jroth",
        "holds teams Platform",
        "a cut would close membership",
        "Nothing on slack",
        "aws did not answer",
    ):
        assert words in text, words
    asked = company.app.state.hr.asked
    assert [(one["user"], one["ask_systems"]) for one in asked] == [(["hr_id:4711"], "false"), (["hr_id:4711"], "true")]
    assert len(company.app.state.hr.forgotten) >= 2, "what a run left behind is removed at once: names stand in it"


def test_who_ticks_off_sees_what_waits_there(company: Company) -> None:
    client = company.browser("ops")
    until(
        lambda: client.get(f"/act/attest?case={STUCK}&system=intune").text,
        "On intune : device C02JANE001 What was done",
    )


def test_who_sees_a_department_alone_sees_and_asks_nothing_of_the_systems(company: Company) -> None:
    lead = company.browser("sales-leads")
    text = text_of(lead.get(JANE).text)
    assert "Jane Roth" in text and "In every system" not in text and "Ask every system" not in text
    token = company.browser("ops").get(JANE).text  # no form is on the lead's page; even one made by hand is refused
    assert (
        token
        and looks_everywhere(lead).status_code == 403
        and not [one for one in company.app.state.hr.asked if one["ask_systems"] == "true"]
    )


def test_what_was_found_is_nowhere_in_the_database(company: Company) -> None:
    client = company.browser("ops")
    until(lambda: client.get(TOM).text, "3 things that no profile explains")
    assert decide(client, rest="keep", why="asked her", name=[CHESS, RELEASE, OLD]).status_code == 303
    CaseActs(company.database, company.config).decide(MOVER, {CHESS: "remove"}, "grace@corp.example", "asked her")
    with company.database.read() as c:
        kept = json.dumps(
            [[str(cell) for cell in row] for table in metadata.sorted_tables for row in c.execute(sa.select(table))]
        )
    for word in ("Chess", "jroth", "C02JANE001", "tom@corp"):
        assert word not in kept, word


def decide(client: TestClient, **form: Any) -> Any:
    token = client.get("/cases").text.partition('name="token" value="')[2].partition('"')[0]
    return client.post("/act/decide", data={"token": token, "case": MOVER, **form})


def test_a_mover_of_whom_nothing_is_known_is_one_list_with_keep_or_remove_a_line(company: Company) -> None:
    client = company.browser("ops")
    text = until(
        lambda: client.get(TOM).text, "3 things that no profile explains: groups: Chess, groups: Release Managers"
    )
    assert text.count("keep or remove?") == 1 and "Decide" in text
    assert "Keep or remove" in client.get(f"/cases/{MOVER}").text
    page = until(lambda: client.get(f"/act/decide?case={MOVER}").text, "groups: Release Managers")
    assert "groups: Chess" in page and "What I have not chosen above" in page
    names = [CHESS, RELEASE, OLD]
    nothing = decide(client, name=names, why="x")
    assert nothing.status_code == 422 and "at least one" in text_of(nothing.text)
    assert decide(client, name=names, rest="keep").status_code == 422, "without a reason"
    form = {"name": names, CHESS: "keep", OLD: "remove", "why": "asked her"}
    again = decide(client, **form)
    assert again.status_code == 422 and "tick that you have" in text_of(again.text) and not company.acts.asked
    assert re_checked(again.text, CHESS, "keep") and re_checked(again.text, OLD, "remove"), "nothing is typed twice"
    assert decide(client, **form, sure="yes").headers["location"] == f"/cases/{MOVER}?said=decide"
    asked = company.acts.asked[-1]
    assert asked[:3] == ("decide", MOVER, "grace@corp.example") and asked[-1] == {CHESS: "keep", OLD: "remove"}
    for group in ("cab", "audit", "sales-leads"):
        assert decide(company.browser(group), **form, sure="yes").status_code == 403
    assert len(company.acts.asked) == 1


def re_checked(page: str, name: str, word: str) -> bool:
    return f'name="{name}" value="{word}" checked' in page


def offered(client: TestClient, path: str) -> dict[str, set[str]]:
    """The systems on which a page offers a decision, and those on which it offers to tick off."""
    text = client.get(path).text
    return {word: set(re.findall(rf'aria-label="{word} (\w+)"', text)) for word in ("Keep or remove on", "Tick off")}


def test_a_decision_is_offered_only_where_the_ledger_says_that_one_waits(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mover whose badge is to be handed in, and of whom nobody has to decide anything there."""
    wiki = {"system": "wiki", "step": "entitlements", "outcome": "needs_human"}
    badge = {"system": "badge", "step": "manual_step", "outcome": "needs_human"}
    opened, hr, page = threading.Event(), company.app.state.hr, f"/cases/{MOVER}"
    said = hr.run
    monkeypatch.setattr(hr, "run", lambda order, **hooks: opened.wait(30) and said(order, **hooks))
    stands(company, wiki, badge)
    client = company.browser("ops")
    assert "being read" in text_of(client.get(page).text) and "act/decide" not in client.get(page).text
    opened.set()
    until(lambda: client.get(page).text, "Tick off")
    assert offered(client, page) == {"Keep or remove on": {"wiki"}, "Tick off": {"badge"}}
    assert f"/act/decide?case={MOVER}" in client.get(page).text.partition("<dl")[0]
    hr.where = {"hr_id:2208": {"known": {"tom@corp.example": {**KNOWN, "open": []}}, "located": {}, "silent": {}}}
    company.app.state.looks.forget(("bamboohr", "2208"))
    stands(company, badge)
    until(lambda: client.get(page).text, "Tick off")
    assert offered(client, page) == {"Keep or remove on": set(), "Tick off": {"badge"}}
    assert "act/decide" not in client.get(page).text
    hr.where["hr_id:2208"]["known"]["tom@corp.example"]["open"] = [waits(TRANSFER, "badge", "hand in the badge")]
    company.app.state.looks.forget(("bamboohr", "2208"))
    until(lambda: client.get(TOM).text, "hand in the badge")
    assert offered(client, TOM) == {"Keep or remove on": set(), "Tick off": {"badge"}}, "their own page likewise"


def test_where_the_ledger_cannot_be_read_the_way_to_decide_stays(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        company.app.state.hr, "run", lambda _order, **_hooks: Result("failed", detail="no ledger is named")
    )
    client, page = company.browser("ops"), f"/cases/{MOVER}"
    until(lambda: client.get(page).text, "Decide")
    assert offered(client, page)["Keep or remove on"] == {"wiki"}


def stands(company: Company, *steps: Mapping[str, str]) -> None:
    """What the last run left open of the mover."""
    with company.database.write() as c:
        c.execute(sa.update(cases).where(cases.c.id == MOVER).values(open_steps=json.dumps(steps)))


def test_a_decision_is_a_run_of_the_collection_and_nobody_decides_for_themselves(company: Company) -> None:
    acts = CaseActs(company.database, company.config)
    ident = acts.decide(MOVER, {CHESS: "keep", OLD: "remove"}, "grace@corp.example", "asked her")
    with company.database.read() as c:
        row = c.execute(sa.select(runs).where(runs.c.ident == ident)).mappings().one()
    given = json.loads(row["extra_vars"])
    assert row["playbook"] == "workforce.lifecycle.attest" and given["decisions"] == {CHESS: "keep", OLD: "remove"}
    assert (given["user"], given["by"], given["note"]) == ("2208", "grace@corp.example", "asked her")
    with pytest.raises(BridgeError, match="at least one"):
        acts.decide(MOVER, {CHESS: "sell"}, "grace@corp.example", "x")
    with company.database.write() as c:
        c.execute(
            sa.update(cases).where(cases.c.id == MOVER).values(marks=json.dumps(sorted(marks_of("tom@corp.example"))))
        )
    with pytest.raises(BridgeError, match="nobody acts on a case of their own"):
        acts.decide(MOVER, {CHESS: "keep"}, "tom@corp.example", "mine")


class Fails:
    """An executor whose runs end badly."""

    def __init__(self, result: Result) -> None:
        self.result, self.ran = result, 0

    def run(self, order: Order, **_hooks: Any) -> Result:
        self.ran += 1
        return self.result

    def forget(self, ident: str) -> None:
        """Keep nothing."""


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Result("failed", detail="no ledger is named"), "no ledger is named"),
        (Result("successful", stats={"known": {"a@x": {}, "b@x": {}}}), "several people"),
    ],
)
def test_a_look_that_fails_says_why_and_is_not_tried_with_each_page(result: Result, said: str) -> None:
    executor = Fails(result)
    looks = Looks(Config(), executor)  # type: ignore[arg-type]
    key = ("hr", "7")
    looks.of(key, "hr_id:7")
    for _try in range(200):
        if (asked := looks.of(key, "hr_id:7")).trouble:
            break
        time.sleep(0.02)
    assert said in asked.trouble and asked.look is None
    for _page in range(5):
        looks.of(key, "hr_id:7")
    assert executor.ran == 1


def test_what_has_ended_lingers_no_more_and_a_look_says_who_is_in_doubt() -> None:
    known = {
        "lingers": [
            {"system": "a", "what": "x", "until": "2026-03-24T10:00:00Z"},
            {"system": "b", "what": "y", "until": "unknown"},
        ]
    }
    seen = {"wiki": {"knows_people": True, "accounts": [{"login": "j", "state": "active", "whose": "in doubt"}]}}
    look = look_of({"known": {"j@x": known}, "located": {"j@x": seen}, "silent": {}}, True, NOW)
    assert [one.system for one in look.lingers] == ["b"] and look.accounts[0].doubt


def test_names_are_still_asked_as_before(company: Company) -> None:
    assert set(NAMES) and does(company.browser("ops"), "attest", case="none", system="x", why="y").status_code == 400


def test_a_run_that_has_ended_since_makes_the_page_look_anew(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the page says for a quarter of an hour that nothing is open, while the case waits for a badge."""
    client = company.browser("audit")
    until(lambda: client.get(JANE).text, "From the ledger; no system was asked")
    asked = company.app.state.hr.asked
    client.get(JANE)
    assert len(asked) == 1
    later = NOW + timedelta(minutes=3)
    with company.database.write() as c:
        c.execute(sa.update(cases).where(cases.c.person == "4711").values(ended_at=stamp(later)))
    monkeypatch.setattr(clock, "now", lambda: later + timedelta(minutes=1))
    until(lambda: client.get(JANE).text, "From the ledger; no system was asked")
    assert len(asked) == 2, "once, and the page shows what it found"
    client.get(JANE)
    assert len(asked) == 2

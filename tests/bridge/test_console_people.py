# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""People by name: for whom, and for whom not; ticked off and approved by whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.console.sessions import OIDC, Sessions
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.cancelling import marks_of
from lifecycle_bridge.store.tables import cases, metadata
from starlette.testclient import TestClient

from tests.bridge.console_support import NOW, made, week
from tests.bridge.test_console_pages import HERE, does, text_of

STUCK, HELD = week()[0]["id"], week()[1]["id"]
NAMES = {
    "4711": {
        "name": "Jane Roth",
        "department": "Sales",
        "manager": {"name": "Mark Ito", "address": "mark@corp.example"},
    },
    "5301": {"name": "Ada Löwe", "department": "Engineering"},
}


class Company:
    def __init__(self, folder: Path, where: Mapping[str, Mapping[str, Any]] | None = None, **config: Any) -> None:
        oidc = {
            "issuer": "https://id.example",
            "client_id": "x",
            "client_secret": {"env": "OIDC_SECRET"},
            "operators": ["ops"],
            "approvers": ["cab"],
            "auditors": ["audit"],
            "departments": {"sales-leads": ["Sales"]},
        }
        self.app, self.database, self.acts = made(folder, names=NAMES, where=where, console={"oidc": oidc}, **config)
        self.config = Config()

    def browser(self, *groups: str, name: str = "grace@corp.example") -> TestClient:
        client = TestClient(self.app, base_url=HERE, follow_redirects=False)
        client.cookies.set(
            "lifecycle", Sessions(self.database, {OIDC: lambda: "secret"}, 10).open(name, OIDC, groups)[1]
        )
        return client


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    return Company(tmp_path)


@pytest.mark.parametrize("group", ["ops", "cab", "audit"])
def test_who_may_look_sees_names_and_what_each_lacks(company: Company, group: str) -> None:
    client = company.browser(group)
    text = text_of(client.get("/people").text)
    assert "Jane Roth" in text and "Missing: github, intune" in text and "Ada Löwe" in text
    assert "Jane Roth" in client.get("/").text
    person = text_of(client.get("/people/bamboohr/4711").text)
    assert "Sales" in person and "Mark Ito" in person and "github" in person
    assert ("Tick off" in person) == (group == "ops")


def test_who_looks_at_a_department_sees_nobody_else(company: Company) -> None:
    client = company.browser("sales-leads")
    assert client.get("/").headers["location"] == "/people"
    text = client.get("/people").text
    assert "Jane Roth" in text and "Ada" not in text and "5301" not in text and "4802" not in text
    assert "Jane Roth" in client.get("/people/bamboohr/4711").text
    for path in ("/people/bamboohr/5301", "/people/bamboohr/4802"):
        assert client.get(path).status_code == 404
    for path in (
        "/cases",
        f"/cases/{STUCK}",
        "/runs",
        "/sources",
        "/trends",
        f"/records/{STUCK}",
        f"/act/retry?case={STUCK}",
    ):
        assert client.get(path).status_code == 403, path
    for text_ in ("ada", "5301", "löwe engineering"):
        found = client.get(f"/people?text={text_}").text
        assert "Nobody with a case has this name or id" in found and "Engineering" not in found


def test_nobody_of_these_groups_sees_nothing(company: Company) -> None:
    assert company.browser("everybody").get("/people").status_code == 403


@pytest.mark.parametrize(
    ("text", "found"), [("roth", True), ("ROTH sales", True), ("roth engineering", False), ("4711", True), ("%", False)]
)
def test_people_are_found_by_name_department_and_id(company: Company, text: str, found: bool) -> None:
    page = company.browser("ops").get("/people", params={"text": text}).text
    section = page.partition('id="h-found"')[2].partition("</section>")[0]
    assert ("Jane Roth" in section) == found


def test_a_name_is_nowhere_in_the_database(company: Company) -> None:
    company.browser("ops").get("/people")
    with company.database.read() as c:
        kept = json.dumps(
            [[str(cell) for cell in row] for table in metadata.sorted_tables for row in c.execute(sa.select(table))]
        )
    assert "Roth" not in kept and "Ito" not in kept


def test_a_step_is_ticked_off_by_an_operator_with_what_was_done(company: Company) -> None:
    client = company.browser("ops")
    assert "On intune" in text_of(client.get(f"/act/attest?case={STUCK}&system=intune").text)
    assert does(client, "attest", case=STUCK, system="intune").status_code == 422
    assert does(client, "attest", case=STUCK, system="intune", why="handed in").status_code == 303
    assert company.acts.asked == [("attest", STUCK, "grace@corp.example", "intune: handed in")]
    other = company.browser("cab")
    assert does(other, "attest", case=STUCK, system="intune", why="x").status_code == 403


def a_plan(folder: Path, **more: Any) -> str:
    """A plan as the collection writes it; its digest."""
    row = {
        "what": "device C02JANE001",
        "before": "managed",
        "after": "wiped",
        "outcome": "planned",
        "irreversible": True,
    }
    plan = {
        "schema": "workforce.lifecycle/plan/1",
        "kind": "offboard",
        "people": [{"key": "107", "email": "jane@corp.example", "name": "Jane <b>Ortiz</b>", "aliases": []}],
        "steps": [
            {"n": 1, "phase": "secure_devices", "system": "intune", "step": "device", "person": "jane@corp.example", "changes": [row]}
        ],
        "needs": [{"needs": "wipe", "by": ["grace@corp.example"], "count": 1, "hours": 72.0, "why": "wipe: device C02JANE001"}],
    }  # fmt: skip
    told = json.dumps(plan, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(told.encode()).hexdigest()
    folder.mkdir(exist_ok=True)
    (folder / f"plan-offboard-{digest[:12]}.json").write_text(
        json.dumps({**plan, "digest": digest, "made": NOW.isoformat(), **more})
    )
    return digest


def test_a_plan_is_read_where_it_is_approved_and_a_changed_one_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    company = Company(tmp_path, extra_vars={"lifecycle_plans": str(tmp_path / "plans")})
    with company.database.write() as c:
        c.execute(sa.update(cases).where(cases.c.id == HELD).values(outcome="approval"))
    client, digest = company.browser("cab"), a_plan(tmp_path / "plans")
    first = client.get(f"/act/approve?case={HELD}")
    assert first.status_code == 200 and "Read the plan" in first.text and 'name="why"' not in first.text
    shown = client.get(f"/act/approve?case={HELD}&plan={digest[:12]}").text
    assert "device C02JANE001" in shown and "cannot be undone" in shown and "Jane &lt;b&gt;Ortiz&lt;/b&gt;" in shown
    assert f'name="plan" value="{digest}"' in shown, "approved is what was read, by all of its digest"
    forged = a_plan(tmp_path / "plans", needs=[])
    changed = client.get(f"/act/approve?case={HELD}&plan={forged[:12]}").text
    assert "device C02JANE001" not in changed and "cannot show the plan" in changed
    assert company.browser("audit").get(f"/act/approve?case={HELD}&plan={digest[:12]}").status_code == 403


def test_a_plan_is_approved_by_an_approver_who_looked_again(company: Company) -> None:
    with company.database.write() as c:
        c.execute(sa.update(cases).where(cases.c.id == HELD).values(outcome="approval"))
    client = company.browser("cab")
    assert "Approve the plan" in client.get(f"/cases/{HELD}").text
    form = {"case": HELD, "plan": "0123abcd", "why": "read it"}
    assert does(client, "approve", **form).status_code == 422 and not company.acts.asked
    assert does(client, "approve", **form, sure="yes").status_code == 303
    assert company.acts.asked == [("approve", "0123abcd", "grace@corp.example", "read it")]
    for group in ("ops", "audit"):
        assert does(company.browser(group), "approve", **form, sure="yes").status_code == 403
    assert len(company.acts.asked) == 1


def test_nobody_ticks_off_their_own(company: Company) -> None:
    with company.database.write() as c:
        c.execute(
            sa.update(cases).where(cases.c.id == STUCK).values(marks=json.dumps(sorted(marks_of("grace@corp.example"))))
        )
    acts = CaseActs(company.database, company.config)
    with pytest.raises(Exception, match="nobody acts on a case of their own"):
        acts.attest(STUCK, "intune", "grace@corp.example", "handed in")


def test_trends_count_what_ended_week_by_week(company: Company) -> None:
    rows = company.browser("ops").get("/trends").text.partition("<tbody>")[2]
    first = text_of(rows.partition("</tr>")[0]).split()
    assert first[0] == "2026-03-23" and first[1:] == ["5", "5", "1", "4", "0", "0", "0.1"], first

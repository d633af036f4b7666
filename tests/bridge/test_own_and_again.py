# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every act of the console and of the API: refused to the person it is about, and asked for twice where it cannot all be undone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock
from lifecycle_bridge.api import api_routes
from lifecycle_bridge.api.description import OPERATIONS
from lifecycle_bridge.console.acts import ACTS
from lifecycle_bridge.console.sessions import OIDC, Sessions
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.cancelling import marks_of
from lifecycle_bridge.store.tables import alerts, cases, metadata, signed_out
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.bridge.console_support import HELD, MOVER, NOW, STUCK, WHERE, hours, made, week
from tests.bridge.test_console_people import NAMES, a_plan

JANE, GRACE = "jane@corp.example", "grace@corp.example"
UPCOMING, JOINER, WAITS = (
    f"{kind}-7f0c" for kind in ("offboard-bamboohr-4420", "onboard-bamboohr-5302", week()[2]["id"][:-5])
)
CHESS = f"d{0:016x}"
ALERT = "bamboohr:4711:0a1b"
#: The console's other forms: they change nothing of anybody.
NO_ACTS = {"/sign-in", "/sign-out", "/people/{source}/{person:path}/look"}


@dataclass(frozen=True)
class Tried:
    """An act, ready to be done: ``given`` is the form, or the body; ``again``: it cannot all be undone."""

    given: Mapping[str, Any]
    again: bool
    path: str = ""


CONSOLE: Mapping[str, Tried] = {
    "decide": Tried({"case": MOVER, "name": CHESS, CHESS: "remove", "why": "asked her"}, again=True),
    "retry": Tried({"case": STUCK}, again=False),
    "run_now": Tried({"case": UPCOMING}, again=True),
    "cancel": Tried({"case": UPCOMING, "why": "a mistake"}, again=True),
    "release": Tried({"case": HELD, "why": "the site was sold"}, again=True),
    "attest": Tried({"case": STUCK, "system": "intune", "why": "handed in"}, again=False),
    "approve": Tried({"case": WAITS, "plan": "", "why": "read it"}, again=True),
    "settle": Tried({"key": ALERT}, again=False),
}
API: Mapping[str, Tried] = {
    "attest": Tried({"system": "intune", "note": "x", "decision": "remove"}, again=True, path=f"/cases/{STUCK}/attest"),
    "retry": Tried({}, again=False, path=f"/cases/{STUCK}/retry"),
    "runNow": Tried({}, again=True, path=f"/cases/{UPCOMING}/run-now"),
    "cancel": Tried({"why": "a mistake"}, again=True, path=f"/cases/{UPCOMING}/cancel"),
    "release": Tried({"cases": [HELD], "why": "sold"}, again=True, path="/releases"),
    "approve": Tried({"plan": "", "why": "read it"}, again=True, path="/approvals"),
}


class Company:
    """A console and an API over real acts. Every case, an alert and a plan are about Jane."""

    def __init__(self, folder: Path) -> None:
        groups = {"operators": ["ops"], "approvers": ["cab"]}
        oidc = {"issuer": "https://id.example", "client_id": "x", "client_secret": {"env": "OIDC_SECRET"}, **groups}
        tokens = [
            {"name": name, "by": by, "secret": {"env": f"TOKEN_{name.upper()}"}, "scopes": ["act", "attest", "approve", "release"]}
            for name, by in (("jane", JANE), ("alias", "Jane+ok@corp.example"), ("grace", GRACE))
        ]  # fmt: skip
        told = {
            "console": {"oidc": oidc},
            "api": {"tokens": tokens},
            "extra_vars": {"lifecycle_plans": str(folder / "plans")},
        }
        settings: list[Any] = []

        def acts_of(database: Any, config: Any) -> CaseActs:
            settings.append(config)
            return CaseActs(database, config)

        self.app, self.database, acts = made(folder, names=NAMES, where=WHERE, acts_of=acts_of, **told)
        self.app.router.routes.extend(api_routes(self.database, settings[0], acts))
        self.digest = a_plan(folder / "plans")
        marks = json.dumps(sorted(marks_of(JANE)))
        user = cases.c.extra_vars == "{}"
        with self.database.write() as c:
            c.execute(sa.update(cases).where(user).values(extra_vars=json.dumps({"user": "hr_id:4711"})))
            c.execute(sa.update(cases).values(marks=marks))
            c.execute(sa.update(cases).where(cases.c.id == HELD).values(outcome="brake:leavers"))
            c.execute(sa.update(cases).where(cases.c.id == WAITS).values(outcome="approval"))
            c.execute(sa.insert(alerts).values(key=ALERT, at=hours(-1), detail="the record is gone", told_at=""))

    def does(self, act: str, by: str, **more: str) -> Any:
        """Do it in the console; its answer."""
        client = TestClient(self.app, base_url="http://127.0.0.1:8650", follow_redirects=False)
        cookie = Sessions(self.database, {OIDC: lambda: "secret"}, 10).open(by, OIDC, ("ops", "cab"))[1]
        client.cookies.set("lifecycle", cookie)
        (token,) = set(re.findall(r'name="token" value="(\w+)"', client.get("/").text))
        return client.post(f"/act/{act}", data={"token": token, **self._given(CONSOLE[act]), **more})

    def asks(self, operation: str, token: str, **query: str) -> Any:
        """Ask it of the API; its answer."""
        one = API[operation]
        client = TestClient(self.app, headers={"Authorization": f"Bearer {token}-0123456789abcdef"})
        return client.post(f"/api/v1{one.path}", params=query, json=self._given(one) or None)

    def _given(self, one: Tried) -> dict[str, Any]:
        return {**one.given, **({"plan": self.digest} if "plan" in one.given else {})}

    def stands(self) -> list[Any]:
        """Everything that the database holds, but sessions that have ended."""
        with self.database.read() as c:
            tables = [table for table in metadata.sorted_tables if table is not signed_out]
            return [tuple(row) for table in tables for row in c.execute(sa.select(table))]


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    for name in ("JANE", "ALIAS", "GRACE"):
        monkeypatch.setenv(f"TOKEN_{name}", f"{name.lower()}-0123456789abcdef")
    return Company(tmp_path)


def test_no_act_is_left_out(company: Company) -> None:
    assert set(CONSOLE) == set(ACTS)
    assert set(API) == {one.name for one in OPERATIONS if one.method == "POST"}
    forms = {route.path for route in company.app.routes if isinstance(route, Route) and "POST" in (route.methods or ())}
    assert {path for path in forms if not path.startswith("/api/")} == NO_ACTS | {"/act/decide", "/act/{act}"}


@pytest.mark.parametrize("by", [JANE, "Jane+ok@corp.example"])
@pytest.mark.parametrize("act", CONSOLE)
def test_the_console_refuses_each_act_to_the_person_it_is_about(company: Company, act: str, by: str) -> None:
    before = company.stands()
    refused = company.does(act, by, sure="yes")
    assert refused.status_code == 409 and by in refused.text, refused.text
    assert company.stands() == before
    assert company.does(act, GRACE, sure="yes").status_code == 303 and company.stands() != before, "another person may"


def test_a_plan_that_is_kept_elsewhere_is_not_approved_for_a_case_of_one_s_own(company: Company) -> None:
    before = company.stands()
    assert company.does("approve", JANE, sure="yes", plan="0123abcd").status_code == 409 and company.stands() == before
    assert company.does("approve", GRACE, sure="yes", plan="0123abcd").status_code == 303


@pytest.mark.parametrize("token", ["jane", "alias"])
@pytest.mark.parametrize("operation", API)
def test_the_api_refuses_each_act_to_the_person_it_is_about(company: Company, operation: str, token: str) -> None:
    before = company.stands()
    refused = company.asks(operation, token, **({"sure": "true"} if API[operation].again else {}))
    assert refused.status_code == 409 and "@corp.example" in refused.json()["detail"], refused.text
    assert company.stands() == before
    answer = company.asks(operation, "grace", **({"sure": "true"} if API[operation].again else {}))
    assert answer.status_code == 202 and company.stands() != before, "another person may"


@pytest.mark.parametrize("act", CONSOLE)
def test_the_console_asks_a_second_time_for_what_cannot_all_be_undone(company: Company, act: str) -> None:
    before = company.stands()
    answer = company.does(act, GRACE)
    if not CONSOLE[act].again:
        assert answer.status_code == 303
        return
    assert answer.status_code == 422 and "tick that you have" in answer.text and 'name="sure"' in answer.text
    assert company.stands() == before
    assert company.does(act, GRACE, sure="yes").status_code == 303


@pytest.mark.parametrize("operation", API)
def test_the_api_asks_a_second_time_for_what_cannot_all_be_undone(company: Company, operation: str) -> None:
    before = company.stands()
    answer = company.asks(operation, "grace")
    if not API[operation].again:
        assert answer.status_code == 202
        return
    assert answer.status_code == 409 and "sure=true" in answer.json()["detail"] and company.stands() == before
    assert company.asks(operation, "grace", sure="yes").status_code == 422
    assert company.asks(operation, "grace", sure="true").status_code == 202


def test_what_gives_access_or_keeps_it_is_asked_once(company: Company) -> None:
    """Somebody who starts is made ready a little earlier, and what is kept stays."""
    assert company.does("run_now", GRACE, case=JOINER).status_code == 303
    assert company.does("decide", GRACE, **{CHESS: "keep"}).status_code == 303

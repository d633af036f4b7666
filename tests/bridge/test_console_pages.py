# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the pages show, and what they let whom do."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.console import labels
from lifecycle_bridge.console.acts import ACTS
from lifecycle_bridge.console.sessions import OIDC, Sessions
from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.tables import CASE_STATES, alerts, cases, timeline
from lifecycle_bridge.store.views import Filter, Views
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.bridge.console_support import (
    ELSEWHERE,
    NO_PAGES,
    NOW,
    PAGES,
    TOKEN,
    FakeActs,
    case,
    hours,
    made,
    week,
)

HERE = "http://127.0.0.1:8650"
STUCK, HELD, HELD_TOO, RUNNING = (row["id"] for row in week()[:4])
UPCOMING = "offboard-bamboohr-4420-7f0c"


class Company:
    """The console with a seeded week, and who looks at it."""

    def __init__(self, folder: Path, record: str = "", viewers: tuple[str, ...] = ("look",), **config: Any) -> None:
        token = folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        oidc = {
            "issuer": "https://id.example",
            "client_id": "x",
            "client_secret": {"env": "OIDC_SECRET"},
            "operators": ["ops"],
            "viewers": list(viewers),
        }
        self.config = Config.model_validate({"console": {"token_file": token, "oidc": oidc}, **config})
        self.app, self.database, self.acts = made(
            folder, record=record, console={"token_file": token, "oidc": oidc}, **config
        )

    def browser(self, *groups: str, name: str = "grace@corp.example") -> TestClient:
        """Signed in by the provider, in these groups."""
        client = TestClient(self.app, base_url=HERE, follow_redirects=False)
        _, cookie = Sessions(self.database, {OIDC: lambda: "secret"}, 10).open(name, OIDC, groups)
        client.cookies.set("lifecycle", cookie)
        return client


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    return Company(tmp_path)


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found
    return found[1]


def does(client: TestClient, act: str, **form: Any) -> Any:
    return client.post(f"/act/{act}", data={"token": token_of(client.get("/").text), **form})


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


# -- every page


def test_no_page_and_no_act_is_left_out_of_the_visit_in_the_browser(company: Company) -> None:
    visited = [urlsplit(path).path for path in (*PAGES.values(), *ELSEWHERE)]
    missing = []
    for route in company.app.routes:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()) or route.path in NO_PAGES:
            continue
        if not any(route.path_regex.fullmatch(path) for path in visited):
            missing.append(route.path)
    assert missing == [], "put each into PAGES of console_support.py, so that the browser looks at it at three widths"
    acts = {path.rpartition("/")[2] for path in visited if path.startswith("/act/")}
    assert acts == set(ACTS)


# -- looking


def test_the_overview_says_what_needs_whom(company: Company) -> None:
    page = text_of(company.browser("look").get("/").text)
    for words_ in (
        "3 cases need you",
        "2 running. Next: leaver 4420, in 2 h.",
        "Leaver 4711 bamboohr a person has to act on github",
        "Leaver 3310 hibob urgent running",
        "hibob: polls found 3 people changed",
        "Leaving next Leaver 4420",
        "Joining next Joiner 5301 bamboohr, prepare",
        "30 min late",
    ):
        assert words_ in page, words_


def test_an_empty_bridge_is_well(tmp_path: Path, company: Company) -> None:
    with company.database.write() as c:
        for table in (cases, alerts):
            c.execute(sa.delete(table))
    page = text_of(company.browser("look").get("/").text)
    assert "All is well" in page and "Nobody leaves soon." in page
    for path in ("/cases", "/runs", "/sources", "/cases?state=stuck&kind=offboard&source=bamboohr&text=x&page=9"):
        assert company.browser("look").get(path).status_code == 200


def test_nothing_is_said_to_be_well_while_a_case_waits_for_a_person(company: Company) -> None:
    with company.database.write() as c:
        c.execute(sa.delete(alerts))
        c.execute(sa.delete(cases).where(cases.c.state != "todo"))
        waiting = c.execute(sa.select(sa.func.count()).select_from(cases)).scalar()
    assert waiting
    page = text_of(company.browser("look").get("/").text)
    assert "for a person" in page and "All is well" not in page


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("state=held", {"4802", "4803"}),
        ("state=stuck", {"4711"}),
        ("state=late", {"2207", "5120"}),
        ("state=working", {"3310", "5120"}),
        ("state=upcoming&kind=offboard", {"4420", "1188"}),
        ("source=hibob", {"3310", "1188"}),
        ("text=530", {"5301", "5302"}),
        ("text=%25", set()),
        ("state=done&kind=onboard", {"5002"}),
    ],
)
def test_filters(company: Company, query: str, wanted: set[str]) -> None:
    page = company.browser("look").get(f"/cases?{query}").text
    assert set(re.findall(r'<a href="/cases/[^"]+">\w[\w ]* <b>(\d+)</b>', page)) == wanted


def test_long_lists_come_in_pages(company: Company) -> None:
    with company.database.write() as c:
        c.execute(sa.insert(cases), [case("offboard", f"9{n:03}", "upcoming", 200 + n) for n in range(120)])
    client = company.browser("look")
    seen: list[str] = []
    for page in (1, 2, 3):
        seen += re.findall(r"<b>(9\d+)</b>", client.get(f"/cases?state=upcoming&text=-9&page={page}").text)
    assert seen == [f"9{n:03}" for n in range(120)]
    assert (
        'rel="next" href="/cases?state=upcoming&amp;text=-9&amp;page=3"'
        in client.get("/cases?state=upcoming&text=-9&page=2").text
    )
    for odd in ("0", "-1", "x", "99999999999", "٣"):
        assert client.get(f"/cases?page={odd}").status_code == 200


def test_a_case_tells_its_story_in_order(company: Company) -> None:
    page = text_of(company.browser("look").get(f"/cases/{STUCK}").text)
    told = page.split("Time line")[1]
    story = [
        "HR employment ends",
        "made last day 2026-03-24",
        "moved from 2026-03-31",
        "4 steps",
        "Block sign-in on entra",
        "tries again 1 step open",
        "stuck a person has to act",
        "notice sent by mail and slack",
    ]
    assert sorted(told.index(part) for part in story) == [told.index(part) for part in story]
    assert "Tue 24 Mar, 12:20 Berlin time" in page, "in the person's own zone"
    assert (
        "github cutoff failed" in page
        and "4711-offboard-2026" in page
        and "timed out" in page
        and "with 2 others" in page
    )


def test_a_case_shows_both_verdicts_access_closed_and_case_complete(company: Company) -> None:
    browser = company.browser("look")
    assert "Access closed" not in browser.get(f"/cases/{STUCK}").text, "no run has said so"
    said = {"access": "closed", "complete": False, "hardware_out": 1, "open_steps": "[]", "state": "done"}
    with company.database.write() as c:
        c.execute(sa.update(cases).where(cases.c.id == STUCK).values(**said))
    page = browser.get(f"/cases/{STUCK}").text
    assert "Access closed" in page and "Case not complete" in page and "1 company device is not back" in page
    assert "1 device not back" in browser.get("/cases").text
    with company.database.write() as c:
        c.execute(sa.update(cases).where(cases.c.id == STUCK).values(complete=True, hardware_out=0))
    page = browser.get(f"/cases/{STUCK}").text
    assert "Case complete" in page and "not back" not in page


def test_ids_of_hr_may_be_anything(company: Company) -> None:
    odd = "offboard-bamboohr-a/b?c#d <script>50%-7f0c"
    with company.database.write() as c:
        c.execute(sa.insert(cases), [case("offboard", 'x"><script>alert(1)</script>', "stuck", -1) | {"id": odd}])
    client = company.browser("ops")
    listed = client.get("/cases?text=script").text
    assert "<script>alert" not in listed and quote(odd, safe="") in listed
    assert "<script>alert" not in client.get("/").text
    page = client.get(f"/cases/{quote(odd, safe='')}")
    assert page.status_code == 200 and "<script>alert" not in page.text
    assert does(client, "retry", case=odd).headers["location"] == f"/cases/{quote(odd, safe='')}?said=retry"
    assert company.acts.asked[0][:2] == ("retry", odd)


def test_what_is_not_there(company: Company) -> None:
    client = company.browser("ops")
    for path in (
        "/cases/none",
        "/records/none",
        "/cases?state=none",
        "/act/none",
        "/act/retry?case=none",
        "/act/settle?key=none",
        "/static/../frame.py",
        "/static/base.html",
        f"/records/{STUCK}",
    ):
        assert client.get(path).status_code in (400, 404), path


def test_sources_say_how_they_stand(company: Company) -> None:
    page = text_of(company.browser("look").get("/sources").text)
    for words_ in (
        "hibob trouble poll hibob: it answered 403",
        "bamboohr well",
        "agencies nothing received yet",
        "payroll no longer configured",
        "2 (1 not yet looked at)",
        "by grace@corp.example",
    ):
        assert words_ in page, words_
    assert "Settle" not in page, "a viewer settles nothing"


def test_a_silent_source_is_seen(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=27))
    assert "bamboohr silent" in text_of(company.browser("look").get("/sources").text)


# -- the record


@pytest.mark.parametrize(("groups", "code"), [(["ops"], 200), (["look"], 200), ([], 403)])
def test_a_record_is_for_those_who_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: list[str], code: int
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    record = tmp_path / "records" / "4711.html"
    record.parent.mkdir()
    record.write_text("<style>p{color:red}</style><p>Jane Doe")
    company = Company(tmp_path, str(record), extra_vars={"lifecycle_records": str(record.parent)})
    answer = company.browser(*groups).get(f"/records/{STUCK}")
    assert answer.status_code == code
    assert ("Jane Doe" in answer.text) == (code == 200)
    if code == 200:
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert "Jane Doe" not in company.browser(*groups).get(f"/cases/{STUCK}").text


@pytest.mark.parametrize(
    "where", ["../outside.html", "link.html", "4711.json", "folder.html", "none.html", "/etc/passwd"]
)
def test_only_records_are_shown_as_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    folder = tmp_path / "records"
    (folder / "folder.html").mkdir(parents=True)
    (tmp_path / "outside.html").write_text("outside")
    (folder / "4711.json").write_text("{}")
    (folder / "link.html").symlink_to(tmp_path / "outside.html")
    company = Company(tmp_path, str(folder / where), extra_vars={"lifecycle_records": str(folder)})
    client = company.browser("ops")
    assert client.get(f"/records/{STUCK}").status_code == 404
    assert "cannot be read here" in client.get(f"/cases/{STUCK}").text


# -- acting


def test_each_act_is_asked_first_and_then_done_by_name(company: Company) -> None:
    client = company.browser("ops")
    for act, one, form in (
        ("retry", STUCK, {}),
        ("run_now", UPCOMING, {"sure": "yes"}),
        ("cancel", RUNNING, {"why": "  HR-1234,\n by mistake ", "sure": "yes"}),
    ):
        asked = client.get(f"/act/{act}?case={one}")
        assert asked.status_code == 200 and ACTS[act].question in text_of(asked.text)
        assert not [each for each in company.acts.asked if each[0] == act], "asking does nothing"
        done = does(client, act, case=one, **form)
        assert done.status_code == 303
        assert ACTS[act].done in text_of(client.get(done.headers["location"]).text)
    assert [each[:3] for each in company.acts.asked] == [
        ("retry", STUCK, "grace@corp.example"),
        ("run_now", UPCOMING, "grace@corp.example"),
        ("cancel", RUNNING, "grace@corp.example"),
    ]
    assert company.acts.asked[2][3] == "HR-1234, by mistake"
    assert "grace@corp.example" in client.get(f"/cases/{RUNNING}").text, "the time line says who"
    with company.database.read() as c:
        assert c.execute(sa.select(timeline.c.by).where(timeline.c.case_id == RUNNING)).scalars().all() == [
            "grace@corp.example"
        ]


def test_the_brake_is_released_for_whom_was_shown_and_nobody_else(company: Company) -> None:
    client = company.browser("ops")
    asked = client.get("/act/release?all=1&state=held").text
    named = re.findall(r'name="case" value="([^"]+)"', asked)
    assert named == [HELD, HELD_TOO] and "for 2 cases" in text_of(asked)
    with company.database.write() as c:  # meanwhile the brake stops a third
        c.execute(sa.insert(cases), [case("offboard", "4999", "held", -1)])
    unsure = does(client, "release", case=named, why="HR-1234")
    assert unsure.status_code == 422 and "Look at it again" in unsure.text and not company.acts.asked
    assert does(client, "release", case=named, why="HR-1234", sure="yes").headers["location"] == "/cases?state=open"
    assert [each[1] for each in company.acts.asked] == named
    assert does(client, "release", case=[HELD], why="again", sure="yes").status_code == 409, "it is not held any more"
    assert does(client, "release", why="nobody", sure="yes").status_code == 400


def test_an_alert_is_settled(company: Company) -> None:
    client = company.browser("ops")
    assert "polls found 3 people" in client.get("/act/settle?key=webhook%3Ahibob").text
    assert does(client, "settle", key="webhook:hibob").status_code == 303
    assert company.acts.asked == [("settle", "webhook:hibob", "grace@corp.example")]


def test_without_a_reason_nothing_is_ended(company: Company) -> None:
    client = company.browser("ops")
    answer = does(client, "cancel", case=RUNNING, why=" \n ")
    assert answer.status_code == 422 and "Give a reason" in answer.text and not company.acts.asked


@pytest.mark.parametrize("act", ACTS)
def test_who_may_only_look_does_nothing(company: Company, act: str) -> None:
    client = company.browser("look")
    assert client.get(f"/act/{act}?case={STUCK}&key=webhook:hibob").status_code == 403
    assert does(client, act, case=STUCK, key="webhook:hibob", why="x").status_code == 403
    assert not company.acts.asked
    assert "/act/" not in client.get(f"/cases/{STUCK}").text


def test_nobody_does_nothing(company: Company) -> None:
    client = TestClient(company.app, base_url=HERE, follow_redirects=False)
    assert client.post("/act/retry", data={"case": STUCK}).status_code == 401
    for path in (
        "/",
        "/cases",
        f"/cases/{STUCK}",
        f"/records/{STUCK}",
        "/runs",
        "/sources",
        f"/act/retry?case={STUCK}",
    ):
        assert client.get(path).headers["location"].startswith("/sign-in")
    assert company.browser("others").get("/").status_code == 403
    assert not company.acts.asked


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({}, {"token": ""}),
        ({}, {"token": "0" * 64}),
        ({"origin": "https://evil.example"}, {}),
        ({"sec-fetch-site": "cross-site"}, {}),
        ({"sec-fetch-site": "same-site"}, {}),
        ({"origin": "null"}, {}),
    ],
)
def test_forged_forms_do_nothing(company: Company, headers: dict[str, str], form: dict[str, str]) -> None:
    client = company.browser("ops")
    given = {"token": token_of(client.get("/").text), "case": STUCK} | form
    assert client.post("/act/retry", data=given, headers=headers).status_code == 403
    assert not company.acts.asked


def test_a_form_of_another_session_does_nothing(company: Company) -> None:
    other = token_of(company.browser("ops", name="mallory@corp.example").get("/").text)
    assert company.browser("ops").post("/act/retry", data={"token": other, "case": STUCK}).status_code == 403
    assert not company.acts.asked


def test_forms_of_odd_kinds_are_refused(company: Company) -> None:
    client = company.browser("ops")
    assert client.post("/act/retry", json={"case": STUCK}).status_code == 415
    assert client.post("/act/retry", data={"case": "x" * 1_100_000}).status_code == 413
    assert (
        client.post(
            "/act/retry", content=b"\xff=1", headers={"content-type": "application/x-www-form-urlencoded"}
        ).status_code
        == 400
    )
    assert client.get("/sign-out").status_code == 405 and client.put("/act/retry").status_code == 405


def test_what_cannot_be_is_said_in_words(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    client = company.browser("ops")
    assert does(client, "run_now", case=STUCK).status_code == 409
    monkeypatch.setattr(FakeActs, "_set", lambda *_args: (_ for _ in ()).throw(BridgeError("retry: it runs already")))
    answer = does(client, "retry", case=STUCK)
    assert answer.status_code == 409 and "it runs already" in answer.text


def test_only_what_makes_sense_is_offered(company: Company) -> None:
    client = company.browser("ops")
    for state in CASE_STATES:
        with company.database.write() as c:
            c.execute(sa.update(cases).where(cases.c.id == STUCK).values(state=state))
        offered = set(re.findall(r'href="/act/(\w+)\?', client.get(f"/cases/{STUCK}").text))
        assert offered == {
            act.name for act in ACTS.values() if state in act.states and act.name not in ("approve", "decide")
        }


# -- what browsers are told


def test_every_answer_tells_browsers_what_not_to_do(company: Company) -> None:
    client = company.browser("ops")
    for path in (
        "/",
        "/sign-in",
        "/cases",
        f"/cases/{STUCK}",
        "/cases/none",
        "/static/console.css",
        "/static/live.js",
        f"/act/cancel?case={STUCK}",
    ):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert (
            "default-src 'none'" in policy
            and "unsafe" not in policy
            and "script-src 'self'" in policy
            and "frame-ancestors 'none'" in policy
        )
        assert (
            answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "same-origin"
        )
        assert answer.headers["cache-control"] == ("public, max-age=86400" if "static" in path else "no-store")
        assert not re.search(r"<script(?![^>]+src=)|\son\w+=|\sstyle=|<style", answer.text) or path.startswith(
            "/static"
        ), "nothing inline"


def test_words() -> None:
    assert [labels.span(n) for n in (0, 0.4, 1, 89, 90, 5399, 5400, 129599, 129600, 86400 * 9)] == [
        "0 s",
        "under 1 s",
        "1 s",
        "89 s",
        "2 min",
        "90 min",
        "2 h",
        "36 h",
        "2 days",
        "9 days",
    ]
    assert (
        labels.relative(NOW, NOW) == "now"
        and labels.relative(NOW + timedelta(hours=3), NOW) == "in 3 h"
        and labels.relative(NOW - timedelta(days=3), NOW) == "3 days ago"
    )
    assert (
        labels.absolute(NOW, "Nowhere/Atall", NOW) == "Tue 24 Mar, 15:20"
        and labels.zone_word("America/Argentina/Buenos_Aires") == "Buenos Aires time"
        and labels.zone_word("") == "UTC"
    )
    assert labels.absolute(NOW - timedelta(days=365), "Asia/Tokyo", NOW) == "Tue 25 Mar 2025, 00:20"


def test_views_count(tmp_path: Path) -> None:
    database: Database = made(tmp_path)[1]
    views = Views(database)
    counts = views.counts(NOW)
    assert {name: counts[name] for name in ("stuck", "held", "late", "day", "alerts")} == {
        "stuck": 1,
        "held": 2,
        "late": 2,
        "day": 4,
        "alerts": 2,
    }
    assert views.cases(Filter("open"), NOW).total == 12
    stuck = views.case(STUCK)
    assert stuck and stuck.steps[0] == {"system": "github", "step": "cutoff", "outcome": "failed"}
    assert views.counts(NOW + timedelta(hours=2))["late"] == 3
    assert hours(0) == "2026-03-24T15:20:00.000000Z"


def test_where_no_viewer_is_named_nobody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    record = tmp_path / "4711.html"
    record.write_text("<p>Jane Doe")
    client = Company(tmp_path, str(record), viewers=()).browser()
    for page in ("/", f"/cases/{STUCK}", f"/records/{STUCK}", "/runs", "/sources"):
        assert client.get(page).status_code == 403

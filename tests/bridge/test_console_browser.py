# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The console in a real browser: signed in, a case looked at, tried again, cancelled; by mouse and by keyboard, light, dark and on a phone.

``CONSOLE_SHOTS=folder`` keeps a picture of each page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from lifecycle_bridge import clock
from lifecycle_bridge.store.tables import cases

from tests.bridge.console_support import MOVER, NOW, PAGES, STUCK, TOKEN, WHERE, FakeActs, made, served
from tests.bridge.test_console_people import HELD, a_plan
from tests.bridge.test_console_people import Company as Approving
from tests.browser import CONTRAST, needs_chromium

axe = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python (requirements-dev.txt)")
#: axe-core as npm ships it: its rules for WCAG 2 A and AA, and its best practices.
AXE = (Path(axe.__path__[0]) / "axe.min.js").read_text(encoding="utf-8")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (requirements-dev.txt)")
pytestmark = [pytest.mark.debian, needs_chromium]
MARK = {"name": "Mark Ito", "address": "mark@corp.example"}
NAMES = {
    "4711": {
        "name": "Jane Roth",
        "address": "jane@corp.example",
        "department": "Sales",
        "manager": MARK,
        "last_day": "2026-03-24",
    },
    "2208": {"name": "Tom Ito", "department": "Engineering", "manager": MARK},
    "5301": {
        "name": "Ada Löwe-Schimmelpfennig von und zu Altenburg",
        "department": "Engineering",
        "manager": MARK,
        "hire_date": "2026-03-30",
    },
}

#: What somebody who cannot see would miss: fields, links, buttons, pictures and frames without a name; headings that skip; ids that are there twice.
NAMELESS = """() => {
  const all = (what) => [...document.querySelectorAll(what)];
  const named = (el) => (el.getAttribute("aria-label") || el.textContent || el.title || "").trim() || (el.labels && el.labels.length);
  const found = all("a[href], button, input:not([type=hidden]), select, iframe").filter(el => !named(el));
  const pictures = all("img:not([alt]), svg:not([aria-hidden] svg)");
  const ids = all("[id]").map(el => el.id), twice = ids.filter((id, n) => ids.indexOf(id) !== n);
  let last = 0;
  const skips = all("h1, h2, h3, h4").filter(h => { const level = Number(h.tagName[1]), bad = level > last + 1; last = level; return bad; });
  const page = [...(all("h1").length === 1 ? [] : ["not one h1"]), ...(document.documentElement.lang ? [] : ["no lang"])];
  return [...[...found, ...pictures, ...skips].map(el => el.outerHTML.slice(0, 120)), ...twice, ...page];
}"""


class Console:
    def __init__(self, url: str, acts: FakeActs) -> None:
        self.url, self.acts = url, acts


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    token, record = tmp_path / "token", tmp_path / "4711.html"
    token.write_text(TOKEN)
    token.chmod(0o600)
    record.write_text(
        "<!doctype html><html lang=en><title>Record</title><style>p{color:rgb(1, 2, 3)}</style><p>Everything of 4711"
        "<script>document.body.textContent='scripted'</script>"
    )
    app, _database, acts = made(tmp_path, console={"token_file": token}, record=str(record), names=NAMES, where=WHERE)
    with served(app) as url:
        yield Console(url, acts)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield watched(context.new_page())
    context.close()


def watched(page: Any) -> Any:
    """A page on which the browser may complain of nothing: no blocked style or script, no error."""
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda failure: page.complaints.append(str(failure)))
    page.set_default_timeout(15_000)
    return page


def sign_in(page: Any, console: Console) -> None:
    page.goto(console.url)
    page.get_by_label("Local token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="3 cases need you").wait_for()


def test_from_sign_in_to_a_case_tried_again_and_one_cancelled(page: Any, console: Console) -> None:
    page.goto(f"{console.url}/cases?state=stuck")
    page.get_by_label("Local token").fill("not the token")
    page.get_by_role("button", name="Sign in").click()
    playwright.expect(page.get_by_role("alert")).to_have_text("That is not the token.")
    page.complaints.clear()  # the browser notes the 401
    page.get_by_label("Local token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    playwright.expect(page).to_have_url(re.compile(r"/cases\?state=stuck$"))

    page.get_by_role("link", name="Leaver Jane Roth (4711)").click()
    playwright.expect(page.get_by_role("heading", level=1)).to_have_text("Leaver Jane Roth (4711)")
    page.get_by_text("4 steps").click()
    playwright.expect(page.get_by_text("Block sign-in on entra")).to_be_visible()
    inside = page.frame_locator("iframe")
    page.locator("iframe").scroll_into_view_if_needed()
    playwright.expect(inside.get_by_text("Everything of 4711")).to_have_css("color", "rgb(1, 2, 3)")

    page.get_by_role("link", name="Try again").click()
    assert not console.acts.asked
    page.get_by_role("button", name="Try again").click()
    playwright.expect(page.get_by_role("status")).to_have_text(
        "It will be tried again as soon as there is room for it."
    )
    playwright.expect(page.locator(".story")).to_contain_text("tried again by hand local token")
    assert console.acts.asked == [("retry", STUCK, "local token", "tried again by hand")]

    page.goto(f"{console.url}/cases?text=3310")
    page.get_by_role("link", name="Leaver 3310").click()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel").click()  # without a reason the browser does not even send it
    assert len(console.acts.asked) == 1
    page.get_by_label("Why").fill("HR-1234: not this one")
    page.get_by_role("button", name="Cancel").click()  # nor without a second look
    assert len(console.acts.asked) == 1
    page.get_by_label("I have looked at it once more").check()
    page.get_by_role("button", name="Cancel").click()
    playwright.expect(page.locator(".title .pill").first).to_have_text("cancelled")
    assert console.acts.asked[1] == ("cancel", "offboard-hibob-3310-7f0c", "local token", "HR-1234: not this one")

    page.get_by_role("button", name="Sign out").click()
    playwright.expect(page).to_have_url(re.compile("/sign-in$"))
    page.goto(console.url)
    playwright.expect(page).to_have_url(re.compile("/sign-in$"))
    blocked = [words for words in page.complaints if "/records/" in words and "sandboxed" in words]
    assert blocked and page.complaints == blocked, "the record's script, as it must be, and nothing else"


def test_the_brake_is_released_for_the_chosen(page: Any, console: Console) -> None:
    sign_in(page, console)
    page.get_by_role("link", name="2 held").click()
    page.get_by_label("Choose offboard-bamboohr-4803-7f0c").check()
    page.get_by_role("button", name="Release the chosen").click()
    page.get_by_label("Why").fill("HR-1234")
    page.get_by_label("I have looked at it once more").check()
    page.get_by_role("button", name="Release the brake").click()
    playwright.expect(page.locator(".title .pill").first).to_have_text("tries again")
    assert [asked[:2] for asked in console.acts.asked] == [
        ("release", "offboard-bamboohr-4803-7f0c")
    ] and page.complaints == []


def test_from_a_name_to_what_they_lack_ticked_off(page: Any, console: Console) -> None:
    sign_in(page, console)
    page.get_by_role("link", name="People").click()
    page.get_by_label("Name, address, department or id").fill("roth sales")
    page.keyboard.press("Enter")
    found = page.get_by_role("region", name="Found")
    playwright.expect(found).to_contain_text("Missing: github, intune")
    found.get_by_role("link", name="Leaver Jane Roth").click()
    playwright.expect(page.get_by_role("heading", level=1)).to_have_text("Jane Roth")
    playwright.expect(page.get_by_text("Mark Ito")).to_be_visible()
    page.get_by_role("link", name="Tick off intune").click()
    page.get_by_label("What was done, and where it can be seen").fill("handed in, shelf 4")
    page.get_by_role("button", name="Tick off").click()
    playwright.expect(page.get_by_role("status")).to_contain_text("It is noted")
    assert console.acts.asked == [("attest", STUCK, "local token", "intune: handed in, shelf 4")]
    assert [words for words in page.complaints if "/records/" not in words] == [], (
        "the record's script is blocked, as it must be"
    )


def test_a_mover_is_decided_line_by_line_from_their_page(page: Any, console: Console) -> None:
    sign_in(page, console)
    page.goto(console.url + "/people/bamboohr/2208")
    page.get_by_role("link", name="Keep or remove on wiki").click()
    page.get_by_role("group", name="groups: Chess").get_by_label("keep").check()
    page.get_by_role("group", name="groups: Release Managers").get_by_label("remove").check()
    page.get_by_label("What I have not chosen above").select_option("is kept")
    page.get_by_label("Why").fill("asked her")
    page.get_by_role("button", name="Decide").click()
    playwright.expect(page.get_by_text("tick that you have")).to_be_visible()
    assert not console.acts.asked
    playwright.expect(page.get_by_role("group", name="groups: Chess").get_by_label("keep")).to_be_checked()
    page.get_by_label("Why").fill("asked her")
    page.get_by_label("I have looked at what is removed once more").check()
    page.get_by_role("button", name="Decide").click()
    playwright.expect(page.get_by_role("status")).to_contain_text("It is noted")
    (asked,) = console.acts.asked
    assert asked[:2] == ("decide", MOVER) and sorted(asked[-1].values()) == ["keep", "keep", "remove"]


def test_a_case_is_run_before_its_minute_and_an_alert_settled(page: Any, console: Console) -> None:
    sign_in(page, console)
    page.goto(f"{console.url}/cases?text=5302")
    page.get_by_role("link", name="Joiner 5302").click()
    page.get_by_role("link", name="Run now").click()
    page.get_by_role("button", name="Run now").click()
    playwright.expect(page.get_by_role("status")).to_contain_text("It runs as soon as")
    page.get_by_role("link", name="Sources").click()
    page.get_by_role("link", name="Settle: bamboohr 3871").click()
    page.get_by_role("button", name="Settle").click()
    playwright.expect(page.get_by_role("status")).to_contain_text("It is settled.")
    assert [one[0] for one in console.acts.asked] == ["run_now", "settle"] and page.complaints == []


def test_it_is_usable_by_keyboard_alone(page: Any, console: Console) -> None:
    page.goto(console.url)
    playwright.expect(page.get_by_label("Local token")).to_be_focused()
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="3 cases need you").wait_for()
    page.keyboard.press("Tab")
    playwright.expect(page.get_by_role("link", name="To the content")).to_be_focused()
    playwright.expect(page.get_by_role("link", name="To the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    for _ in range(8):  # seven tiles, then the first case
        page.keyboard.press("Tab")
    playwright.expect(page.get_by_role("link", name="Leaver Jane Roth (4711)")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "one sees where one is"
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("heading", level=1)).to_have_text("Leaver Jane Roth (4711)")


def test_it_stays_fresh_by_itself_and_can_be_paused(page: Any, console: Console) -> None:
    page.clock.install()
    sign_in(page, console)
    playwright.expect(page.get_by_text("Live")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    console.acts.retry(STUCK, "another")
    page.clock.run_for(20_000)
    playwright.expect(page.get_by_role("heading", name="3 cases need you")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    page.clock.run_for(6_000)
    playwright.expect(page.get_by_role("heading", name="2 cases need you")).to_be_visible()
    assert page.complaints == []


def test_without_scripts_everything_works(browser: Any, console: Console) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, console)
    page.get_by_role("link", name="Leaver Jane Roth (4711)").click()
    page.get_by_role("link", name="Try again").click()
    page.get_by_role("button", name="Try again").click()
    playwright.expect(page.get_by_role("status")).to_be_visible()
    context.close()


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        pytest.param("dark", 390, id="dark-phone"),
        pytest.param("light", 1280, id="light-screen"),
        pytest.param("light", 390, id="light-phone", marks=pytest.mark.soak),
        pytest.param("dark", 1280, id="dark-screen", marks=pytest.mark.soak),
        pytest.param("light", 820, id="light-tablet", marks=pytest.mark.soak),
    ],
)
def test_each_page_is_readable_named_and_fits(browser: Any, console: Console, scheme: str, width: int) -> None:
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 844}, device_scale_factor=2 if width < 600 else 1
    )
    page = watched(context.new_page())
    page.goto(console.url)
    _judge(page, f"{scheme}-{width}-sign-in")
    sign_in(page, console)
    for name, path in PAGES.items():
        page.goto(console.url + path)
        if name == "decide":
            page.get_by_text("groups: Chess").wait_for()
        _judge(page, f"{scheme}-{width}-{name}")
    page.goto(console.url + PAGES["person"])
    page.get_by_role("button", name="Ask every system now").click()
    page.get_by_text("Read from the systems themselves").wait_for()
    _judge(page, f"{scheme}-{width}-person-everywhere")
    assert [words for words in page.complaints if "404" not in words and "script" not in words] == []
    context.close()


@pytest.mark.parametrize(
    "width", [pytest.param(390, id="phone"), pytest.param(1280, id="screen"), pytest.param(820, id="tablet")]
)
def test_a_plan_is_read_and_approved_by_keyboard(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("OIDC_SECRET", "secret")
    company = Approving(tmp_path, extra_vars={"lifecycle_plans": str(tmp_path / "plans")})
    digest = a_plan(tmp_path / "plans")
    cookie = company.browser("cab").cookies["lifecycle"]
    context = browser.new_context(
        color_scheme="dark" if width < 1000 else "light", viewport={"width": width, "height": 844}
    )
    page = watched(context.new_page())
    with company.database.write() as c:
        c.execute(sa.update(cases).where(cases.c.id == HELD).values(outcome="approval"))
    with served(company.app) as url:
        context.add_cookies([{"name": "lifecycle", "value": cookie, "url": url}])
        page.goto(f"{url}/act/approve?case={quote(HELD, safe='')}")
        _judge(page, f"{width}-approve-which")
        page.get_by_label("Digest of the plan").fill(digest[:12])
        page.keyboard.press("Enter")
        page.get_by_text("cannot be undone", exact=True).wait_for()
        _judge(page, f"{width}-approve-plan")
        page.get_by_label("Why").fill("read it")
        page.get_by_label("I have looked at it once more").check()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**said=approve")
    assert company.acts.asked == [("approve", digest, "grace@corp.example", "read it")]
    assert page.complaints == []
    context.close()


def _judge(page: Any, name: str) -> None:
    if folder := os.environ.get("CONSOLE_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    assert page.evaluate(CONTRAST) == [], name
    assert page.evaluate(NAMELESS) == [], name
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations'], iframes: false})")
    said = [
        f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes']]}" for one in found["violations"]
    ]
    assert said == [], name
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (
        f"{name}: it is wider than the screen"
    )

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every route of the console with anything in its path, query and form, by everybody: no fault, no markup given back, no forged act.

The routes are those of the application, and the names of their parameters those that the console's code reads: one that is new is tried too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import lifecycle_bridge.console
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from lifecycle_bridge import clock
from lifecycle_bridge.console.acts import ACTS
from lifecycle_bridge.console.oidc import Provider
from lifecycle_bridge.console.sessions import OIDC, Sessions
from lifecycle_bridge.errors import Unreachable
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.acts import CaseActs
from lifecycle_bridge.store.tables import CASE_STATES, cases, metadata, signed_out
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.bridge.console_support import HELD, MOVER, NOW, STUCK, TOKEN, WHERE, made
from tests.bridge.test_console_people import NAMES, a_plan
from tests.bridge.test_own_and_again import ALERT, CHESS, CONSOLE, UPCOMING
from tests.unit.test_ledger import postgres  # noqa: F401 - a fixture: a server of its own

HERE = "http://127.0.0.1:8650"
#: Who asks: nobody, and what each group may do.
ROLES: Mapping[str, tuple[str, ...]] = {
    "nobody": (),
    "viewer": ("look",),
    "lead": ("sales-leads",),
    "operator": ("ops",),
    "approver": ("cab",),
}
#: What must never come back as it was given: it would end a text, an attribute in either kind of quotes, or be computed.
MARKUP = ("<fz>", '"fz=', "'fz=", "fz49fz")
ODD = (
    *("<fz>", '"fz=', "'fz=", "fz{{7*7}}fz", "</script><fz>", "javascript:fz", "//fz.example", "/\\fz.example", "https://fz.example"),
    *("", " ", "\x00", "\r\nSet-Cookie: fz=1", "\u202e", "\ufffd", "%", "%00", "..", "../../etc/passwd", "-1", "0", "9" * 30, "²", "٣", "é" * 300),
    *("x" * 5_000, "'; DROP TABLE cases; --", "%' OR 1=1 --", "_%", "None", "[]", "all", "1e9"),
)  # fmt: skip
#: What there is, by the parameter that names it.
THERE: Mapping[str, tuple[str, ...]] = {
    "case": (STUCK, HELD, MOVER, UPCOMING),
    "act": tuple(ACTS),
    "source": ("bamboohr", "hibob"),
    "person": ("4711", "2208"),
    "key": (ALERT, "webhook:hibob"),
    "state": CASE_STATES,
    "name": (CHESS, "console.css"),
    "kind": ("offboard", "onboard"),
    "said": ("retry", "look"),
    "next": ("/cases", "/"),
    "page": ("1", "2"),
    "secret": (TOKEN,),
}
#: Beside those that the code names by themselves: read in a loop over their names.
LOOPS = {"state", "kind", "source", "text", "system", "plan"}


def parameters() -> set[str]:
    """The names that the console's code reads of a query or a form."""
    folder = Path(lifecycle_bridge.console.__file__).parent
    found = set(LOOPS)
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'(?:query_params\.get(?:list)?\(|one\(form, |form\.get\(|query\.get\()"(\w+)"', text))
    return found - {"token"}


@dataclass(frozen=True)
class Sent:
    """A request: by whom, which method, what in the path, the query and the form; whether its form's token and its origin are ours."""

    role: str
    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    token: bool
    ours: bool


def values(name: str) -> st.SearchStrategy[str]:
    some = st.sampled_from(ODD) | st.text(max_size=40).filter(lambda text: text.isprintable())
    return st.sampled_from(THERE[name]) | some if name in THERE else some


def sent(route: Route) -> st.SearchStrategy[Sent]:
    names = sorted(parameters())
    given_ = st.lists(st.sampled_from(names), max_size=4, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({name: values(name) for name in chosen})
    )
    acts = st.sampled_from([dict(one.given) for one in CONSOLE.values()]).map(
        lambda form: {name: str(value) for name, value in form.items()}
    )
    form = st.builds(lambda right, odd: {**right, **odd}, st.just({}) | acts, given_ | st.just({"sure": "yes"}))
    own = "POST" if "POST" in (route.methods or ()) else "GET"
    return st.builds(
        Sent,
        st.sampled_from(sorted(ROLES)),
        st.sampled_from([own] * 8 + ["GET", "POST", "HEAD", "PUT"]),
        st.fixed_dictionaries({name: values(name) for name in route.param_convertors}),
        given_,
        form,
        st.sampled_from([True, True, True, False]),
        st.sampled_from([True, True, True, False]),
    )


class Company:
    """The console over real acts, put back after each request that changed something."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        groups = {
            "operators": ["ops"],
            "approvers": ["cab"],
            "viewers": ["look"],
            "departments": {"sales-leads": ["Sales"]},
        }
        oidc = {"issuer": "https://id.example", "client_id": "x", "client_secret": {"env": "OIDC_SECRET"}, **groups}
        plans = folder / "plans"
        a_plan(plans)
        token = folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        told = {"console": {"oidc": oidc, "token_file": token}, "extra_vars": {"lifecycle_plans": str(plans)}}
        self.app, self.database, _ = made(folder, names=NAMES, where=WHERE, acts_of=CaseActs, database=database, **told)
        with self.database.write() as c:
            c.execute(sa.update(cases).where(cases.c.extra_vars == "{}").values(extra_vars='{"user": "hr_id:4711"}'))
            c.execute(sa.update(cases).where(cases.c.id == HELD).values(outcome="brake:leavers"))
        self.first = self.stands()
        self.cookies: dict[str, tuple[str, str]] = {}
        sessions = Sessions(self.database, {OIDC: lambda: "secret"}, 10)
        for role, names in ROLES.items():
            who, cookie = sessions.open(f"{role}@corp.example", OIDC, names)
            self.cookies[role] = (cookie if names else "", sessions.form_token(who))

    @property
    def routes(self) -> list[Route]:
        return [route for route in self.app.routes if isinstance(route, Route)]

    def stands(self) -> dict[str, list[dict[str, Any]]]:
        with self.database.read() as c:
            tables = [table for table in metadata.sorted_tables if table is not signed_out]
            return {
                table.name: sorted((dict(row) for row in c.execute(sa.select(table)).mappings()), key=str)
                for table in tables
            }

    def put_back(self) -> None:
        with self.database.write() as c:
            for table in metadata.sorted_tables:
                c.execute(sa.delete(table))
                if rows := self.first.get(table.name):
                    c.execute(sa.insert(table), rows)

    def sign_in_again(self) -> None:
        """Let a session that was signed out count once more: each request is by somebody who is signed in."""
        with self.database.write() as c:
            c.execute(sa.delete(signed_out))

    def asks(self, route: Route, one: Sent) -> Any:
        cookie, token = self.cookies[one.role]
        client = TestClient(self.app, base_url=HERE, follow_redirects=False)
        if cookie:
            client.cookies.set("lifecycle", cookie)
        path = re.sub(r"{(\w+)(?::path)?}", lambda found: quote(one.path[found[1]], safe=""), route.path)
        form = {**one.form, "token": token if one.token else "0" * 64}
        heads = {
            "Content-Type": "application/x-www-form-urlencoded",
            **({} if one.ours else {"Origin": "https://fz.example"}),
        }
        query = urlencode(one.query)
        body = urlencode(form, doseq=True).encode() if one.method == "POST" else b""
        return client.request(one.method, f"{path}?{query}" if query else path, content=body, headers=heads)


@pytest.fixture(scope="module", autouse=True)
def still() -> Iterator[None]:
    """The clock stands, and the provider does not answer."""

    def no_answer(*_given: Any) -> Any:
        raise Unreachable("sign-in: the provider does not answer")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        patch.setenv("OIDC_SECRET", "secret")
        patch.setattr(Provider, "begin", no_answer)
        yield


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, still: None) -> Company:
    return Company(tmp_path_factory.mktemp("fuzz"))


PATHS = sorted(
    ["/", "/act/decide", "/act/{act}", "/cases", "/cases/{case:path}", "/healthz", "/metrics", "/people", "/readyz", "/runs", "/sources"]
    + ["/people/{source}/{person:path}", "/people/{source}/{person:path}/look", "/records/{case:path}", "/sign-in", "/sign-in/callback"]
    + ["/sign-in/oidc", "/sign-out", "/static/{name}", "/trends"]
)  # fmt: skip


def may(route: Route, one: Sent) -> bool:
    """Whether this request may change anything."""
    act = "decide" if route.path == "/act/decide" else one.path.get("act", "")
    return (
        one.method == "POST" and one.token and one.ours and one.role == ("approver" if act == "approve" else "operator")
    )


def judge(company: Company, route: Route, one: Sent) -> None:
    answer = company.asks(route, one)
    company.sign_in_again()
    stands = company.stands()
    if stands != company.first:
        company.put_back()
        assert may(route, one), f"{one} changed something"
    assert answer.status_code < 500 or route.path == "/sign-in/oidc" and answer.status_code == 503
    assert "Traceback" not in answer.text and "set-cookie: fz" not in str(answer.headers).lower()
    if "html" in answer.headers.get("content-type", ""):
        assert not [mark for mark in MARKUP if mark in answer.text]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    where = answer.headers.get("location", "/")
    if where.removeprefix(HERE) and answer.status_code in range(300, 400):
        assert re.match(r"/(?![/\\])", where.removeprefix(HERE)), where
    if one.role == "nobody" and route.path not in (
        "/sign-in",
        "/sign-in/oidc",
        "/sign-in/callback",
        "/static/{name}",
        "/healthz",
        "/readyz",
    ):
        assert answer.status_code != 200 or route.path == "/metrics", "nobody is shown nothing"
    if (
        one.role == "lead"
        and answer.status_code == 200
        and route.path not in ("/sign-in", "/static/{name}", "/healthz", "/readyz", "/metrics")
    ):
        assert route.path in ("/people", "/people/{source}/{person:path}"), (
            "who looks at a department sees its people alone"
        )


def fuzz(company: Company, path: str, examples: int) -> None:
    def tries(route: Route) -> None:
        @seed(1)
        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(sent(route))
        def tried(one: Sent) -> None:
            judge(company, route, one)

        tried()

    for route in company.routes:
        if route.path == path:
            tries(route)


def test_no_route_and_no_parameter_is_left_out(company: Company) -> None:
    assert sorted({route.path for route in company.routes}) == PATHS
    assert {"case", "key", "why", "sure", "next", "secret", "page", "said", "rest", "name"} <= parameters()


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_done_by_its_role_with_a_form_of_its_own_and_by_nobody_else(company: Company, act: str) -> None:
    """Each right form by everybody, with a token that is and one that is not of the session, from our page and from another's."""
    path = "/act/decide" if act == "decide" else "/act/{act}"
    (route,) = [one for one in company.routes if one.path == path and "POST" in (one.methods or ())]
    form = {**CONSOLE[act].given, "sure": "yes"}
    if act == "approve":
        form |= {"case": HELD, "plan": "0123abcd"}
    if act == "settle":
        form |= {"key": "webhook:hibob"}
    for role in ROLES:
        for token, ours in ((True, True), (False, True), (True, False)):
            one = Sent(role, "POST", {"act": act}, {}, form, token=token, ours=ours)
            company.asks(route, one)
            changed = company.stands() != company.first
            company.put_back()
            assert changed == may(route, one), one


@pytest.mark.parametrize("path", PATHS)
def test_anything_by_anybody_is_no_fault_comes_back_as_text_and_changes_nothing_that_it_may_not(
    company: Company, path: str
) -> None:
    fuzz(company, path, 40 if "POST" in str([r.methods for r in company.routes if r.path == path]) else 15)


@pytest.mark.soak
@pytest.mark.parametrize("path", PATHS)
def test_anything_by_anybody_for_long(company: Company, path: str) -> None:
    fuzz(company, path, 3_000)


@pytest.mark.debian
def test_postgresql_takes_no_offence_either(postgres: str, tmp_path: Path) -> None:
    """It refuses characters that SQLite keeps."""
    database = Database(postgres.replace("postgresql://", "postgresql+psycopg://"))
    there = Company(tmp_path, database)
    for path in PATHS:
        fuzz(there, path, 6)
    client = TestClient(there.app, base_url=HERE, follow_redirects=False)
    client.cookies.set("lifecycle", there.cookies["operator"][0])
    for path in (
        "/cases/%00",
        "/cases?text=%00",
        "/people/hr/%00",
        "/runs?status=%00",
        "/act/settle?key=%00",
        "/act/retry?case=%00",
    ):
        assert client.get(path).status_code == 400, path
    database.close()


def test_what_was_typed_in_comes_back_as_text_from_the_database(company: Company) -> None:
    """A reason is kept in the time line, in the alert and in the case: it is shown there later."""
    words = "".join(MARKUP[:3]) + "fz{{7*7}}fz"
    cancel = company.routes[[route.path for route in company.routes].index("/act/{act}") + 1]
    form = {"case": UPCOMING, "why": words, "sure": "yes"}
    answer = company.asks(cancel, Sent("operator", "POST", {"act": "cancel"}, {}, form, token=True, ours=True))
    assert answer.status_code == 303
    client = TestClient(company.app, base_url=HERE)
    client.cookies.set("lifecycle", company.cookies["operator"][0])
    for path in (f"/cases/{UPCOMING}", "/cases?state=cancelled", "/sources", "/"):
        shown = client.get(path).text
        assert not [mark for mark in MARKUP if mark in shown], path
    assert "fz{{7*7}}fz" in client.get(f"/cases/{UPCOMING}").text
    company.put_back()

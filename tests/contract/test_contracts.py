# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every scenario's exchanges keep the vendors' contracts; and the judge that says so catches what is planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import support, virtual_time
from tests.conformance import test_conformance as conformance
from tests.contract.judge import JUDGED, Judge
from tests.contract.tolerated import UNDESCRIBED

SETS = ("entra", "exchange", "intune", "onedrive", "github", "google_workspace", "okta", "scim", "slack")
Exchanges = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchanges]:
    """What was said while every scenario of the judged systems was done, and done again."""
    said: Exchanges = []
    with pytest.MonkeyPatch.context() as patch:
        virtual_time.install(patch)
        for name in SETS:
            for scenario in conformance.SETS[name].SCENARIOS:
                support.TOKENS._held.clear()
                play = conformance.Play(name, scenario, tmp_path_factory.mktemp("play"))
                play.run()
                play.run()
                said += [
                    (emulator.name, entry) for emulator in play.box.emulators.values() for entry in emulator.journal
                ]
            conformance._BOXES.pop(name).stop()
    yield said


def test_every_scenario_keeps_the_contracts(exchanges: Exchanges) -> None:
    judge = Judge()
    assert [said for system, entry in exchanges for said in judge.violations(system, entry)] == []
    assert {system for system, _ in exchanges} == set(JUDGED)


def test_a_path_without_contract_says_where_it_is_documented() -> None:
    assert all(row.source.startswith("https://") and row.why for row in UNDESCRIBED)


def _request(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda entry: entry.update(body=json.dumps({**json.loads(entry["body"]), **changes}))


def _answer(change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    def plant(entry: dict[str, Any]) -> None:
        body = json.loads(entry["answer"])
        entry["answer"] = json.dumps(change(body) or body)

    return plant


def _without(field: str) -> Callable[[dict[str, Any]], None]:
    return lambda entry: entry.update(
        body=json.dumps({k: v for k, v in json.loads(entry["body"]).items() if k != field})
    )


PLANTED = [
    # system, method, end of the path (expression-free), what is planted, what the judge must say
    ("microsoft", "POST", "/v1.0/users", _request(isEnabled=True), "isEnabled"),
    ("microsoft", "POST", "/v1.0/users", _request(accountEnabled="yes"), "accountEnabled: 'yes' is not of type"),
    ("microsoft", "POST", "/v1.0/users", _without("passwordProfile"), "'passwordProfile' is a required property"),
    ("microsoft", "POST", "/v1.0/users", lambda e: e.update(status=302), "status 302 is not listed"),
    ("microsoft", "POST", "/v1.0/users", _answer(lambda b: b.update(displayName=7)), "displayName: 7 is not of type"),
    ("microsoft", "POST", "/v1.0/users", _answer(lambda b: b.update(invented=1)), "invented"),
    ("microsoft", "POST", "/v1.0/users", lambda e: e.update(path="/v1.0/people"), "no such path"),
    ("microsoft", "POST", "/v1.0/users", lambda e: e.update(method="PUT"), "has no PUT"),
    (
        "microsoft",
        "GET",
        "/authentication/methods",
        _answer(lambda b: b["value"][0].update({"@odata.type": "#microsoft.graph.passKey"})),
        "@odata.type",
    ),
    (
        "microsoft",
        "GET",
        "/managedDevices",
        lambda e: e.update(query="$select=id,nickname"),
        "$select names 'nickname'",
    ),
    ("microsoft", "GET", "/managedDevices", lambda e: e.update(query="top=5"), "top is no parameter"),
    ("microsoft", "GET", "/managedDevices", lambda e: e.update(status=204, answer=""), "a GET that succeeds has one"),
    ("microsoft", "POST", "/wipe", _request(keepEverything=True), "keepEverything"),
    ("microsoft", "POST", "/sendMail", _without("message"), "'message' is a required property"),
    (
        "microsoft",
        "GET",
        "/mailboxSettings",
        lambda e: e.update(status=404, answer='{"message": "gone"}'),
        "'error' is a required property",
    ),
    ("github", "PUT", "/memberships/adanunez", _request(role="owner"), "role: 'owner' is not one of"),
    ("github", "PUT", "/memberships/adanunez", lambda e: e.update(status=201), "status 201 is not listed"),
    (
        "github",
        "PUT",
        "/memberships/adanunez",
        _answer(lambda b: b.pop("state") and None),
        "'state' is a required property",
    ),
    ("github", "GET", "/members", _answer(lambda b: b[0].update(id="1")), "id: '1' is not of type 'integer'"),
    ("github", "GET", "/members", lambda e: e.update(query="per_page=many"), "per_page=many is no integer"),
    ("google_workspace", "POST", "/signOut", lambda e: e.update(method="PUT"), "has no PUT"),
    ("google_workspace", "GET", "/settings/vacation", lambda e: e.update(query="verbose=1"), "verbose is no parameter"),
    ("google_workspace", "PUT", "/settings/vacation", _request(autoReply=True), "autoReply"),
    ("google_workspace", "GET", "/tokens", lambda e: e.update(path=e["path"] + "s"), "no such path"),
    ("okta", "POST", "/lifecycle/suspend", lambda e: e.update(path="/api/v1/users/00u1/suspend"), "no such path"),
    ("okta", "POST", "/lifecycle/activate", lambda e: e.update(query="mail=true"), "mail is no parameter"),
    ("okta", "POST", "/lifecycle/suspend", lambda e: e.update(method="PUT"), "has no PUT"),
    ("okta", "GET", "/api/v1/users/00uE1007/factors", _answer(lambda b: b[0].update(status="ON")), "status"),
    ("wiki", "POST", "/v2/Users", _without("userName"), "userName"),
    ("wiki", "POST", "/v2/Users", _request(nickname2="x"), "nickname2: no schema has this attribute"),
    ("wiki", "POST", "/v2/Users", lambda e: e.update(status=200), "status 200 is not one of POST"),
    ("wiki", "POST", "/v2/Users", _answer(lambda b: b.update(active="perhaps")), "active"),
    ("wiki", "PATCH", "/v2/Users", _request(Operations=[{"op": "erase", "path": "active"}]), "Operations/0/op"),
    ("wiki", "GET", "/v2/Users", _answer(lambda b: b.pop("totalResults") and None), "totalResults"),
    ("slack", "POST", "/scim/v2/Users", _answer(lambda b: b.pop("id") and None), "id"),
]


@pytest.mark.parametrize(
    "system, method, path, plant, said",
    PLANTED,
    ids=[f"{system}-{number}" for number, (system, *_) in enumerate(PLANTED)],
)
def test_a_planted_violation_is_caught(
    exchanges: Exchanges, system: str, method: str, path: str, plant: Callable[[dict[str, Any]], None], said: str
) -> None:
    def fits(name: str, entry: dict[str, Any]) -> bool:
        whole = entry["path"].rsplit("/", 1)[0] if method == "PATCH" else entry["path"]
        return (
            (name, entry["method"]) == (system, method)
            and whole.endswith(path)
            and 200 <= entry["status"] < 300
            and entry["answer"] != "[]"
        )

    entry = dict(next(entry for name, entry in exchanges if fits(name, entry)))
    assert Judge().violations(system, entry) == []
    plant(entry)
    assert any(said in violation for violation in Judge().violations(system, entry)), Judge().violations(system, entry)


def test_a_planted_violation_fails_the_suite(pytester: pytest.Pytester) -> None:
    """The fixture that every module has turns it red, for an emulator that answers what the vendor never would."""
    root = Path(__file__).parents[2]
    pytester.makeconftest(
        f"import sys\nsys.path[:0] = [{str(root)!r}, {str(root / 'build' / 'collections')!r}]\nfrom tests.contract.witness import contracts_kept\n"
    )
    pytester.makepyfile("""
        import httpx
        from sandbox.box import Box
        from sandbox.emulator import Reply
        from sandbox.vendors.github import GitHub

        class Flatterer(GitHub):
            def handle(self, call):
                return Reply(200, {"login": 7})

        def test_passes_by_itself():
            with Box([Flatterer]) as box:
                assert httpx.get(box["github"].url + "/users/janemo", verify=box.ca_file).status_code == 200
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*violations of the vendors' contracts*"])

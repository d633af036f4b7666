# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reconcile finds what was planted in a generated company, all of it, and nothing else."""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.profiles import load_profiles
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.correlation import correlate
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import Others, everywhere, pack
from ansible_collections.workforce.lifecycle.plugins.module_utils.reconcile.matching import Match, Matching
from ansible_collections.workforce.lifecycle.plugins.module_utils.reconcile.people import (
    Known,
    People,
    write_people,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account, Entitlement, Listed
from ansible_collections.workforce.lifecycle.plugins.modules.people_snapshot import TASK as SNAPSHOT
from ansible_collections.workforce.lifecycle.plugins.modules.reconcile_system import TASK as SYSTEM
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.reconcile import fix as reconcile_fix
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.reconcile import index as reconcile_index
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.reconcile import page as reconcile_page
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.reconcile import report as reconcile_report
from jsonschema import Draft202012Validator

from tests import reconcile_company as company

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "meta" / "schemas" / "reconcile.schema.json").read_text())


class Hr:
    """An HR system of so many people."""

    def __init__(self, people: Collection[Person]) -> None:
        self.people = people

    def all_people(self) -> Any:
        yield from self.people


class Bench:
    """A generated company, reconciled stage by stage as the playbook does."""

    def __init__(self, made: company.Generated, folder: Path, *, policy: Mapping[str, Any] | None = None) -> None:
        self.made, self.folder, self.spool = made, folder, folder / "spool"
        self.spool.mkdir()
        self.policy = load_policy(str(company.policy(folder / "policy.yml")))
        self.ledger = Ledger.open(str(folder / "ledger.db"))
        for person in made.closed:
            case = self.ledger.open_case("offboard", {**person.as_dict(), "status": "terminated"}, "r", {"key": "x"})
            self.ledger.close_case(case.id, run="r", complete=True, summary={})
        self.profiles = company.profiles(folder / "profiles")
        self.failures: dict[str, str] = {}
        #: The records that HR's connector refused.
        self.refused: list[dict[str, str]] = []

    def index(self) -> dict[str, Any]:
        assert not SNAPSHOT.run(
            {"path": str(self.spool / "hr-hr.jsonl")}, check_mode=False, system=Hr(self.made.people)
        ).get("failed")
        if self.refused:
            *rows, end = (self.spool / "hr-hr.jsonl").read_text().splitlines()
            ended = json.dumps({**json.loads(end), "refused": self.refused})
            (self.spool / "hr-hr.jsonl").write_text("\n".join([*rows, ended]) + "\n")
        profiles = load_profiles(str(self.profiles), dict.fromkeys(company.DIRECTORIES, "entra"))
        return reconcile_index.build(
            self.spool, ["hr"], policy=self.policy, profiles=profiles, ledger=self.ledger, feed=lambda looks: None
        )

    def read(self, system: Any) -> dict[str, Any]:
        name = system.target.name
        result = SYSTEM.run(
            {
                "system": name,
                "people": str(self.spool / reconcile_index.INDEX),
                "path": str(self.spool / f"found-{name}.jsonl"),
                "keep": {},
            },
            check_mode=False,
            system=system,
        )
        if result.get("failed"):
            self.failures[name] = result["msg"]
        return result

    def systems(self) -> dict[str, dict[str, Any]]:
        return {
            "hr": _told("hr_records"),
            **{name: _told("accounts", "account_listing", "credential_listing") for name in company.DIRECTORIES},
            **{name: _told("devices", "device_listing") for name in company.MDM},
        }

    def report(self, earlier: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        made = reconcile_report.build(
            self.spool,
            self.systems(),
            failures=self.failures,
            only=(),
            policy=self.policy,
            company="Corp Example",
            earlier=earlier or {},
            **changes,
        )
        Draft202012Validator(SCHEMA).validate(json.loads(reconcile_report.as_json(made)))
        return made

    def all(self) -> dict[str, Any]:
        self.index()
        for system in company.connectors(self.made):
            assert not self.read(system).get("failed")
        return self.report()


def _told(*capabilities: str) -> dict[str, Any]:
    return {
        "connector": "toy",
        "title": "Toy",
        "owner": "it@corp.example",
        "service_level": {},
        "capabilities": list(capabilities),
    }


def found(report: Mapping[str, Any]) -> Counter[tuple[str, str, str]]:
    return Counter((f["kind"], f["system"], f["account"]) for f in report["findings"])


def test_whom_hr_seems_not_to_have_is_left_alone_while_a_record_of_hr_cannot_be_read(tmp_path: Path) -> None:
    """The record may be of an employee: their account is no orphan, and a closed leaver may have been hired again."""
    made = company.generate(400, 1, plants=12)
    bench = Bench(made, tmp_path)
    bench.refused = [{"id": "E77", "why": "hr.csv:9: Eintritt '31.02.2026' is not a date"}]
    report = bench.all()
    doubted = [one for one in report["findings"] if one["kind"] in ("orphan", "leaver_returned") and not one["person"]]
    assert doubted and report["hr"]["unread"] == [{"system": "hr", **bench.refused[0]}]
    assert all(not one["fix"] and "1 record of HR that cannot be read" in one["said"] for one in doubted)
    found, left = reconcile_fix.chosen(report, ["orphan"])
    assert not found and len(left) == sum(one["kind"] == "orphan" for one in report["findings"])
    assert "1 record of HR NOT READ" in reconcile_report.sentence(report)
    assert "31.02.2026" in reconcile_page.render(report)
    assert all(one["fix"] for one in report["findings"] if one["kind"] == "leaver_active"), "HR has these as left"


@pytest.mark.parametrize("seed", [1, 2])
def test_everything_planted_is_found_and_nothing_is_invented(tmp_path: Path, seed: int) -> None:
    made = company.generate(400, seed, plants=12)
    report = Bench(made, tmp_path).all()
    assert found(report) == made.expected
    assert report["complete"] and report["closed_leavers"]["known"] == 12 and report["closed_leavers"]["back"] == 12


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_ten_thousand_people_on_fourteen_systems(tmp_path: Path, seed: int) -> None:
    """Alone it is some 85 s of a processor. In a process that had been larger before, only the time can fail."""
    made = company.generate(10_000, seed, plants=250)
    before, held = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert found(Bench(made, tmp_path).all()) == made.expected
    assert time.process_time() - before < 120 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 500 * 1024


def small(tmp_path: Path, **changes: Any) -> Bench:
    return Bench(company.generate(60, 3, plants=0), tmp_path, **changes)


def one(report: Mapping[str, Any], **like: Any) -> dict[str, Any]:
    [finding] = [f for f in report["findings"] if all(f[key] == value for key, value in like.items())]
    return dict(finding)


def test_a_company_in_order_has_nothing_to_settle(tmp_path: Path) -> None:
    report = small(tmp_path).all()
    assert report["findings"] == [] and report["summary"]["by_severity"] == {}
    assert {(m["system"], m["is"]) for m in report["marked"]} == {("entra", "service"), ("slack", "service")}
    assert "Nothing to settle" in reconcile_page.render(report)


class TwoNames(company.Directory):
    """A directory whose things also have a title: ``Team <name>``."""

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        own = name.casefold().removeprefix("team ")
        there = any((kind, own) in listed.held for listed in self.made.accounts[self.target.name].values())
        return Entitlement(kind, own, own) if there else None

    def unused(self, *_args: Any) -> Any:
        raise AssertionError("reconcile lists")

    find_account = set_active = entitlements = grant = revoke = unused


def test_profiles_keep_and_policy_may_use_any_name_of_a_thing(tmp_path: Path) -> None:
    bench = small(tmp_path)
    for path in bench.profiles.iterdir():
        path.write_text(path.read_text().replace("everybody jira", "Team Everybody jira"))
    entra = next(id_ for id_, listed in bench.made.accounts["entra"].items() if listed.held)
    bench.made.change(
        "entra",
        entra,
        held=(
            *bench.made.accounts["entra"][entra].held,
            ("groups", company.SEPARATED[1]),
            ("groups", company.SEPARATED[2]),
        ),
    )
    (tmp_path / "policy.yml").write_text(
        (tmp_path / "policy.yml")
        .read_text()
        .replace("payments create", "Team payments create")
        .replace("system: aws", "system: entra")
    )
    bench.policy = load_policy(str(tmp_path / "policy.yml"))
    bench.index()
    for name in ("jira", "entra"):
        result = bench.read(TwoNames(name, bench.made))
        assert not result.get("failed"), result
    report = bench.report()
    assert [f for f in report["findings"] if f["system"] == "jira"] == []
    assert (
        one(report, kind="separation")["person"]
        and len([f for f in report["findings"] if f["kind"] == "entitlement_extra"]) == 2
    )


def test_what_a_profile_names_and_the_system_has_not_is_said_once(tmp_path: Path) -> None:
    bench = small(tmp_path)
    path = next(iter(bench.profiles.iterdir()))
    path.write_text(path.read_text().replace("everybody jira", "nothing like it"))
    bench.index()
    assert "there is no groups nothing like it, which a profile or policy names" in json.dumps(
        bench.read(TwoNames("jira", bench.made))
    )
    assert not [f for f in bench.report()["findings"] if f["kind"] == "entitlement_missing" and f["system"] == "jira"]


@pytest.mark.parametrize("after", [0, 37])
def test_a_system_that_breaks_off_is_not_read_and_says_nothing(tmp_path: Path, after: int) -> None:
    """Least of all that somebody has no account there; what was known of it stays known."""
    bench = small(tmp_path)
    bench.made.put("jira", Listed(Account("ghost", "ghost", True)))
    before = bench.all()
    known = one(before, system="jira")["id"]
    bench.read(company.Directory("jira", bench.made, breaks_after=after))
    report = bench.report(before)
    [jira] = [system for system in report["systems"] if not system["read"]]
    assert (
        jira["system"] == "jira"
        and jira["why"].startswith("list accounts on jira: 503")
        and not report["complete"]
        and report["summary"]["not_read"] == ["jira"]
    )
    assert report["findings"] == [] and known in report["first_seen"] and known not in report["summary"]["gone"]
    assert "not read" in reconcile_page.render(report) and "NOT READ: jira" in reconcile_report.sentence(report)
    bench.failures.clear()
    bench.read(company.Directory("jira", bench.made))
    again = one(bench.report(json.loads(reconcile_report.as_json(report))), system="jira")
    assert (again["id"], again["since"], again["new"]) == (known, before["made"], False)


def test_a_check_that_was_killed_is_not_read(tmp_path: Path) -> None:
    bench = small(tmp_path)
    bench.all()
    path = bench.spool / "found-ldap.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    assert bench.report()["summary"]["not_read"] == ["ldap"]


def test_since_settled_and_stable_ids(tmp_path: Path) -> None:
    bench = small(tmp_path)
    bench.made.put("wiki", Listed(Account("a", "a@x.example", True, "a@x.example")))
    first = bench.all()
    assert one(first)["new"]
    bench.made.people.reverse()  # HR's order means nothing
    del bench.made.accounts["wiki"]["a"]
    assert bench.all()["findings"] == []
    later = bench.report(first)
    assert later["summary"]["gone"] == [one(first)["id"]] and later["first_seen"] == {}


def test_an_hr_source_that_is_empty_or_cut_off_stops_everything(tmp_path: Path) -> None:
    bench = small(tmp_path)
    bench.index()
    path = bench.spool / "hr-hr.jsonl"
    whole = path.read_text().splitlines()
    path.write_text("\n".join(whole[:-5]))
    with pytest.raises(InputError, match="ends after"):
        reconcile_index.build(
            bench.spool, ["hr"], policy=bench.policy, profiles=None, ledger=bench.ledger, feed=lambda looks: None
        )
    path.write_text('{"end": 0}\n')
    with pytest.raises(InputError, match="an empty HR source is an incident"):
        reconcile_index.build(
            bench.spool, ["hr"], policy=bench.policy, profiles=None, ledger=bench.ledger, feed=lambda looks: None
        )
    with pytest.raises(InputError, match="everybody would be an orphan"):
        reconcile_index.build(
            bench.spool, [], policy=bench.policy, profiles=None, ledger=bench.ledger, feed=lambda looks: None
        )


def test_policy_marks_protects_and_accepts_until_a_day(tmp_path: Path) -> None:
    bench = small(tmp_path)
    for name in ("breakglass", "known", "lapsed"):
        bench.made.put("wiki", Listed(Account(name, name, True)))
    bench.made.change(
        "wiki",
        "wiki-1",
        held=(*bench.made.accounts["wiki"]["wiki-1"].held, ("groups", "Break glass"), ("groups", "Owners")),
    )
    (tmp_path / "policy2.yml").write_text("""
protected: {accounts: {wiki: ["break*"]}, entitlements: {wiki: {groups: [Break glass]}}, people: [E00002]}
privileged: {wiki: {groups: ["Own*"]}}
reconcile:
  service: {entra: ["svc-*"]}
  ignore:
    - {system: wiki, account: known, why: a test account, until: "2999-12-31"}
    - {system: wiki, account: laps*, why: a pilot, until: "2020-01-31"}
""")
    bench.policy = load_policy(str(tmp_path / "policy2.yml"))
    company.gone(bench.made, 2, keep="wiki")
    report = bench.all()
    assert ("wiki", "protected", "breakglass") in {(m["system"], m["is"], m["account"]) for m in report["marked"]}
    assert [f["account"] for f in report["ignored"]] == ["known"] and report["ignored"][0]["ignored"][
        "until"
    ] == "2999-12-31"
    assert one(report, kind="orphan")["evidence"]["was_ignored"]["until"] == "2020-01-31"
    taboo, owner = sorted(
        (f for f in report["findings"] if f["kind"] == "entitlement_extra"), key=lambda f: str(f["said"])
    )
    assert taboo["protected"] and not taboo["fix"] and taboo["severity"] == "medium"
    assert owner["severity"] == "high" and "privileged" in owner["said"] and owner["fix"]
    leaver = one(report, kind="leaver_active")
    assert "E00002 is protected" in leaver["protected"] and not leaver["fix"], "no run may touch them"
    page = reconcile_page.render(report)
    assert "a pilot" in page and "a test account" in page


def test_a_leaver_is_one_only_when_the_day_is_over_and_one_who_was_taken_back_is_none(tmp_path: Path) -> None:
    bench = small(tmp_path)
    people = bench.made.people
    people[1] = Person(**{**vars(people[1]), "status": "terminated", "last_working_day": "2999-01-31"})
    case = bench.ledger.open_case("offboard", people[3].as_dict(), "r", {})
    bench.ledger.close_case(case.id, run="r", complete=True, summary={})
    bench.ledger.open_case("reinstate", people[3].as_dict(), "r", {})
    report = bench.all()
    assert report["findings"] == [] and report["closed_leavers"]["known"] == 0
    case = bench.ledger.open_case(
        "offboard", {"email": people[4].email, "hr_id": "other", "employee_id": "other"}, "r", {}
    )
    bench.ledger.close_case(case.id, run="r", complete=True, summary={})
    report = bench.all()
    assert report["findings"] == [], "their address was given to somebody who works here"
    assert report["closed_leavers"]["known"] == 1


def test_the_page_runs_no_script_and_a_spreadsheet_no_formula(tmp_path: Path) -> None:
    bench = small(tmp_path)
    evil = '=HYPERLINK("http://x")<script>alert(1)</script>'
    bench.made.put("zoom", Listed(Account("evil", evil, True)))
    report = bench.all()
    page = reconcile_page.render(report)
    assert "<script" not in page and "default-src 'none'" in page and "http://" not in page.replace("http://x", "")
    assert "'=HYPERLINK" in reconcile_report.as_csv(report)


# -- whose account it is -------------------------------------------------------------------------------------------------


def index(tmp_path: Path, *people: Person, states: Mapping[str, str] | None = None) -> People:
    path = tmp_path / "people.db"
    path.unlink(missing_ok=True)
    write_people(
        str(path),
        (
            (
                Known(n, (states or {}).get(p.key, "active"), employee=p.employee_id),
                {"person": p.as_dict(), "name": p.name, "source": "hr"},
                everywhere(p),
            )
            for n, p in enumerate(people)
        ),
        {},
    )
    return People(str(path))


ANN = Person(
    "ann@corp.example", hr_id="1", employee_id="E1", aliases=("ann.old@corp.example",), logins={"github": "annie"}
)
BEN = Person("ben@corp.example", hr_id="2", employee_id="E2")


def whose(people: People, account: Account, *, system: str = "github") -> Match:
    return Matching(people, company.Directory(system, company.generate(1, 1, plants=0))).of(account)


@pytest.mark.parametrize(
    ("account", "may", "certain"),
    [
        (Account("x", "whatever", True, attributes={"employee_id": "e1"}), [0], True),
        (Account("x", "ANN@corp.example", True), [0], True),
        (Account("x", "x", True, "Ann.Old@corp.example"), [0], True),
        (Account("x", "annie", True), [0], True),
        (Account("x", "annie2", True), [], False),
        # A look-alike is somebody else; that the login is Ann's local part is a question.
        (Account("x", "ann", True, "ann@corp.example.evil"), [0], False),
        (Account("x", "ſann", True, "ſann@corp.example"), [], False),
        (Account("x", "x", True, "ben@corp.example", {"employee_id": "E1"}), [0, 1], False),
        (Account("x", "annie", True, "ben@corp.example"), [0, 1], False),
        (Account("x", "x", True, "ann@corp.example", {"aliases": ["ben@corp.example"]}), [0, 1], False),
    ],
)
def test_all_that_an_account_says_must_point_to_one_person(
    tmp_path: Path, account: Account, may: list[int], certain: bool
) -> None:
    match = whose(index(tmp_path, ANN, BEN), account)
    assert sorted(person.n for person in match.people) == may and (match.one is not None) == certain


def test_two_employments_of_one_number_are_one_human(tmp_path: Path) -> None:
    old, new = (
        Person("cy.old@corp.example", hr_id="3", employee_id="E3"),
        Person("cy@corp.example", hr_id="4", employee_id="E3"),
    )
    people = index(tmp_path, old, new, states={"3": "gone"})
    for account in (Account("x", "x", True, attributes={"employee_id": "E3"}), Account("x", "cy@corp.example", True)):
        match = whose(people, account)
        assert match.one is not None and match.one.n == 1 and match.undisputed


def test_a_pattern_of_logins_finds_them_too(tmp_path: Path) -> None:
    people = index(tmp_path, ANN, BEN)
    match = whose(people, Account("x", "ben", True), system="vault")
    assert match.one is not None and match.one.n == 1 and match.by == ("login",)
    # As a run has it: a login that a pattern makes is no claim to an account that carries another's address.
    match = whose(people, Account("x", "ben", True, "ann@corp.example"), system="vault")
    assert match.one is not None and match.one.n == 0


@pytest.mark.parametrize("seed", range(3))
def test_reconcile_and_a_run_say_the_same_of_every_account(tmp_path: Path, seed: int) -> None:
    """Each account of a company that is out of order, asked of the runs' own comparison, person by person."""
    made = company.generate(120, seed, plants=3)
    bench = Bench(made, tmp_path)
    bench.index()
    people = People(str(bench.spool / reconcile_index.INDEX))
    for name in ("entra", "ldap", "github", "jira", "wiki"):
        system = company.Directory(name, made)
        others = Others(pack(made.people, {name: system.login_pattern}))
        matching = Matching(people, system)
        for listed in made.accounts[name].values():
            asked = {
                person.key
                for person in made.people
                if correlate(system.keys_of(person), [listed.account], others, name).theirs
            }
            match = matching.of(listed.account)
            found = {people.record(match.one.n)["key"]} if match.one and not match.one.forgotten else set()
            assert asked == found or not found and len(match.people) > 1, listed.account


def test_cost_is_linear_in_accounts(tmp_path: Path) -> None:
    """Counted, not timed: what is asked of the index, and of the systems."""
    asked = {}
    for size in (100, 400):
        folder = tmp_path / str(size)
        folder.mkdir()
        bench = Bench(company.generate(size, 5, plants=0), folder)
        bench.index()
        systems = [company.Directory(name, bench.made) for name in company.DIRECTORIES]
        statements: list[str] = []
        for system in systems:
            people = People(str(bench.spool / reconcile_index.INDEX))
            people._db.set_trace_callback(statements.append)
            company_check(system, people)
        asked[size] = (len(statements), sum(system.asked for system in systems))
    assert asked[400][0] < asked[100][0] * 4.4 and asked[400][1] < asked[100][1] * 4.4, asked


def company_check(system: Any, people: People) -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.reconcile.check import Check

    Check(system, people, lambda line: None, keep={}).run()

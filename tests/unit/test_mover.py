# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A mover: what is given, taken, kept and decided; what nobody may hold together; generated companies against a plain oracle."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.mover import decision_name
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import AccessPath, Account, Entitlement
from ansible_collections.workforce.lifecycle.plugins.modules.attest import TASK as ATTEST
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.modules.cutoff import TASK as CUTOFF
from ansible_collections.workforce.lifecycle.plugins.modules.entitlements import TASK as ENTITLEMENTS
from ansible_collections.workforce.lifecycle.plugins.modules.entitlements_info import TASK as HELD
from ansible_collections.workforce.lifecycle.plugins.modules.separation import TASK as SEPARATION
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build as record
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.ledger_run import ledger_run
from tests.unit.test_case import STAYS, SYSTEMS

KINDS = ("groups", "roles")
TOM = {**STAYS, "email": "tom@corp.example", "hr_id": "108", "employee_id": "E1008"}


class Directory:
    """A system of one account, in memory."""

    ENTITLEMENT_KINDS: Sequence[str] = KINDS

    def __init__(self, held: set[tuple[str, str]], fixed: set[tuple[str, str]] = frozenset()) -> None:  # type: ignore[assignment]
        self.held, self.fixed, self.active, self.log = set(held), fixed, True, list[tuple[str, str, str]]()

    def find_account(self, person: Person) -> Account | None:
        return Account("1", person.email, self.active)

    def set_active(self, account: Account, active: bool) -> None:
        self.active = active

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        return [AccessPath("sign-in", "open" if self.active else "closed", lambda: self.set_active(account, False))]

    def entitlements(self, account: Account) -> Sequence[Entitlement]:
        return [
            Entitlement(kind, name, name, "dynamic rule" if (kind, name) in self.fixed else "")
            for kind, name in sorted(self.held)
        ]

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return Entitlement(kind, name, name)

    def grant(self, account: Account, entitlement: Entitlement) -> None:
        self.held.add((entitlement.kind, entitlement.name))
        self.log.append(("grant", entitlement.kind, entitlement.name))

    def revoke(self, account: Account, entitlement: Entitlement) -> None:
        self.held.discard((entitlement.kind, entitlement.name))
        self.log.append(("revoke", entitlement.kind, entitlement.name))


def does(task: Any, target: Any, **want: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in task.spec.items()}
    return task.run(
        {**defaults, "system": "toy", "person": {"email": "tom@corp.example"}, **want}, check_mode=False, system=target
    )


def names(pairs: set[tuple[str, str]]) -> dict[str, list[str]]:
    return {
        kind: sorted(name for k, name in pairs if k == kind) for kind in KINDS if any(k == kind for k, _name in pairs)
    }


PAIRS = st.sets(st.tuples(st.sampled_from(KINDS), st.sampled_from(["A", "B", "C", "D", "E", "F"])), max_size=8)
COMPANY = {
    "max_examples": int(os.environ.get("LIFECYCLE_EXAMPLES", "60")),
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow],
}


def holds_exactly_what_profile_and_policy_say(
    old: set[tuple[str, str]],
    new: set[tuple[str, str]],
    held: set[tuple[str, str]],
    fixed: set[tuple[str, str]],
    how: str,
    said: Mapping[tuple[str, str], str],
) -> None:
    """The oracle: per thing, from the issue's words, without the module's own helpers."""
    system = Directory(held, fixed)
    attested = {
        f"unexplained: {kind}: {name}": {"by": "Grace", "at": "2026-11-01", "decision": word}
        for (kind, name), word in said.items()
    }
    want = {
        "wanted": names(new),
        "mode": "exact",
        "explained": names(old),
        "unexplained": how,
        "history": {"attested": attested},
    }
    result = does(ENTITLEMENTS, system, **want)
    assert not result.get("failed"), result
    for thing in old | new | held:
        riddle = thing in held and thing not in old and thing not in new
        if thing in new or thing in held & fixed:
            expected = True
        elif riddle and how != "remove":
            expected = how == "keep" or said.get(thing) != "remove"
        else:
            expected = False
        assert (thing in system.held) is expected, (thing, result["changes"])
    waits = {row["what"] for row in result["changes"] if row["outcome"] == "needs_human"}
    assert waits == {
        f"unexplained: {k}: {n}" for k, n in held - old - new - fixed if how == "decide" and (k, n) not in said
    }
    writes = len(system.log)
    does(ENTITLEMENTS, system, **want)
    assert len(system.log) == writes, "the second run changes nothing"


ANY = {
    "old": PAIRS,
    "new": PAIRS,
    "held": PAIRS,
    "fixed": PAIRS,
    "how": st.sampled_from(["remove", "keep", "decide"]),
    "said": st.dictionaries(
        st.tuples(st.sampled_from(KINDS), st.sampled_from("ABCDEF")), st.sampled_from(["keep", "remove"]), max_size=4
    ),
}


@settings(**COMPANY)
@given(**ANY)
def test_generated_movers_hold_exactly_what_profile_and_policy_say(**company: Any) -> None:
    holds_exactly_what_profile_and_policy_say(**company)


@pytest.mark.soak
@settings(**{**COMPANY, "max_examples": 5000})
@given(**ANY)
def test_many_generated_movers(**company: Any) -> None:
    holds_exactly_what_profile_and_policy_say(**company)


def test_an_overlap_keeps_the_old_until_its_day() -> None:
    system = Directory({("groups", "A"), ("groups", "X")})
    want = {"wanted": {"groups": ["B"]}, "mode": "exact", "explained": {"groups": ["A"]}}
    result = does(ENTITLEMENTS, system, take_after="2999-01-01T00:00:00Z", **want)
    assert result["outcome"] == "in_progress" and system.held == {("groups", "A"), ("groups", "B"), ("groups", "X")}
    assert does(ENTITLEMENTS, system, take_after="2020-01-01T00:00:00Z", **want)[
        "outcome"
    ] == "done" and system.held == {("groups", "B")}


@pytest.mark.parametrize(
    ("how", "explained", "held", "active"),
    [
        ("remove", None, {("groups", "X")}, False),
        ("keep", None, set(), True),
        ("decide", None, set(), True),
        ("keep", {}, set(), False),
        ("keep", {"groups": ["X"]}, {("groups", "X")}, False),
        ("keep", {}, {("groups", "X")}, True),
    ],
)
def test_an_account_goes_only_when_nothing_is_kept_in_it(how: str, explained: Any, held: Any, active: bool) -> None:
    system = Directory(held)
    result = does(CUTOFF, system, explained=explained, unexplained=how)
    assert system.active is active
    assert (result["outcome"] == "needs_human") is (how == "decide")


# -- where a mover comes from, and who decides ---------------------------------------------------------------------------


def folder(where: Path, **profiles: str) -> str:
    where.mkdir(exist_ok=True)
    for name, text in profiles.items():
        (where / f"{name}.yml").write_text(text)
    return str(where)


SALES = "match: {department: Sales}\nsystems:\n  entra: {groups: [Sales]}\n"
ENGINEERING = "match: {department: Engineering}\nsystems:\n  entra: {groups: [Engineering]}\n"


def book(ledger: Ledger, policy: Path | None = None) -> LedgerRun:
    return ledger_run(ledger, SYSTEMS, policy=str(policy or ""))


def opened(ledger: Ledger, person: Mapping[str, Any], policy: Path | None = None, **want: Any) -> dict[str, Any]:
    defaults = {name: spec.get("default") for name, spec in CASE.spec.items()}
    params = {
        **defaults,
        "kind": "transfer",
        "user": [person["email"]],
        "found": [{"system": "hr", "people": [person]}],
        **want,
    }
    return perform(CASE, book(ledger, policy), params)


def test_the_old_profile_is_the_last_case_s_then_hr_s_then_somebody_s_word(tmp_path: Path) -> None:
    ledger, profiles = Ledger.open(str(tmp_path / "l.db")), folder(tmp_path / "p", sales=SALES, engineering=ENGINEERING)
    sold = {**TOM, "department": "Sales"}
    unknown = opened(Ledger.open(str(tmp_path / "u.db")), TOM, profiles=profiles)["cases"][0]
    assert (
        unknown["old_profile"]["name"] == ""
        and unknown["explained"] == {}
        and "neither the ledger nor HR" in unknown["old_profile"]["why"]
    )
    told = opened(
        Ledger.open(str(tmp_path / "h.db")), {**TOM, "attributes": {"previous_department": "Sales"}}, profiles=profiles
    )["cases"][0]
    assert told["old_profile"]["name"] == "sales" and "department Sales" in told["old_profile"]["why"]
    named = opened(Ledger.open(str(tmp_path / "n.db")), TOM, profiles=profiles, old_profile="sales")["cases"][0]
    assert named["explained"] == {"entra": {"groups": ["Sales"]}} and named["unexplained"]["entra"] == "decide"
    first = opened(ledger, sold, kind="onboard", profiles=profiles)["cases"][0]
    moved = opened(ledger, TOM, profiles=profiles)["cases"][0]
    assert moved["old_profile"] == {"name": "sales", "why": f"the case {first['id']} gave it"}
    again = opened(ledger, TOM, profiles=profiles)["cases"][0]
    assert (again["id"], again["old_profile"]) == (moved["id"], moved["old_profile"]), (
        "a second run comes from where the first did"
    )
    back = opened(ledger, sold, profiles=profiles)["cases"][0]
    assert back["id"] != moved["id"] and set(back["explained"]["entra"]["groups"]) == {"Sales", "Engineering"}, (
        "a move that was not through is explained too"
    )


def test_another_title_is_no_move_and_takes_nothing_whatever_policy_says(tmp_path: Path) -> None:
    """A reorganisation changes titles and places: what somebody holds beside their profile is none of its business."""
    ledger, profiles = Ledger.open(str(tmp_path / "l.db")), folder(tmp_path / "p", sales=SALES, engineering=ENGINEERING)
    policy = tmp_path / "policy.yml"
    policy.write_text(
        "transfer: {unexplained: remove, systems: {badge: decide}}\nbrake: {movers: {count: 0, percent: 0}}\n"
    )
    opened(ledger, TOM, kind="onboard", profiles=profiles)
    promoted = opened(ledger, {**TOM, "title": "Principal"}, policy, profiles=profiles)["cases"][0]
    assert promoted["old_profile"]["name"] == promoted["profile"] == "engineering"
    assert set(promoted["unexplained"].values()) == {"keep"}, "and the brake does not count it: nobody may move here"
    stopped = opened(ledger, {**TOM, "department": "Sales"}, policy, profiles=profiles)
    assert stopped["code"] == "brake" and "1 more would make 1 movers" in stopped["msg"]
    assert "release_brake -e of=movers" in stopped["msg"]


def test_a_decision_is_somebody_else_s_and_the_record_says_whose(tmp_path: Path) -> None:
    ledger = Ledger.open(str(tmp_path / "l.db"))
    case = opened(ledger, TOM, profiles=folder(tmp_path / "p", engineering=ENGINEERING))["cases"][0]
    system = Directory({("groups", "Book club"), ("groups", "Old")})
    want = {"wanted": {}, "mode": "exact", "explained": {}, "unexplained": "decide"}

    def step() -> dict[str, Any]:
        known = ledger.history(case["id"], "entra", "entitlements")
        result = does(ENTITLEMENTS, system, **want, history={key: known[key] for key in ("since", "attested")})
        ledger.outcome(
            case["id"],
            run="r",
            phase="adjust",
            system="entra",
            step="entitlements",
            person=TOM["email"],
            result=result,
            intent=None,
        )
        return result

    def attest(**how: Any) -> dict[str, Any]:
        return perform(
            ATTEST,
            book(ledger),
            {
                "person": TOM["email"],
                "system": "entra",
                "what": "",
                "by": "Grace Okoye",
                "at": "",
                "note": "",
                "decision": "",
                "found": [
                    {"present": {"Grace Okoye": [{"email": "grace@corp.example", "display_name": "Grace Okoye"}]}}
                ],
                **how,
            },
        )

    assert step()["outcome"] == "needs_human"
    assert "keep or remove?" in attest()["msg"]
    assert attest(by=TOM["email"], decision="keep")["code"] == "refused"
    assert attest(what="unexplained: groups: Book club", decision="keep", note="runs it")["changed"]
    assert attest(what="unexplained: groups: Old", decision="remove")["changed"]
    waits = record.build(ledger, case["id"], {"entra": {"connector": "entra", "capabilities": ["entitlements"]}})
    assert not waits["summary"]["complete"], "a decision alone takes nothing"
    result = step()
    assert system.held == {("groups", "Book club")} and result["outcome"] == "done"
    made = record.build(ledger, case["id"], {"entra": {"connector": "entra", "capabilities": ["entitlements"]}})
    [action] = made["actions"]
    assert [(a["by"], a["decision"], a["note"]) for a in action["attested"]] == [
        ("Grace Okoye", "keep", "runs it"),
        ("Grace Okoye", "remove", ""),
    ]
    assert "Grace Okoye decided" in str(action["changes"])


def test_a_mover_whom_the_ledger_knows_nothing_of_is_decided_at_once_line_by_line(tmp_path: Path) -> None:
    ledger = Ledger.open(str(tmp_path / "l.db"))
    case = opened(ledger, TOM, profiles=folder(tmp_path / "p", engineering=ENGINEERING))["cases"][0]
    for system, names in (("entra", ["Old", "Book club"]), ("wiki", ["Chess"])):
        rows = [
            {"what": f"unexplained: groups: {name}", "before": "member", "after": "member", "outcome": "needs_human"}
            for name in names
        ]
        where = {"run": "r", "phase": "adjust", "system": system, "step": "entitlements", "person": TOM["email"]}
        ledger.outcome(case["id"], **where, result={"outcome": "needs_human", "changes": rows}, intent=None)

    def attest(**how: Any) -> dict[str, Any]:
        defaults = {name: spec.get("default") for name, spec in ATTEST.spec.items()}
        found = [{"present": {"Grace Okoye": [{"email": "grace@corp.example", "display_name": "Grace Okoye"}]}}]
        want = {"person": TOM["email"], "by": "Grace Okoye", "found": found, **how}
        return perform(ATTEST, book(ledger), {**defaults, **want})

    def decided() -> dict[str, str]:
        return {a["what"]: a["decision"] for step in ledger.steps(case["id"]) for a in step["attested"]}

    assert "system is empty" in attest()["msg"]
    named = {
        decision_name("entra", "entitlements", "unexplained: groups: Old"): "remove",
        "wiki: unexplained: groups: Chess": "keep",
    }
    wrong = attest(decisions={**named, "wiki: unexplained: groups: Gone": "keep"})
    assert wrong["failed"] and "groups: Gone" in wrong["msg"] and decided() == {}, "all of it, or nothing"
    assert attest(by=TOM["email"], decisions=named)["code"] == "refused"
    said = attest(decisions=named)
    assert [row["after"] for row in said["changes"]] == [
        "remove, decided by Grace Okoye",
        "keep, decided by Grace Okoye",
    ]
    assert attest(decision="keep")["changed"], "and the rest, on every system"
    assert decided() == {
        "unexplained: groups: Old": "remove",
        "unexplained: groups: Chess": "keep",
        "unexplained: groups: Book club": "keep",
    }


# -- what nobody may hold together ---------------------------------------------------------------------------------------


POLICY = """
separation:
  - name: pay and approve
    one: {system: entra, kind: groups, name: Pay}
    other: {system: badge, kind: groups, name: Approve}
    why: SOX 404
"""


def separated(
    ledger: Ledger, policy: Path, held: Mapping[str, Sequence[str]], case: Mapping[str, Any]
) -> dict[str, Any]:
    answers = [
        {
            "system": system,
            "person": TOM["email"],
            "held": [{"kind": "groups", "name": name, "fixed": ""} for name in having],
        }
        for system, having in held.items()
    ]
    full = {"id": "c", "person": TOM, "profile": "p", "wanted": {}, "explained": {}, "unexplained": {}, **case}
    return perform(SEPARATION, book(ledger, policy), {"cases": [full], "held": answers, "keep": {}})


@pytest.mark.parametrize(
    ("case", "held", "refused", "first"),
    [
        (
            {"kind": "onboard", "wanted": {"entra": {"groups": ["Pay"]}}},
            {"entra": [], "badge": ["Approve"]},
            True,
            None,
        ),
        ({"kind": "onboard", "wanted": {"entra": {"groups": ["Pay"]}}}, {"entra": [], "badge": []}, False, {}),
        (
            {"kind": "onboard", "wanted": {"entra": {"groups": ["Pay"]}}},
            {"entra": []},
            True,
            None,
        ),  # badge could not be read
        (
            {
                "kind": "transfer",
                "wanted": {"entra": {"groups": ["pay"]}},
                "explained": {"badge": {"groups": ["Approve"]}},
                "overlap_until": "2999-01-01",
            },
            {"entra": [], "badge": ["Approve"]},
            False,
            {"badge": {"groups": ["Approve"]}},
        ),  # an overlap would keep both: it is taken first
        (
            {"kind": "transfer", "wanted": {"entra": {"groups": ["Pay"]}}, "unexplained": {"badge": "keep"}},
            {"entra": [], "badge": ["Approve"]},
            True,
            None,
        ),
        (
            {"kind": "transfer", "wanted": {"entra": {"groups": ["Pay"]}}, "unexplained": {"badge": "decide"}},
            {"entra": [], "badge": ["Approve"]},
            True,
            None,
        ),
        ({"kind": "transfer", "wanted": {}}, {"entra": ["Pay"], "badge": ["Approve"]}, False, {}),
    ],
)
def test_nobody_holds_both(
    tmp_path: Path, case: dict[str, Any], held: dict[str, Any], refused: bool, first: Any
) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(POLICY)
    result = separated(Ledger.open(str(tmp_path / "l.db")), policy, held, case)
    assert bool(result.get("failed")) is refused, result
    if not refused:
        assert result["first"].get(TOM["email"], {}) == first
    elif len(held) == 2:
        assert all(word in result["msg"] for word in ("pay and approve", "profile p", TOM["email"], "SOX 404"))


def test_a_profile_that_gives_both_opens_no_case(tmp_path: Path) -> None:
    policy, ledger = tmp_path / "policy.yml", Ledger.open(str(tmp_path / "l.db"))
    policy.write_text(POLICY.replace("system: badge", "system: entra"))
    profiles = folder(tmp_path / "p", both=ENGINEERING.replace("[Engineering]", "[Pay, Approve]"))
    for kind in ("onboard", "transfer"):
        result = opened(ledger, TOM, policy, kind=kind, profiles=profiles)
        assert (
            result["code"] == "refused"
            and "pay and approve" in result["msg"]
            and "profile both" in result["msg"]
            and TOM["email"] in result["msg"]
        )
    assert ledger.cases() == []


def test_what_is_held_is_read_as_policy_names_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(POLICY)
    system = Directory({("groups", "Pay"), ("groups", "Other")})
    assert does(HELD, system, policy=str(policy), system="entra")["held"] == [
        {"kind": "groups", "name": "Pay", "fixed": ""}
    ]
    system.find_entitlement = lambda kind, name: None  # type: ignore[method-assign]
    assert "a rule about nothing stops nobody" in does(HELD, system, policy=str(policy), system="entra")["msg"]


class OneIsMissing(Directory):
    """A directory that has no group B."""

    def find_entitlement(self, kind: str, name: str) -> Entitlement | None:
        return None if name == "B" else Entitlement(kind, name, name)


def test_a_group_that_is_not_there_stops_that_group_and_the_licence_is_given() -> None:
    system = OneIsMissing(set())
    result = does(ENTITLEMENTS, system, wanted={"groups": ["A", "B"], "roles": ["licence"]})
    assert system.held == {("groups", "A"), ("roles", "licence")}
    outcomes = {change["what"]: change["outcome"] for change in result["changes"]}
    assert outcomes == {"groups: A": "done", "groups: B": "needs_human", "roles: licence": "done"}
    assert result["outcome"] == "needs_human", "the step stays open, with the group's name"
    assert any("no 'B' among its groups" in str(change) for change in result["changes"])

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The stages of a reconcile on the controller, and what it may settle by itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Fix, Here
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.steps import ACCOUNT as ACCOUNT_STEPS
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.steps import ENTITLEMENTS as ENTITLEMENTS_STEPS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import AmbiguousIdentity
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.keys import Kind, PersonKeys
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import AccessPath, Account, Listed
from ansible_collections.workforce.lifecycle.plugins.modules.account import TASK as ACCOUNT
from ansible_collections.workforce.lifecycle.plugins.modules.cutoff import TASK as CUTOFF
from ansible_collections.workforce.lifecycle.plugins.modules.reconcile import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger import links
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.reconcile import index as reconcile_index
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests import reconcile_company as company
from tests.unit.ledger_run import ledger_run
from tests.unit.test_reconcile import Bench


class Stages:
    """The module, stage by stage, on a company with one of each."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = company.generate(60, 3, plants=0)
        company.gone(made, 1, keep="wiki")
        company.gone(made, 2, keep="wiki")
        made.closed.append(made.people[2])
        made.put("wiki", Listed(Account("ghost", "ghost", True)))
        made.people[3] = Person(**{**vars(made.people[3]), "email": made.people[4].email})
        for name in company.DIRECTORIES:
            del made.accounts[name][f"{name}-3"]
        made.change("jira", "jira-5", held=(*made.accounts["jira"]["jira-5"].held, ("groups", "Admins")))
        self.bench = Bench(made, tmp_path)
        monkeypatch.setattr(reconcile_index, "spool", lambda: self.bench.spool)
        self.folder = tmp_path / "records"

    def run(self, state: str, *, check_mode: bool = False, policy: str = "", **want: Any) -> dict[str, Any]:
        defaults = {name: spec.get("default") for name, spec in TASK.spec.items()}
        book = ledger_run(
            self.bench.ledger,
            {name: {**facts, "connector": "entra"} for name, facts in self.bench.systems().items()},
            run="r1",
            read_only=check_mode,
            policy=policy or str(self.bench.folder / "policy.yml"),
        )
        return perform(TASK, book, {**defaults, "state": state, "path": str(self.folder), **want})

    def read(self) -> Stages:
        self.bench.index()
        for system in company.connectors(self.bench.made):
            self.bench.read(system)
        return self


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stages:
    return Stages(tmp_path, monkeypatch).read()


@pytest.mark.parametrize(
    ("want", "said"),
    [
        ({"fix": ["leaver_activ"]}, "did you mean leaver_active"),
        ({"only": ["wikki"]}, "there is no system wikki"),
        ({"fail_on": "awful"}, "one of critical, high"),
    ],
)
def test_what_is_wrong_is_said_before_anybody_is_asked(stages: Stages, want: Mapping[str, Any], said: str) -> None:
    result = stages.run("begin", **want)
    assert result["failed"] and said in result["msg"]
    assert stages.run("begin", fix=["leaver_active,f-0123456789ab"], fail_on="high")["spool"]


def test_the_report_is_written_and_noted_and_a_rehearsal_leaves_nothing(stages: Stages) -> None:
    rehearsed = stages.run("report", check_mode=True, fix=["leaver_active"])
    assert (
        rehearsed["summary"]["findings"] and not stages.folder.exists() and not stages.bench.ledger.noted("reconciled")
    )
    assert rehearsed["steps"] and all(not step["case"] for steps in rehearsed["steps"].values() for step in steps)
    result = stages.run("report", fail_on="critical")
    report = json.loads(Path(result["json"]).read_text())
    rows = list(csv.DictReader(Path(result["csv"]).read_text().splitlines()))
    assert (
        len(rows) == len(report["findings"]) == result["summary"]["findings"]
        and Path(result["html"]).stat().st_mode & 0o077 == 0
    )
    [noted] = stages.bench.ledger.noted("reconciled")
    assert noted.data["sha256"] == result["sha256"] and result["too_bad"] == 1 and "steps" not in result


def test_only_what_is_certain_is_settled_each_in_a_case(stages: Stages) -> None:
    result = stages.run("report", fix=["leaver_active,leaver_returned,entitlement_extra,orphan,ambiguous"])
    does = {(system, step["do"], step["account_id"]) for system, steps in result["steps"].items() for step in steps}
    assert does == {
        ("wiki", "cutoff", "wiki-1"),
        ("wiki", "cutoff", "wiki-2"),
        ("wiki", "suspend", "ghost"),
        ("jira", "take", "jira-5"),
    }
    assert result["left"] and all("more" in line or "whose account" in line for line in result["left"]), result["left"]
    assert len(result["cases"]) == 4 and {case["kind"] for case in result["cases"]} == {"reconcile"}
    ghost = next(step for step in result["steps"]["wiki"] if step["account_id"] == "ghost")
    assert ghost["person"] == {"email": "ghost@wiki.invalid", "logins": {"wiki": "ghost"}, "status": "active"}
    closed = stages.run("close", cases=result["cases"])
    assert closed["open"] == [] and all(stages.bench.ledger.case(case["id"]).complete for case in result["cases"])


def test_one_by_its_id_and_one_that_is_gone(stages: Stages) -> None:
    id_ = next(f["id"] for f in stages.bench.report()["findings"] if f["kind"] == "leaver_active")
    result = stages.run("report", fix=[id_, "f-000000000000"])
    assert [step["finding"] for step in result["steps"]["wiki"]] == [
        id_
    ] and "f-000000000000 is not found any more" in result["left"]


def test_a_system_that_was_not_read_is_not_touched(stages: Stages) -> None:
    stages.bench.read(company.Directory("wiki", stages.bench.made, breaks_after=30))
    result = stages.run("report", fix=["leaver_active", "leaver_returned", "orphan"], failures=stages.bench.failures)
    assert "wiki" not in result["steps"] and result["failed_systems"] == ["wiki"] and result["cases"] == []


def test_protected_people_are_left_alone(stages: Stages, tmp_path: Path) -> None:
    policy = tmp_path / "protecting.yml"
    policy.write_text("protected: {people: [E00001], members: [{system: wiki, name: Board}]}\n")
    board = [
        {
            "system": "wiki",
            "members": [{"kind": "groups", "name": "Board", "members": [stages.bench.made.people[2].email]}],
        }
    ]
    result = stages.run("report", policy=str(policy), fix=["leaver_active", "leaver_returned"], protected=board)
    assert (
        result["steps"] == {}
        and any("in Board of wiki" in line for line in result["left"])
        and any("E00001 is protected" in line for line in result["left"])
    )
    unread = stages.run("report", policy=str(policy), fix=["leaver_returned"], protected=[])
    assert unread["steps"] == {} and "was not read" in unread["left"][0]


def test_what_needs_an_approval_waits_for_it(stages: Stages, tmp_path: Path) -> None:
    policy = tmp_path / "approving.yml"
    policy.write_text("approvals: [{needs: people, over: 1, by: [ciso@corp.example]}]\n")
    result = stages.run("report", policy=str(policy), fix=["leaver_active", "orphan"])
    assert (
        result["failed"]
        and "2 people" in result["msg"]
        and not [c for c in stages.bench.ledger.cases() if c.kind == "reconcile"]
    )


def test_a_step_touches_only_the_very_account_that_the_finding_names() -> None:
    class One:
        def find_account(self, person: Person) -> Account:
            return Account("other", "ann", True)

        def set_active(self, account: Account, active: bool) -> None:
            raise AssertionError("written")

    want = {"system": "x", "person": {"email": "ann@corp.example"}, "state": "suspended", "account_id": "meant"}
    result = ACCOUNT.run(want, check_mode=False, system=One())
    assert result["failed"] and result["code"] == AmbiguousIdentity.code and "meant is meant" in result["msg"]


# -- links ---------------------------------------------------------------------------------------------------------------


class AsksByAddress(company.Directory):
    """Shows employee numbers when it lists, and can be asked for addresses and ids alone."""

    LOOKS_UP = frozenset({Kind.ID, Kind.ADDRESS})
    COMPARES = frozenset({Kind.ID, Kind.NUMBER, Kind.ADDRESS, Kind.LOGIN})

    def candidates(self, keys: PersonKeys) -> list[Account]:
        all_ = [listed.account for listed in self.made.accounts[self.target.name].values()]
        return [one for one in all_ if one.id in keys.ids or one.email and keys.has(Kind.ADDRESS, one.email)]

    def find_account(self, person: Person) -> Account | None:
        raise AssertionError("a run correlates")

    def set_active(self, account: Account, active: bool) -> None:
        self.made.change(self.target.name, account.id, account_active=active)

    def access_paths(self, account: Account, since: str) -> list[AccessPath]:
        now = self.made.accounts[self.target.name][account.id].account
        return [AccessPath("sign-in", "open" if now.active else "closed", lambda: self.set_active(account, False))]


def test_reconcile_links_the_whole_company_once_and_a_rehearsal_nobody(stages: Stages) -> None:
    ledger, made = stages.bench.ledger, stages.bench.made
    assert stages.run("report", check_mode=True)["linked"] == 0 and ledger.noted("linked") == []
    assert stages.run("report")["linked"] == len(ledger.noted("linked")) > 600
    person = made.people[10]
    own = {link.system: link for link in links.links(ledger, person)}
    assert own.keys() == company.DIRECTORIES.keys() and own["jira"].id == "jira-10"
    assert own["jira"].by == ("employee number", "address", "login") and own["github"].by == ("login",)
    # The address that two people have in HR is nobody's, and so is a service's account.
    linked = {(entry.system, entry.data["id"]) for entry in ledger.noted("linked")}
    assert ("slack", "slack-4") not in linked and ("slack", "bot0") not in linked and ("wiki", "ghost") not in linked
    # Everything of her changes, in HR and there: the second reconcile knows her by the link, and adds none.
    made.people[10] = Person(hr_id=person.hr_id, email="married@corp.example", employee_id="N1", department="design")
    made.change("zoom", "zoom-10", account_login="whatever", account_email="")
    stages.bench.index()
    stages.bench.read(company.Directory("zoom", made))
    assert not [f for f in stages.bench.report()["findings"] if f["ident"] == "zoom-10"]
    assert stages.run("report")["linked"] == 0


def test_a_second_account_is_settled_by_its_link(stages: Stages) -> None:
    """It carries the leaver's number and an address of its own: no look-up by name finds it."""
    made, ledger = stages.bench.made, stages.bench.ledger
    company.gone(made, 7)
    number = {"employee_id": made.people[7].employee_id}
    made.put("jira", Listed(Account("adm", "adm-7", True, "adm-7@corp.example", number)))
    stages.bench.index()
    stages.bench.read(company.Directory("jira", made))
    result = stages.run("report", fix=["leaver_active"])
    [step] = [one for one in result["steps"]["jira"] if one["account_id"] == "adm"]
    want = {
        **{name: spec.get("default") for name, spec in CUTOFF.spec.items()},
        "system": "jira",
        "person": step["person"],
        "account_id": "adm",
        "since": clock.stamp(),
        "known": links.known(links.Everybody(ledger, "jira"), step["person"]),
    }
    cut = CUTOFF.run(want, check_mode=False, system=AsksByAddress("jira", made))
    assert cut["outcome"] == "done" and not made.accounts["jira"]["adm"].account.active, cut
    assert made.accounts["jira"]["jira-8"].account.active


class Makes(company.Directory):
    """A directory on which accounts can be made."""

    ATTRIBUTES = ("display_name",)

    def find_account(self, person: Person) -> Account | None:
        return next((one.account for one in self.all_accounts() if one.account.email == person.email), None)

    def set_active(self, account: Account, active: bool) -> None:
        raise NotImplementedError

    def create_account(self, person: Person, attributes: Mapping[str, Any]) -> None:
        raise NotImplementedError

    update_account = delete_account = set_active  # type: ignore[assignment]


def test_a_system_that_is_new_in_a_profile_has_a_fix_that_makes_the_account_with_what_the_profile_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = Stages(tmp_path, monkeypatch)
    person = stages.bench.made.people[7]
    del stages.bench.made.accounts["jira"]["jira-7"]
    del stages.bench.made.accounts["wiki"]["wiki-7"]
    stages.bench.index()
    for system in company.connectors(stages.bench.made):
        makes = isinstance(system, company.Directory) and system.target.name == "jira"
        stages.bench.read(Makes("jira", stages.bench.made) if makes else system)
    result = stages.run("report", fix=["account_missing"])
    [step] = [step for step in result["steps"]["jira"] if step["person"]["email"] == person.email]
    assert (step["do"], step["account_id"]) == ("make", "")
    assert step["wanted"] == {"groups": [f"{person.department} jira", "everybody jira"]}
    assert "wiki" not in result["steps"] and any("on wiki" in line for line in result["left"]), "it makes no accounts"

    here = Here(
        system="jira",
        capabilities=frozenset(("provisioning", "entitlements")),
        fix=Fix("make", "f-1", "", step["wanted"]),
    )
    case = OpenCase.of(result["cases"][0])
    given = {
        name: one.of_case(case, here) for name, one in {**ACCOUNT_STEPS, **ENTITLEMENTS_STEPS}.items() if "fix" in name
    }
    assert given == {
        "fix": {"state": "present"},
        "fix_take": None,
        "fix_give": {"wanted": step["wanted"], "mode": "add"},
    }

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What was there before a joiner, and accounts that are nobody's own: told with their evidence, and never quietly taken over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Brake, Identity, Limit
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap.flavours import FLAVOURS
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.ldap.nobodys import nobodys
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.quarantine import judge
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff, existing_info, mailbox
from ansible_collections.workforce.lifecycle.plugins.modules.quarantine import TASK as QUARANTINE
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import limits as guards
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from sandbox.box import Box
from sandbox.vendors.github import GitHub
from sandbox.vendors.microsoft import Microsoft
from tests.support import connect, guard_of, person_of, run
from tests.unit.hr_company import HrCompany, row

ADA = Person.of({"email": "ada@corp.example", "employee_id": "E1020", "first_name": "Ada", "last_name": "Núñez"})
OLD = {
    "what": "account",
    "state": "suspended",
    "login": "ada@corp.example",
    "employee_id": "E1020",
    "name": "Ada Núñez",
}


# -- the judgement -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "how", "adopted", "said"),
    [
        ({}, {}, False, ""),
        (OLD, {}, False, "entra: account ada@corp.example (suspended, of Ada Núñez, employee E1020)"),
        ({**OLD, "state": "deleted"}, {}, False, "deleted"),
        ({**OLD, "state": "active"}, {}, False, "active"),
        (OLD, {"adopt": ["entra"]}, True, ""),
        (OLD, {"adopt": ["ldap"]}, False, "suspended"),
        ({**OLD, "employee_id": "E7"}, {"adopt": ["entra"]}, False, "it is not theirs to adopt"),
        (
            {"state": "ambiguous", "says": "the account is of employee E7"},
            {"adopt": ["entra"]},
            False,
            "of employee E7: it is not theirs to adopt",
        ),
        ({**OLD, "state": "active"}, {"precreated": ["entra"]}, True, ""),
        ({**OLD, "state": "active"}, {"precreated": ["entra"], "earlier": ["case offboard-ada"]}, False, "active"),
        ({**OLD, "state": "active", "employee_id": ""}, {"precreated": ["entra"]}, False, "active"),
        ({**OLD, "state": "deleted"}, {"precreated": ["entra"]}, False, "deleted"),
        (
            {**OLD, "says": "RecipientTypeDetails is SharedMailbox", "what": "mailbox"},
            {},
            False,
            "mailbox ada@corp.example (suspended, ",
        ),
    ],
)
def test_what_is_taken_over_and_what_stops(
    found: dict[str, str], how: dict[str, Any], adopted: bool, said: str
) -> None:
    verdict = judge(ADA, {"entra": found}, **{"adopt": (), "precreated": (), "earlier": (), **how})
    assert verdict.adopted == (("entra",) if adopted else ())
    assert said in verdict.stops.get("entra", "") and bool(verdict.stops) == bool(said)


def test_an_account_with_a_number_is_nobodys_own_while_hr_gave_the_joiner_none() -> None:
    unnumbered = Person.of({"email": "ada@corp.example", "first_name": "Ada", "last_name": "Núñez"})
    verdict = judge(unnumbered, {"entra": {**OLD, "state": "active"}}, adopt=(), precreated=["entra"], earlier=())
    assert verdict.adopted == () and "employee E1020" in verdict.stops["entra"]


class Joining(HrCompany):
    """A joiner of whom the wiki may have something already."""

    def begin(
        self, *users: str, seen: Mapping[str, Any] | None = None, adopt: Sequence[str] = (), read_only: bool = False
    ) -> dict[str, Any]:
        """Open the case and judge; ``seen`` is what the wiki has, None when it did not answer."""
        opened = self.run("onboard", *users, read_only=read_only)
        assert not opened.get("failed"), opened
        answers = [
            {"system": "wiki", "person": case["person"]["email"], **({} if seen is None else {"existing": dict(seen)})}
            for case in opened["cases"]
        ]
        return perform(
            QUARANTINE, self.book(read_only), {"cases": opened["cases"], "seen": answers, "adopt": list(adopt)}
        )


@pytest.fixture
def company(tmp_path: Path) -> Joining:
    made = Joining(tmp_path)
    made.has(
        row(1),
        row(7),
        row(8),
        row(6, status="terminated", termination_date="2020-01-31", email="p7@corp.example", hire_date="2019-01-01"),
    )
    return made


LEFT = {"what": "account", "state": "suspended", "login": "p7@corp.example"}


def test_what_is_there_stops_the_run_and_says_whose_it_may_be(company: Joining) -> None:
    old = company.ledger.open_case("offboard", {**row(5), "email": "p7@corp.example"}, "r", {"key": "2020"})
    refused = company.begin("hr_id:7", seen=LEFT)
    assert refused["failed"] and refused["code"] == "refused"
    for words in (
        "wiki: account p7@corp.example (suspended)",
        f"case {old.id} of First5 Last5, another record in HR",
        "known: hr: First6 Last6",
        "same address",
        "-e adopt=SYSTEM",
        "release it",
    ):
        assert words in refused["msg"], (words, refused["msg"])
    assert not company.ledger.noted("quarantined")


def test_adopted_by_word_and_remembered(company: Joining) -> None:
    assert company.begin("hr_id:7", seen=LEFT, adopt=["wiki"])["adopted"] == {"wiki": ["p7@corp.example"]}
    again = company.begin("hr_id:7", seen={**LEFT, "state": "active"})
    assert again["adopted"] == {"wiki": ["p7@corp.example"]}, (
        "the next run of the case still takes what the profile does not give"
    )
    assert len(company.ledger.noted("quarantined")) == 1
    assert company.begin("hr_id:7", seen={**LEFT, "state": "active"}, read_only=True)["adopted"] == {
        "wiki": ["p7@corp.example"]
    }, "and so does a rehearsal"


def test_what_the_case_makes_itself_is_not_judged(company: Joining) -> None:
    assert company.begin("hr_id:7", seen={}) == {"changed": False, "system": "", "adopted": {}, "unread": {}}
    assert company.begin("hr_id:7", seen={**LEFT, "state": "active"})["adopted"] == {}
    for case in company.ledger.cases():
        company.ledger.note("withdrawn", {"by": "HR", "withdraw": "x"}, case=case.id, person=case.key)
    refused = company.begin("hr_id:7", seen={**LEFT, "state": "active"})
    assert refused["failed"] and "case onboard-p7" in refused["msg"], (
        "another case is another beginning, and its hire was taken back before"
    )


def test_a_system_that_did_not_answer_is_not_touched(company: Joining) -> None:
    assert company.begin("hr_id:7")["unread"] == {"wiki": ["p7@corp.example"]}
    assert company.begin("hr_id:7", seen=LEFT)["failed"], "and judged when it does"


def test_one_word_is_of_one_person_and_a_known_system(company: Joining) -> None:
    assert "several are named" in company.begin("hr_id:7", "8", seen=LEFT, adopt=["wiki"])["msg"]
    assert "there is no such system" in company.begin("hr_id:7", seen=LEFT, adopt=["wikki"])["msg"]


def test_policy_says_where_others_make_accounts_first(tmp_path: Path) -> None:
    made = Joining(tmp_path, Policy(brake=Brake(leavers=Limit(1000)), identity=Identity(precreated=["wiki"])))
    made.has(row(1), row(7))
    assert made.begin("7", seen={**LEFT, "state": "active", "employee_id": "E7"})["adopted"] == {
        "wiki": ["p7@corp.example"]
    }
    made.ledger.open_case("offboard", row(7), "r", {"key": "2020"})
    case = next(case for case in made.ledger.cases() if case.kind == "onboard")
    made.ledger.note("withdrawn", {"by": "HR", "withdraw": "x"}, case=case.id, person=case.key)
    assert made.begin("7", seen={**LEFT, "state": "active", "employee_id": "E7"})["failed"], (
        "they left since: it may be the old one"
    )


# -- what the systems say ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with Box([Microsoft, GitHub]) as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    for emulator in ("microsoft", "github"):
        running[emulator].reset()
    return running


def looked(box: Box, system: str, person: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = run(existing_info.TASK, box, system, person=dict(person))["existing"]
    return found


def test_live_suspended_and_deleted_accounts_are_seen(box: Box) -> None:
    jane, ada = person_of(box, "jane"), person_of(box, "ada")
    assert looked(box, "entra", ada) == {} and looked(box, "exchange", ada) == {}
    assert looked(box, "entra", jane)["state"] == "active" and looked(box, "entra", jane)["employee_id"] == "E1007"
    entra = connect(box, "entra")
    entra.set_active(entra.find_account(Person.of(jane)), False)
    assert looked(box, "entra", jane)["state"] == "suspended"
    entra.delete_account(entra.find_account(Person.of(jane)))
    assert looked(box, "entra", jane)["state"] == "deleted"
    other = looked(box, "entra", {**person_of(box, "mark"), "employee_id": "E9999"})
    assert other["state"] == "ambiguous" and "E1002" in other["says"], (
        "another employee's is told, and is no failure of the look"
    )
    box["microsoft"].user("lena@corp.example")["userType"] = "Guest"
    assert "a guest" in looked(box, "entra", person_of(box, "lena"))["says"]


def test_a_shared_mailbox_is_seen(box: Box) -> None:
    part = next(part for part in box["microsoft"].parts if part.name == "exchange")
    part.mailbox_of("jane@corp.example")["type"] = "SharedMailbox"
    found = looked(box, "exchange", person_of(box, "jane"))
    assert (found["what"], found["says"]) == ("mailbox", "RecipientTypeDetails is SharedMailbox")


def test_an_account_that_is_the_persons_own_is_nothing_of_before(box: Box) -> None:
    assert looked(box, "github", person_of(box, "ada")) == {}, "she is on GitHub, and not in the organisation"
    assert looked(box, "github", person_of(box, "jane"))["state"] == "active"


# -- accounts that are nobody's own --------------------------------------------------------------------------------------

ASKED = {"not_people": [dict(facts) for facts in Identity().not_people]}


class One:
    """A system with one account."""

    def __init__(self, **facts: Any) -> None:
        self.account, self.writes = Account("1", "info", True, **facts), 0

    def find_account(self, person: Person) -> Account:
        return self.account

    def set_active(self, account: Account, active: bool) -> None:
        self.writes += 1


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"no_person": "RecipientTypeDetails is RoomMailbox"},
            "info is nobody's own: RecipientTypeDetails is RoomMailbox",
        ),
        ({"attributes": {"employment_type": "Service Account"}}, "employment_type is Service Account"),
        ({"attributes": {"employment_type": "employee"}}, ""),
        ({}, ""),
    ],
)
def test_what_the_system_says_of_itself_stops_the_step(facts: dict[str, Any], said: str) -> None:
    def suspended(guard: Mapping[str, Any], **want: Any) -> dict[str, Any]:
        params = {name: spec.get("default") for name, spec in account.TASK.spec.items()}
        return account.TASK.run(
            {
                **params,
                "system": "x",
                "person": {"email": "info@corp.example"},
                "state": "suspended",
                "guard": guard,
                **want,
            },
            check_mode=True,
            system=One(**facts),
        )

    result = suspended(ASKED)
    assert bool(result.get("failed")) == bool(said) and said in result.get("msg", ""), result
    assert not said or "-e adopt=" in result["msg"]
    assert not suspended({}).get("failed"), "when it is known to be theirs"
    assert not suspended(ASKED, account_id="1").get("failed"), "when somebody names the very account"


def test_a_real_shared_mailbox_is_not_cut_off_nor_handed_over(box: Box) -> None:
    part = next(part for part in box["microsoft"].parts if part.name == "exchange")
    jane = person_of(box, "jane")
    part.mailbox_of("jane@corp.example")["type"] = "SharedMailbox"
    for module, want in ((cutoff, {}), (mailbox, {"hidden": True})):
        result = run(module.TASK, box, "exchange", person=jane, guard=ASKED, **want)
        assert result["failed"] and "SharedMailbox" in result["msg"].replace(
            "type of the mailbox is shared", "SharedMailbox"
        ), result
    assert not [entry for entry in box["microsoft"].journal if entry["write"]]
    assert run(cutoff.TASK, box, "exchange", person=jane, guard={})["outcome"] == "done", (
        "when the ledger, or somebody, says that it is hers"
    )


def test_a_bot_is_nobody(box: Box) -> None:
    bot = connect(box, "github")
    real = bot.api.get
    bot.api.get = lambda path, **how: (
        {**real(path, **how), "type": "Bot"} if path.startswith("/users/") else real(path, **how)
    )
    assert bot.find_account(Person.of(person_of(box, "jane"))).no_person == "its type is Bot"
    assert connect(box, "github").find_account(Person.of(person_of(box, "jane"))).no_person == ""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            {"serviceprincipalname": [b"MSSQLSvc/db1.corp.example:1433"]},
            "servicePrincipalName is MSSQLSvc/db1.corp.example:1433",
        ),
        ({"objectclass": [b"person", b"computer"]}, "objectClass is computer"),
        ({"msexchrecipienttypedetails": [b"4"]}, "msExchRecipientTypeDetails is 4"),
        ({"iscriticalsystemobject": [b"TRUE"]}, "isCriticalSystemObject is TRUE"),
        ({"useraccountcontrol": [b"2048"]}, "trusted domain"),
        ({"objectclass": [b"top", b"person", b"organizationalPerson", b"user"], "useraccountcontrol": [b"512"]}, ""),
    ],
)
def test_a_directory_says_what_is_no_person(said: dict[str, list[bytes]], why: str) -> None:
    assert why in nobodys(said, True) and bool(nobodys(said, True)) == bool(why)
    assert {"servicePrincipalName", "objectClass"} <= set(FLAVOURS["active_directory"].nobodys), (
        "read with the person's entry"
    )


def test_the_guard_asks_until_a_run_wrote_there_or_somebody_said_so(tmp_path: Path) -> None:
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    about = {
        "plan": "",
        "plans_folder": "",
        "rehearsal": False,
        "phase": "cutoff",
        "system": "exchange",
        "step": "cutoff",
        "person": "jane@corp.example",
    }
    assert guard_of(Policy(), ledger, **about)["not_people"] == ASKED["not_people"]
    assert "not_people" not in guard_of(Policy(), ledger, **about, adopted=True)
    case = ledger.open_case("offboard", {"email": "jane@corp.example"}, "r", {})
    ledger.intent(
        case.id,
        run="r",
        phase="preserve",
        system="exchange",
        step="mailbox",
        person="jane@corp.example",
        irreversible=False,
        changes=[{"what": "type", "before": "user", "after": "shared"}],
    )
    assert "not_people" not in guard_of(Policy(), ledger, **about), "what is shared now was hers before"
    assert guard_of(Policy(), ledger, **{**about, "person": "mark@corp.example"})["not_people"]
    assert (
        guards.named("entra, exchange") == guards.named(["entra", "exchange"]) == ["entra", "exchange"]
        and guards.named(None) == []
    )

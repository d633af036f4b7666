# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The written connectors' lists and people: a page that stands still is an error and no short list, and two who answer are a question.

Those that are data have both in ``tests/declared``. Nobody is left out: who has no such list or people says why, and the last test
fails for a connector that says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.slack import listing as slack_listing
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import AmbiguousIdentity, ProtocolError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import people_index

from sandbox.box import Box
from sandbox.vendors.github import GitHub
from sandbox.vendors.microsoft import Microsoft
from tests.conformance.test_conformance import SETS
from tests.support import connect

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [name for name, one in CONNECTORS.items() if not hasattr(one, "MANIFEST")]
#: A set of scenarios may have its system under another name.
SYSTEM = {"scim": "wiki"}
Patch = pytest.MonkeyPatch


def _accounts(system: Any) -> list[Any]:
    return list(system.all_accounts())


def _devices(system: Any) -> list[Any]:
    return list(system.all_devices())


def _people(system: Any) -> list[Any]:
    people_index.INDEXES.clear()
    return list(system.all_people())


#: What reads a list of several pages, of connectors whose scenarios the conformance suite has.
PAGED: Mapping[str, Callable[[Any], Any]] = {
    "apple_business": lambda system: system.management(),
    "azure": _accounts,
    "entra": _accounts,
    "exchange": _accounts,
    "fleet": _devices,
    "gcp": _accounts,
    "github": _accounts,
    "google_workspace": _accounts,
    "hibob": _people,
    "intune": _devices,
    "jamf": _devices,
    "kandji": _devices,
    "okta": _accounts,
    "personio": _people,
    "scim": _accounts,
    "slack": _accounts,
}
#: Options with which a system is asked for several pages.
OPTIONS: Mapping[str, Mapping[str, Any]] = {"gcp": {"resources": []}, "scim": {"page_size": 2}}
#: A page that stands still: tested beside what is special about it; or there are no pages, and why.
OTHERWISE_PAGED: Mapping[str, str] = {
    "aws": "tests/unit/test_listing.py::test_authorization_details_are_read_to_the_last_page",
    "ldap": "tests/unit/test_ldap.py::test_a_cookie_that_stands_still_is_no_complete_list",
    "onedrive": "tests/unit/test_onedrive.py::test_a_page_link_that_stands_still_is_an_error",
    "bamboohr": "its lists come whole",
    "tailscale": "its lists come whole",
    "csv": "a file",
    "openvpn": "a file, and one answer of the daemon",
    "wireguard": "a file, and one answer of the program",
    "imap": "a folder's messages are asked for by their numbers",
    "jira_tickets": "it asks for one ticket",
    "request_tracker": "it asks for one ticket",
    "servicenow": "it asks for one ticket",
    "manual": "no system",
}
#: Systems that know people by an account: HR says that jane has a second address, and it is another account's.
PEOPLE = (
    "aws", "azure", "entra", "exchange", "gcp", "github", "google_workspace", "ldap", "okta", "openvpn", "scim", "slack", "tailscale",
    "wireguard",
)  # fmt: skip
#: Device managements with two records of one serial: where the records are.
SERIALS = ("fleet", "jamf", "kandji")
OTHERWISE_TWO: Mapping[str, str] = {
    "intune": "tests/unit/test_intune.py::test_two_records_of_one_serial_stop",
    "bamboohr": "tests/unit/test_bamboohr.py::test_two_with_one_address_are_both_returned_and_nobody_is_nobody",
    "hibob": "tests/unit/test_hibob.py::test_two_with_one_address_are_both_returned_and_nobody_is_nobody",
    "personio": "tests/unit/test_personio.py::test_two_with_one_address_are_both_returned_and_nobody_is_nobody",
    "csv": "tests/unit/test_csv.py::test_quoted_delimiters_and_two_of_one_address",
    "apple_business": "a serial number is the name of one device",
    "onedrive": "a drive is asked for by its one owner",
    "imap": "a mailbox is asked for by its one name",
    "jira_tickets": "a ticket carries its step's own key; of two, the older one counts",
    "request_tracker": "a ticket carries its step's own key; of two, the older one counts",
    "servicenow": "a ticket carries its step's own key; of two, the older one counts",
    "manual": "no system",
}
#: Connectors without scenarios in the conformance suite: where what they do is tested, or why there is nothing to play.
NOT_PLAYED: Mapping[str, str] = {
    "csv": "tests/unit/test_csv.py::test_what_is_not_certain_is_one_line_with_file_and_line",
    "imap": "tests/unit/test_imap.py::test_what_a_refusal_means",
    "manual": "tests/unit/test_manual.py::test_a_step_needs_a_human_until_it_is_attested_by_name_and_time",
    "gusto": "tests/declared/test_people.py::test_an_answer_that_is_none_is_an_error",
    "rippling": "tests/declared/test_people.py::test_an_answer_that_is_none_is_an_error",
    "workday": "tests/declared/test_people.py::test_an_answer_that_is_none_is_an_error",
}


@pytest.fixture
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    with Box(SETS[request.param].VENDORS) as box:
        yield box


def _each(names: Any) -> Any:
    cases = [pytest.param(name, name, id=name, marks=pytest.mark.rotating(of=6, by=name)) for name in names]
    return pytest.mark.parametrize(("box", "name"), cases, indirect=["box"])


def _system(box: Box, name: str, **options: Any) -> Any:
    system = SYSTEM.get(name, name)
    given = {**(box.systems()[system].get("options") or {}), **options}
    return connect(box, system, options={key: value for key, value in given.items() if value != []})


def _in_small_pages(box: Box, name: str, patch: Patch) -> None:
    whole = Microsoft.page

    def by_twos(self: Microsoft, call: Any, items: Any, default: int = 100, maximum: int = 999) -> Any:
        call.query = {**call.query, "$top": "2"}
        return whole(self, call, items, default, maximum)

    patch.setattr(Microsoft, "page", by_twos)
    patch.setattr(GitHub, "PAGE", 2)
    patch.setattr(slack_listing, "PAGE", 3)
    connectors = "ansible_collections.workforce.lifecycle.plugins.module_utils.connectors"
    for one in ("fleet", "jamf", "kandji", "personio.connector"):
        patch.setattr(f"{connectors}.{one}._PAGE", 1)
    if name == "exchange":
        next(part for part in box["microsoft"].parts if part.name == "exchange").admin_page = 2
    if name == "hibob":
        state = box["hibob"].state
        row = {"id": "1", "effectiveDate": "2020-01-01", "status": "employed"}
        state["lifecycle"] = {key: [row] * 60 for key in state["lifecycle"]}


@_each(PAGED)
def test_a_page_that_stands_still_is_an_error_and_no_short_list(box: Box, name: str, monkeypatch: Patch) -> None:
    _in_small_pages(box, name, monkeypatch)
    options = OPTIONS.get(name, {})
    PAGED[name](_system(box, name, **options))
    asked = [(entry["method"], entry["path"]) for one in box.emulators.values() for entry in one.journal]
    assert len(asked) > len(set(asked)), "it has several pages"
    for emulator in box.emulators.values():
        emulator.fault("again", method="READ", times=-1)
    with pytest.raises(ProtocolError, match="does not advance"):
        PAGED[name](_system(box, name, **options))


@_each(PEOPLE)
def test_two_accounts_that_answer_are_a_question_and_no_choice(box: Box, name: str) -> None:
    if name == "wireguard":  # there his peer says a login and no address
        file = box["wireguard"].file
        file.write_text(file.read_text().replace("### begin mark ###", "# mark@corp.example"))
    both = Person(email="jane@corp.example", aliases=("mark@corp.example",))
    with pytest.raises(AmbiguousIdentity):
        _system(box, name).find_account(both)


@_each(SERIALS)
def test_two_records_of_one_serial_are_a_question(box: Box, name: str) -> None:
    serials = [one["serial"] for one in box[name].state["devices"].values()]
    for one in box[name].state["devices"].values():
        one["serial"] = serials[0]
    with pytest.raises(AmbiguousIdentity):
        _system(box, name).find_device(serials[0])


def test_every_connector_is_played_or_says_why_not() -> None:
    assert set(CONNECTORS) - set(SETS) == set(NOT_PLAYED)
    assert set(WRITTEN) == {*PAGED, *OTHERWISE_PAGED} and not set(PAGED) & set(OTHERWISE_PAGED)
    assert set(WRITTEN) == {*PEOPLE, *SERIALS, *OTHERWISE_TWO} and not {*PEOPLE, *SERIALS} & set(OTHERWISE_TWO)
    for said in (*NOT_PLAYED.values(), *OTHERWISE_PAGED.values(), *OTHERWISE_TWO.values()):
        file, colons, test = said.partition("::")
        assert not colons or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), said

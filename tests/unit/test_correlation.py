# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Which account is whose: every key of an account against a person's and against everybody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.correlation import Whose, correlate, judge
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import Others, pack
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.keys import Key, Kind, PersonKeys, same
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Connector, Target
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import Account

JANE: dict[str, Any] = {
    "email": "jane.lind@corp.example",
    "employee_id": "E1007",
    "hr_id": "107",
    "first_name": "Jane",
    "last_name": "Lind",
    "aliases": ["jane.roth@corp.example"],
}
MARK: dict[str, Any] = {
    "email": "mark@corp.example",
    "employee_id": "E1002",
    "hr_id": "102",
    "first_name": "Mark",
    "last_name": "Chen",
    "logins": {"wiki": "boss"},
}


class Wiki(Connector):
    LOGIN = "{local_part}"


def keys_of(ids: tuple[str, ...] = (), **changes: Any) -> PersonKeys:
    return Wiki(Target("wiki", "wiki")).keys_of(Person.of({**JANE, **changes}), ids)


def account(login: str, email: str = "", number: str = "", name: str = "", ident: str = "u1", **keys: str) -> Account:
    attributes = {key: value for key, value in (("employee_id", number), ("display_name", name)) if value}
    return Account(
        ident, login, True, email, attributes, keys=tuple(Key(Kind[k.upper()], value) for k, value in keys.items())
    )


def others(*people: dict[str, Any]) -> Others:
    return Others(pack([Person.of(one) for one in (JANE, *people)], {"wiki": "{local_part}"}))


def each_in_an_hr_system(*people: dict[str, Any], apart: Sequence[str] = ()) -> Others:
    return Others(*(pack([Person.of(one)], {}) for one in people), apart=apart)


@pytest.mark.parametrize(
    ("one", "whose"),
    [
        (account("jroth", "old@corp.example", "E1007"), Whose.THEIRS),  # married; the number is hers
        (account("x", "jane.roth@corp.example"), Whose.THEIRS),  # a former address
        (
            account("jane.roth"),
            Whose.DOUBT,
        ),  # the pattern, of a former address; nothing else is there, and others have such names
        (account("jane.lind", "jane.lind@another.example", name="Jane Lind"), Whose.DOUBT),  # a look-alike elsewhere
        (account("jane.lind", name="Bob Smith"), Whose.DOUBT),  # a login that somebody else has
        (account("jane.lind", "jane.lind@corp.example", "E2000"), Whose.DOUBT),  # an address that was given on
        (account("e1007"), Whose.DOUBT),  # numbers as logins, and nobody said so
        (account("bob", "bob@corp.example", "E3"), Whose.ANOTHER),
        (
            account("x", "x@elsewhere.example", subject="E1007"),
            Whose.DOUBT,
        ),  # another's externalId that equals a number
    ],
)
def test_an_account_is_compared_by_every_key_it_carries(one: Account, whose: Whose) -> None:
    assert judge(keys_of(), one).whose is whose


@pytest.mark.parametrize(
    ("pattern", "login", "whose"),
    [
        ("{local_part}", "jane.lind", Whose.DOUBT),  # so is jane.lind@partner.example, of whom HR knows nothing
        ("{local_part}-corp", "jane.lind-corp", Whose.DOUBT),
        ("{email}", "jane.lind@corp.example", Whose.THEIRS),
        ("{local_part}@corp.example", "jane.lind@corp.example", Whose.THEIRS),
        ("{employee_id}", "E1007", Whose.THEIRS),
        ("{local_part}.{employee_id}", "jane.lind.E1007", Whose.THEIRS),
    ],
)
def test_a_login_that_a_stranger_may_have_too_is_asked_about_where_strangers_may_have_accounts(
    pattern: str, login: str, whose: Whose
) -> None:
    def judged(**options: object) -> Whose:
        keys = Wiki(Target("wiki", "wiki", options={"login": pattern, **options})).keys_of(Person.of(JANE))
        return judge(keys, account(login, name="Jane Lind")).whose

    assert judged() is whose
    assert judged(hr_only=True) is Whose.THEIRS


def test_a_login_of_names_is_asked_about_even_where_only_hrs_people_are() -> None:
    wiki = Wiki(Target("wiki", "wiki", options={"login": "{first_name:.1}{last_name}", "hr_only": True}))
    assert judge(wiki.keys_of(Person.of(JANE)), account("JLind")).whose is Whose.DOUBT


def test_a_login_that_begins_with_an_at_sign_is_no_address_that_speaks_against_the_person() -> None:
    chat = Wiki(Target("chat", "wiki", options={"login": "@{local_part}:chat.corp.example", "hr_only": True}))
    found = account("@jane.lind:chat.corp.example")
    assert [key.kind for key in found.carried] == [Kind.LOGIN]
    assert judge(chat.keys_of(Person.of(JANE)), found).whose is Whose.THEIRS


def test_a_link_outlives_every_rename() -> None:
    renamed = account("xx", "xx@corp.example", name="Somebody New", ident="42")
    assert judge(keys_of(), renamed).whose is Whose.ANOTHER
    assert judge(keys_of(ids=("42",)), renamed).whose is Whose.THEIRS


def test_a_login_that_hr_names_for_two_people_is_nobodys_to_touch() -> None:
    keys = keys_of(logins={"wiki": "boss"})
    found = correlate(keys, [account("boss", "mark@corp.example")], others(MARK), "wiki")
    assert [one.whose for one in found.judged] == [Whose.ANOTHER]
    found = correlate(keys, [account("boss")], others(MARK), "wiki")
    assert [one.whose for one in found.judged] == [Whose.DOUBT]


def test_a_leaver_who_wrote_a_colleagues_address_into_her_entry_stays_certain_by_number() -> None:
    found = correlate(keys_of(), [account("jane.lind", "mark@corp.example", "E1007")], others(MARK), "wiki")
    assert found.theirs and "somebody else in HR" in found.theirs[0].doubt


def test_an_address_that_another_record_has_too_leaves_no_doubt_where_the_number_is_hers() -> None:
    twin = {"email": JANE["email"], "employee_id": "E9", "hr_id": "9", "first_name": "Ida", "last_name": "Lund"}
    mine = account("jane.lind", JANE["email"], "E1007")
    assert correlate(keys_of(), [mine], others(twin), "wiki").theirs
    another = account("jane.lind", JANE["email"], "E1007", name="Ida Lund")
    assert correlate(keys_of(), [another], others(twin), "wiki").theirs == ()


def test_a_number_typed_into_a_colleagues_entry_does_not_make_it_the_leavers() -> None:
    typo = account("boss", "mark@corp.example", "E1007", name="Mark Chen")
    assert correlate(keys_of(), [typo], others(MARK), "wiki").theirs == ()
    mine = account("boss", "mark@corp.example", name="Mark Chen", subject="E1007")
    assert correlate(keys_of(), [mine], others(MARK), "wiki").theirs == ()


def test_a_second_account_with_her_number_is_hers_and_one_with_her_address_alone_is_asked_about() -> None:
    found = correlate(
        keys_of(),
        [
            account("jane.lind", "jane.lind@corp.example", "E1007", ident="1"),
            account("adm-jane", number="E1007", ident="2"),
            account("svc-backup", "jane.lind@corp.example", ident="3"),
        ],
        others(MARK),
        "wiki",
    )
    assert [one.account.login for one in found.theirs] == ["jane.lind", "adm-jane"]
    assert [one.account.login for one in found.doubts] == ["svc-backup"]


def test_two_records_of_one_human_do_not_contest_each_other() -> None:
    again = {**JANE, "hr_id": "900", "employee_id": "E9000", "person_key": "W1"}
    before = {**JANE, "person_key": "W1"}
    index = Others(pack([Person.of(again), Person.of(before)], {"wiki": "{local_part}"}))
    keys = Wiki(Target("wiki", "wiki")).keys_of(Person.of(before))
    assert correlate(keys, [account("jane.lind", "jane.lind@corp.example")], index, "wiki").theirs


@pytest.mark.parametrize(
    ("kind", "left", "right", "equal"),
    [
        (Kind.ADDRESS, "ross@corp.example", "ro\u017f\u017f@corp.example", False),  # casefold would make them one
        (Kind.ADDRESS, "strasse@corp.example", "stra\u00dfe@corp.example", False),
        (Kind.ADDRESS, "Jane@Corp.Example", "jane@corp.example", True),
        (Kind.LOGIN, "J\u00fcrgen", "Ju\u0308rgen", True),  # composed and decomposed
        (Kind.LOGIN, "Kim.Lange", "kim.lange", True),
        (Kind.ID, "aB", "Ab", False),
        (Kind.SUBJECT, "aB", "Ab", False),
        (Kind.ADDRESS, "", "", False),
    ],
)
def test_keys_compare_exactly_but_for_what_vendors_ignore(kind: Kind, left: str, right: str, equal: bool) -> None:
    assert same(kind, left, right) is equal


def test_the_index_of_other_people_holds_no_names() -> None:
    packed = pack([Person.of(MARK)], {})
    assert len(packed) % 10 == 0 and b"mark" not in packed and b"E1002" not in packed


def test_an_account_of_two_employments_is_not_cut_when_one_of_them_ends() -> None:
    """Jane moved to the daughter company, whose own HR system has her by another number and address; the account is one."""
    daughter = {**JANE, "email": "jane@daughter.example", "employee_id": "D1", "hr_id": "d1", "aliases": []}
    hers = account("jlind", "jane@daughter.example", "E1007", name="Jane Lind")
    for there, whose in ((daughter, Whose.DOUBT), ({**daughter, "status": "terminated"}, Whose.THEIRS)):
        [judged] = correlate(keys_of(status="terminated"), [hers], others(there), "wiki").judged
        assert judged.whose is whose, there
        assert ("two employments" in judged.doubt) == (whose is Whose.DOUBT)
    other = {**daughter, "first_name": "Ida"}
    assert correlate(keys_of(), [hers], others(other), "wiki").theirs, (
        "a colleague's address in her own entry keeps nothing open"
    )


@pytest.mark.parametrize(
    "shown",
    [
        {"employee_id": "E1007"},
        {"employee_id": "C1", "person_key": "W1"},
        {"employee_id": "C1", "personal_email": "jane@mail.example"},
        {"employee_id": "C1", "attributes": {"birth_date": "1990-02-28"}},
    ],
    ids=["number", "person key", "private address", "name and birth date"],
)
@pytest.mark.parametrize("status", ["active", "terminated"])
def test_an_account_with_keys_of_both_records_is_theirs_when_hr_shows_one_human_being(
    shown: dict[str, Any], status: str
) -> None:
    """A contractor becomes an employee: two HR systems have them, each with another address, and then one of the records ends."""
    facts = {"person_key": "W1", "personal_email": "jane@mail.example", "attributes": {"birth_date": "1990-02-28"}}
    contractor = {**JANE, "email": "jane@contractors.example", "hr_id": "c1", "aliases": [], "status": status}
    contractor |= shown
    apart = each_in_an_hr_system({**JANE, **facts}, contractor)
    hers = account("jlind", "jane@contractors.example", "E1007", name="Jane Lind")
    [judged] = correlate(keys_of(**facts), [hers], apart, "wiki").judged
    assert judged.whose is Whose.THEIRS, judged.doubt


@pytest.mark.parametrize("fact", ["employee_id", "person_key", "personal_email", "attributes"])
def test_of_who_has_left_an_account_with_keys_of_a_record_that_works_here_is_asked_about(fact: str) -> None:
    facts = {"person_key": "W1", "personal_email": "jane@mail.example", "attributes": {"birth_date": "1990-02-28"}}
    left = {**JANE, **facts, "status": "terminated"}
    works = {
        **JANE,
        "email": "jane@daughter.example",
        "hr_id": "d1",
        "employee_id": "D1",
        "aliases": [],
        fact: left[fact],
    }
    apart = each_in_an_hr_system(left, works)
    hers = account("jlind", "jane@daughter.example", "E1007", name="Jane Lind")
    [judged] = correlate(keys_of(status="terminated", **facts), [hers], apart, "wiki").judged
    assert judged.whose is Whose.DOUBT and "two employments" in judged.doubt


def test_a_record_that_somebody_called_another_person_is_another_person() -> None:
    """Two men of one name have one number in two HR systems: -e distinct=c1."""
    other = {**JANE, "email": "jane@contractors.example", "hr_id": "c1", "aliases": []}
    theirs = account("jlind", "jane@contractors.example", "E1007", name="Jane Lind")
    assert correlate(keys_of(), [theirs], each_in_an_hr_system(JANE, other), "wiki").theirs
    [judged] = correlate(keys_of(), [theirs], each_in_an_hr_system(JANE, other, apart=["c1"]), "wiki").judged
    assert judged.whose is Whose.DOUBT and "somebody else in HR" in judged.doubt
    mine = account("jane.lind", "jane.lind@corp.example", "E1007", name="Jane Lind")
    assert (
        correlate(keys_of(), [mine], each_in_an_hr_system(JANE, other, apart=["c1"]), "wiki").judged[0].whose
        is not Whose.ANOTHER
    )


def test_a_number_of_two_hr_systems_is_not_one_human_being_without_the_name() -> None:
    namesake_of_nobody = {**JANE, "first_name": "Ida", "email": "ida@contractors.example", "hr_id": "c1", "aliases": []}
    apart = each_in_an_hr_system(JANE, namesake_of_nobody)
    hers = account("ida", "ida@contractors.example", name="Ida Lind")
    assert not correlate(keys_of(), [hers], apart, "wiki").theirs
    assert apart.claims("wiki", hers, keys_of()), "the address is somebody else's"

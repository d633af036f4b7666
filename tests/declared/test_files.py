# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every connector that comes as data: its contract, its lists page by page, and what no scenario plays."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.contract import (
    Contract,
    blank,
    graphql_of,
    violations,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.manifest import Manifest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.reading import manifest_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AmbiguousIdentity,
    Conflict,
    NotFound,
    ProtocolError,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.protocols import (
    AccountListing,
    CredentialListing,
    Cutoff,
    Ownership,
    SecurityControls,
    everybody,
)

from sandbox.box import Box
from tests import support
from tests.declared.contract import checks, rest
from tests.declared.scenarios import WORLDS

NAMES = list(WORLDS)
VERBS = ("get", "post", "put", "patch", "delete", "graphql")


def manifest(name: str) -> Manifest:
    made: Manifest = CONNECTORS[name].MANIFEST  # type: ignore[attr-defined]
    return made


@pytest.fixture(scope="module", params=NAMES)
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    with Box([WORLDS[request.param]]) as made:
        made.named = request.param  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def world(box: Box) -> Any:
    emulator = box[box.named]  # type: ignore[attr-defined]
    emulator.reset()
    return emulator


def connector(box: Box, **changes: Any) -> Any:
    return support.connect(box, box.named, **changes)  # type: ignore[attr-defined]


def person(box: Box, key: str) -> Person:
    return Person.of(support.person_of(box, key))


# -- the contract ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_request_is_in_the_vendors_contract(name: str) -> None:
    by = checks(name)
    assert by, "a file without a contract is checked by nobody"
    for source, check in by.items():
        assert check(manifest(name)) == [], source
    if any(graphql_of(request) for request, _ in manifest(name).requests()):
        assert "schema" in by


def planted(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file with one mistake in one request, and which; for every request of it."""
    for place in [*requests(data)]:
        for kind, plant in PLANTS.items():
            changed = copy.deepcopy(data)
            step = changed
            for key in place:
                step = step[key]
            if plant(step):
                yield f"{kind} in {'.'.join(map(str, place))}", changed


def requests(node: Any, *place: Any) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, dict):
        if (
            place
            and place[0] in ("accounts", "cutoff", "entitlements", "owned", "keys")
            and any(isinstance(node.get(v), str) for v in VERBS)
        ):
            yield place
        for key, inner in node.items():
            if key not in ("json", "query", "scim"):
                yield from requests(inner, *place, key)
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from requests(inner, *place, number)


def _path(step: dict[str, Any]) -> bool:
    if "graphql" in step:
        step["graphql"] = step["graphql"].rstrip().removesuffix("}") + " wrongly }"
        return True
    verb = next(v for v in VERBS if v in step)
    step[verb] = step[verb] + "/wrong"
    return True


def _method(step: dict[str, Any]) -> bool:
    if "graphql" in step:
        return False
    verb = next(v for v in VERBS if v in step)
    if verb == "get":
        step["post"], step["reads"] = step.pop("get"), True
    elif step.pop("reads", False):
        step["get"] = step.pop(verb)
    else:
        step["patch" if verb != "patch" else "put"] = step.pop(verb)
    return True


def _query(step: dict[str, Any]) -> bool:
    if "graphql" in step:
        step["json"] = {**step.get("json", {}), "wrongly": "x"}
        return True
    step["query"] = {**step.get("query", {}), "wrongly": "x"}
    return True


PLANTS: dict[str, Callable[[dict[str, Any]], bool]] = {"path": _path, "method": _method, "query name": _query}


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_mistake_in_any_request_fails_the_check(name: str) -> None:
    data = dict(manifest(name).source)
    plants = list(planted(data))
    assert len(plants) >= 2 * len([*requests(data)])
    assert plants or manifest(name).accounts.scim is not None, (
        "a file that leaves accounts to SCIM may send nothing of its own"
    )
    for what, changed in plants:
        read = manifest_of(json.dumps(changed), name)
        assert any(check(read) for check in checks(name).values()), what


def _enumerated(data: dict[str, Any], contract: Contract) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file with a value that the vendor does not list, for each of a query or a body that it does list."""
    for request, _ in manifest_of(json.dumps(data), "x").requests():
        operation = contract.get((request.method, blank(request.path)))
        if operation is None or graphql_of(request):
            continue
        listed = [("query", name) for name, values in operation.query.items() if values and name in request.query]
        listed += [("json", *path) for path in _listed_in(request.json, operation.body)]
        for *above, last in listed:
            changed = copy.deepcopy(data)
            step: Any = changed
            for key in (*request.place, *above):
                step = step[key]
            if isinstance(step[last], str) and "{" not in step[last]:
                step[last] = "wrong"
                yield f"{last} in {request.place}", changed


def _listed_in(sent: Any, known: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """Where in a body the vendor lists the values."""
    if isinstance(sent, list):
        for number, one in enumerate(sent):
            yield from _listed_in(one, known, *path, number)
    elif isinstance(sent, dict) and isinstance(known, dict):
        for name, inner in sent.items():
            yield from _listed_in(inner, known.get(name), *path, name)
    elif isinstance(known, str) and path:
        yield path


def test_a_planted_value_that_the_vendor_does_not_list_fails_the_check() -> None:
    seen: dict[str, int] = {}
    for name in NAMES:
        for contract in rest(name).values():
            for what, changed in _enumerated(dict(manifest(name).source), contract):
                seen[name] = seen.get(name, 0) + 1
                assert violations(manifest_of(json.dumps(changed), name), contract), (name, what)
    assert len(seen) >= 16, seen


@pytest.mark.parametrize("name", NAMES)
def test_what_a_file_can_give_and_take_is_played(name: str) -> None:
    kinds = manifest(name).entitlements.values()
    assert bool(WORLDS[name].GIVE) >= any(kind.grant for kind in kinds)
    takes = any(kind.revoke or kind.floor for kind in kinds)
    # OpenAI's only role is given first: test_vendors.py.
    assert bool(WORLDS[name].TAKE) >= takes or name == "openai"


#: What in a query or a body is the company's own text, or names of fields.
FREE = {"message", "opt_fields", "fields", "q"}


def _fixed(sent: Any, known: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Where a body says a word of the file's own, and the vendor's contract lists no words for it."""
    if isinstance(sent, list):
        for one in sent:
            yield from _fixed(one, known, *path)
    elif isinstance(sent, dict):
        for name, inner in sent.items():
            yield from _fixed(inner, known.get(name) if isinstance(known, dict) else None, *path, name)
    elif isinstance(sent, str) and "{" not in sent and not isinstance(known, str):
        yield path


@pytest.mark.parametrize("name", NAMES)
def test_every_word_that_a_file_says_is_checked_by_a_contract(name: str) -> None:
    """A word is one of the vendor's (``status: inactive``): a contract that lists none would let a wrong one through."""
    contracts = [*rest(name).values()]
    for request, _ in manifest(name).requests():
        described = [one[place] for one in contracts if (place := (request.method, blank(request.path))) in one]
        if graphql_of(request) or not described:
            continue
        unlisted = [
            {
                (key,)
                for key, value in request.query.items()
                if isinstance(value, str) and "{" not in value and not one.query.get(key)
            }
            | set(_fixed(request.json, one.body))
            for one in described
        ]
        left = {path for path in set.intersection(*unlisted) if path[-1] not in FREE}
        assert not left, (request.place, left)


# -- lists -------------------------------------------------------------------------------------------------------------


def _small(node: Any) -> Any:
    """The file, asking for two rows a page."""
    if isinstance(node, dict):
        return {k: {**v, "value": 2} if k == "size" and isinstance(v, dict) else _small(v) for k, v in node.items()}
    return [_small(inner) for inner in node] if isinstance(node, list) else node


def _asking_for_two(box: Box) -> Any:
    """The connector, reading two rows a page."""
    name = box.named  # type: ignore[attr-defined]
    cls = type(connector(box))
    made = type(
        cls.__name__,
        (cls,),
        {"MANIFEST": manifest_of(json.dumps(_small(dict(manifest(name).source))), name)},
    )
    return made(connector(box).target)


def test_every_account_is_listed_whatever_the_pages(box: Box, world: Any) -> None:
    whole = connector(box)
    if not isinstance(whole, AccountListing):
        pytest.skip("its file lists no accounts")
    all_at_once = [(one.account.id, one.account.login, one.account.active) for one in whole.all_accounts()]
    assert {login.casefold() for _, login, _ in all_at_once} >= {world.login(key) for key in world.SEATED}
    world.page_size = 2
    by_twos = [(one.account.id, one.account.login, one.account.active) for one in _asking_for_two(box).all_accounts()]
    assert by_twos == all_at_once


def test_a_page_that_stands_still_is_an_error_and_no_short_list(box: Box, world: Any) -> None:
    system = _asking_for_two(box)
    if not isinstance(system, AccountListing) or all(pages.by == "none" for _, pages in system.MANIFEST.requests()):
        pytest.skip("this vendor's lists are whole")
    world.page_size, world.stuck = 2, True
    with pytest.raises(ProtocolError, match="does not advance"):
        list(system.all_accounts())


# -- people ------------------------------------------------------------------------------------------------------------


def test_two_accounts_that_answer_are_a_question_and_no_choice(box: Box, world: Any) -> None:
    world.twin("jane")
    with pytest.raises(AmbiguousIdentity):
        connector(box).find_account(person(box, "jane"))


def test_who_is_not_there_is_nobody(box: Box, world: Any) -> None:
    assert connector(box).find_account(person(box, "ada")) is None
    assert connector(box).find_account(Person(email="an@corp.example", first_name="An")) is None, "part of an address"


def test_all_that_only_reads_can_be_read(box: Box, world: Any) -> None:
    system = connector(box, read_only=True)
    account = system.find_account(person(box, "jane"))
    assert account is not None and account.email == "jane@corp.example"
    if isinstance(system, Cutoff):
        paths = system.access_paths(account, "")
        assert len({path.name for path in paths}) == len(paths) > 0
        assert sum(path.state.startswith("open") for path in paths) >= len(world.see("jane").open)
    if isinstance(system, Ownership):
        assert len(system.owned(account)) >= len(world.see("jane").owned)
    if isinstance(system, CredentialListing):
        assert all(one.id and one.name for one in system.all_credentials())
    if isinstance(system, SecurityControls):
        assert all(isinstance(value, bool) for value in system.controls(account).values())
    for kind, entitlement in (pair for pair in (world.GIVE, world.TAKE) if pair):
        found = system.find_entitlement(kind, entitlement)
        assert found is not None and found.name == entitlement
    if world.TAKE:
        assert f"{world.TAKE[0]}: {world.TAKE[1]}" in {f"{e.kind}: {e.name}" for e in system.entitlements(account)}
    assert world.writes() == []


def test_the_members_of_a_group_are_listed(box: Box, world: Any) -> None:
    system = connector(box)
    if not isinstance(system, AccountListing) or world.TAKE is None:
        pytest.skip("nothing to list")
    kind, name = world.TAKE
    how = system.MANIFEST.entitlements.get(kind)  # type: ignore[attr-defined]
    if how is not None and how.members is None and not hasattr(how.held, "text"):
        pytest.skip("its file does not say how members are read")
    members = {one.casefold() for one in system.group_members(kind, name)}
    account = system.find_account(person(box, "jane"))  # type: ignore[attr-defined]
    assert members & {account.id, account.login.casefold(), account.email}
    holders = {one.casefold() for one in everybody(system, kind, name)}
    assert account.email in holders, "policy protects people by address"
    with pytest.raises(NotFound):
        list(system.group_members(kind, "there is no such thing"))


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (409, Conflict)])
def test_a_list_that_is_refused_is_an_error_and_not_empty(
    box: Box, world: Any, status: int, error: type[Exception]
) -> None:
    system = connector(box)
    world.fault("status", status=status, body={"message": "no"}, times=-1)
    with pytest.raises(error):
        system.find_account(person(box, "jane"))
        raise AssertionError("somebody who may be there was called absent")

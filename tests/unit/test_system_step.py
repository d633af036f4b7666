# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A step on one system for many people: how many of them, and how many requests, are under way at once, and what is held meanwhile."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.scim.connector import Scim
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.case_step import Here, Settings
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.case import OpenCase
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk import wire
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.side_by_side import answers
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target
from ansible_collections.workforce.lifecycle.plugins.modules.cutoff import TASK
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell import run_cases
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.limits import Limits
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.masked import masked
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.run_folder import RunFolder
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.system_step import OneRun, SystemStep
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import make_ready, will_ask

from sandbox.box import Box
from sandbox.certs import Authority
from sandbox.servers.scim import Wiki
from tests.support import TOKENS, connect, person_of


def leavers(number: int) -> list[dict[str, Any]]:
    return [{"id": f"c{n}", "kind": "offboard", "person": {"email": f"p{n}@corp.example"}} for n in range(number)]


def step(folder: Path) -> SystemStep:
    facts: dict[str, Any] = {"run": "r", "phase": "cutoff", "folder": str(folder), "quiet": True, "tokens": TOKENS}
    return SystemStep("cutoff", TASK, "t", "wiki", Scim, {}, {}, Limits(Policy(), None, "wiki"), **facts)


@pytest.mark.parametrize(("people", "requests"), [(1, 4), (2, 2), (3, 1), (4, 1), (50, 1)])
def test_people_and_their_requests_together_are_no_more_than_the_vendor_allows(
    people: int, requests: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def once(_step: SystemStep, run: OneRun) -> dict[str, Any]:
        seen.append(run.at_once)
        return {"outcome": "done"}

    monkeypatch.setattr(SystemStep, "once", once)
    found = step(tmp_path).for_cases([(OpenCase.of(one), Here("wiki")) for one in leavers(people)])
    assert seen == [requests] * people and len(found["results"]) == people
    assert min(people, Scim.PARALLEL) * requests <= Scim.PARALLEL


def test_each_step_knows_which_records_somebody_called_another_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def once(made: SystemStep, run: OneRun) -> dict[str, Any]:
        seen.append(made._known(run.args["person"], run)["apart"])
        return {"outcome": "done"}

    monkeypatch.setattr(SystemStep, "once", once)
    cases = [OpenCase.of({**one, "facts": {"distinct": ["c1"]}}) for one in leavers(1)]
    step(tmp_path).for_cases([(case, Here("wiki")) for case in cases])
    assert seen == [["c1"]]


class Watched(Sequence[tuple[OpenCase, Here]]):
    """Cases as a run's file gives them, and which of them somebody still holds."""

    def __init__(self, cases: Sequence[tuple[OpenCase, Here]]) -> None:
        self.cases, self.given = cases, list[weakref.ref[OpenCase]]()

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: Any) -> Any:
        case, here = self.cases[index]
        self.given.append(weakref.ref(case))
        return case, here


def test_of_many_people_only_those_whose_turn_it_is_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(str(tmp_path))
    run_cases.leave(folder, "case", {"cases": leavers(200)})
    cases = Watched(run_cases.read(folder).on("wiki", frozenset(), Settings()))
    held: list[int] = []

    def once(_step: SystemStep, run: OneRun) -> dict[str, Any]:
        held.append(sum(one() is not None for one in cases.given))
        return {"outcome": "done", "person": run.person}

    monkeypatch.setattr(SystemStep, "once", once)
    found = step(tmp_path).for_cases(cases)
    assert [one["person"] for one in found["results"]] == [f"p{n}@corp.example" for n in range(200)]
    assert len(held) == 200 and max(held) <= 2 * Scim.PARALLEL


def test_questions_go_side_by_side_as_far_as_the_step_may_and_answers_keep_their_order() -> None:
    together = threading.Barrier(3)

    def ask(n: int) -> int:
        together.wait(30)  # nobody passes before three have come
        return -n

    assert answers(Target("wiki", "scim", at_once=3), ask, range(6)) == [0, -1, -2, -3, -4, -5]
    threads: set[int] = set()
    answers(Target("wiki", "scim"), lambda _n: threads.add(threading.get_ident()), range(6))
    assert threads == {threading.get_ident()}


def test_of_several_questions_that_fail_the_first_is_raised() -> None:
    def ask(n: int) -> int:
        if n % 2:
            raise ValueError(n)
        return n

    with pytest.raises(ValueError, match="1"):
        answers(Target("wiki", "scim", at_once=4), ask, range(6))


def test_look_ups_side_by_side_ask_for_every_key_and_find_all_who_answer() -> None:
    with Box([Wiki]) as box:
        jane, mark = (Person.of(person_of(box, key)) for key in ("jane", "mark"))
        both = replace(jane, aliases=(*jane.aliases, mark.email))  # two accounts answer
        found = {}
        for at_once in (1, 4):
            box["wiki"].reset()
            connector = connect(box, "wiki")
            connector.client.target = connector.target = replace(connector.target, at_once=at_once)
            ids = [one.id for one in connector.candidates(connector.keys_of(both))]
            asked = [str(entry["query"]) for entry in box["wiki"].journal if "filter" in entry["query"]]
            found[at_once] = ids, sorted(asked)
        assert found[1] == found[4] and len(found[1][0]) == 2 and len(found[1][1]) >= 6


def test_authorities_are_read_once_before_the_workers_are_made(tmp_path: Path) -> None:
    made = {name: Authority(tmp_path / name).ca_file for name in ("one", "two")}
    will_ask("https://one.example", made["one"])
    will_ask("ldaps://two.example", made["two"])
    will_ask("https://none.example", str(tmp_path / "none.pem"))  # a step will say so
    make_ready("workforce.lifecycle.case")
    assert not any(file in made.values() for file, _when in wire._TRUSTED), "a task on no system needs none"
    make_ready("workforce.lifecycle.cutoff")
    assert [file for file, _when in wire._TRUSTED if file in made.values()] == [made["one"]]
    assert wire.trust(made["one"]) is wire.trust(made["one"])


def test_a_secret_is_taken_out_of_a_result_wherever_it_stands_as_ansible_does() -> None:
    secrets = {"s3cret", "hunter2", "4711"}
    result = {
        "msg": "the server said hunter2, and s3cret",
        "rows": [("s3cret",), {"deep": {"number": 14711, "flag": True, "none": None, "plain": "text"}}],
        "count": 3,
    }
    ours = masked(result, secrets)
    assert not any(secret in str(ours) for secret in secrets)
    assert ours["rows"][1]["deep"]["plain"] == "text" and ours["rows"][1]["deep"]["flag"] is True
    assert ours == remove_values(result, secrets), "as ansible-core does, which has the function up to 2.24"
    assert masked({"msg": "text"}, {""}) == {"msg": "text"}


def test_of_a_secret_within_another_one_nothing_is_left() -> None:
    """Ansible's own leaves the rest of the longer one when it meets the shorter one first, which differs from process to process."""
    said = masked({"msg": "the server said s3cret-and-more, and s3cret"}, {"s3cret", "s3cret-and-more"})
    assert said == {"msg": "the server said ********, and ********"}


def test_the_secrets_are_put_in_order_once_for_a_whole_result() -> None:
    class Counted(frozenset[str]):
        read = 0

        def __iter__(self) -> Iterator[str]:
            self.read += 1
            return super().__iter__()

    secrets = Counted(("s3cret", "4711"))
    ours = masked({"rows": [f"{n} s3cret" for n in range(50)]}, secrets)
    assert ours["rows"][49] == f"49 {'*' * 8}" and secrets.read == 1

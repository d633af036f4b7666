# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.wireguard.config import (
    owner_of,
    peers_of,
    with_again,
    without,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import ProtocolError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.correlation import correlate
from ansible_collections.workforce.lifecycle.plugins.module_utils.people.others import Others, pack
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff
from hypothesis import given
from hypothesis import strategies as st

from sandbox.box import Box
from sandbox.vendors.wireguard import LAPTOP, MARK, NOBODY, PHONE, WireGuardHost
from tests.support import connect, person_of, run

A, B = "A" * 43 + "=", "B" * 43 + "="


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    with Box([WireGuardHost]) as box:
        yield box


@pytest.fixture
def box(shared: Box) -> Box:
    shared["wireguard"].reset()
    return shared


def options(box: Box, **changed: Any) -> dict[str, Any]:
    return {**box.systems()["wireguard"]["options"], **changed}


def cut(box: Box, key: str = "jane", **changes: Any) -> dict[str, Any]:
    return run(cutoff.TASK, box, "wireguard", person=person_of(box, key), changes=changes)


def keys_of(text: str) -> dict[str, tuple[str, ...]]:
    return {peer.key: peer.comments for peer in peers_of(text)}


def peer(key: str) -> str:
    return f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.0.0.9/32\n"


# -- whose a peer is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "addresses", "logins"),
    [
        ("# jane@corp.example", ("jane@corp.example",), ()),
        ("# Jane Roth <jane@corp.example> (laptop)", ("jane@corp.example",), ()),
        ("# jane", (), ("jane",)),
        ("### begin jane ###", (), ("jane",)),
        ("# friendly_name = jane", (), ("jane",)),
        ("# Client: jane", (), ("jane",)),
        ("# Name = jane", (), ("jane",)),
        ("# Jane's old laptop", (), ()),
        ("#", (), ()),
    ],
)
def test_a_comment_names_an_address_or_one_word(
    comment: str, addresses: tuple[str, ...], logins: tuple[str, ...]
) -> None:
    owner = owner_of((comment,))
    assert (owner.addresses, owner.logins) == (addresses, logins)


def test_a_device_in_a_name_is_one_only_where_the_company_says_so() -> None:
    assert owner_of(("# jane-laptop",)).logins == ("jane-laptop",)
    assert owner_of(("# jane-doe-laptop",), "-").logins == ("jane-doe",)


def test_a_comment_belongs_to_the_peer_right_below_it_and_one_that_stands_alone_to_nobody() -> None:
    text = f"[Interface]\n# the office\n\n# jane\n{peer(A)}\n# mark\n\n{peer(B)}"
    assert keys_of(text) == {A: ("# jane",), B: ()}


def test_the_end_that_a_tool_writes_after_a_peer_is_not_the_next_ones_name() -> None:
    text = f"### begin jane ###\n{peer(A)}### end jane ###\n### begin mark ###\n{peer(B)}### end mark ###\n"
    assert keys_of(text) == {A: ("### begin jane ###",), B: ("### begin mark ###",)}


def test_a_peer_with_the_names_of_two_people_is_asked_about(box: Box) -> None:
    host = box["wireguard"]
    host.file.write_text(host.file.read_text().replace("### begin mark ###", "# tom@corp.example\n# mark@corp.example"))
    connector = connect(box, "wireguard")
    tom, mark = Person(email="tom@corp.example"), Person(email="mark@corp.example")
    keys = connector.keys_of(tom)
    found = correlate(keys, connector.candidates(keys), Others(pack([mark], {"wireguard": "{email}"})), "wireguard")
    assert found.theirs == () and [one.account.id for one in found.doubts] == [MARK]


def test_a_peer_without_a_name_is_nobodys(box: Box) -> None:
    listed = {one.account.id: one for one in connect(box, "wireguard").all_accounts()}
    assert set(listed) == {LAPTOP, MARK, NOBODY} and listed[NOBODY].account.login == NOBODY
    assert listed[LAPTOP].last_seen and not listed[MARK].last_seen
    assert cut(box, "lena")["outcome"] in ("absent", "unknown", "needs_human")


def test_a_file_of_names_says_whose_keys_are(box: Box, tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text(f"# key and login\n{NOBODY}  tom@corp.example  # his laptop\n\n")
    assert cut(box, "tom", options=options(box, names=str(names)))["outcome"] == "done"
    assert NOBODY not in box["wireguard"].running
    names.write_text("tom: his key\n")
    with pytest.raises(ProtocolError, match="line 1"):
        list(connect(box, "wireguard", options=options(box, names=str(names))).all_accounts())


def test_a_login_alone_may_be_a_strangers_and_is_asked_about(box: Box) -> None:
    assert cut(box, "mark", options=options(box, login="{local_part}"))["outcome"] == "needs_human"
    assert cut(box, "mark", options=options(box, login="{local_part}", hr_only=True))["outcome"] == "done"


# -- taken out, put back -------------------------------------------------------------------------------------------------


def test_a_peer_that_only_runs_or_only_stands_in_the_file_is_a_way_in(box: Box) -> None:
    host = box["wireguard"]
    del host.running[PHONE]
    host.file.write_text(without(host.file.read_text(), LAPTOP))
    result = cut(box)
    assert [change["before"] for change in result["changes"]] == ["open", "open"] and result["outcome"] == "done"
    host.restart()
    assert set(host.running) == {MARK, NOBODY}


def test_a_run_that_was_killed_between_file_and_interface_is_ended_by_the_next(box: Box) -> None:
    host = box["wireguard"]
    host.file.write_text(without(without(host.file.read_text(), LAPTOP), PHONE))
    assert cut(box)["outcome"] == "done" and set(host.running) == {MARK, NOBODY}


def test_the_file_keeps_its_mode_and_everything_of_others(box: Box) -> None:
    host = box["wireguard"]
    before = host.file.read_text()
    cut(box)
    after = host.file.read_text()
    assert host.file.stat().st_mode & 0o777 == 0o600
    assert [line for line in before.splitlines() if line not in after.splitlines()]
    assert with_again(with_again(after, LAPTOP), PHONE) == before


def test_a_preshared_key_is_typed_and_stands_in_no_argument_and_no_result(box: Box) -> None:
    host = box["wireguard"]
    secret = next(line.split()[2] for line in host.file.read_text().splitlines() if line.startswith("PresharedKey"))
    cut(box)
    connector = connect(box, "wireguard")
    (jane,) = connector.candidates(connector.keys_of(Person(email="jane@corp.example")))
    connector.set_active(jane, True)
    added = [entry for entry in host.writes() if entry["method"] == "addconf"]
    assert len(added) == 2 and secret in added[0]["body"] and secret not in str([e["path"] for e in host.writes()])
    assert secret not in str(cut(box))


def test_what_the_file_has_no_longer_does_not_come_back(box: Box) -> None:
    connector = connect(box, "wireguard")
    (jane,) = connector.candidates(connector.keys_of(Person(email="jane@corp.example")))
    (gone, known) = connector.ways_back(jane, {"peer gone": "open", f"peer {LAPTOP}": "open"})
    assert gone.lost and known.state == "open" and not known.lost


@pytest.mark.parametrize("changed", [{"interface": "wg9"}, {"config": "/nowhere/wg0.conf"}, {"wg": "/nowhere/wg"}])
def test_another_machine_or_interface_is_an_error_and_no_empty_answer(box: Box, changed: dict[str, str]) -> None:
    result = cut(box, options=options(box, **changed))
    assert result["failed"] and next(iter(changed.values())) in result["msg"]
    assert box["wireguard"].writes() == []


LINES = st.sampled_from(
    ["# jane", "### end jane ###", "", "[Interface]", "[Peer]", f"PublicKey = {A}", f"publickey={B} # x", "AllowedIPs = 1", "#off# [Peer]"]
)  # fmt: skip


@given(st.lists(LINES, max_size=14).map(lambda lines: "".join(f"{line}\n" for line in lines)))
def test_whatever_the_file_is_a_peer_that_was_taken_out_is_a_comment_and_comes_back_as_it_was(text: str) -> None:
    running = [one for one in peers_of(text) if not one.off]
    for one in running:
        if [other.key for other in peers_of(text)].count(one.key) > 1:
            continue
        out = without(text, one.key)
        changed = [
            n for n, (old, new) in enumerate(zip(text.splitlines(), out.splitlines(), strict=True)) if old != new
        ]
        assert changed == list(range(one.first, one.after)), "no other line is touched"
        assert all(out.splitlines()[n].startswith("#") for n in changed)
        assert with_again(out, one.key) == text

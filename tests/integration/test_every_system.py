# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A leaver with accounts on every system of the sandbox: cut everywhere in one run."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff

from sandbox import every
from sandbox.box import Box
from sandbox.vendors.openvpn import OpenVpnHost
from sandbox.vendors.wireguard import WireGuardHost
from sandbox.worlds import worlds
from scripts import every_system
from tests import support

#: Where a person ends something, and the run says so.
BY_HAND = {"pagerduty": ["integration c-integration (D3i)"]}


CUTS = {name for name, one in CONNECTORS.items() if "cutoff" in capabilities_of(one)} - {"scim"}


def test_the_page_has_every_system_that_has_a_cut_and_counts_them() -> None:
    page = (every.ROOT / "docs" / "every-system.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    table = {row[0]: int(row[2]) for row in rows[1:]}
    assert set(table) == CUTS | {one.name for one in every.DIALECTS} | {"wiki", "crm"}
    assert f"of which {len(table)} have a cut of their own" in page
    assert f"**{sum(table.values())} ways in closed" in page


@pytest.mark.soak
def test_one_run_cuts_a_leaver_off_everywhere(tmp_path: Path) -> None:
    found = every_system.cut(tmp_path)
    assert len(found.outcomes) >= 50, "systems with a cut of their own"
    assert found.left_open == {}, found.output
    assert {name: what for name, what in found.human.items() if what} == BY_HAND
    assert set(found.outcomes.values()) <= {"done", "acknowledged", "needs_human"}, found.output
    cuts = CUTS - (set() if every.VPNS else {"openvpn", "wireguard"})  # they are reached by ssh
    assert cuts <= set(found.outcomes), cuts - set(found.outcomes)
    assert found.seconds < 120 and found.megabytes < 600


@pytest.mark.rotating(of=6, by="every")
def test_every_seat_in_one_process_is_cut_and_looked_at_by_its_own_tables() -> None:
    """The same without Ansible, for the systems that are data: each against the one company's people."""
    seats = [one for one in every.EVERY if one.name in worlds() or one in every.DIALECTS]
    with Box(seats) as box:
        person = support.person_of(box, "jane")
        for seat in seats:
            result = support.run(cutoff.TASK, box, seat.name, person=person)
            assert result["outcome"] in ("done", "acknowledged", "needs_human"), (seat.name, result)
        left = {seat.name: box[seat.name].see("jane") for seat in seats}
        assert not {name: seen for name, seen in left.items() if seen.open or seen.account == "active"}
        mark = {seat.name: box[seat.name].see("mark").account for seat in seats}
        assert set(mark.values()) <= {"active", "invited"}, mark


def test_what_the_tables_of_a_vpn_show_is_open_before_a_cut_and_nothing_after_it() -> None:
    """Without ssh, so that it is asked everywhere: a table that never shows anything would show no gap."""
    with Box([OpenVpnHost, WireGuardHost]) as box:
        person = support.person_of(box, "jane")
        for name, look in every.VPN_TABLES.items():
            assert look(box, person["email"]), name
            assert support.run(cutoff.TASK, box, name, person=person)["outcome"] == "done"
            assert look(box, person["email"]) == "", name

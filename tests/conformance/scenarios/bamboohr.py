# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""BambooHR: it is told an address that was made by a rule."""

from __future__ import annotations

from sandbox.vendors.bamboohr import BambooHr
from tests.conformance.hr import told, with_rule

VENDORS = [with_rule(BambooHr)]
SCENARIOS = told("bamboohr", (lambda state: state["employees"], "workEmail"))

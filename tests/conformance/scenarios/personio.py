# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Personio: it is told an address that was made by a rule."""

from __future__ import annotations

from sandbox.vendors.personio import Personio
from tests.conformance.hr import told, with_rule

VENDORS = [with_rule(Personio)]
SCENARIOS = told("personio", (lambda state: state["persons"], "email"))

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Lists which file of the pack is evidence for which control, in an auditor's words. It does not claim conformance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Control:
    """One control of a framework: what it asks for, and the files of the pack that answer it."""

    framework: str
    name: str
    asks: str
    answered_by: str


CONTROLS = (
    Control("SOC 2", "CC6.2", "credentials are removed when access is no longer authorised", "population.csv, timings.csv, cases/*/record.json: actions"),
    Control("SOC 2", "CC6.3", "access is changed and removed on role changes and departures", "cases/*/record.json: entitlements; exceptions.csv"),
    Control("ISO 27001:2022", "A.5.11", "assets are returned on leaving", "devices.csv, custody.csv"),
    Control("ISO 27001:2022", "A.5.18", "access rights are removed in time", "timings.csv, exceptions.csv"),
    Control("ISO 27001:2022", "A.6.5", "responsibilities after termination are carried out", "cases/*/record.json: actions, data_custody, open_items"),
    Control(
        "NIST SP 800-53r5",
        "PS-4",
        "on termination: access disabled in time, authenticators revoked, property retrieved, information retained",
        "timings.csv, devices.csv, cases/*/record.json: data_custody",
    ),
    Control("NIST SP 800-53r5", "PS-5", "on transfer: access reviewed and changed", "cases/*/record.json of kind transfer: entitlements"),
    Control("NIST SP 800-88r2", "sanitisation record", "device, method, tool, who did it, who verified it, where it went, when", "sanitised.csv"),
)  # fmt: skip

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Airtable's SCIM: https://support.airtable.com/docs/scim-provisioning"""

from __future__ import annotations

from sandbox.scim_world import ScimWorld


class Airtable(ScimWorld):
    name = "airtable"
    BASE = "/scim/v2"

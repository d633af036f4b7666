# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Notion's SCIM: https://www.notion.com/help/provision-users-and-groups-with-scim. Deactivating removes from the workspace."""

from __future__ import annotations

from sandbox.scim_world import ScimWorld


class Notion(ScimWorld):
    name = "notion"
    BASE = "/scim/v2"
    REMOVES_INACTIVE = True

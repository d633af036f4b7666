# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Canva's SCIM: https://www.canva.dev/docs/connect/scim/"""

from __future__ import annotations

from sandbox.scim_world import ScimWorld


class Canva(ScimWorld):
    name = "canva"
    BASE = "/_scim/v2"
    CAN_DELETE = False

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Figma's SCIM: https://help.figma.com/hc/en-us/articles/360048514653. Deactivating removes from the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.scim_world import ScimWorld


class Figma(ScimWorld):
    name = "figma"
    BASE = "/scim/v2/t-1"
    REMOVES_INACTIVE = True
    OPTIONS: ClassVar[Mapping[str, Any]] = {**ScimWorld.OPTIONS, "tenant": "t-1"}

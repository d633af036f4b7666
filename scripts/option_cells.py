# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What every table of options says of an option's type and default: the pages of roles and the site share it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def type_and_default(option: Mapping[str, Any]) -> str:
    """Return two cells of a Markdown table: ``list of str | `["a"]` ``; a required option has no default.

    :param option: as an argument spec or ansible-doc gives it, with ``type``, ``elements``, ``default``, ``required``.
    """
    kind = option.get("type", "str") + (f" of {option['elements']}" if option.get("elements") else "")
    if option.get("required"):
        return f"{kind} | **required**"
    return f"{kind} | " + (f"`{json.dumps(option['default'])}`" if "default" in option else "")

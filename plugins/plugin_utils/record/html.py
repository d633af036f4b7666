# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the template environment of every page: every value is escaped for HTML, and steering characters are shown as
escapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils.model.text import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def sentence(text: str) -> str:
    """Return a text with a capital at its beginning and spaces for underscores; other capitals stay."""
    return text[:1].upper() + text[1:].replace("_", " ")


def environment() -> Environment:
    """Return the template environment."""
    from jinja2 import Environment
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        # A value that a template has escaped is Markup, and may still hold steering characters.
        made = visible(value) if isinstance(value, str) else value
        return Markup(made) if isinstance(value, Markup) else made  # noqa: S704 - it was Markup before

    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=shown)

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The one way out into a page: everything is escaped for HTML, and what would turn or hide the text around it is shown as its escape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils.model.text import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def sentence(text: str) -> str:
    """Return a word of ours as a sentence begins; what follows stays as it is: a product's name keeps its capitals."""
    return text[:1].upper() + text[1:].replace("_", " ")


def environment() -> Environment:
    """Return the templates' environment of every page that we write."""
    from jinja2 import Environment
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        # What a template escaped itself is Markup, and others' words all the same.
        made = visible(value) if isinstance(value, str) else value
        return Markup(made) if isinstance(value, Markup) else made  # noqa: S704 - it was Markup before

    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=shown)

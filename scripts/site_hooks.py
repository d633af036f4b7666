# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Changes the pages where mkdocs has no setting for it: tables that can be read on a phone, and pages that load nothing
from other hosts.

mkdocs calls the functions ``on_...`` by their names (``hooks`` in mkdocs.yml).
"""

from __future__ import annotations

import re
from typing import Any

#: A cell that only says that its column holds; with more columns than a screen has room for, their heads are turned.
MARK, WIDE = "●", 9
#: The theme loads this from elsewhere, so that the search works in pages that are read from a folder. We have it.
SHIM = "https://unpkg.com/iframe-worker/shim"
_TABLE = re.compile(r"<table>(.*?)</table>", re.DOTALL)
_HEADS = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<td([^>]*)>(.*?)</td>", re.DOTALL)


def on_page_content(html: str, **_more: Any) -> str:
    """Write the column's name into each cell of a table: on a narrow screen, docs/look/site.css shows a row as a
    list."""
    return _TABLE.sub(lambda table: _labelled(table[1]), html)


def on_post_page(output: str, page: Any, **_more: Any) -> str:
    return _here(output, "../" * page.url.count("/"))


def on_post_template(output_content: str, **_more: Any) -> str:
    """Do the same for the page "not found"."""
    return _here(output_content, "")


def _here(html: str, up: str) -> str:
    """Change the theme's links to other hosts to our own copies, and keep it from asking GitHub about the
    repository."""
    return html.replace(SHIM, f"{up}look/iframe-worker.js").replace(' data-md-component="source"', "")


def _labelled(table: str) -> str:
    heads = [re.sub(r"<[^>]+>", "", head).strip().replace('"', "&quot;") for head in _HEADS.findall(table)]
    rows = _ROW.sub(lambda row: row[0] if "<th" in row[0] else f"<tr>{_cells(row[1], heads)}</tr>", table)
    return f"<table{' data-wide' if len(heads) > WIDE else ''}>{rows}</table>"


def _cells(row: str, heads: list[str]) -> str:
    return "\n".join(_cell(*cell, head) for cell, head in zip(_CELL.findall(row), heads, strict=True))


def _cell(attributes: str, content: str, head: str) -> str:
    if content.strip() == MARK:
        attributes += ' class="mark"'
    if head:
        attributes += f' data-label="{head}"'
    return f"<td{attributes}>{content.strip()}</td>"

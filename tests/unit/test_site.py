# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The site that ``make docs`` builds: what is added to each page, and that the look at it sees what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.change import Outcome

from scripts import site_hooks, site_look

ROOT = Path(__file__).resolve().parents[2]
TABLE = """<table>
<thead><tr><th>key</th><th>of <code>"x"</code></th></tr></thead>
<tbody>
<tr><td style="text-align: left;"><code>a</code></td><td>●</td></tr>
<tr><td></td><td>what</td></tr>
</tbody>
</table>"""


class Page:
    url = "formats/policy.html"


def test_each_cell_names_its_column_so_that_a_phone_can_show_a_row_as_a_list() -> None:
    made = site_hooks.on_page_content(f"<p>x</p>{TABLE}")
    assert '<td style="text-align: left;" data-label="key"><code>a</code></td>' in made
    assert '<td class="mark" data-label="of &quot;x&quot;">●</td>' in made
    assert '<td data-label="key"></td>' in made and "data-wide" not in made


def test_a_table_with_many_columns_gets_its_heads_turned() -> None:
    heads = "".join(f"<th>c{n}</th>" for n in range(10))
    assert "<table data-wide>" in site_hooks.on_page_content(f"<table><tr>{heads}</tr></table>")


def test_a_page_leads_to_our_copy_of_what_the_theme_loads_from_elsewhere() -> None:
    theme = f'<script src="{site_hooks.SHIM}"></script><a class="md-source" data-md-component="source">'
    made = site_hooks.on_post_page(theme, page=Page())
    assert made == '<script src="../look/iframe-worker.js"></script><a class="md-source">'
    assert 'src="look/iframe-worker.js"' in site_hooks.on_post_template(theme)
    assert (ROOT / "docs/look/iframe-worker.js").exists()


@pytest.mark.skipif(not site_look.browser_path(), reason="needs playwright, and Debian's chromium")
def test_the_look_sees_a_wide_page_a_wide_table_a_broken_name_and_what_is_fetched_from_elsewhere(
    tmp_path: Path,
) -> None:
    narrow = '<meta name="viewport" content="width=device-width"><p>short</p>'
    pages = {
        "good": narrow,
        "wide": f'{narrow}<div style="width: 600px">x</div>',
        "table": f'{narrow}<div class="md-typeset" style="overflow-x: auto"><div class="md-typeset__scrollwrap" '
        f'style="overflow: auto"><table><td style="min-width: 700px">x</td></table></div></div>',
        "broken": f'{narrow}<div class="md-typeset"><table style="width: 60px"><td style="word-break: break-all"><code>successor</code></td>'
        "<td>who takes over what the leaver owns</td></table></div>",
        "elsewhere": f'{narrow}<img src="https://elsewhere.example/x.png" alt="">',
    }
    for name, body in pages.items():
        (tmp_path / f"{name}.html").write_text(f"<!doctype html>{body}")
    found = [*site_look.faults(sorted(tmp_path.glob("*.html")), site_look.browser_path() or "")]
    said = [re.sub(r"\d{3} of \d+ pixels", "more than its box", one.partition("/")[2]) for one in found]
    assert said == [
        "broken.html at 390 pixels: a name is broken: successor",
        "broken.html at 1280 pixels: a name is broken: successor",
        "table.html at 390 pixels: a table has more than its box: x",
        "wide.html at 390 pixels: the page is 608 wide",
        "/elsewhere.example/x.png",
    ]


def test_the_glossary_explains_every_outcome() -> None:
    words = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert [one.value for one in Outcome if f"| `{one.value}` |" not in words] == []

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The record's page as a browser shows it: on a phone, in a narrow window and on a screen nothing is cut off, broken or run together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build as record

from tests.browser import CONTRAST, needs_chromium
from tests.unit import ledger_sample as sample

pytestmark = needs_chromium
#: Ordinary words that stand on two lines: a login or an id may be broken, a word of a sentence may not.
BROKEN = r"""() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.parentElement.checkVisibility()) continue;
    for (const word of node.data.matchAll(/(?<![\w@.:-])[A-Za-z]{3,16}(?![\w@.:-])/g)) {
      range.setStart(node, word.index); range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
}"""
#: Elements whose content is cut off at their edge.
CLIPPED = r"""() => [...document.querySelectorAll('body *')]
  .filter(one => one.checkVisibility() && getComputedStyle(one).overflowX === 'hidden' && one.scrollWidth > one.clientWidth + 1)
  .map(one => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 60)}`)"""


@pytest.fixture()
def page_file(tmp_path: Path) -> Path:
    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    case = sample.leaver(ledger)
    rows = [
        sample.row(
            "membership in the team that looks after the production environments", before="held", after="not held"
        ),
        sample.row("account", "failed", note="the service answers 503; run again"),
    ]
    sample.step(ledger, case, "github", "entitlements", rows, phase="reclaim")
    file = tmp_path / "record.html"
    file.write_text(record.render_html(record.build(ledger, case.id, sample.SYSTEMS)), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [390, 500, 1280])
def test_nothing_is_cut_off_and_no_word_is_broken(browser: Any, page_file: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(BROKEN) == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser: Any, page_file: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(page_file.as_uri())
    assert page.evaluate(CONTRAST) == []
    page.close()


def test_no_space_is_missing_or_doubled(browser: Any, page_file: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(page_file.as_uri())
    shown = page.inner_text("body")
    page.close()
    assert "Jane" in shown or "jane" in shown
    assert re.findall(r"\S·.*|.*·\S|\w\[\w.*|\S {2,}\S.*", shown) == []

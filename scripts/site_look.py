# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Checks every page of the built site in a browser, as wide as a phone and as wide as a screen, and uses the search
once.

``make docs`` runs it when Debian's chromium and playwright are installed, and says so when they are not.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

#: Pixels: a phone, a screen.
WIDTHS = (390, 1280)
#: What is wider than the window, or than the box that it stands in; a name in a first column that goes on in the next line.
WIDE = """() => {
  const found = [], root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} wide`);
  for (const table of document.querySelectorAll(".md-typeset table:not([class])")) {
    const box = table.closest(".md-typeset__scrollwrap") || table;
    if (box.scrollWidth > box.clientWidth + 1) found.push(`a table has ${box.scrollWidth} of ${box.clientWidth} pixels: ${table.textContent.trim().split(/\\s+/).join(' ').slice(0, 40)}`);
  }
  for (const name of document.querySelectorAll(".md-typeset td:first-child code")) {
    if (name.textContent.length < 30 && !/[ ,]/.test(name.textContent) && name.getClientRects().length > 1) found.push(`a name is broken: ${name.textContent}`);
  }
  return found;
}"""
#: A word that a reader of the site looks for.
WORD = "mailbox"


def browser_path() -> str | None:
    """Return the path of Chromium; empty when it or playwright is missing."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return None
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def faults(pages: Sequence[Path], chromium: str, search_in: Path | None = None) -> Iterator[str]:
    """Return the faults of each page, and of the search on one. A page may load only the site's own files."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        elsewhere = set[str]()
        tab.on("request", lambda request: _note(elsewhere, request.url))
        for page in pages:
            tab.goto(page.as_uri())
            for width in WIDTHS:
                tab.set_viewport_size({"width": width, "height": 844})
                yield from (f"{page.parent.name}/{page.name} at {width} pixels: {one}" for one in tab.evaluate(WIDE))
        if search_in is not None:
            yield from _search(tab, search_in)
        yield from (f"the site fetches {url}" for url in sorted(elsewhere))
        browser.close()


def _note(elsewhere: set[str], url: str) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        elsewhere.add(url)


def _search(tab: Any, page: Path) -> Iterator[str]:
    """Search for a word, as a reader does."""
    from playwright.sync_api import TimeoutError as Late

    tab.goto(page.as_uri())
    try:
        tab.fill(".md-search__input", WORD, timeout=20_000)
        tab.wait_for_selector(".md-search-result__item", timeout=20_000)
    except Late:
        yield f"the search finds nothing for {WORD!r}"

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The pictures of the documentation: what the screen, the record and reconcile show of the sandbox company.

``make pictures`` keeps them in docs/images, with one of the console; without it they are only made and looked at.
"""

from __future__ import annotations

import html
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser import needs_chromium
from tests.integration.company import SandboxCompany

pytestmark = [pytest.mark.soak, needs_chromium]
#: Ansible's colours on a dark screen, by the number of its escape sequence.
COLOURS = {
    "31": "#ff7b72",
    "32": "#7ee787",
    "33": "#e3b341",
    "34": "#79c0ff",
    "35": "#d2a8ff",
    "36": "#76e3ea",
    "90": "#8b949e",
}
SCREEN = """<!doctype html><meta charset="utf-8"><title>screen</title><style>
body {{ margin: 0; background: #0d1117; color: #e6edf3 }}
pre {{ margin: 0; padding: 18px 22px; font: 13px/1.45 "DejaVu Sans Mono", monospace; white-space: pre-wrap }}
</style><pre>{text}</pre>"""


def picture(browser: Any, tmp_path: Path, page_file: Path, name: str, width: int = 1000, height: int = 640) -> str:
    """Take a picture of a page's upper part; return the text that the whole page shows."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(page_file.as_uri())
    folder = Path(os.environ.get("LIFECYCLE_PICTURES") or tmp_path)
    page.screenshot(path=folder / f"{name}.png")
    said: str = page.inner_text("body")
    page.close()
    return said


def on_a_screen(output: str) -> str:
    """Return what a terminal shows of a command's output, as a page."""
    coloured = re.sub(
        r"\x1b\[(?:[01];)?(\d+)m",
        lambda found: f'<span style="color:{COLOURS.get(found[1], "inherit")}">' if found[1] != "0" else "</span>",
        html.escape(output),
    )
    return SCREEN.format(text=re.sub(r"\x1b\[[\d;]*m", "", coloured))


def test_the_pictures_show_a_leaver_on_the_screen_in_the_record_and_what_reconcile_finds(
    company: SandboxCompany, tmp_path: Path, browser: Any
) -> None:
    shown = {
        "ANSIBLE_STDOUT_CALLBACK": "workforce.lifecycle.timeline",
        "ANSIBLE_NOCOLOR": "",
        "ANSIBLE_FORCE_COLOR": "1",
    }
    ran = company.play("offboard", "-e", "user=jane@corp.example", "-e", "confirm=C02JANE01", **shown)
    screen = tmp_path / "screen.html"
    screen.write_text(on_a_screen(ran.output), encoding="utf-8")
    said = picture(browser, tmp_path, screen, "screen", height=900)
    assert "Cut off" in said and "jane@corp.example" in said and "\x1b" not in said

    [record] = (company.folder / "records").glob("offboard-*.html")
    said = picture(browser, tmp_path, record, "record", height=900)
    assert "Jane Müller-Ortiz" in said and "badge" in said

    assert company.play("reconcile").code == 0
    [report] = (company.folder / "records").rglob("reconcile-*.html")
    assert "otto@corp.example" in picture(browser, tmp_path, report, "reconcile", height=760)

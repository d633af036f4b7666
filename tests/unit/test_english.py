# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The English of pages and docstrings: no sentence that readers stumbled over is written like that again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]) if page.name != "CHANGELOG.md"]
CODE = [path for folder in ("plugins", "bridge/src", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))]
#: A longer sentence is two, unless it is a list of names.
WORDS = 40
LIST = 4
#: What readers stumbled over, and what to write in its place.
STUMBLES = {
    r"^(?:though |but )?of (?:a|an|one|those|what)\b[^,.]* (?:it|they|there) (?:is|are)\b": "begin with the subject",
    r"\btakes whoever\b|\bwith whoever (?:its|the|their)\b": "name the person or the thing",
    r"\basks? for what\b|\bwaits? for what\b": "name what is asked for",
    r"\b(?:is|are|was|were|be|been|as) told\b": "say who gets which notice, or what shows it",
    r"\b(?:taken up|made good|told apart|is told by|is no measure)\b": "use the ordinary verb: begun, cured, distinguished, shown by, says little",
}


def sentences(text: str) -> Iterator[str]:
    """Return the sentences of a page: of its paragraphs, list items and cells; code is one word."""
    text = re.sub(r"^ *```.*?^ *```|<!--.*?-->", "", text, flags=re.M | re.S)
    parts = list[str]()
    for line in text.splitlines():
        if line.startswith("|"):
            parts += [f"{cell}\n\n" for cell in line.strip("|").split("|")]
        elif not line.strip() or line.startswith(("#", "    ")):
            parts.append("\n\n")
        else:
            parts.append(re.sub(r"^\s*(?:[-*]|\d+\.) ", "\n\n", line) + "\n")
    for paragraph in re.split(r"\n\s*\n", "".join(parts)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`", "code", paragraph))
        yield from (one for one in re.split(r"(?<=[.!?:;])\s+", " ".join(plain.split())) if one)


def faults(text: str) -> list[str]:
    found = []
    for one in sentences(text):
        if len(one.split()) > WORDS and one.count(",") + one.count("·") < LIST:
            found.append(f"make two sentences of it: {one}")
        found += [f"{advice}: {one}" for pattern, advice in STUMBLES.items() if re.search(pattern, one)]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_sentence_can_be_read_once(page: Path) -> None:
    assert faults(page.read_text(encoding="utf-8")) == []


def docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def test_every_docstring_can_be_read_once() -> None:
    stumbles = [
        f"{path.relative_to(ROOT)}: {advice}: {sentence}"
        for path in CODE
        for text in docstrings(path)
        for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(text.split()))
        for pattern, advice in STUMBLES.items()
        if re.search(pattern, sentence)
    ]
    assert stumbles == []


@pytest.mark.parametrize(
    "sentence",
    [
        "The limit holds, though `percent` alone never allows fewer: of a company of ten it is no measure.",
        "Look again: of one that it shows twice it is the first, and a night that was missed is made when the bridge is back.",
        "The first look at a source takes whoever works there for somebody who has access already.",
        "A database that is behind asks for what it lost.",
        "When it ends, other runs may go on with whoever its run still has.",
        "An alert that reached nobody is told again.",
        f"{'This goes on and on and ' * 8}ends.",
    ],
)
def test_a_sentence_that_readers_stumbled_over_is_refused(sentence: str) -> None:
    assert faults(f"# A page\n\n{sentence}\n") != []

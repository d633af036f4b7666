# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Builds the site from docs/, with a reference of modules and roles from their own documentation.

``make docs`` writes build/site. Every warning of mkdocs is an error: a page without a link to it, a dead link, a dead
anchor.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import site_look
import yaml
from option_cells import type_and_default

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PAGES = ROOT / "build" / "site-pages"
TOOLS = ROOT / "build" / "site-tools"
REPOSITORY = "https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/"
#: Ansible's marks in documentation, and what they are in Markdown.
MARKS = (
    (re.compile(r"(?:RV|[VCOE])\(([^)]*)\)"), r"`\1`"),
    (re.compile(r"M\(workforce\.lifecycle\.(\w+)\)"), r"[\1](\1.md)"),
    (re.compile(r"P\(([^)#]*)#?\w*\)"), r"`\1`"),
    (re.compile(r"B\(([^)]*)\)"), r"**\1**"),
    (re.compile(r"I\(([^)]*)\)"), r"*\1*"),
    (re.compile(r"U\(([^)]*)\)"), r"<\1>"),
    (re.compile(r"L\(([^,)]*),\s*([^)]*)\)"), r"[\1](\2)"),
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--sample", type=int, help="look at so many pages, others after each commit; all of them without it"
    )
    sample = parser.parse_args().sample
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES, ignore=shutil.ignore_patterns("*.license"))
    (PAGES / "README.md").rename(PAGES / "index.md")
    for page in PAGES.rglob("*.md"):
        page.write_text(_inside(page, page.read_text(encoding="utf-8")), encoding="utf-8")
    reference = PAGES / "reference"
    reference.mkdir()
    names = [*_modules(reference), *_roles(reference)]
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for mark, found in (
        ("CONNECTORS", sorted(f"connectors/{page.name}" for page in (PAGES / "connectors").glob("*.md"))),
        ("FORMATS", sorted(f"formats/{page.name}" for page in (PAGES / "formats").glob("*.md"))),
        ("REFERENCE", [f"reference/{name}.md" for name in names]),
        (
            "DECISIONS",
            sorted(f"decisions/{p.name}" for p in (PAGES / "decisions").glob("*.md") if p.name != "README.md"),
        ),
    ):
        settings = settings.replace(f'      - "{mark}"\n', "".join(f"      - {path}\n" for path in found))
    settings = settings.replace("hooks: [", f"hooks: [{ROOT}/")
    for key in ("docs_dir", "site_dir"):
        settings = re.sub(rf"^{key}: ", rf"{key}: {ROOT}/", settings, flags=re.MULTILINE)
    filled = ROOT / "build" / "mkdocs.yml"
    filled.write_text(settings, encoding="utf-8")
    if not (TOOLS / "bin" / "mkdocs").exists():
        venv.create(TOOLS, with_pip=True)
        pip = [str(TOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(ROOT / "requirements-docs.txt")], check=True)
    done = subprocess.run(
        [str(TOOLS / "bin" / "mkdocs"), "build", "--strict", "--config-file", str(filled)],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=False,
    )
    if done.returncode:
        return done.returncode
    print(f"{len(list(PAGES.rglob('*.md')))} pages: build/site/index.html")
    return _look(sample)


def _look(sample: int | None) -> int:
    """Check the pages in a browser, when one is installed."""
    chromium = site_look.browser_path()
    if not chromium:
        print("Not looked at in a browser: that needs Debian's chromium, and playwright (requirements-dev.txt).")
        return 0
    site = ROOT / "build" / "site"
    pages = sorted(site.rglob("*.html"))
    if sample:
        pages = pages[_commit() % (step := max(1, len(pages) // sample)) :: step] + [site / "connectors.html"]
    found = [*site_look.faults(pages, chromium, site / "formats" / "policy.html")]
    widths = " and ".join(map(str, site_look.WIDTHS))
    print("\n".join(found) or f"{len(pages)} pages looked at with {widths} pixels; the search finds.")
    return 1 if found else 0


def _commit() -> int:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return int(head[:8] or "0", 16)


def _inside(page: Path, text: str) -> str:
    """Change links that leave docs/ to links to the repository, and links to the index to its name on the site."""

    def link(found: re.Match[str]) -> str:
        target, anchor = found[1], found[2] or ""
        path = (page.parent / target).resolve()
        if target.endswith("README.md") and path == PAGES / "README.md":
            return f"]({target.removesuffix('README.md')}index.md{anchor})"
        if path.is_relative_to(PAGES):
            return found[0]
        there = (ROOT / "docs" / page.relative_to(PAGES).parent / target).resolve()
        return f"]({REPOSITORY}{there.relative_to(ROOT)}{anchor})"

    text = re.sub(r"\A(?:<!--.*?-->\n)+", "", text)  # the title comes first
    return re.sub(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)", link, text)


def _said(text: Any) -> str:
    """Return a text of the documentation as one paragraph of Markdown."""
    words = " ".join(text) if isinstance(text, list) else str(text or "")
    for mark, markdown in MARKS:
        words = mark.sub(markdown, words)
    return words.replace("|", "\\|").replace("\n", " ")


def _table(options: Mapping[str, Any]) -> Iterator[str]:
    yield "| option | type | default | meaning |\n|---|---|---|---|"
    for name, option in options.items():
        choices = option.get("choices")
        more = f" One of {', '.join(f'`{choice}`' if choice else 'empty' for choice in choices)}." if choices else ""
        yield f"| `{name}` | {type_and_default(option)} | {_said(option.get('description'))}{more} |"


def _modules(folder: Path) -> Iterator[str]:
    """Write a page for each module, from the answer of ansible-doc."""
    done = subprocess.run(
        [str(BIN / "ansible-doc"), "--json", "--type", "module", *_of("modules")],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = json.loads(done.stdout)
    yield from _index(folder, "modules", "Modules", {n: d["doc"]["short_description"] for n, d in modules.items()})
    for full, found in sorted(modules.items()):
        name, doc = full.rpartition(".")[2], found["doc"]
        lines = [f"# {name}", "", _said(doc["short_description"]) + ".", f"Since {doc['version_added']}.", ""]
        lines += [f"{_said(line)}\n" for line in doc["description"]]
        lines += ["## Options", "", *_table(doc.get("options", {})), "", *_needs(doc), "## Examples", ""]
        lines += ["```yaml", (found["examples"] or "").strip(), "```", "", "## What comes back", ""]
        lines += ["| key | type | when | what | for example |\n|---|---|---|---|---|"]
        for key, value in (found["return"] or {}).items():
            sample = json.dumps(value.get("sample")).replace("|", "\\|")
            lines.append(
                f"| `{key}` | {value['type']} | {_said(value['returned'])} | {_said(value['description'])} | `{sample}` |"
            )
        lines += ["", "## See also", "", *map(_further, doc["seealso"])]
        (folder / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield name


def _needs(doc: Mapping[str, Any]) -> Iterator[str]:
    """Return what a module needs where it runs, and how it stands to check mode and its like."""
    yield "## What it needs and keeps to\n"
    yield from (f"* {_said(one)}" for one in doc.get("requirements", ()))
    for name, one in sorted(doc["attributes"].items()):
        yield f"* `{name}`: {one['support']}. {_said(one['description'])} {_said(one.get('details'))}".rstrip()
    yield ""


def _further(link: Mapping[str, str]) -> str:
    """Return one line of what to read next: another module, or a page of these."""
    if "module" in link:
        name = link["module"].rpartition(".")[2]
        return f"* [{name}]({name}.md)"
    return f"* [{link['name']}]({link['link'].replace(f'{REPOSITORY}docs/', '../')})"


def _of(kind: str) -> list[str]:
    return [f"workforce.lifecycle.{path.stem}" for path in sorted((ROOT / "plugins" / kind).glob("*.py"))]


def _index(folder: Path, name: str, title: str, found: Mapping[str, str]) -> Iterator[str]:
    lines = [f"# {title}", "", "| name | what it does |\n|---|---|"]
    for full, said in sorted(found.items()):
        short = full.rpartition(".")[2]
        lines.append(f"| [{short}]({'role-' if name == 'roles' else ''}{short}.md) | {_said(said)} |")
    (folder / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    yield name


def _roles(folder: Path) -> Iterator[str]:
    """Write a page for each role, from its argument specification."""
    specs = {
        path.parents[1].name: yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml"))
    }
    yield from _index(
        folder, "roles", "Roles", {name: spec["main"]["short_description"] for name, spec in specs.items()}
    )
    for name, entries in specs.items():
        lines = [f"# {name}", ""]
        for entry, spec in entries.items():
            lines += [f"## {entry}", "", _said(spec["short_description"]) + ".", ""]
            more = _said(spec.get("description"))
            lines += [f"{more}\n" if more.rstrip(".") != _said(spec["short_description"]) else ""]
            lines += [*_table(spec.get("options") or {}), ""]
        (folder / f"role-{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield f"role-{name}"


if __name__ == "__main__":
    sys.exit(main())

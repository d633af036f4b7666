# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Write the skeleton of a connector, with tests that fail until it does something: make connector NAME=acme."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_HEAD = "# SPDX-License-Identifier: GPL-3.0-or-later\n# SPDX-FileCopyrightText: workforce.lifecycle contributors\n"
_CONNECTOR = '''"""{title}: say here which API it speaks, with the vendor's page."""

from __future__ import annotations

from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Transport, bearer


class {title}(Connector):
    """Has a capability when it has all of its methods (``sdk/protocols.py``)."""

    TITLE = "{title}"
    CREDENTIALS = {{"token": Option("API token", required=True)}}
    PERMISSIONS = {{"accounts": ("read and write users",)}}

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.http = Transport(target, bearer(target.credential("token")))
'''
_TEST = '''"""The {title} connector: what it finds, and what it ends."""

from __future__ import annotations

from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.{name} import {title}
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of


def test_it_knows_accounts_and_can_cut_them_off() -> None:
    assert {{"accounts", "cutoff"}} <= set(capabilities_of({title}))
'''
_PAGE = """<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
# {title}

What it can do, how to make the credential, which permissions it needs, what it can't see or end.

```yaml
{name}:
  connector: {name}
  url: https://api.{name}.example
  credentials: {{token: {{env: {upper}_TOKEN}}}}
```
"""
_NEXT = """
Then:
  1. plugins/module_utils/connectors/registry.py: a function _{name} and its row.
  2. sandbox/vendors/{name}.py: an emulator that refuses what the vendor refuses, and its system in sandbox/catalogue.py.
  3. docs/connectors.md and docs/README.md lead to the page; inventory/company.systems.yml shows a system.
  4. .venv/bin/python -m pytest -q tests/unit/test_{name}.py   # red until it has accounts and cutoff
docs/adding-a-connector.md goes on from there."""


def skeleton(name: str) -> dict[str, str]:
    """Return the files of a new connector by their path from the root.

    :raises ValueError: not a name for a Python module.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name!r} is not a name: lower-case letters, digits and _, as in NAME=acme")
    words = {"name": name, "title": name.title().replace("_", ""), "upper": name.upper()}
    return {
        f"plugins/module_utils/connectors/{name}.py": _HEAD + _CONNECTOR.format(**words),
        f"tests/unit/test_{name}.py": _HEAD + _TEST.format(**words),
        f"docs/connectors/{name}.md": _PAGE.format(**words),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the skeleton of a connector.")
    parser.add_argument("name")
    name = parser.parse_args().name
    try:
        files = skeleton(name)
    except ValueError as e:
        print(e, file=sys.stderr)
        return 2
    there = [path for path in files if (ROOT / path).exists()]
    if there:
        print(f"nothing was written, it is there already: {', '.join(there)}", file=sys.stderr)
        return 2
    for path, text in files.items():
        (ROOT / path).write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    print(_NEXT.format(name=name))
    return 0


if __name__ == "__main__":
    sys.exit(main())

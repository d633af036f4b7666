# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the skeleton of a connector, with tests that fail until it does something: make connector NAME=acme."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGISTRY = "plugins/module_utils/connectors/registry.py"
INDEX = "docs/README.md"
INVENTORY = "inventory/company.systems.yml"
_HEAD = "# SPDX-License-Identifier: GPL-3.0-or-later\n# SPDX-FileCopyrightText: workforce.lifecycle contributors\n"
_CONNECTOR = '''"""{title}: say here which API it speaks, with the vendor's page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..sdk.keys import Kind, PersonKeys
from ..sdk.target import Connector, Option, Target
from ..sdk.transport import Transport, bearer
from ..sdk.values import AccessPath, Account


class {title}(Connector):
    """Has a capability when it has all of its methods (``sdk/protocols.py``)."""

    TITLE = "{title}"
    CREDENTIALS = {{"token": Option("API token", required=True)}}
    PERMISSIONS = {{"accounts": ("users:write",), "cutoff": ("users:write",)}}
    LOOKS_UP = frozenset({{Kind.ADDRESS}})
    COMPARES = LOOKS_UP

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.http = Transport(target, bearer(target.credential("token")))

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Find every account that answers to any key of the person, with all keys it carries."""
        for user in self.http.get("/users", act=f"find {{keys.person.email}}")["users"]:
            account = Account(user["id"], user["email"], user["active"], user["email"], raw=user)
            if account.id in keys.ids or any(keys.has(key.kind, key.value) for key in account.carried):
                yield account

    def set_active(self, account: Account, active: bool) -> None:
        # One request, addressed by the immutable id:
        # self.http.send("PATCH", at("/users/{{}}", account.id), act=f"suspend {{account.login}}", json={{...}}, retry_safe=True)
        # with: from ..sdk.address import at
        raise NotImplementedError

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        # Every way in, in the order of closing; ``sdk/values.py`` explains AccessPath and Residual:
        # state = "open" if account.active else "closed"
        # return [AccessPath("sign-in", state, lambda: self.set_active(account, False))]
        raise NotImplementedError
'''
_WORLD = '''"""{title}: what the vendor answers and refuses. Write it from the vendor's pages, not from the connector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.emulator import Call, Emulator, Handler, Reply


class {title}(Emulator):
    """``state["users"]`` by id."""

    name = "{name}"

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {{"{name}": {{"connector": "{name}", "url": self.url, "credentials": {{"token": self.secret("token")}}}}}}

    def seed(self) -> Any:
        people = {{key: self.company.people[key] for key in ("jane", "mark")}}
        return {{"users": {{f"u-{{k}}": {{"id": f"u-{{k}}", "email": p["email"], "active": True}} for k, p in people.items()}}}}

    def authorise(self, call: Call) -> Reply | None:
        good = call.headers.get("authorization") == f"Bearer {{self.secret('token')}}"
        return None if good else Reply(401, {{"message": "bad token"}})

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/users", lambda call: Reply(200, {{"users": list(self.state["users"].values())}})),
            ("PATCH", "/users/{{id}}", self._change),
        ]

    def _change(self, call: Call) -> Reply:
        user = self.state["users"].get(call.args["id"])
        if user is None:
            return Reply(404, {{"message": "no such user"}})
        user.update(call.body)
        return Reply(200, user)
'''
_SCENARIO = '''"""{title}: a leaver can sign in no more, and can again when that was a mistake."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.{name} import {title}
from tests.conformance.scenario import Scenario

VENDORS = [{title}]


def out(box: Box) -> None:
    users = box["{name}"].state["users"]
    assert not users["u-jane"]["active"] and users["u-mark"]["active"]


def suspended(box: Box) -> None:
    box["{name}"].state["users"]["u-jane"]["active"] = False


def back(box: Box) -> None:
    assert box["{name}"].state["users"]["u-jane"]["active"]


SCENARIOS = [
    Scenario("cut off", "{name}", "cutoff", {{"person": "jane"}}, out),
    Scenario("restore", "{name}", "account", {{"person": "jane", "state": "active"}}, back, prepare=suspended),
]
'''
_TEST = '''"""The {title} connector against its sandbox; the system is asked what happened."""

from __future__ import annotations

from ansible_collections.workforce.lifecycle.plugins.modules import cutoff

from sandbox.box import Box
from sandbox.vendors.{name} import {title}
from tests.support import person_of, run


def test_a_leaver_who_is_cut_off_can_sign_in_no_more() -> None:
    with Box([{title}]) as box:
        assert run(cutoff.TASK, box, "{name}", person=person_of(box, "jane"))["outcome"] == "done"
        assert not box["{name}"].state["users"]["u-jane"]["active"]
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
_LOADER = """def _{name}() -> type[Connector]:
    from .{name} import {title}

    return {title}


"""
_SYSTEM = """
  {name}:
    connector: {name}
    url: https://api.{name}.example
    owner: it@corp.example
    credentials:
      token: {{env: {upper}_TOKEN}}
"""
_NEXT = """
Red until you write `set_active` and `access_paths`:
  .venv/bin/python -m pytest -q tests/unit/test_{name}.py
  .venv/bin/python -m pytest -q tests/conformance -k {name}
Then, after each capability that you add:
  .venv/bin/python scripts/generate_docs.py
  .venv/bin/python -m pytest -q tests/unit/test_rules.py
docs/adding-a-connector.md has the rules for connectors."""


def _words(name: str) -> dict[str, str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name!r} is not a name: lower-case letters, digits and _, as in NAME=acme")
    return {"name": name, "title": name.title().replace("_", ""), "upper": name.upper()}


def skeleton(name: str) -> dict[str, str]:
    """Return the files of a new connector by their path from the root.

    :raises ValueError: it is no name for a Python module.
    """
    words = _words(name)
    return {
        f"plugins/module_utils/connectors/{name}.py": _HEAD + _CONNECTOR.format(**words),
        f"sandbox/vendors/{name}.py": _HEAD + _WORLD.format(**words),
        f"tests/conformance/scenarios/{name}.py": _HEAD + _SCENARIO.format(**words),
        f"tests/unit/test_{name}.py": _HEAD + _TEST.format(**words),
        f"docs/connectors/{name}.md": _PAGE.format(**words),
    }


def entries(name: str, read: Callable[[str], str]) -> dict[str, str]:
    """Return the files that list every connector, with this one in its alphabetical place.

    :param read: returns the text of a file of the repository.
    """
    words = _words(name)
    registry = read(REGISTRY)
    loaders = sorted((*re.findall(r"^def _(\w+)\(\) -> type\[Connector\]:", registry, re.M), name))
    after = next((one for one in loaders if one > name), "")
    row = f'    "{name}": _{name},\n'
    if after:
        registry = registry.replace(f"def _{after}() ->", _LOADER.format(**words) + f"def _{after}() ->", 1)
        registry = registry.replace(f'    "{after}": _{after},', f'{row}    "{after}": _{after},', 1)
    else:
        last = loaders[-2]
        registry = registry.replace(f'    "{last}": _{last},\n', f'    "{last}": _{last},\n{row}', 1)
        registry = registry.replace(f"def _{last}() ->", _LOADER.format(**words) + f"def _{last}() ->", 1)
    link = f"[{words['title']}](connectors/{name}.md) ·\n"
    following = re.search(rf"^\[[^\]]+\]\(connectors/{after or loaders[-2]}\.md\)", read(INDEX), re.M)
    at = following.start() if following else len(read(INDEX))
    return {
        REGISTRY: registry,
        INDEX: read(INDEX)[:at] + link + read(INDEX)[at:],
        INVENTORY: read(INVENTORY).rstrip("\n") + "\n" + _SYSTEM.format(**words).lstrip("\n"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the skeleton of a connector.")
    parser.add_argument("name")
    name = parser.parse_args().name
    try:
        files = skeleton(name)
        changed = entries(name, lambda path: (ROOT / path).read_text(encoding="utf-8"))
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
    for path, text in changed.items():
        (ROOT / path).write_text(text, encoding="utf-8")
        print(f"added it to {path}")
    subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-q", *(path for path in files if path.endswith(".py"))],
        cwd=ROOT,
        check=True,
    )
    subprocess.run([sys.executable, "scripts/generate_docs.py"], cwd=ROOT, check=True)
    print(_NEXT.format(name=name))
    return 0


if __name__ == "__main__":
    sys.exit(main())

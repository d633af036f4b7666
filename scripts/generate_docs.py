# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the pages and files that are made from code.

These are docs/connectors.md (the capabilities of each connector, and their permissions), inventory/seats.systems.yml
(from the pages of declared connectors), a controller's credential type for each declared connector, each role's README,
and the published schemas with a page each (scripts/formats.py).

``--check`` writes nothing, and exits 1 when a file differs from the code.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT / "bridge" / "src"), str(ROOT / "scripts")]

import formats
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.engine.task import Task
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import CAPABILITIES, capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Connector
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS
from option_cells import type_and_default

PAGE = ROOT / "docs" / "connectors.md"
#: A module that needs one capability, and does more where there is this one too.
_ALSO = {"provisioning": ("account",), "restorable": ("account",)}
_HEAD = """<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- Generated from the registry by scripts/generate_docs.py. -->
# What each connector can do

A connector has a capability when it has its methods; each capability is also a group of the inventory. A step on a system
that lacks the capability ends `unsupported`, never as a quiet ok. How to make each credential, and what a connector can't
see or end, is on the connector's own page.
"""


def page() -> str:
    """Return the whole page."""
    parts = (_matrix(), _peers(), _capabilities(), _ways(), _permissions())
    return "\n".join([_HEAD, *(line for part in parts for line in (*part, ""))]).rstrip() + "\n"


def _matrix() -> Iterator[str]:
    data = [name for name, connector in CONNECTORS.items() if hasattr(connector, "MANIFEST")]
    yield f"{len(CONNECTORS)} connectors: {len(CONNECTORS) - len(data)} are code (■), {len(data)} are data (□, see [declared connectors](declared-connectors.md))."
    yield ""
    yield "| | | " + " | ".join(name.replace("_", " ") for name in CAPABILITIES) + " |"
    yield "|---" * (len(CAPABILITIES) + 2) + "|"
    for name, connector in CONNECTORS.items():
        has = capabilities_of(connector)
        marks = " | ".join("●" if capability in has else "" for capability in CAPABILITIES)
        yield f"| [{name}](connectors/{name}.md) | {'□' if name in data else '■'} | {marks} |"


#: What answers the tests of the connectors that are code, and where. A connector that is data has its own, found by its files.
REAL = {
    "csv": ("files", "tests/unit/test_csv.py"),
    "imap": ("Dovecot; pymap", "tests/integration/test_dovecot.py"),
    "ldap": ("OpenLDAP; Samba", "tests/integration/test_slapd.py"),
    "scim": ("scim2-server", "tests/unit/test_scim.py"),
}
#: Connectors held against a vendor's whole description (``tests/contract/test_contracts.py``); aws by its own library.
CONTRACTS = {
    **dict.fromkeys(("entra", "exchange", "github", "google_workspace", "intune", "okta", "onedrive"), ""),
    "aws": "moto; boto3 refuses what AWS' own models do not have",
}


def _peer_of(name: str) -> tuple[str, str]:
    """Return the other side of a connector's tests: its kind, and its name."""
    if name in REAL:
        return "real server", REAL[name][0]
    if (ROOT / "tests" / "integration" / f"test_{name}.py").exists():
        return "real server", f"the product itself (`tests/integration/test_{name}.py`), and an emulator"
    if name in CONTRACTS or has_table(name):
        return "emulator with a contract", CONTRACTS.get(name, "")
    return ("nothing to ask", "") if name == "manual" else ("emulator without a contract", "")


def has_table(name: str) -> bool:
    """Return whether a connector's requests are checked against a table of the vendor's operations, or against a
    description that its own file names."""
    return any((ROOT / "tests" / part / f"{name}.yml").exists() for part in ("declared/contracts", "contract/tables"))


def _peers() -> Iterator[str]:
    """Return how many connectors of each class are tested against which kind of other side."""
    kinds = ("real server", "emulator with a contract", "emulator without a contract", "nothing to ask")
    found = {name: (_peer_of(name), hasattr(connector, "MANIFEST")) for name, connector in CONNECTORS.items()}
    yield "## What they are tried against"
    yield ""
    yield "A contract is the vendor's own description, or a table from its pages: every request that a connector sends is held against it."
    yield ""
    yield "| | code | data | which |"
    yield "|---|---|---|---|"
    for kind in kinds:
        names = [name for name, ((one, _), _) in found.items() if one == kind]
        data = sum(found[name][1] for name in names)
        shown = ", ".join(f"{name} ({found[name][0][1]})" if found[name][0][1] else name for name in names)
        yield f"| {kind} | {len(names) - data} | {data} | {shown} |"


def _ways() -> Iterator[str]:
    yield "## How each way in ends, and what lingers"
    yield ""
    yield "The ways in of the connectors that are data, in the order in which they are closed. The connectors that are code have them on their own pages. [A leaver on every system](every-system.md) shows what lingers on all of them."
    yield ""
    yield "| system | way in | how it ends | what lingers |"
    yield "|---|---|---|---|"
    for name, connector in CONNECTORS.items():
        manifest = getattr(connector, "MANIFEST", None)
        for way in manifest.cutoff if manifest is not None else ():
            how = "the account is suspended" if way.close is None else ", then ".join(_spoken(one) for one in way.close)
            seen = " (the vendor does not show whether: `acknowledged`)" if way.unseen else ""
            asks = f"; by a person, where {_plain(way.refused.because)}" if way.refused is not None else ""
            lingers = f"{way.lingers.what}: {way.lingers.why}" if way.lingers is not None else ""
            yield f"| [{name}](connectors/{name}.md) | {_plain(way.name)} | {how}{seen}{asks} | {_plain(lingers)} |"


def _spoken(write: Any) -> str:
    body = write.request.json
    if isinstance(body, dict) and "query" in body and str(body["query"]).startswith("mutation"):
        return f"`{str(body['query']).split('{')[1].split('(')[0].strip()}`"
    return f"`{write.request.method} {_plain(write.request.path)}`"


def _plain(text: str) -> str:
    """Return a text of a connector's file, with words in place of its placeholders."""
    return re.sub(r"\{(?:item\.|account\.|options\.)?([\w.]+)\??\}", r"‹\1›", text).replace("|", "\\|")


def _capabilities() -> Iterator[str]:
    yield "## The capabilities"
    yield ""
    yield "| capability | what it is | modules |"
    yield "|---|---|---|"
    for capability, protocol in CAPABILITIES.items():
        modules = ", ".join(
            f"`{name}`"
            for name, task in TASKS.items()
            if isinstance(task, Task) and (task.needs is protocol or name in _ALSO.get(capability, ()))
        )
        yield f"| {capability} | {_first_sentence(protocol)} | {modules} |"


def _permissions() -> Iterator[str]:
    yield "## The permissions each needs"
    yield ""
    yield "What `accounts` lists, the connector's other capabilities need too: they find the person first."
    for name, connector in CONNECTORS.items():
        yield ""
        yield f"### [{connector.TITLE}](connectors/{name}.md)"
        yield ""
        yield "| capability | permissions |"
        yield "|---|---|"
        for capability in capabilities_of(connector):
            yield f"| {capability} | {_listed(connector, capability)} |"
        if connector.LINGERS:
            yield ""
            yield f"Stays open: {connector.LINGERS.what}. {connector.LINGERS.why}."


def _listed(connector: type[Connector], capability: str) -> str:
    permissions = "; ".join(connector.PERMISSIONS[capability]) or "none"
    return permissions.replace("*", r"\*").replace("|", r"\|")


def _first_sentence(protocol: type) -> str:
    return re.split(r"\.(?:\s+[A-Z]|$)", (protocol.__doc__ or "").strip().splitlines()[0])[0].replace("``", "`")


SEATS = ROOT / "inventory" / "seats.systems.yml"
_SEATS = """# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# Generated from docs/connectors/*.md by scripts/generate_docs.py: an entry of each connector that is data, to copy from.
plugin: workforce.lifecycle.systems
systems:
"""


def seats() -> str:
    """Return the example entries of the declared connectors' pages."""
    entries = []
    for name, connector in CONNECTORS.items():
        if hasattr(connector, "MANIFEST"):
            page_of = (ROOT / "docs" / "connectors" / f"{name}.md").read_text(encoding="utf-8")
            shown = re.findall(r"```yaml\nsystems:\n(.*?)```", page_of, re.DOTALL)
            if len(shown) != 1:
                raise SystemExit(f"docs/connectors/{name}.md must show one entry, in a block that begins with systems:")
            entries.append(shown[0])
    return _SEATS + "".join(entries)


TYPES = ROOT / "awx" / "vars" / "seat_credential_types.yml"
_TYPES = """---
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# Generated from the registry by scripts/generate_docs.py: a credential type of each connector that the example company has not. Copy those of your
# systems into credential_types.yml; docs/bridge-awx.md says how the systems file names their variables.
lifecycle_seat_credential_types:
"""


def _in_the_example() -> set[str]:
    """Return the connectors of the example company. Their credential types are written by hand, one for a family of
    connectors."""
    said = yaml.safe_load((ROOT / "awx" / "project" / "company.systems.yml").read_text(encoding="utf-8"))
    return {system["connector"] for system in said["systems"].values()}


def credential_types() -> str:
    """Return a controller's credential types. Each secret reaches a job as a file, because the controller keeps the
    values of variables with the job."""
    made = []
    for name, connector in CONNECTORS.items():
        if name in _in_the_example() or not connector.CREDENTIALS:
            continue
        lines = [f"  - name: Lifecycle {connector.TITLE}", "    kind: cloud", "    inputs:", "      fields:"]
        for key, option in connector.CREDENTIALS.items():
            more = ", multiline: true" if "PEM" in option.help or "JSON" in option.help else ""
            label = json.dumps(option.help.rstrip("."), ensure_ascii=False)
            lines.append(f"        - {{id: {key}, label: {label}, type: string, secret: true{more}}}")
        required = [key for key, option in connector.CREDENTIALS.items() if option.required]
        lines += [f"      required: [{', '.join(required)}]", "    injectors:", "      file:"]
        lines += [f'        template.{key}: !unsafe "{{{{ {key} }}}}"' for key in connector.CREDENTIALS]
        lines.append("      env:")
        lines += [
            f'        LIFECYCLE_{name.upper()}_{key.upper()}: !unsafe "{{{{ tower.filename.{key} }}}}"'
            for key in connector.CREDENTIALS
        ]
        made += lines
    return _TYPES + "\n".join(made) + "\n"


def role_pages() -> Iterator[tuple[Path, str]]:
    """Return each role's README, made from its argument specification."""
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        role = path.parents[1]
        specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        lines = [_ROLE, f"# workforce.lifecycle.{role.name}", "", f"{specs['main']['short_description']}.", "", _A_PART]
        for name, spec in specs.items():
            said = spec.get("description") or spec["short_description"]
            words = " ".join(said) if isinstance(said, list) else str(said)
            lines += ["", f"## {name}", "", words.rstrip(".") + "."]
            if spec.get("options"):
                lines += ["", "| option | type | default | meaning |", "|---|---|---|---|"]
                lines += [_option_row(option, what) for option, what in spec["options"].items()]
        yield role / "README.md", "\n".join(lines) + "\n"


_ROLE = """<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- Generated from meta/argument_specs.yml by scripts/generate_docs.py. -->"""
_A_PART = "A part of the playbooks. Each heading below is an entry point: what `tasks_from` names."


def _option_row(name: str, option: Mapping[str, Any]) -> str:
    said = option.get("description", "")
    words = " ".join((" ".join(said) if isinstance(said, list) else str(said)).split())
    plain = re.sub(r"[A-Z]+\(([^)]*)\)", r"`\1`", words).replace("|", "\\|")
    return f"| `{name}` | {type_and_default(option)} | {plain} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    stale = 0
    written = ((PAGE, page()), (SEATS, seats()), (TYPES, credential_types()))
    for path, made in (*written, *role_pages(), *formats.schemas(), *formats.pages()):
        if not args.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(made, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != made:
            print(
                f"{path.relative_to(ROOT)} is not what the registry says: run {Path(sys.executable).name} scripts/generate_docs.py",
                file=sys.stderr,
            )
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())

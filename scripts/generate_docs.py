# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes docs/connectors.md from the registry: what each connector can do, and which permissions it needs for it.

``--check`` writes nothing, and exits 1 when the page is not what the registry says.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "collections")]

from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import CAPABILITIES, capabilities_of
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Connector
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.tasks import TASKS

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
    """The whole page."""
    return "\n".join([_HEAD, *_matrix(), "", *_capabilities(), "", *_permissions()]).rstrip() + "\n"


def _matrix() -> Iterator[str]:
    yield "| | " + " | ".join(f"[{name}](connectors/{name}.md)" for name in CONNECTORS) + " |"
    yield "|---" * (len(CONNECTORS) + 1) + "|"
    for capability in CAPABILITIES:
        yield (
            f"| {capability} | "
            + " | ".join("●" if capability in capabilities_of(connector) else "" for connector in CONNECTORS.values())
            + " |"
        )


def _capabilities() -> Iterator[str]:
    yield "## The capabilities"
    yield ""
    yield "| capability | what it is | modules |"
    yield "|---|---|---|"
    for capability, protocol in CAPABILITIES.items():
        modules = ", ".join(
            f"`{name}`" for name, task in TASKS.items() if task.needs is protocol or name in _ALSO.get(capability, ())
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if not args.check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print(
        f"{PAGE.relative_to(ROOT)} is not what the registry says: run {Path(sys.executable).name} scripts/generate_docs.py",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())

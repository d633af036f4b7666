# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The table of doors: where others' words come in and go out, what holds there, and how each is tried.

A connector, a webhook scheme or an exit that is not in it fails ``test_doors.py``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS
from lifecycle_bridge.receive import SCHEMES

from tests.conformance.test_conformance import SETS
from tests.hostile import answers, bridge, exits, files, hr, sockets

#: Tries a door with one input made from chance; raises when it does not hold.
Try = Callable[[random.Random], None]
#: Connectors that ask nobody: their words are ours, or a person's.
SILENT = frozenset({"manual"})


@dataclass(frozen=True)
class Door:
    """One door.

    :param kind: its row in docs/borders.md.
    :param held_by: the file that holds there.
    :param weight: its share of the inputs.
    """

    name: str
    kind: str
    held_by: str
    opened: Callable[[Path], AbstractContextManager[Try]]
    weight: int = 4


_SDK, _BRIDGE = "plugins/module_utils", "bridge/src/lifecycle_bridge"
_MADE = {
    "csv": hr.file,
    "ldap": sockets.directory,
    "imap": sockets.mail_server,
    "openvpn": sockets.vpn_host,
    "wireguard": sockets.wireguard_host,
}


def _systems() -> list[Door]:
    shape = f"{_SDK}/engine/answer_shape.py"
    doors = []
    for name in sorted(set(CONNECTORS) - SILENT - set(_MADE)):
        if name in hr.SYSTEMS:
            doors.append(Door(f"hr: {name}", "HR systems by API", f"{_SDK}/model/typed.py", hr.api(name), 6))
        else:
            doors.append(Door(f"answers: {name}", "Systems that speak HTTP", shape, answers.vendor(name), 3))
    return doors


DOORS: tuple[Door, ...] = (
    Door("hr: record", "HR's record", f"{_SDK}/model/typed.py", hr.records, 60),
    Door("hr: csv", "HR's list as a file", f"{_SDK}/connectors/csv.py", hr.file, 20),
    *_systems(),
    Door("answers: ldap", "Directories", f"{_SDK}/connectors/ldap/wire.py", sockets.directory, 12),
    Door(
        "answers: wireguard",
        "A VPN's own machine",
        f"{_SDK}/connectors/wireguard/connector.py",
        sockets.wireguard_host,
        2,
    ),
    Door(
        "answers: openvpn",
        "A VPN's own machine",
        f"{_SDK}/connectors/openvpn/connector.py",
        sockets.vpn_host,
        2,
    ),
    Door("answers: imap", "Mail servers", f"{_SDK}/connectors/imap/connector.py", sockets.mail_server, 2),
    *(
        Door(f"webhook: {name}", "Webhooks", f"{_BRIDGE}/receive/scheme.py", bridge.scheme(name), 10)
        for name in SCHEMES
    ),
    Door(
        "eda: filter",
        "Event-Driven Ansible",
        "extensions/eda/plugins/event_filter/canonical_hr.py",
        bridge.event_filter,
        20,
    ),
    Door("bridge: api", "The bridge's API", f"{_BRIDGE}/api/models.py", bridge.api, 10),
    Door("bridge: console", "The console's forms", f"{_BRIDGE}/console/frame.py", bridge.console, 20),
    Door(
        "bridge: identity provider",
        "Tokens of the identity provider",
        f"{_BRIDGE}/console/oidc.py",
        bridge.identity_provider,
        10,
    ),
    Door("typed: user", "Command line, survey", f"{_SDK}/people/identity.py", hr.typed, 20),
    Door("file: systems", "The company's files", f"{_SDK}/model/marked_yaml.py", files.systems, 2),
    Door("file: policy", "The company's files", f"{_SDK}/model/marked_yaml.py", files.policy, 2),
    Door("file: profile", "The company's files", f"{_SDK}/model/marked_yaml.py", files.profiles, 2),
    Door("file: connector", "The company's files", f"{_SDK}/connectors/declared/reading.py", files.connector, 2),
    Door("file: plan", "A plan", "plugins/plugin_utils/approval/plans.py", files.plan, 10),
    Door("exit: screen", "Screen", "plugins/plugin_utils/screen/result_lines.py", exits.screen, 30),
    Door("exit: record", "Record", "plugins/plugin_utils/record/html.py", exits.record, 2),
    Door("exit: page", "Pages", "plugins/plugin_utils/record/html.py", exits.pages, 30),
    Door("exit: table", "Tables (CSV)", f"{_SDK}/model/text.py", exits.tables, 30),
    Door("exit: letter", "Mail of a run", "plugins/plugin_utils/post/letters.py", exits.letters, 20),
    Door("exit: notice", "Notices of the bridge", f"{_BRIDGE}/plain_text.py", exits.notices, 30),
    Door("exit: log", "Logs of the bridge", f"{_BRIDGE}/logs.py", exits.log, 10),
    Door("exit: metric", "Metrics", "plugins/plugin_utils/audit/prometheus.py", exits.metrics, 30),
    Door("exit: command", "Printed commands", f"{_SDK}/model/commands.py", exits.printed_commands, 30),
    Door("exit: variable", "Variables for Ansible", f"{_BRIDGE}/execute/extra_vars.py", exits.variables, 30),
    Door("exit: address", "Addresses of requests", f"{_SDK}/sdk/address.py", exits.addresses, 30),
)
#: Scenarios of the conformance suite that are no connector's own.
BESIDE = frozenset(SETS) - frozenset(CONNECTORS)

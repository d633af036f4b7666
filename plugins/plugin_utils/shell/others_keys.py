# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Passes the keys of HR's people, as hashes, from the task that reads HR to the steps that compare accounts.

They are in the run's own folder (0700, removed by Ansible when the run ends). A step on another machine gets them in
its arguments.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...module_utils.connectors.registry import connector_class

_PREFIX = "workforce_keys_"


def leave(folder: str, source: str, packed: str) -> None:
    """Write the keys of one HR system's people to the run's folder."""
    path = Path(folder, f"{_PREFIX}{source}")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(base64.b64decode(packed))


def handed(folder: str, *, here: bool) -> dict[str, Any]:
    """Return a step's argument: the files of the keys, or without ``here`` the keys themselves; empty when HR was not
    read as a whole."""
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.startswith(_PREFIX))
    if not files:
        return {}
    if here:
        return {"files": files}
    return {"inline": [base64.b64encode(Path(file).read_bytes()).decode() for file in files]}


def patterns(task_vars: Mapping[str, Any], template: Callable[[Any], Any]) -> dict[str, str]:
    """Return the login pattern of each system with accounts."""
    found = {}
    for host in task_vars.get("groups", {}).get("accounts", []):
        variables = task_vars["hostvars"].raw_get(host)
        connector = connector_class(template(variables.get("lifecycle_connector", "")), system=host)
        options = template(variables.get("lifecycle_options", {})) or {}
        found[host] = str(options.get("login") or connector.LOGIN)
    return found

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The machine that runs Ansible, for the modules that work neither on a system nor in the ledger."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible import constants as C

from ...module_utils.model.marked_yaml import Document
from ..ledger.ledger import Ledger


@dataclass(frozen=True)
class Here:
    """The part of a task's variables that these modules need.

    :param template: fills in a template.
    :param check: refuses a systems file that the inventory would refuse.
    :param read_only: nothing may be written.
    :param open_ledger: opens the ledger that the inventory names; None when it names none.
    """

    task_vars: Mapping[str, Any]
    template: Callable[[Any], Any]
    open_ledger: Callable[[], Ledger | None]
    read_only: bool
    check: Callable[[Document], None]

    @property
    def spool(self) -> str:
        """Return the run's own folder: 0700, and removed by Ansible when the run ends."""
        return str(C.DEFAULT_LOCAL_TMP)

    def setting(self, name: str) -> str:
        """Return a top-level key of the systems file."""
        return os.path.expanduser(str(self.template(self.task_vars.get(f"lifecycle_{name}", "")) or ""))

    def hosts(self, group: str) -> Sequence[str]:
        return list(self.task_vars.get("groups", {}).get(group, ()))

    def connectors(self) -> dict[str, str]:
        """Return each system's connector."""
        return {host: str(self.of(host, "lifecycle_connector")) for host in self.hosts("systems")}

    def of(self, host: str, name: str) -> Any:
        """Return a variable or a registered result of a host; None when it has none."""
        value = self.task_vars["hostvars"].raw_get(host).get(name)
        return self.template(value) if isinstance(value, str) else value

    def answers(self, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield each system with the result that its task registered under a name; an empty one where the task did not
        run."""
        for host in self.hosts("systems"):
            yield host, self.of(host, name) or {}

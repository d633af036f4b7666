# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One run's access to the ledger: the run's id, whether it may write, and the company's inventory and policy."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...module_utils.company.policy import Policy, load_policy
from ...module_utils.model.case import Case, Facts, OpenCase
from ...module_utils.model.person import Person
from ...module_utils.model.system_facts import SystemFacts
from . import lease
from .ledger import Ledger


class Inventory(Protocol):
    """The company's systems in Ansible's inventory."""

    def group(self, name: str) -> list[str]:
        """Return the hosts of an inventory group: a capability's systems, or all of ``systems``."""

    def systems(self) -> dict[str, SystemFacts]:
        """Return every host of the group ``systems``: ``{name: {connector, title, owner, service_level, capabilities}}``."""


@dataclass(frozen=True)
class LedgerRun:
    """The first argument of every act on the ledger.

    :param id: the run's id.
    :param read_only: check mode: nothing may be appended.
    :param policy_file: the company's policy; when empty, the defaults count.
    :param plans: the folder of plans.
    :param patience: for how many seconds to wait for a person whom another run has locked.
    """

    ledger: Ledger
    id: str
    read_only: bool
    inventory: Inventory
    policy_file: str = ""
    plans: str = ""
    patience: str = ""

    @property
    def policy(self) -> Policy:
        """Return the company's policy; the defaults when the systems file names none."""
        return load_policy(os.path.expanduser(self.policy_file))

    def note(self, kind: str, data: Mapping[str, Any], **where: Any) -> None:
        """Append an entry, see :meth:`Ledger.note`; nothing in check mode."""
        if not self.read_only:
            self.ledger.note(kind, data, run=self.id, **where)

    def open_case(self, kind: str, person: Person, facts: Facts) -> OpenCase:
        """See :meth:`open_cases`."""
        return self.open_cases(kind, [(person, facts)])[0]

    def open_cases(self, kind: str, people: Sequence[tuple[Person, Facts]]) -> list[OpenCase]:
        """Return each person's case; open those that are missing, all or none. In check mode, a new case has no id.

        :raises Held: another run has locked one of them, also after :attr:`patience` seconds.
        :raises Braked: there would be more leavers than policy allows.
        """
        if self.read_only:
            return [OpenCase("", kind, person, facts=facts) for person, facts in people]
        plain = [(person.as_dict(), facts.as_dict()) for person, facts in people]
        cases: list[Case] = lease.patiently(
            lambda: self.ledger.open_cases(kind, plain, self.id, self.policy.brake), self.patience
        )
        return [
            OpenCase(case.id, case.kind, person, case.opened, case.facts)
            for case, (person, _facts) in zip(cases, people, strict=True)
        ]

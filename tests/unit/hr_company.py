# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""An HR file, and the way from it to a case, in one process: csv connector, identity, feed guard, case."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy_sections import Brake, Limit
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import clock
from ansible_collections.workforce.lifecycle.plugins.modules.case import TASK as CASE
from ansible_collections.workforce.lifecycle.plugins.modules.person_info import TASK as PERSON_INFO
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.run import LedgerRun
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform

from tests.unit.ledger_run import ledger_run

COLUMNS = {
    "hr_id": "Id",
    "employee_id": "Number",
    "email": "Mail",
    "first_name": "First",
    "last_name": "Last",
    "department": "Team",
    "status": "State",
    "hire_date": "From",
    "termination_date": "Until",
    "personal_email": "Private",
    "person_key": "Human",
    "employment_type": "Type",
    "aliases": "Former addresses",
    "former_names": "Former names",
    "time_zone": "Zone",
    "manager_email": "Manager",
}
HEAD = (*COLUMNS.values(), "Born")
Row = Mapping[str, str]


def row(number: int, **changes: str) -> dict[str, str]:
    """A person who works here, by our names of the fields."""
    known = {
        "hr_id": str(number),
        "employee_id": f"E{number}",
        "email": f"p{number}@corp.example",
        "first_name": f"First{number}",
        "last_name": f"Last{number}",
        "department": "Sales",
        "status": "active",
        "hire_date": "2020-09-01",
        "time_zone": "Europe/Berlin",
        "manager_email": "boss@corp.example",
    }
    return {**known, **changes}


def write(path: Path, rows: Sequence[Row], head: Sequence[str] = HEAD) -> None:
    """``rows`` by our names of the fields, or by the file's columns."""
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(head)
        for one in rows:
            cells = {**{COLUMNS.get(name, name): value for name, value in one.items()}}
            out.writerow([cells.get(column, "") for column in head])


class HrCompany:
    """HR files in a folder, a ledger, and a policy. ``files`` maps an HR system to its rows."""

    def __init__(self, folder: Path, policy: Policy | None = None) -> None:
        self.folder = folder
        # These companies are too small for a share of their people to be more than one.
        self.policy = policy or Policy(brake=Brake(leavers=Limit(1000)))
        self.ledger = Ledger.open(str(folder / "ledger.db"))
        self.sources: list[str] = []
        (folder / "profiles").mkdir(exist_ok=True)
        (folder / "profiles" / "staff.yml").write_text(
            "match: {department: '*'}\nsystems:\n  wiki: {groups: [Staff]}\n"
        )

    def has(self, *rows: Row, source: str = "hr", head: Sequence[str] = HEAD) -> None:
        """The HR file holds these and nobody else."""
        write(self.folder / f"{source}.csv", rows, head)
        if source not in self.sources:
            self.sources.append(source)

    def run(self, kind: str, *users: str, read_only: bool = False, **want: Any) -> dict[str, Any]:
        """What the roles identify and open_case do: every source is asked, then each about whom the others found, then the case is opened."""
        found: list[dict[str, Any]] = []
        for source in self.sources:
            for number, user in enumerate(users):
                answer = self._ask(source, user=user, look=number == 0)
                if answer.get("failed"):
                    return answer
                found.append(answer)
        for source in self.sources:
            elsewhere = [person for answer in found if answer["system"] != source for person in answer["people"]]
            if elsewhere:
                found.append(self._ask(source, others_of=elsewhere))
        params = {
            **{name: spec.get("default") for name, spec in CASE.spec.items()},
            "kind": kind,
            "user": list(users),
            "found": found,
            "profiles": str(self.folder / "profiles"),
            **want,
        }
        return perform(CASE, self.book(read_only), params)

    def book(self, read_only: bool = False) -> LedgerRun:
        systems: dict[str, dict[str, Any]] = {
            **{name: {"connector": "csv", "capabilities": ["hr_records"]} for name in self.sources},
            "wiki": {"connector": "scim", "capabilities": ["provisioning", "entitlements", "cutoff"]},
        }
        return ledger_run(self.ledger, systems, read_only=read_only, policy=self.policy)

    def _ask(self, source: str, **want: Any) -> dict[str, Any]:
        options = {"path": str(self.folder / f"{source}.csv"), "columns": COLUMNS, "attributes": {"birth_date": "Born"}}
        params = {
            **{name: spec.get("default") for name, spec in PERSON_INFO.spec.items()},
            "system": source,
            "connector": "csv",
            "options": options,
            **want,
        }
        return PERSON_INFO.run(params, check_mode=False)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """The collection's clock stands still."""
    real = clock.now
    clock.now = lambda: moment
    try:
        yield
    finally:
        clock.now = real

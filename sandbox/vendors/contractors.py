# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The contractors' list: a CSV file that procurement keeps, written into the box's folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.company import Company
from sandbox.days import moment
from sandbox.emulator import Emulator

COLUMNS = (
    "Contractor",
    "First",
    "Last",
    "Mail",
    "Role",
    "Team",
    "City",
    "Country",
    "From",
    "Until",
    "State",
    "Zone",
    "Sponsor",
    "GitHub",
    "Changed",
)


def write_file(company: Company, path: Path) -> Path:
    """Return the company's contractors as procurement exports them: semicolons, a byte order mark, German dates."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8-sig", newline="") as f:
        rows = csv.writer(f, delimiter=";")
        rows.writerow(COLUMNS)
        for person in company.people.values():
            if not person.get("contractor"):
                continue
            sponsor = company.people[person["manager"]]["email"] if person.get("manager") else ""
            rows.writerow(
                [
                    person["employee_id"],
                    person["first_name"],
                    person["last_name"],
                    person["email"],
                    person["title"],
                    person["department"],
                    person["location"],
                    person["country"],
                    _date(person.get("hire_date")),
                    _date(person.get("termination_date")),
                    "left" if person["status"] == "terminated" else "working",
                    person.get("time_zone", ""),
                    sponsor,
                    (person.get("logins") or {}).get("github", ""),
                    moment(-300).isoformat(),
                ]
            )
    return path


class Contractors(Emulator):
    """A file; ``reset`` writes it anew."""

    name = "contractors"
    HTTP = False
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "contractors.csv"

    def routes(self) -> Sequence[Any]:
        return ()

    def seed(self) -> Any:
        write_file(self.company, self.path)

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "contractors": {
                "connector": "csv",
                "owner": "procurement@corp.example",
                "options": {
                    "path": str(self.path),
                    "delimiter": ";",
                    "columns": {
                        "employee_id": "Contractor",
                        "first_name": "First",
                        "last_name": "Last",
                        "email": "Mail",
                        "title": "Role",
                        "department": "Team",
                        "location": "City",
                        "country": "Country",
                        "hire_date": "From",
                        "termination_date": "Until",
                        "status": "State",
                        "time_zone": "Zone",
                        "manager_email": "Sponsor",
                    },
                    "logins": {"github": "GitHub"},
                    "constants": {"employment_type": "contractor"},
                    "statuses": {"working": "active", "left": "terminated"},
                    "date_format": "%d.%m.%Y",
                    "changed_column": "Changed",
                },
            }
        }


def _date(value: Any) -> str:
    return f"{value:%d.%m.%Y}" if value else ""

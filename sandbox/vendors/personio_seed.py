# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Make Personio's persons and their employments of the sandbox's company."""

from __future__ import annotations

from typing import Any

from sandbox.company import Company
from sandbox.days import stamp


def seeded(company: Company) -> dict[str, Any]:
    """Make what the emulator keeps."""
    persons: dict[str, dict[str, Any]] = {}
    employments: dict[str, dict[str, Any]] = {}
    units: dict[str, str] = {}
    for person in company.people.values():
        if person.get("contractor"):
            continue
        key, moment = str(person["hr_id"]), stamp(-300)
        unit = units.setdefault(person["department"], str(401 + len(units)))
        persons[key] = {
            "id": key,
            "email": person["email"],
            "created_at": moment,
            "updated_at": moment,
            "first_name": person["first_name"],
            "last_name": person["last_name"],
            "preferred_name": None,
            "gender": "UNSPECIFIED",
            "_custom": {
                "employee_number": person["employee_id"],
                "time_zone": person.get("time_zone"),
                "github": (person.get("logins") or {}).get("github"),
                "private_email": person.get("personal_email"),
            },
        }
        ended = str(person["termination_date"]) if person.get("termination_date") else None
        manager = company.people[person["manager"]] if person.get("manager") else None
        one = f"2306b77a-35fb-4b1d-8044-{int(key):012d}"
        employments[one] = {
            "id": one,
            "person": {"id": key},
            "employment_start_date": str(person["hire_date"]),
            "employment_end_date": ended,
            "type": "INTERNAL",
            "contract_end_date": None,
            "created_at": moment,
            "updated_at": moment,
            "position": {"title": person["title"]},
            "supervisor": {"id": str(manager["hr_id"])} if manager else None,
            "office": {"id": office_of(person["location"])},
            "org_units": [{"type": "department", "id": unit}],
            "termination": termination_of(ended) if ended else None,
            "_leave": False,
        }
    return {
        "persons": persons,
        "employments": employments,
        "units": units,
        "hidden": [],
        "left": None,
        "stuck": False,
        "tokens": [],
    }


def termination_of(day: str, last_working_day: str = "", kind: str = "EMPLOYEE") -> dict[str, Any]:
    return {
        "termination_date": day,
        "last_working_day": last_working_day or day,
        "terminated_at": day,
        "type": kind,
        "reason": "",
    }


def office_of(name: str) -> str:
    return str(60000 + sum(name.encode()) % 1000)

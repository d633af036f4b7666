# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Make BambooHR's employees and their tables of the sandbox's company."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.company import Company
from sandbox.days import moment

TABLES = ("jobInfo", "employmentStatus", "compensation")


def seeded(company: Company) -> dict[str, Any]:
    """Make what the emulator keeps."""
    employees: dict[str, dict[str, Any]] = {}
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for person in company.people.values():
        if person.get("contractor"):
            continue
        key = str(person["hr_id"])
        manager = company.people[person["manager"]] if person.get("manager") else None
        employees[key] = {
            "id": key,
            "employeeNumber": person["employee_id"],
            "firstName": person["first_name"],
            "lastName": person["last_name"],
            "preferredName": None,
            "displayName": f"{person['first_name']} {person['last_name']}",
            "workEmail": person["email"],
            "homeEmail": person.get("personal_email"),
            "mobilePhone": person.get("mobile_phone"),
            "jobTitle": person["title"],
            "department": person["department"],
            "division": None,
            "location": person["location"],
            "country": person["country"],
            "hireDate": str(person["hire_date"]),
            "supervisor": f"{manager['last_name']}, {manager['first_name']}" if manager else None,
            "supervisorEId": str(manager["hr_id"]) if manager else None,
            "supervisorId": manager["employee_id"] if manager else None,
            "customGitHub": (person.get("logins") or {}).get("github"),
            "customTimeZone": person.get("time_zone"),
            "customCostCenter": None,
        }
        rows = [(str(person["hire_date"]), "Full-Time")]
        if person.get("termination_date"):
            rows.append((str(person["termination_date"]), "Terminated"))
        for day, status in rows:
            tables["employmentStatus"].append(row_of(tables, key, day, employmentStatus=status))
        tables["jobInfo"].append(
            row_of(
                tables,
                key,
                str(person["hire_date"]),
                jobTitle=person["title"],
                department=person["department"],
                location=person["location"],
                division="",
                reportsTo="",
            )
        )
    entered = moment(-300).isoformat()
    return {
        "employees": employees,
        "tables": tables,
        "changed": dict.fromkeys(employees, ("Inserted", entered)),
        "hidden": [],
    }


def row_of(tables: Mapping[str, list[dict[str, Any]]], key: str, day: str, **values: Any) -> dict[str, Any]:
    """Make a row of a history table, with the next number of all tables."""
    number = 1 + max((int(row["id"]) for rows in tables.values() for row in rows), default=0)
    return {**values, "id": str(number), "employeeId": key, "date": day}

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keep the rows of AWX's tables: add, find, show and check them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sandbox.emulator import Call, Reply
from sandbox.vendors.controller_launch import Launching
from sandbox.vendors.controller_rules import (
    BadQuery,
    matches,
    rrule_mistake,
    sorted_answers,
    type_mistakes,
)
from sandbox.vendors.controller_tables import FIELDS, KEYS, LINKS, RELATED, ROLES, TYPE


class ControllerRows(Launching):
    """The tables of one controller."""

    BASE = "/api/v2"
    #: Address of a repository -> the folder that stands for it.
    repositories: dict[str, Path]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all of a table, for tests too."""
        return list(self.state["tables"][table].values())

    def row(self, table: str, **fields: Any) -> dict[str, Any]:
        """Return the one with these fields."""
        [found] = [row for row in self.rows(table) if all(row.get(name) == value for name, value in fields.items())]
        return found

    def _add(self, table: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        number = self.state["next"]
        self.state["next"] += 1
        row = {
            "id": number,
            "type": TYPE[table],
            "url": f"{self.BASE}/{table}/{number}/",
            "created": self._now(),
            "modified": self._now(),
            **{name: copy.deepcopy(default) for name, default in FIELDS[table].items()},
            **fields,
        }
        if table.endswith("job_templates"):
            row["survey_spec"] = row.get("survey_spec") or {}
            if table == "job_templates":
                row["organization"] = (self._get("projects", row["project"]) or {}).get("organization")
        self.state["tables"][table][number] = row
        if table in ROLES:
            row["_roles"] = {
                f"{role}_role": self._add("roles", {"name": role.capitalize(), "description": ""})["id"]
                for role in ROLES[table]
            }
        return row

    def _now(self) -> str:
        began, at = self.__dict__.setdefault("_began", (datetime.now(timezone.utc), self.clock()))
        return str((began + timedelta(seconds=self.clock() - at)).isoformat())

    def _get(self, table: str, number: Any) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.state["tables"][table].get(number)
        return found

    def _shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        shown = {
            name: value
            for name, value in row.items()
            if not name.startswith("_") and name not in LINKS and name != "survey_spec"
        }
        summary: dict[str, Any] = {
            field: {"id": other["id"], "name": other.get("name", "")}
            for field, table in KEYS.items()
            if field in row and (other := self._get(table, row[field]))
        }
        if "labels" in row or row["type"] in ("job", "workflow_job"):
            labels = [self.state["tables"]["labels"][number] for number in row.get("labels", [])]
            summary["labels"] = {
                "count": len(labels),
                "results": [{"id": label["id"], "name": label["name"]} for label in labels],
            }
        if "_roles" in row:
            summary["object_roles"] = {
                name: {"id": number, "name": self.state["tables"]["roles"][number]["name"]}
                for name, number in row["_roles"].items()
            }
        shown["related"] = {name: f"{row['url']}{name}/" for name in RELATED.get(row["type"], ())}
        if template := row.get("unified_job_template"):
            shown["related"]["unified_job_template"] = next(
                (f"{self.BASE}/{table}/{template}/" for table in self.state["tables"] if self._get(table, template)), ""
            )
        if row["type"].endswith("job_template"):
            summary["user_capabilities"] = {"start": True}
        if row["type"] == "workflow_job_node" and (job := self._job_of(row)):
            summary["job"] = {name: job[name] for name in ("id", "name", "status", "type", "failed")}
            shown["related"]["job"] = job["url"]
        if row["type"] == "workflow_approval" and row["_by"]:
            by = self._get("users", row["_by"]) or {}
            summary["approved_or_denied_by"] = {
                name: by[name] for name in ("id", "username", "first_name", "last_name")
            }
        if row["type"] == "credential":
            secret = {
                entry["id"]
                for entry in self.state["tables"]["credential_types"][row["credential_type"]]["inputs"].get(
                    "fields", []
                )
                if entry.get("secret")
            }
            shown["inputs"] = {
                name: "$encrypted$" if name in secret else value for name, value in row["inputs"].items()
            }
        return {**shown, "summary_fields": summary}

    def _job_of(self, node: Mapping[str, Any]) -> dict[str, Any] | None:
        return next(
            (found for table in ("jobs", "workflow_approvals") if (found := self._get(table, node["job"]))), None
        )

    def _related(self, row: Mapping[str, Any], field: str, rest: list[str]) -> list[Any]:
        if field in LINKS and len(rest) == 1:
            return [self.state["tables"][LINKS[field]][number][rest[0]] for number in row.get(field, [])]
        if field in KEYS and len(rest) == 1 and field in row:
            other = self._get(KEYS[field], row[field])
            return [other[rest[0]]] if other else [None]
        if field == "job" and row["type"] == "workflow_job_node" and len(rest) == 1:
            return [(self._job_of(row) or {}).get(rest[0])]
        raise BadQuery(f"{row['type']} has no field named '{field}'")

    def _page(
        self, call: Call, rows: list[dict[str, Any]], what: str, shown: Callable[[Any], Any] | None = None
    ) -> Reply:
        try:
            found = [row for row in rows if matches(row, call.query, self._related)]
        except BadQuery as mistake:
            return Reply(400, {"detail": str(mistake)})
        if types := call.query.get("type"):
            found = [row for row in found if row["type"] in types.split(",")]
        order = call.query.get("order_by", "id")
        found.sort(key=lambda row: row[order.lstrip("-")], reverse=order.startswith("-"))
        size, page = min(int(call.query.get("page_size", 25)), 200), int(call.query.get("page", 1))
        if page > 1 and (page - 1) * size >= len(found):
            return Reply(404, {"detail": "Invalid page."})
        rest = "&".join(f"{key}={value}" for key, value in call.query.items() if key != "page")

        def link(number: int) -> str:
            return f"{call.path}?{f'{rest}&' if rest else ''}page={number}"

        return Reply(
            200,
            {
                "count": len(found),
                "next": link(page + 1) if page * size < len(found) else None,
                "previous": link(page - 1) if page > 1 else None,
                "results": [(shown or self._shown)(row) for row in found[(page - 1) * size : page * size]],
            },
        )

    def _template(self, number: Any) -> dict[str, Any] | None:
        return next(
            (
                found
                for table in ("job_templates", "workflow_job_templates", "projects", "inventory_sources")
                if (found := self._get(table, number))
            ),
            None,
        )

    def _mistakes(self, table: str, fields: Mapping[str, Any], row: Mapping[str, Any] | None) -> dict[str, Any]:
        unique = ("name", "organization") if "organization" in FIELDS[table] else ("name",)
        if table not in ("workflow_job_template_nodes", "users", "workflow_approval_templates") and any(
            other is not row and all(other.get(key) == fields.get(key) for key in unique) for other in self.rows(table)
        ):
            kind = TYPE[table].replace("_", " ").capitalize()
            return {"__all__": [f"{kind} with this {' and '.join(key.capitalize() for key in unique)} already exists."]}
        check = {
            "credential_types": type_mistakes,
            "credentials": self._credential_mistakes,
            "schedules": self._schedule_mistakes,
            "job_templates": self._template_mistakes,
        }.get(table)
        return check(fields) if check else {}

    def _credential_mistakes(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        kind = self.state["tables"]["credential_types"][fields["credential_type"]]
        known = {entry["id"] for entry in kind["inputs"].get("fields", [])}
        unknown = sorted(set(fields.get("inputs") or {}) - known)
        if unknown:
            return {"inputs": {"__all__": [f"Additional properties are not allowed ('{unknown[0]}' was unexpected)"]}}
        return {}

    def _template_mistakes(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        project = self._get("projects", fields.get("project"))
        if project is None:
            return {"project": ["This field is required."]}
        folder = self.repositories.get(project["scm_url"])
        if not fields.get("playbook"):
            return {"playbook": ["Must select playbook for project."]}
        if (
            project["scm_type"]
            and not project["allow_override"]
            and (folder is None or not (folder / fields["playbook"]).is_file())
        ):
            return {"playbook": ["Playbook not found for project."]}
        return {}

    def _schedule_mistakes(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        if mistake := rrule_mistake(fields["rrule"]):
            return {"rrule": [mistake]}
        template = self._template(fields["unified_job_template"])
        if template is None:
            return {"unified_job_template": [f'Invalid pk "{fields["unified_job_template"]}" - object does not exist.']}
        if "survey_spec" in template:
            _, ignored, wrong = sorted_answers(template, fields.get("extra_data") or {})
            if wrong:
                return {"variables_needed_to_start": wrong}
            if ignored:
                return {
                    "extra_data": [
                        f"Variables {', '.join(ignored)} are not allowed on launch. Check the Prompt on Launch setting on the Job Template to "
                        "include Extra Variables."
                    ]
                }
        return {}

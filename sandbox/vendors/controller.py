# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""AWX 24.6.1 (``/api/v2``), and the controller of AAP 2.5 behind its gateway (``/api/controller/v2``): what is launched, and all that a launch needs.

No OpenAPI document of it is published (AWX makes one of itself, with drf-yasg, awx/api/swagger.py), so the shapes are those of its source and guide: launch
(awx/api/views/__init__.py, _launch_ and JobLaunchSerializer), lists (awx/api/pagination.py, filters.py), cancel and approvals (views), the rest
https://docs.ansible.com/projects/awx/en/24.6.1/. Not one of the company's systems: tests ask for it.

Time passes by :attr:`Controller.clock`; what is due by then has happened when a request comes.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.controller_jobs import ENDED, Executed, Outcome
from sandbox.vendors.controller_launch import Launching
from sandbox.vendors.controller_rules import (
    BadQuery,
    matches,
    rrule_mistake,
    sorted_answers,
    survey_mistake,
    type_mistakes,
)

NEEDED = object()
_ASKS = (
    "credential",
    "diff_mode",
    "execution_environment",
    "forks",
    "instance_groups",
    "inventory",
    "job_slice_count",
    "job_type",
    "labels",
    "limit",
    "scm_branch",
    "skip_tags",
    "tags",
    "timeout",
    "variables",
    "verbosity",
)
_TEMPLATE: dict[str, Any] = {
    "name": NEEDED,
    "description": "",
    "extra_vars": "",
    "survey_enabled": False,
    "allow_simultaneous": False,
    "limit": "",
    "scm_branch": "",
    **{f"ask_{name}_on_launch": False for name in _ASKS},
}
#: Table -> its fields and their defaults.
FIELDS: dict[str, dict[str, Any]] = {
    "organizations": {"name": NEEDED, "description": ""},
    "users": {"username": NEEDED, "email": "", "is_superuser": False, "first_name": "", "last_name": ""},
    "labels": {"name": NEEDED, "organization": NEEDED},
    "credential_types": {
        "name": NEEDED,
        "description": "",
        "kind": NEEDED,
        "inputs": {},
        "injectors": {},
        "managed": False,
    },
    "credentials": {"name": NEEDED, "description": "", "organization": None, "credential_type": NEEDED, "inputs": {}},
    "execution_environments": {
        "name": NEEDED,
        "description": "",
        "image": NEEDED,
        "organization": None,
        "pull": "",
        "credential": None,
    },
    "projects": {
        "name": NEEDED,
        "description": "",
        "organization": None,
        "scm_type": "",
        "scm_url": "",
        "scm_branch": "",
        "scm_clean": False,
        "credential": None,
        "scm_update_on_launch": False,
        "scm_update_cache_timeout": 0,
        "allow_override": False,
        "timeout": 0,
        "default_environment": None,
    },
    "inventories": {"name": NEEDED, "description": "", "organization": NEEDED, "kind": "", "variables": ""},
    "inventory_sources": {
        "name": NEEDED,
        "description": "",
        "inventory": NEEDED,
        "source": "",
        "source_path": "",
        "source_project": None,
        "overwrite": False,
        "overwrite_vars": False,
        "update_on_launch": False,
        "update_cache_timeout": 0,
        "execution_environment": None,
        "credential": None,
        "timeout": 0,
    },
    "notification_templates": {
        "name": NEEDED,
        "description": "",
        "organization": NEEDED,
        "notification_type": NEEDED,
        "notification_configuration": {},
        "messages": None,
    },
    "job_templates": {
        **_TEMPLATE,
        "job_type": "run",
        "inventory": None,
        "project": None,
        "playbook": "",
        "forks": 0,
        "verbosity": 0,
        "job_tags": "",
        "skip_tags": "",
        "timeout": 0,
        "use_fact_cache": False,
        "execution_environment": None,
        "diff_mode": False,
        "job_slice_count": 1,
        "become_enabled": False,
        "prevent_instance_group_fallback": False,
    },
    "workflow_job_templates": {**_TEMPLATE, "organization": None, "inventory": None},
    "workflow_job_template_nodes": {
        "workflow_job_template": NEEDED,
        "unified_job_template": None,
        "identifier": "",
        "extra_data": {},
        "all_parents_must_converge": False,
    },
    "workflow_approval_templates": {"name": NEEDED, "description": "", "timeout": 0},
    "schedules": {
        "name": NEEDED,
        "description": "",
        "rrule": NEEDED,
        "unified_job_template": NEEDED,
        "enabled": True,
        "extra_data": {},
    },
    "jobs": {},
    "workflow_jobs": {},
    "workflow_job_nodes": {},
    "workflow_approvals": {},
}
#: Fields that hold an id of another table.
KEYS = {
    "organization": "organizations",
    "project": "projects",
    "source_project": "projects",
    "inventory": "inventories",
    "credential_type": "credential_types",
    "execution_environment": "execution_environments",
    "default_environment": "execution_environments",
    "workflow_job_template": "workflow_job_templates",
    "job_template": "job_templates",
    "workflow_job": "workflow_jobs",
}
#: Lists of others that hang on a thing -> where they are.
LINKS = {
    "credentials": "credentials",
    "labels": "labels",
    "success_nodes": "workflow_job_template_nodes",
    "failure_nodes": "workflow_job_template_nodes",
    "always_nodes": "workflow_job_template_nodes",
    **{
        f"notification_templates_{when}": "notification_templates"
        for when in ("started", "success", "error", "approvals")
    },
}
#: (table of the parent, name of the list) -> (table of the children, their field).
CHILDREN = {
    ("job_templates", "jobs"): ("jobs", "job_template"),
    ("workflow_job_templates", "workflow_jobs"): ("workflow_jobs", "workflow_job_template"),
    ("workflow_job_templates", "workflow_nodes"): ("workflow_job_template_nodes", "workflow_job_template"),
    ("workflow_jobs", "workflow_nodes"): ("workflow_job_nodes", "workflow_job"),
    ("inventories", "inventory_sources"): ("inventory_sources", "inventory"),
}
#: Type -> what ``related`` leads to.
RELATED = {
    "job_template": ("launch", "survey_spec", "jobs", "credentials", "labels"),
    "workflow_job_template": ("launch", "survey_spec", "workflow_jobs", "workflow_nodes", "labels"),
    "workflow_job_template_node": ("create_approval_template", "success_nodes", "failure_nodes", "always_nodes"),
    "job": ("cancel", "job_events", "stdout", "labels"),
    "workflow_job": ("cancel", "workflow_nodes", "labels"),
    "workflow_approval": ("approve", "deny"),
}
DENIED = Reply(403, {"detail": "You do not have permission to perform this action."})
TYPE = {name: name[:-3] + "y" if name.endswith("ies") else name[:-1] for name in FIELDS}


class Controller(Launching):
    """One organization, a superuser (token ``admin``) and the bridge's user (token ``bridge``), who may launch everything."""

    name = "controller"
    BASE = "/api/v2"
    VERSION = "24.6.1"

    def seed(self) -> Any:
        self.clock: Callable[[], float] = getattr(self, "clock", time.monotonic)
        #: Template's name -> what becomes of its jobs; the last one again when they are used up.
        self.outcomes: dict[str, list[Outcome]] = {}
        #: Address of a repository -> the folder that stands for it.
        self.repositories: dict[str, Path] = {}
        #: Names of variables that every launch drops, whatever the survey says.
        self.drops: set[str] = set()
        #: When set, jobs without an outcome are really run: (inventory, environment).
        self.real: tuple[Path, Mapping[str, str]] | None = None
        self._running: dict[int, Executed] = {}
        self.state = {"tables": {name: {} for name in FIELDS}, "next": 1}
        self._add("organizations", {"name": "Default"})
        self._add("users", {"username": "admin", "email": "grace@corp.example", "is_superuser": True})
        self._add("users", {"username": "bridge", "email": "", "_launch": True, "_member": True})
        self._add(
            "credential_types",
            {
                "name": "Red Hat Ansible Automation Platform",
                "kind": "cloud",
                "managed": True,
                "inputs": {
                    "fields": [
                        {"id": n, "label": n} for n in ("host", "username", "password", "oauth_token", "verify_ssl")
                    ]
                },
            },
        )
        return self.state

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {}

    def stop(self) -> None:
        for job in self._running.values():
            job.end()

    def executes(self, inventory: Path, env: Mapping[str, str]) -> None:
        """From now on playbooks are run, where no outcome is told."""
        self.real = (inventory, env)

    # -- who asks ------------------------------------------------------------------------------------------------------

    def routes(self) -> list[tuple[str, str, Handler]]:
        base = self.BASE
        found: list[tuple[str, str, Handler]] = [
            ("GET", "/api/", self._root),
            ("GET", f"{base}/ping/", self._ping),
            ("GET", f"{base}/me/", self._me),
            ("GET", f"{base}/unified_job_templates/", self._unified),
        ]
        for table in FIELDS:
            found += [
                (method, f"{base}/{table}/{rest}", handler)
                for rest, methods in (
                    ("", {"GET": self._list, "POST": self._create}),
                    ("{id:int}/", {"GET": self._detail, "PATCH": self._change}),
                    ("{id:int}/{sub}/", {"GET": self._sub_read, "POST": self._sub_write}),
                )
                for method, handler in methods.items()
            ]
        return found

    def authorise(self, call: Call) -> Reply | None:
        if call.path in ("/api/", f"{self.BASE}/ping/", "/api/controller/"):
            return None
        if self._user(call) is None:
            return Reply(
                401,
                {
                    "detail": "Authentication credentials were not provided. To establish a login session, visit /api/login/."
                },
                {"WWW-Authenticate": 'Bearer realm="api"'},
            )
        return None

    def not_found(self, call: Call) -> Reply:
        return Reply(404, {"detail": "The requested resource could not be found."})

    def handle(self, call: Call) -> Reply:
        self._pass_time()
        return super().handle(call)

    def _user(self, call: Call) -> dict[str, Any] | None:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        return next((user for user in self.rows("users") if token and token == self.secret(user["username"])), None)

    def _root(self, call: Call) -> Reply:
        return Reply(
            200,
            {
                "description": "AWX REST API",
                "current_version": f"{self.BASE}/",
                "available_versions": {"v2": f"{self.BASE}/"},
                "oauth2": "/api/o/",
                "custom_logo": "",
                "custom_login_info": "",
                "login_redirect_override": "",
            },
        )

    def _ping(self, call: Call) -> Reply:
        return Reply(
            200,
            {
                "ha": False,
                "version": self.VERSION,
                "active_node": "awx-task",
                "install_uuid": "00000000-0000-4000-8000-000000000000",
                "instances": [],
                "instance_groups": [],
            },
        )

    def _me(self, call: Call) -> Reply:
        return self._page(call, [user for user in [self._user(call)] if user], "users")

    # -- the tables ----------------------------------------------------------------------------------------------------

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All of a table, for tests too."""
        return list(self.state["tables"][table].values())

    def row(self, table: str, **fields: Any) -> dict[str, Any]:
        """The one with these fields."""
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
        return row

    def _now(self) -> str:
        began = self.__dict__.setdefault("_began", (datetime.now(timezone.utc), self.clock()))
        return (began[0] + timedelta(seconds=self.clock() - began[1])).isoformat()

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

    def _table(self, call: Call) -> str:
        return call.path.removeprefix(f"{self.BASE}/").partition("/")[0]

    def _list(self, call: Call) -> Reply:
        return self._page(call, self.rows(self._table(call)), self._table(call))

    def _unified(self, call: Call) -> Reply:
        return self._page(
            call,
            [*self.rows("job_templates"), *self.rows("workflow_job_templates"), *self.rows("projects")],
            "unified_job_templates",
        )

    def _detail(self, call: Call) -> Reply:
        row = self._get(self._table(call), call.args["id"])
        return Reply(200, self._shown(row)) if row else Reply(404, {"detail": "Not found."})

    def _create(self, call: Call, **given: Any) -> Reply:
        table, user = given.pop("table", self._table(call)), self._user(call)
        assert user is not None
        if not FIELDS[table]:
            return Reply(405, {"detail": f'Method "{call.method}" not allowed.'})
        if not (user["is_superuser"] or (table == "labels" and user.get("_member"))):
            return DENIED
        body = {**(call.body or {}), **given}
        if wrong := {
            name: ["This field is required."]
            for name, default in FIELDS[table].items()
            if default is NEEDED and body.get(name) in (None, "")
        }:
            return Reply(400, wrong)
        return self._keep(table, None, body)

    def _change(self, call: Call) -> Reply:
        table = self._table(call)
        row = self._get(table, call.args["id"])
        if row is None or not FIELDS[table]:
            return Reply(404, {"detail": "Not found."})
        return self._keep(table, row, call.body or {}) if (self._user(call) or {})["is_superuser"] else DENIED

    def _keep(self, table: str, row: dict[str, Any] | None, body: Mapping[str, Any]) -> Reply:
        fields = {name: value for name, value in body.items() if name in FIELDS[table]}
        for name, value in fields.items():
            if name in KEYS and value is not None and self._get(KEYS[name], value) is None:
                return Reply(400, {name: [f'Invalid pk "{value}" - object does not exist.']})
        if wrong := self._mistakes(table, {**(row or {}), **fields}, row):
            return Reply(400, wrong)
        if row is not None:
            row.update(fields, modified=self._now())
            return Reply(200, self._shown(row))
        return Reply(201, self._shown(self._add(table, fields)))

    def _mistakes(self, table: str, fields: Mapping[str, Any], row: Mapping[str, Any] | None) -> dict[str, Any]:
        unique = ("name", "organization") if "organization" in FIELDS[table] else ("name",)
        if table not in ("workflow_job_template_nodes", "users", "workflow_approval_templates") and any(
            other is not row and all(other.get(key) == fields.get(key) for key in unique) for other in self.rows(table)
        ):
            kind = TYPE[table].replace("_", " ").capitalize()
            return {"__all__": [f"{kind} with this {' and '.join(key.capitalize() for key in unique)} already exists."]}
        if table == "credential_types":
            return type_mistakes(fields)
        if table == "credentials":
            known = {
                entry["id"]
                for entry in self.state["tables"]["credential_types"][fields["credential_type"]]["inputs"].get(
                    "fields", []
                )
            }
            unknown = sorted(set(fields.get("inputs") or {}) - known)
            return (
                {"inputs": {"__all__": [f"Additional properties are not allowed ('{unknown[0]}' was unexpected)"]}}
                if unknown
                else {}
            )
        if table == "schedules":
            return self._schedule_mistakes(fields)
        if table == "job_templates":
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

    def _template(self, number: Any) -> dict[str, Any] | None:
        return next(
            (
                found
                for table in ("job_templates", "workflow_job_templates", "projects", "inventory_sources")
                if (found := self._get(table, number))
            ),
            None,
        )

    # -- what hangs on them --------------------------------------------------------------------------------------------

    def _sub_read(self, call: Call) -> Reply:
        table, sub = self._table(call), call.args["sub"]
        row = self._get(table, call.args["id"])
        if row is None:
            return Reply(404, {"detail": "Not found."})
        if (table, sub) in CHILDREN:
            of, key = CHILDREN[table, sub]
            return self._page(call, [child for child in self.rows(of) if child.get(key) == row["id"]], of)
        if sub in LINKS:
            return self._page(
                call, [self.state["tables"][LINKS[sub]][number] for number in row.get(sub, [])], LINKS[sub]
            )
        if sub == "survey_spec" and table.endswith("job_templates"):
            return Reply(200, row["survey_spec"])
        if sub == "launch" and table.endswith("job_templates"):
            needed = (
                [
                    question["variable"]
                    for question in (row["survey_spec"] or {}).get("spec", [])
                    if question["required"]
                ]
                if row["survey_enabled"]
                else []
            )
            return Reply(
                200,
                {
                    "can_start_without_user_input": not needed,
                    "variables_needed_to_start": needed,
                    "survey_enabled": row["survey_enabled"],
                    **{name: value for name, value in row.items() if name.startswith("ask_")},
                },
            )
        if sub == "cancel" and "status" in row:
            return Reply(200, {"can_cancel": row["status"] not in ENDED})
        if sub == "job_events" and table == "jobs":
            return self._page(call, self._stored_events(row), "job_events", lambda event: event)
        if sub == "stdout" and table == "jobs":
            job = self._running.get(row["id"])
            return Reply(200, (job.output() if job else "").encode(), {"content-type": "text/plain"})
        return self.not_found(call)

    def _stored_events(self, job: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "id": job["id"] * 100_000 + n,
                "type": "job_event",
                "job": job["id"],
                "counter": event.get("counter", n),
                "event": event["event"],
                "event_data": event["event_data"],
                "changed": event.get("changed", False),
                "failed": event["event"] in ("runner_on_failed", "runner_on_unreachable"),
                "host_name": event["event_data"].get("host", ""),
                "play": event["event_data"].get("play", ""),
                "task": event["event_data"].get("task", ""),
            }
            for n, event in enumerate(job["_events"], 1)
        ]

    def _sub_write(self, call: Call) -> Reply:
        table, sub, user = self._table(call), call.args["sub"], self._user(call)
        row = self._get(table, call.args["id"])
        assert user is not None
        if row is None:
            return Reply(404, {"detail": "Not found."})
        if sub == "launch" and table.endswith("job_templates"):
            return self._launch(call, table, row, user) if user["is_superuser"] or user.get("_launch") else DENIED
        if sub == "cancel" and "status" in row:
            if row["status"] in ENDED:
                return Reply(405, {"detail": 'Method "POST" not allowed.'})
            row["_cancelled"] = row["_cancelled"] or self.clock() or 1e-9
            return Reply(202, {})
        if sub in ("approve", "deny") and table == "workflow_approvals":
            if row["status"] != "pending":
                return Reply(400, {"error": "This workflow step has already been approved or denied."})
            row.update(
                status="successful" if sub == "approve" else "failed",
                failed=sub == "deny",
                _by=user["id"],
                finished=self._now(),
            )
            return Reply(204)
        if not user["is_superuser"]:
            return DENIED
        if sub == "survey_spec" and table.endswith("job_templates"):
            if mistake := survey_mistake(call.body):
                return Reply(400, {"error": mistake})
            row["survey_spec"] = call.body
            return Reply(200, {})
        if (table, sub) in CHILDREN and CHILDREN[table, sub][0] in ("workflow_job_template_nodes", "inventory_sources"):
            of, key = CHILDREN[table, sub]
            return self._create(call, table=of, **{key: row["id"]})
        if sub == "create_approval_template" and table == "workflow_job_template_nodes":
            made = self._add(
                "workflow_approval_templates",
                {name: call.body[name] for name in ("name", "description", "timeout") if name in call.body},
            )
            row["unified_job_template"] = made["id"]
            return Reply(201, self._shown(made))
        return self._associate(call, row, sub) if sub in LINKS else self.not_found(call)

    def _associate(self, call: Call, row: dict[str, Any], sub: str) -> Reply:
        number = (call.body or {}).get("id")
        other = self._get(LINKS[sub], number)
        if other is None:
            return Reply(400, {"msg": f"{TYPE[LINKS[sub]]} {number} does not exist."})
        links = row.setdefault(sub, [])
        if sub == "credentials" and any(
            self.state["tables"]["credentials"][has]["credential_type"] == other["credential_type"]
            for has in links
            if has != number
        ):
            name = self.state["tables"]["credential_types"][other["credential_type"]]["name"]
            return Reply(400, {"error": f"Cannot assign multiple {name} credentials."})
        if number not in links:
            links.append(number)
        return Reply(204)


class Gateway(Controller):
    """The same behind the gateway of AAP 2.5."""

    name = "gateway"
    BASE = "/api/controller/v2"
    VERSION = "4.6.8"

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [*super().routes(), ("GET", "/api/controller/", super()._root)]

    def _root(self, call: Call) -> Reply:
        return Reply(
            200,
            {
                "description": "AAP gateway REST API",
                "apis": {"gateway": "/api/gateway/", "controller": "/api/controller/", "eda": "/api/eda/"},
            },
        )

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""AWX 24.6.1 (``/api/v2``), and the controller of AAP 2.5 behind its gateway (``/api/controller/v2``): what is launched, and all that a launch needs.

No OpenAPI document of it is published (AWX makes one of itself, with drf-yasg, awx/api/swagger.py), so the shapes are those of its source and guide: launch
(awx/api/views/__init__.py, _launch_ and JobLaunchSerializer), lists (awx/api/pagination.py, filters.py), cancel and approvals (views), the rest
https://docs.ansible.com/projects/awx/en/24.6.1/. Not one of the company's systems: tests ask for it.

Time passes by :attr:`Controller.clock`; what is due by then has happened when a request comes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.controller_jobs import ENDED, Executed, Outcome
from sandbox.vendors.controller_rows import ControllerRows
from sandbox.vendors.controller_rules import (
    survey_mistake,
)
from sandbox.vendors.controller_tables import CHILDREN, FIELDS, KEYS, LINKS, NEEDED, TYPE

#: Table -> where its updates are.
UPDATES = {"projects": "project_updates", "inventory_sources": "inventory_updates"}
DENIED = Reply(403, {"detail": "You do not have permission to perform this action."})


class Controller(ControllerRows):
    """One organization, a superuser (token ``admin``) and the bridge's user (token ``bridge``), who may launch everything."""

    name = "controller"
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
        self._add(
            "credential_types",
            {
                "name": "Source Control",
                "kind": "scm",
                "managed": True,
                "inputs": {
                    "fields": [
                        {"id": n, "label": n, "secret": n in ("password", "ssh_key_data", "ssh_key_unlock")}
                        for n in ("username", "password", "ssh_key_data", "ssh_key_unlock")
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
                    (
                        "{id:int}/{sub}/",
                        {"GET": self._sub_read, "POST": self._sub_write, "DELETE": self._sub_delete},
                    ),
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
            return self._decide(row, sub == "approve", user)
        if not user["is_superuser"]:
            return DENIED
        if sub == "survey_spec" and table.endswith("job_templates"):
            if mistake := survey_mistake(call.body):
                return Reply(400, {"error": mistake})
            row["survey_spec"] = call.body
            return Reply(200, {})
        if sub == "update" and table in UPDATES:
            return self._update(row, UPDATES[table])
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

    def _decide(self, row: dict[str, Any], approved: bool, user: Mapping[str, Any]) -> Reply:
        if row["status"] != "pending":
            return Reply(400, {"error": "This workflow step has already been approved or denied."})
        status = "successful" if approved else "failed"
        row.update(status=status, failed=not approved, _by=user["id"], finished=self._now())
        return Reply(204)

    def _sub_delete(self, call: Call) -> Reply:
        row = self._get(self._table(call), call.args["id"])
        if row is None or call.args["sub"] != "survey_spec" or not row["type"].endswith("job_template"):
            return self.not_found(call)
        row["survey_spec"] = {}
        return Reply(200, {})

    def _update(self, row: dict[str, Any], table: str) -> Reply:
        """Fetch a repository, or read an inventory: it has ended when somebody looks."""
        if table == "project_updates":
            row["scm_revision"] = hashlib.sha256(f"{row['scm_url']}{row['scm_branch']}".encode()).hexdigest()[:40]
        ended = {
            "status": "successful",
            "failed": False,
            "started": self._now(),
            "finished": self._now(),
            "elapsed": 1.0,
        }
        more = {"name": row["name"], "event_processing_finished": True, "scm_revision": row.get("scm_revision", "")}
        return Reply(202, self._shown(self._add(table, {**ended, **more})))

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

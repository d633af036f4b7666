# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a launch makes of a template: a job, or a workflow that walks from node to node.

From ansible/awx: awx/main/models/unified_jobs.py and mixins.py (what is taken and what is dropped), awx/main/models/workflow.py (get_job_kwargs: a node's data,
artifacts and the workflow's variables), awx/main/scheduler/dag_workflow.py (which node is next, and what fails a workflow).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.emulator import Call, Emulator, Reply
from sandbox.vendors.controller_jobs import ENDED, Executed, Outcome, told
from sandbox.vendors.controller_rules import sorted_answers


class Launching(Emulator):
    """The half of :class:`sandbox.vendors.controller.Controller` that knows jobs."""

    clock: Callable[[], float]
    outcomes: dict[str, list[Outcome]]
    repositories: dict[str, Path]
    drops: set[str]
    real: tuple[Path, Mapping[str, str]] | None
    _running: dict[int, Executed]
    rows: Callable[[str], list[dict[str, Any]]]
    _add: Callable[[str, Mapping[str, Any]], dict[str, Any]]
    _get: Callable[[str, Any], dict[str, Any] | None]
    _shown: Callable[[Mapping[str, Any]], dict[str, Any]]
    _job_of: Callable[[Mapping[str, Any]], dict[str, Any] | None]
    _now: Callable[[], str]

    # -- launch --------------------------------------------------------------------------------------------------------

    def _launch(self, call: Call, table: str, template: dict[str, Any], user: Mapping[str, Any]) -> Reply:
        body = call.body or {}
        variables = body.get("extra_vars", {})
        if isinstance(variables, str):
            variables = json.loads(variables or "{}")
        if not isinstance(variables, dict):
            return Reply(400, {"extra_vars": ["Must be a dictionary."]})
        for number in body.get("labels", []):
            if self._get("labels", number) is None:
                return Reply(400, {"labels": [f'Invalid pk "{number}" - object does not exist.']})
        accepted, ignored, wrong = sorted_answers(template, variables)
        if wrong:
            return Reply(400, {"variables_needed_to_start": wrong})
        if table == "job_templates" and not template["inventory"]:
            return Reply(400, {"resources_needed_to_start": ["Job Template inventory is missing or undefined."]})
        ignored |= {name: accepted.pop(name) for name in self.drops & set(accepted)}
        dropped: dict[str, Any] = {"extra_vars": ignored} if ignored else {}
        dropped |= {
            name: value
            for name, value in body.items()
            if name != "extra_vars" and not template.get(f"ask_{name}_on_launch")
        }
        labels = [*template.get("labels", []), *(body.get("labels", []) if template["ask_labels_on_launch"] else [])]
        if table == "job_templates":
            job = self.new_job(template, accepted, labels, user)
        else:
            job = self._new_workflow(template, accepted, labels, user)
        self._pass_time()
        return Reply(
            201,
            {
                "job" if table == "job_templates" else "workflow_job": job["id"],
                "ignored_fields": dropped,
                **self._shown(job),
            },
            {"Location": job["url"]},
        )

    def _variables(self, template: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        own = template["extra_vars"]
        own = json.loads(own or "{}") if isinstance(own, str) else own
        defaults = (
            {
                question["variable"]: question["default"]
                for question in (template["survey_spec"] or {}).get("spec", [])
                if question.get("default") not in (None, "")
            }
            if template["survey_enabled"]
            else {}
        )
        return {**own, **defaults, **given}

    def _job(
        self, table: str, template: Mapping[str, Any], fields: Mapping[str, Any], user: Mapping[str, Any]
    ) -> dict[str, Any]:
        return self._add(
            table,
            {
                "name": template["name"],
                "unified_job_template": template["id"],
                "status": "pending",
                "failed": False,
                "started": None,
                "finished": None,
                "canceled_on": None,
                "elapsed": 0.0,
                "job_explanation": "",
                "execution_node": "",
                "controller_node": "",
                "launch_type": "manual",
                "_at": self.clock(),
                "_cancelled": 0.0,
                "_user": user["id"],
                **fields,
            },
        )

    def new_job(
        self,
        template: Mapping[str, Any],
        given: Mapping[str, Any],
        labels: list[int],
        user: Mapping[str, Any],
        **fields: Any,
    ) -> dict[str, Any]:
        job = self._job(
            "jobs",
            template,
            {
                "job_template": template["id"],
                "job_type": template["job_type"],
                "inventory": template["inventory"],
                "project": template["project"],
                "playbook": template["playbook"],
                "timeout": template["timeout"],
                "allow_simultaneous": template["allow_simultaneous"],
                "limit": template["limit"],
                "organization": template["organization"],
                "labels": labels,
                "artifacts": {},
                "event_processing_finished": False,
                "_events": [],
                **fields,
            },
            user,
        )
        job["extra_vars"] = json.dumps(self._variables(template, given))
        told_of = self.outcomes.get(template["name"])
        job["_outcome"] = (
            (told_of.pop(0) if len(told_of) > 1 else told_of[0]) if told_of else None if self.real else Outcome()
        )
        return job

    def _pass_time(self) -> None:
        for job in self.rows("jobs"):
            if job["status"] not in ENDED or not job["event_processing_finished"]:
                self._live(job)
        for workflow in self.rows("workflow_jobs"):
            if workflow["status"] not in ENDED:
                self._walk(workflow)

    def _live(self, job: dict[str, Any]) -> None:
        before = [
            other
            for other in self.rows("jobs")
            if other["job_template"] == job["job_template"] and other["id"] < job["id"] and other["status"] not in ENDED
        ]
        if before and not job["allow_simultaneous"] and not job["_cancelled"]:
            job["_at"] = self.clock()  # one after the other
            return
        if job["_outcome"] is not None:
            news = told(job, job["_outcome"], self.clock())
        else:
            if job["id"] not in self._running:
                if job["_cancelled"]:
                    job.update(status="canceled", finished=self._now(), event_processing_finished=True, failed=True)
                    return
                self._running[job["id"]] = self._begin(job)
            news = self._running[job["id"]].now(bool(job["_cancelled"]))
        if news["status"] != "pending" and not job["started"] and news.get("_events"):
            news.update(started=self._now(), execution_node="awx-ee", controller_node="awx-task")
        if news["status"] in ENDED and not job["finished"]:
            news.update(
                finished=self._now(),
                failed=news["status"] != "successful",
                **({"canceled_on": self._now()} if news["status"] == "canceled" else {}),
            )
        if news["status"] in ENDED:
            news.setdefault("event_processing_finished", True)
        job.update(news)

    def _begin(self, job: Mapping[str, Any]) -> Executed:
        assert self.real is not None
        inventory, env = self.real
        user = self._get("users", job["_user"]) or {}
        facts = {
            "job_id": job["id"],
            "job_launch_type": job["launch_type"],
            "job_template_name": job["name"],
            "user_name": user["username"],
            "user_email": user["email"],
            **({"workflow_job_id": job["_workflow"]} if "_workflow" in job else {}),
        }
        extra = {
            **json.loads(job["extra_vars"]),
            **{f"{prefix}_{name}": value for name, value in facts.items() for prefix in ("awx", "tower")},
        }
        folder = self.repositories[self.state["tables"]["projects"][job["project"]]["scm_url"]]
        return Executed(
            job["playbook"], folder, inventory, extra, env, job["timeout"], check=job["job_type"] == "check"
        )

    # -- workflows -----------------------------------------------------------------------------------------------------

    def _new_workflow(
        self, template: dict[str, Any], given: Mapping[str, Any], labels: list[int], user: Mapping[str, Any]
    ) -> dict[str, Any]:
        workflow = self._job(
            "workflow_jobs",
            template,
            {
                "workflow_job_template": template["id"],
                "labels": labels,
                "organization": template["organization"],
                "extra_vars": json.dumps(self._variables(template, given)),
            },
            user,
        )
        for node in [
            node for node in self.rows("workflow_job_template_nodes") if node["workflow_job_template"] == template["id"]
        ]:
            self._add(
                "workflow_job_nodes",
                {
                    "workflow_job": workflow["id"],
                    "identifier": node["identifier"],
                    "job": None,
                    "do_not_run": False,
                    "_node": node["id"],
                    "unified_job_template": node["unified_job_template"],
                },
            )
        return workflow

    def _walk(self, workflow: dict[str, Any]) -> None:
        """Start what may start; end it when nothing more can."""
        nodes = {
            node["_node"]: node for node in self.rows("workflow_job_nodes") if node["workflow_job"] == workflow["id"]
        }
        templates = self.state["tables"]["workflow_job_template_nodes"]
        workflow.update(status="running", started=workflow["started"] or self._now())
        ends: dict[int, str] = {}
        for number, node in nodes.items():
            job = self._job_of(node)
            if job and job["type"] == "workflow_approval" and job["status"] == "pending":
                if workflow["_cancelled"]:
                    job.update(status="canceled", finished=self._now())
                elif job["timeout"] and self.clock() - job["_at"] >= job["timeout"]:
                    job.update(status="failed", failed=True, timed_out=True, finished=self._now())
            if job and job["type"] == "job" and workflow["_cancelled"]:
                job["_cancelled"] = job["_cancelled"] or workflow["_cancelled"]
                self._live(job)
            ends[number] = job["status"] if job else ""
        if workflow["_cancelled"]:
            if all(end in ("", *ENDED) for end in ends.values()):
                workflow.update(status="canceled", failed=True, finished=self._now())
            return
        handled = False
        for number, node in nodes.items():
            if node["job"] is None and self._ready(number, templates, ends):
                self._start(
                    workflow,
                    node,
                    templates[number],
                    [nodes[parent] for parent in self._parents(number, templates) if parent in nodes],
                )
                handled = True
        if handled:
            self._pass_time()
        elif all(end in ("", *ENDED) for end in ends.values()):
            open_failures = [
                number
                for number, end in ends.items()
                if end in ("failed", "error", "canceled")
                and not templates[number].get("failure_nodes")
                and not templates[number].get("always_nodes")
            ]
            workflow.update(
                status="failed" if open_failures else "successful", failed=bool(open_failures), finished=self._now()
            )

    def _parents(self, number: int, templates: Mapping[int, Any]) -> list[int]:
        return [
            other
            for other, node in templates.items()
            if any(number in node.get(f"{how}_nodes", []) for how in ("success", "failure", "always"))
        ]

    def _ready(self, number: int, templates: Mapping[int, Any], ends: Mapping[int, str]) -> bool:
        parents = [parent for parent in self._parents(number, templates) if parent in ends]

        def met(parent: int) -> bool:
            end = ends[parent]
            return end in ENDED and (
                number in templates[parent].get("always_nodes", [])
                or (number in templates[parent].get("success_nodes" if end == "successful" else "failure_nodes", []))
            )

        return not parents or (all if templates[number]["all_parents_must_converge"] else any)(
            met(parent) for parent in parents
        )

    def _start(
        self,
        workflow: Mapping[str, Any],
        node: dict[str, Any],
        template: Mapping[str, Any],
        parents: list[dict[str, Any]],
    ) -> None:
        user = self._get("users", workflow["_user"]) or {}
        artifacts = node.setdefault("_artifacts", {})
        for parent in parents:
            artifacts.update({**parent.get("_artifacts", {}), **(self._job_of(parent) or {}).get("artifacts", {})})
        approval = self._get("workflow_approval_templates", template["unified_job_template"])
        if approval:
            job = self._job(
                "workflow_approvals",
                approval,
                {
                    "timeout": approval["timeout"],
                    "timed_out": False,
                    "_by": None,
                    "workflow_approval_template": approval["id"],
                },
                user,
            )
        else:
            # nodes' data, artifacts and the workflow's variables pass the survey by
            given = {**template["extra_data"], **artifacts, **json.loads(workflow["extra_vars"])}
            job = self.new_job(
                self.state["tables"]["job_templates"][template["unified_job_template"]],
                given,
                [],
                user,
                launch_type="workflow",
                _workflow=workflow["id"],
            )
        node["job"] = job["id"]

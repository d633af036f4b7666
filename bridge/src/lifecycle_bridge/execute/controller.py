# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs playbooks by AWX 24.6.1 or automation controller (AAP 2.5+): job templates and workflow templates, through the REST API.

The controller has no idempotency key: a launch whose answer was lost may have been taken, and a second one would run the playbook twice at once. So each
run has a label of its own, ``lifecycle-run <ident>``. Labels are unique in an organization, so making it is the claim to launch, which is sent once and
never again; a job is found by it (``labels__name``), by any bridge that asks. ansible-rulebook finds jobs again, with ``add_event_uuid_label``
(ansible/ansible-rulebook, job_template_runner.py, get_job_url_from_label); its claim is new here.
"""

from __future__ import annotations

import json
import time as _time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from lifecycle_bridge.config import Config, Controller
from lifecycle_bridge.errors import BridgeError, ConfigError
from lifecycle_bridge.execute import OPTIONAL, Order, Progress, Result
from lifecycle_bridge.execute.controller_api import Api, NotTaken, Refused, Unanswered
from lifecycle_bridge.execute.controller_watch import FIRST, LONGEST, Time, Watch

#: Seconds for which a request that surely was not taken is tried again, before the launch is given up.
PATIENCE = 60.0
#: Seconds after which a launch that was not answered can no longer be taken: the controller's own time for a request is 120 s (uwsgi's harakiri).
SETTLE = 150.0

_T = TypeVar("_T")


@dataclass(frozen=True)
class _Template:
    """The template that runs a playbook. ``path``: such as ``job_templates/7``; ``jobs``: where its jobs are listed."""

    name: str
    path: str
    jobs: str
    organization: int | None
    asks_labels: bool
    asks_variables: bool
    surveyed: bool

    def __str__(self) -> str:
        return f"{'workflow' if self.path.startswith('workflow') else 'job'} template {self.name}"


class ControllerExecutor:
    """Implements :class:`lifecycle_bridge.execute.Executor`.

    An order whose ident was run before follows that job. If the label is there and no job is found, the answer is ``unknown``: the launch may not have
    been sent, but it is not sent a second time. A new attempt has an ident of its own.
    """

    def __init__(
        self,
        config: Config,
        *,
        pause: Callable[[float], None] = _time.sleep,
        monotonic: Callable[[], float] = _time.monotonic,
    ) -> None:
        if not isinstance(config.executor, Controller):
            raise ConfigError("start the executor for AWX: executor.kind is not controller")
        self._settings = config.executor
        self._time = Time(pause, monotonic)

    def run(self, order: Order, *, stop: Callable[[], bool], progress: Callable[[Progress], None]) -> Result:
        with Api(self._settings) as api:
            template = self._patiently(lambda: self._template(api, order.playbook), stop)
            answers = self._patiently(lambda: self._answers(api, template, order.extra_vars), stop)
            label, claimed = self._claim(api, template, order.ident, stop)
            job = (
                self._launch(api, template, order.ident, label, answers, stop)
                if claimed
                else self._find(api, template, order.ident, stop)
            )
            if job is None:
                return Result(
                    "unknown",
                    temporary=True,
                    detail=f"{template}: the launch of {order.ident} was not answered, and no job with the label "
                    f"{_label(order.ident)} is there after {SETTLE:.0f} s; it is not sent twice",
                )
            lost = _lost(job, answers)
            watch = Watch(api, job, order, self._settings.url, self._time, stop, progress)
            if lost:
                return self._refuse(watch, template, lost)
            return watch.follow()

    # -- before --------------------------------------------------------------------------------------------------------

    def _template(self, api: Api, playbook: str) -> _Template:
        name = self._name(playbook)
        query = {"name": name, "type": "job_template,workflow_job_template"}
        if self._settings.organization:
            query["organization__name"] = self._settings.organization
        found = list(api.pages("unified_job_templates/", f"find the job template {name}", **query))
        where = f" in organization {self._settings.organization}" if self._settings.organization else ""
        if not found:
            raise BridgeError(
                f"find the job template {name}{where} for {playbook}: it is not there, or the token's user may not see it; awx/ in the "
                "collection's repository makes it, or executor.templates names another"
            )
        if len(found) > 1:
            raise BridgeError(f"find the job template {name}{where}: there are {len(found)}; set executor.organization")
        one = found[0]
        kind = "workflow_job_templates" if one.get("type") == "workflow_job_template" else "job_templates"
        return _Template(
            name,
            f"{kind}/{one['id']}",
            "workflow_jobs" if kind.startswith("workflow") else "jobs",
            one.get("organization"),
            bool(one.get("ask_labels_on_launch")),
            bool(one.get("ask_variables_on_launch")),
            bool(one.get("survey_enabled")),
        )

    def _name(self, playbook: str) -> str:
        short = playbook.rpartition(".")[2]
        return self._settings.templates.get(short, f"lifecycle-{short}")

    def _answers(self, api: Api, template: _Template, extra_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables as the survey takes them.

        :raises BridgeError: the template would drop some, in silence.
        """
        _usable(template)
        given = {name: value for name, value in extra_vars.items() if value is not None}
        spec = (
            api.get(f"{template.path}/survey_spec/", f"read the survey of {template}").get("spec") or []
            if template.surveyed
            else []
        )
        questions = {str(question.get("variable")): question for question in spec}
        if not template.asks_variables:
            given = {name: value for name, value in given.items() if name in questions or name not in OPTIONAL}
        unasked = sorted(set(given) - set(questions))
        if unasked and not template.asks_variables:
            raise BridgeError(
                f"launch {template}: it takes no {', '.join(unasked)}: add {'it' if len(unasked) == 1 else 'them'} to its survey "
                "(or switch on Prompt on launch for variables); nothing was started"
            )
        return {name: _fitted(value, questions[name]) if name in questions else value for name, value in given.items()}

    def _claim(self, api: Api, template: _Template, ident: str, stop: Callable[[], bool]) -> tuple[int, bool]:
        """Return the id of the run's label, and whether this call made it: who makes it launches the job."""
        name, doing = _label(ident), f"make the label of {ident}"
        query = {"name": name, "organization": template.organization}
        lost = False

        def made() -> tuple[int, bool]:
            nonlocal lost
            known = next(api.pages("labels/", doing, **query), None)
            if known:
                return int(known["id"]), lost
            try:
                return int(api.post("labels/", doing, query)["id"]), True
            except Unanswered as failure:
                lost = True  # it was not there a moment ago: if it is there at the next look, this call has made it
                raise NotTaken(str(failure)) from None
            except Refused as failure:
                if "already exists" in failure.said:  # another bridge was faster
                    raise NotTaken(str(failure)) from None
                raise

        return self._patiently(made, stop)

    # -- the launch ----------------------------------------------------------------------------------------------------

    def _launch(
        self,
        api: Api,
        template: _Template,
        ident: str,
        label: int,
        answers: Mapping[str, Any],
        stop: Callable[[], bool],
    ) -> dict[str, Any] | None:
        try:
            return self._patiently(
                lambda: api.post(
                    f"{template.path}/launch/", f"launch {template}", {"extra_vars": dict(answers), "labels": [label]}
                ),
                stop,
            )
        except Unanswered:
            return self._find(api, template, ident, stop)

    def _find(self, api: Api, template: _Template, ident: str, stop: Callable[[], bool]) -> dict[str, Any] | None:
        """Find the job with the run's label; look until the launch request cannot be in flight.

        It goes on looking when the run is to stop, since only a job that is found can be cancelled.
        """
        began, gap = self._time.monotonic(), FIRST
        while True:
            try:
                job = next(
                    api.pages(
                        f"{template.path}/{template.jobs}/",
                        f"find the job of {ident}",
                        labels__name=_label(ident),
                        order_by="id",
                    ),
                    None,
                )
                if job is not None:
                    return job
                if self._time.monotonic() - began > SETTLE:
                    return None
            except NotTaken:
                if self._time.monotonic() - began > SETTLE * 4:
                    return None
            self._time.wait(gap)
            gap = min(gap * 1.5, LONGEST)

    def _refuse(self, watch: Watch, template: _Template, lost: list[str]) -> Result:
        ended = watch.end("refused")
        cure = (
            "its Prompt on launch for labels"
            if lost == ["labels"]
            else "its survey (and leave Prompt on launch for variables as it is)"
        )
        went = "it was cancelled" if ended.status == "refused" else f"it had ended as {ended.status} by then"
        return Result(
            "refused",
            stats=ended.stats,
            started_at=ended.started_at,
            ended_at=ended.ended_at,
            output=ended.output,
            detail=f"{template} dropped {', '.join(lost)}: {went}; add {'them' if len(lost) > 1 else 'it'} to {cure}. {ended.detail}".rstrip(),
        )

    def _patiently(self, what: Callable[[], _T], stop: Callable[[], bool]) -> _T:
        """Repeat a request that surely was not taken.

        :raises NotTaken: it was not taken for :data:`PATIENCE` seconds, or the run is to stop.
        """
        began, gap = self._time.monotonic(), FIRST
        while True:
            try:
                return what()
            except NotTaken as failure:
                if self._time.monotonic() - began > PATIENCE or stop():
                    raise
                self._time.wait(min(max(gap, failure.after), PATIENCE), stop)
                gap = min(gap * 2, LONGEST)

    def warm(self) -> None:
        """Do nothing: the controller makes ready what a job needs."""

    def forget(self, ident: str) -> None:
        """Do nothing: nothing is kept here, and the controller keeps its jobs as its own schedule says."""

    def sweep(self, now: datetime) -> int:
        """Do nothing: nothing is kept here, and the controller cleans up by its own schedule."""
        return 0

    def close(self) -> None:
        """Do nothing: no connection is held."""

    # -- doctor --------------------------------------------------------------------------------------------------------

    def check(
        self,
        playbooks: tuple[str, ...] = (
            "intake",
            "onboard",
            "transfer",
            "offboard",
            "cutoff",
            "suspend",
            "resume",
            "reinstate",
            "rename",
        ),
    ) -> list[str]:
        """Return what is wrong, a line each: version, access, and every template that a run may need.

        :param playbooks: short names of those that are launched.
        """
        wrong: list[str] = []
        try:
            with Api(self._settings) as api:
                version = str(api.get("ping/", "ask for the version").get("version") or "")
                if not version or int(version.split(".")[0]) < 4:
                    wrong.append(
                        f"{self._settings.url} says it is version {version or '?'}: automation controller 4.5 or AWX 24.6.1 is needed"
                    )
                api.get("me/", "ask who the token's user is")
                for short in playbooks:
                    try:
                        template = self._template(api, short)
                        _usable(template)
                        launch = api.get(f"{template.path}/", f"read {template}")
                        if not (launch.get("summary_fields") or {}).get("user_capabilities", {}).get("start", True):
                            wrong.append(f"{template}: the token's user may not launch it: give it the role Execute")
                        wrong += _settings_of(template, launch)
                    except BridgeError as failure:
                        wrong.append(str(failure))
        except BridgeError as failure:
            wrong.append(str(failure))
        return wrong


def _usable(template: _Template) -> None:
    if not template.asks_labels:
        raise BridgeError(
            f"launch {template}: it takes no labels, by which a lost job is found again: switch on Prompt on launch for labels "
            "(ask_labels_on_launch); nothing was started"
        )
    if template.organization is None:
        raise BridgeError(
            f"launch {template}: it belongs to no organization, and labels need one: give its project an organization; nothing was started"
        )


def _settings_of(template: _Template, launch: Mapping[str, Any]) -> list[str]:
    wrong = []
    if not launch.get("allow_simultaneous"):
        wrong.append(f"{template}: one person waits for another: switch on Concurrent jobs (allow_simultaneous)")
    if template.path.startswith("job_templates"):
        if not launch.get("timeout"):
            wrong.append(f"{template}: a job that hangs is never ended: give it a timeout")
        if (launch.get("job_slice_count") or 1) > 1:
            wrong.append(f"{template}: job slicing splits the systems over several jobs: set it to 1")
    return wrong


def _label(ident: str) -> str:
    return f"lifecycle-run {ident}"[:512]


def _fitted(value: Any, question: Mapping[str, Any]) -> Any:
    """Return a value as an answer to the question: surveys know text, numbers and choices, not lists or booleans."""
    kind = question.get("type")
    if kind in ("integer", "float", "multiselect") or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(each, str) and "," not in each for each in value):
        return ",".join(value)
    return json.dumps(value)


def _lost(job: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    """Return the variables that the job did not get: by the answer to the launch, and by the job itself, since that answer may have been lost."""
    ignored = job.get("ignored_fields") or {}
    lost = set(ignored.get("extra_vars") or {}) | (set(ignored) - {"extra_vars"})
    if "extra_vars" in job:
        text = job["extra_vars"]
        has = json.loads(text) if isinstance(text, str) and text.startswith("{") else {}
        lost |= {name for name, value in answers.items() if has.get(name) != value}
    return sorted(lost)

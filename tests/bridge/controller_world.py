# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A controller with what a launch needs, an executor that talks to it, and time that passes when somebody waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from lifecycle_bridge.config import Config, Secret
from lifecycle_bridge.config import Controller as Settings
from lifecycle_bridge.execute import Order, Progress, Result
from lifecycle_bridge.execute.controller import ControllerExecutor

from sandbox.box import Box
from sandbox.vendors.controller import Controller

SURVEY = {
    "name": "s",
    "description": "",
    "spec": [
        {"variable": "user", "question_name": "Who", "type": "text", "required": True, "min": 1, "max": 200},
        {"variable": "until", "question_name": "Until", "type": "text", "required": False},
    ],
}


class World:
    """``with Box([Controller]) as box: world = World(box["controller"], box)``."""

    def __init__(self, emulator: Controller, box: Box, folder: Path) -> None:
        self.emulator, self.box, self.folder = emulator, box, folder
        self.time, self.session = 1000.0, requests.Session()
        emulator.clock = lambda: self.time
        emulator.reset()
        self.at: dict[float, Callable[[], Any]] = {}
        self.waits: list[float] = []
        self.told: list[Progress] = []
        self.organization = emulator.row("organizations", name="Default")["id"]
        self.project = self.add(
            "projects",
            name="p",
            organization=self.organization,
            scm_type="git",
            scm_url="https://git.corp.example/lifecycle.git",
            allow_override=True,
        )
        self.inventory = self.add("inventories", name="i", organization=self.organization)
        self.token = folder / "token"
        self.token.write_text(emulator.secret("bridge"))

    def api(self, method: str, path: str, body: Any = None, *, as_user: str = "admin") -> requests.Response:
        """Somebody else asks."""
        return self.session.request(
            method,
            f"{self.emulator.url}{self.emulator.BASE}/{path}",
            json=body,
            verify=self.box.ca_file,
            timeout=10,
            headers={"Authorization": f"Bearer {self.emulator.secret(as_user)}"},
        )

    def add(self, table: str, **fields: Any) -> int:
        answer = self.api("POST", f"{table}/", fields)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def template(self, name: str = "lifecycle-offboard", *, survey: Any = SURVEY, **fields: Any) -> int:
        number = self.add(
            "job_templates",
            **{
                "name": name,
                "project": self.project,
                "inventory": self.inventory,
                "playbook": "offboard.yml",
                "survey_enabled": bool(survey),
                "ask_labels_on_launch": True,
                "allow_simultaneous": True,
                "timeout": 7200,
                **fields,
            },
        )
        if survey:
            assert self.api("POST", f"job_templates/{number}/survey_spec/", survey).status_code == 200
        return number

    def pause(self, seconds: float) -> None:
        """Time passes, and what was to happen by then happens."""
        self.waits.append(seconds)
        self.time += seconds
        for moment in sorted(self.at):
            if moment <= self.time:
                self.at.pop(moment)()

    def executor(self, **settings: Any) -> ControllerExecutor:
        config = Config(
            executor=Settings(
                kind="controller",
                url=self.emulator.url,
                token=Secret(file=self.token),
                ca=Path(self.box.ca_file),
                **settings,
            )
        )
        return ControllerExecutor(config, pause=self.pause, monotonic=lambda: self.time)

    def run(
        self,
        ident: str = "c-1",
        *,
        stop: Callable[[], bool] = lambda: False,
        settings: dict[str, Any] | None = None,
        **order: Any,
    ) -> Result:
        order = {"extra_vars": {"user": "4711"}, **order}
        return self.executor(**(settings or {})).run(
            Order(ident, "workforce.lifecycle.offboard", **order), stop=stop, progress=self.told.append
        )

    def jobs(self) -> list[dict[str, Any]]:
        return self.emulator.rows("jobs")

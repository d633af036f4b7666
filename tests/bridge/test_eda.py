# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What Event-Driven Ansible is given: the event source's and the filter's events, over HTTP and without the rule engine."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
import yaml
from lifecycle_bridge.config import source_of
from lifecycle_bridge.errors import ConfigError
from lifecycle_bridge.send import made

ROOT = Path(__file__).resolve().parents[2]
SOURCE = {"scheme": "bamboohr", "secrets": [{"env": "HR_KEY"}], "system": "hr_of_ours"}


def plugin(kind: str, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "extensions" / "eda" / "plugins" / kind / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HR_KEY", "0123456789abcdef0123456789abcdef")


def heard(*bodies: tuple[bytes, dict[str, str]], **args: Any) -> tuple[list[dict[str, Any]], list[int]]:
    """What reaches the rules when these requests are sent, and how each was answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def listen() -> tuple[list[dict[str, Any]], list[int]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        task = asyncio.create_task(
            plugin("event_source", "hr_events").main(queue, {"port": port, "sources": {"bamboohr": SOURCE}, **args})
        )
        answers = []
        for body, headers in bodies:
            while True:
                try:
                    answers.append(
                        (
                            await asyncio.to_thread(
                                requests.post,
                                f"http://127.0.0.1:{port}/hr/bamboohr",
                                data=body,
                                headers=headers,
                                timeout=10,
                            )
                        ).status_code
                    )
                    break
                except requests.ConnectionError:
                    assert not task.done(), task.exception()
                    await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return [queue.get_nowait() for _ in range(queue.qsize())], answers

    return asyncio.run(listen())


def genuine(person: str = "107", what: str = "terminated") -> tuple[bytes, dict[str, str]]:
    request = made(source_of("bamboohr", SOURCE), what, person)
    return request.body, dict(request.headers)


def test_what_is_genuine_reaches_the_rules_once_and_as_ids_only() -> None:
    request = genuine()
    events, answers = heard(request, request)
    assert answers == [200, 200] and len(events) == 1
    event = events[0]
    assert event["people"] == {"hr_of_ours": ["107"]} and event["everybody"] == [] and event["person"] == "107"
    assert (
        event["specversion"] == "1.0"
        and event["type"].startswith("jml.")
        and event["meta"]["uuid"].startswith("bamboohr-")
    )


def test_what_is_forged_does_not() -> None:
    body, headers = genuine()
    events, answers = heard(
        (body + b" ", headers),
        (body, {**headers, "X-BambooHR-Signature": "0" * 64}),
        (body, {"Content-Type": "application/json"}),
    )
    assert (events, answers) == ([], [401, 401, 401])


def test_a_source_that_proves_nothing_is_not_listened_to() -> None:
    with pytest.raises(ConfigError, match=r"sources\.hr"):
        asyncio.run(
            plugin("event_source", "hr_events").main(
                asyncio.Queue(), {"port": 1, "sources": {"hr": {"scheme": "bamboohr", "secret": "x"}}}
            )
        )
    with pytest.raises(ConfigError, match="secret"):
        asyncio.run(
            plugin("event_source", "hr_events").main(
                asyncio.Queue(), {"port": 1, "sources": {"hr": {"scheme": "rippling"}}}
            )
        )


def test_the_filter_leaves_nothing_but_ids() -> None:
    body, _ = genuine("107", "changed")
    payload = {**json.loads(body), "canary": "Jane Doe, 84000"}
    event = plugin("event_filter", "canonical_hr").main(
        {"payload": payload, "meta": {"received_at": "t", "headers": {"Host": "x"}}},
        source="bamboohr",
        scheme="bamboohr",
        system="hr",
    )
    assert event["people"] == {"hr": ["107"]} and event["meta"]["received_at"] == "t"
    assert "84000" not in json.dumps(event) and "canary" not in json.dumps(event)
    nothing = plugin("event_filter", "canonical_hr").main(
        {"payload": {"type": "payroll.done", "timestamp": "2026-01-31T18:42:00+0000", "data": {}}},
        source="hr",
        scheme="bamboohr",
    )
    assert nothing["type"] == "jml.nothing" and nothing["people"] == {}


def test_the_rulebook_locks_each_person_and_runs_side_by_side() -> None:
    (ruleset,) = yaml.safe_load((ROOT / "extensions" / "eda" / "rulebooks" / "hr_events.yml").read_text())
    assert ruleset["execution_strategy"] == "parallel"
    actions = [rule["action"]["run_playbook"] for rule in ruleset["rules"]]
    assert all(action["lock"] for action in actions)
    kinds = {action["name"].rpartition(".")[2] for action in actions} - {"intake"}
    assert kinds == {"offboard", "transfer", "suspend", "resume", "rename", "reinstate", "onboard", "withdraw"}
    assert all((ROOT / "playbooks" / f"{kind}.yml").exists() for kind in kinds)

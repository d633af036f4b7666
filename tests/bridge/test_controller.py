# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs by AWX / automation controller, against the emulator: launched once, followed to the end, and never assumed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lifecycle_bridge.config import Config
from lifecycle_bridge.errors import BridgeError, ConfigError
from lifecycle_bridge.execute import Order, controller_watch
from lifecycle_bridge.execute.controller import SETTLE, ControllerExecutor
from lifecycle_bridge.execute.controller_watch import BLIND, CANCEL

from sandbox.box import Box
from sandbox.vendors.controller import Controller, Gateway
from sandbox.vendors.controller_jobs import LOST, Outcome
from tests.bridge.controller_world import SURVEY, World


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([Controller, Gateway]) as running:
        yield running


@pytest.fixture(params=["controller", "gateway"])
def both(request: pytest.FixtureRequest, box: Box, tmp_path: Path) -> World:
    return World(box[request.param], box, tmp_path)


@pytest.fixture
def world(box: Box, tmp_path: Path) -> World:
    return World(box["controller"], box, tmp_path)


def launches(world: World) -> int:
    return sum(entry["method"] == "POST" and entry["path"].endswith("/launch/") for entry in world.emulator.journal)


def test_a_run_to_its_end(both: World) -> None:
    both.template()
    both.emulator.outcomes["lifecycle-offboard"] = [
        Outcome(
            waits=3,
            seconds=20,
            artifacts={"lifecycle_case": "c1"},
            tasks=(("Cut off", "Cut off", "github", "changed"), ("Cut off", "Cut off", "slack", "ok")),
        )
    ]
    result = both.run()
    assert (result.status, dict(result.stats), result.temporary) == ("successful", {"lifecycle_case": "c1"}, False)
    assert result.started_at and result.ended_at and result.started_at < result.ended_at
    assert [(p.task, p.host, p.outcome) for p in both.told] == [
        ("Cut off", "github", "changed"),
        ("Cut off", "slack", "ok"),
    ]
    [job] = both.jobs()
    assert json.loads(job["extra_vars"]) == {"user": "4711"} and launches(both) == 1
    assert result.output.endswith(
        f"/{'execution' if both.emulator.name == 'gateway' else '#'}/jobs/playbook/{job['id']}/output"
    )
    assert max(both.waits) <= 1.0  # stop is asked once a second


def test_the_api_is_where_it_is_configured(world: World) -> None:
    world.template()
    world.run(settings={"api": "/api/v2/"})
    assert not any(entry["path"] == "/api/" for entry in world.emulator.journal)


@pytest.mark.parametrize(
    "fault", [{"fault": "lost"}, {"fault": "status", "status": 502, "body": None}, {"fault": "html"}, {"fault": "cut"}]
)
def test_a_launch_whose_answer_is_lost_is_found_not_repeated(
    world: World, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=30, artifacts={"n": 1})]
    if fault["fault"] in ("status", "html"):  # a proxy's answer, after the controller has taken it
        handle = world.emulator.handle

        def taken(call: Any) -> Any:
            answer = handle(call)
            if call.method == "POST" and call.path.endswith("/launch/"):
                answer.status, answer.body, answer.headers = (
                    (502, b"<html>Bad Gateway</html>", {})
                    if fault["fault"] == "status"
                    else (200, b"<html>Sign in</html>", {})
                )
            return answer

        monkeypatch.setattr(world.emulator, "handle", taken)
    else:
        world.emulator.fault(**fault, method="POST", path="/launch/")
    result = world.run()
    assert (result.status, result.stats) == ("successful", {"n": 1})
    assert len(world.jobs()) == 1 and launches(world) == 1


def test_a_launch_that_was_not_taken_and_not_answered_is_unknown(world: World) -> None:
    world.template()
    world.emulator.fault("status", status=502, method="POST", path="/launch/")
    began = world.time
    result = world.run()
    assert (result.status, result.temporary, world.jobs(), launches(world)) == ("unknown", True, [], 1)
    assert "not sent twice" in result.detail and world.time - began > SETTLE
    assert world.run(ident="c-2").status == "successful"


def test_a_launch_that_is_taken_late_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = world.template()
    world.emulator.fault("status", status=504, method="POST", path="/launch/")

    def late() -> None:
        label = world.emulator.row("labels", name="lifecycle-run c-1")["id"]
        assert (
            world.api(
                "POST", f"job_templates/{number}/launch/", {"extra_vars": {"user": "4711"}, "labels": [label]}
            ).status_code
            == 201
        )

    world.at[world.time + SETTLE - 30] = late
    assert world.run().status == "successful" and len(world.jobs()) == 1


def test_an_order_that_was_run_takes_up_its_job(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=500, artifacts={"n": 1})]
    killed = {"asked": 0}

    def killed_bridge() -> bool:
        killed["asked"] += 1
        if killed["asked"] > 3:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        world.run(stop=killed_bridge)
    result = world.run()
    assert (result.status, result.stats, launches(world), len(world.jobs())) == ("successful", {"n": 1}, 1, 1)


def test_an_order_that_was_claimed_and_never_launched_is_not_launched(world: World) -> None:
    world.template()
    world.add("labels", name="lifecycle-run c-1", organization=world.organization)
    assert (world.run().status, launches(world)) == ("unknown", 0)


@pytest.mark.parametrize("path", ["/labels/", "/launch/"])
def test_what_surely_was_not_taken_is_tried_again(world: World, path: str) -> None:
    world.template()
    world.emulator.fault("status", status=429, headers={"Retry-After": "7"}, method="POST", path=path, times=2)
    began = world.time
    assert world.run().status == "successful"
    assert len(world.jobs()) == 1 and world.time - began >= 14


def test_a_label_whose_answer_is_lost_is_the_claim_all_the_same(world: World) -> None:
    world.template()
    world.emulator.fault("lost", method="POST", path="/labels/")
    assert (world.run().status, launches(world)) == ("successful", 1)


def test_a_variable_that_the_survey_does_not_have_is_refused_before_anything_starts(world: World) -> None:
    world.template()
    with pytest.raises(
        BridgeError,
        match=r"job template lifecycle-offboard: it takes no plan, successor: add them to its survey .*nothing was started",
    ):
        world.run(extra_vars={"user": "4711", "successor": "9", "plan": "abc"})
    assert not world.jobs()


def test_what_a_run_can_do_without_is_left_out_where_the_survey_does_not_ask_for_it(world: World) -> None:
    world.template()
    assert world.run(extra_vars={"user": "4711", "hr_recorded_at": "2026-11-23T10:00:00Z"}).status == "successful"
    assert json.loads(world.jobs()[0]["extra_vars"]) == {"user": "4711"}


def test_ignored_fields_end_the_job(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=600)]
    world.emulator.drops = {"until"}
    result = world.run(extra_vars={"user": "4711", "until": "2026-12-01"})
    assert (
        result.status == "refused"
        and "dropped until" in result.detail
        and "survey" in result.detail
        and not result.temporary
    )
    [job] = world.jobs()
    assert job["status"] == "canceled"


def test_a_variable_lost_with_the_answer_is_seen_in_the_job(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=600)]
    world.emulator.drops = {"until"}
    world.emulator.fault("lost", method="POST", path="/launch/")
    assert world.run(extra_vars={"user": "4711", "until": "2026-12-01"}).status == "refused"


def test_labels_must_be_taken(world: World) -> None:
    world.template(ask_labels_on_launch=False)
    with pytest.raises(BridgeError, match="ask_labels_on_launch"):
        world.run()
    assert not world.jobs() and not world.emulator.rows("labels")


def test_answers_fit_the_survey(world: World) -> None:
    asks = [
        {"variable": name, "question_name": name, "type": kind, "required": False, **more}
        for name, kind, more in (
            ("user", "text", {}),
            ("sure", "multiplechoice", {"choices": ["true", "false"]}),
            ("n", "integer", {}),
            ("note", "text", {}),
            ("people", "textarea", {}),
            ("kinds", "multiselect", {"choices": ["a", "b"]}),
        )
    ]
    world.template(survey={**SURVEY, "spec": asks})
    world.run(
        extra_vars={"user": ["1", "2"], "sure": True, "n": 3, "note": None, "people": [{"id": 1}], "kinds": ["a"]}
    )
    assert json.loads(world.jobs()[0]["extra_vars"]) == {
        "user": "1,2",
        "sure": "true",
        "n": 3,
        "people": '[{"id": 1}]',
        "kinds": ["a"],
    }


def test_an_answer_that_the_survey_refuses_is_an_error(world: World) -> None:
    world.template()
    with pytest.raises(BridgeError, match=r"launch job template lifecycle-offboard.*HTTP 400.*'user' value missing"):
        world.run(extra_vars={})


@pytest.mark.parametrize(
    ("outcome", "status", "temporary", "says"),
    [
        (
            Outcome(
                status="failed",
                seconds=9,
                tasks=(
                    ("p", "Cut off", "github", "failed"),
                    ("p", "Cut off", "slack", "failed"),
                    ("p", "Ask", "hr", "ignored"),
                ),
            ),
            "failed",
            False,
            "Cut off on github, slack",
        ),
        (
            Outcome(status="failed", seconds=9, tasks=(("p", "Cut off", "github", "unreachable"),)),
            "failed",
            True,
            "github: the system does not answer",
        ),
        (LOST, "unknown", True, "not present in the job queue"),
        (
            Outcome(status="error", recap=False, explanation="Failed to launch task; exit status 1"),
            "unknown",
            True,
            "the controller lost it",
        ),
        (
            Outcome(
                status="failed",
                begun=False,
                explanation='Previous Task Failed: {"job_type": "project_update", "job_name": "p", "job_id": "3"}',
            ),
            "failed",
            True,
            "did not begin",
        ),
        (
            Outcome(status="failed", tasks=(("p", "Cut off", "github", "failed"),), code="throttled"),
            "failed",
            True,
            "Cut off on github",
        ),
        (
            Outcome(status="failed", tasks=(("p", "Open the case", "localhost", "failed"),), code="brake"),
            "failed",
            False,
            "Open the case on localhost",
        ),
        (Outcome(status="failed", seconds=9000), "timeout", True, "the job template's timeout"),
        (
            Outcome(status="failed", tasks=(("p", "Cut off", "github", "failed"),), events_late=20),
            "failed",
            False,
            "Cut off on github",
        ),
        (Outcome(status="canceled", recap=False), "canceled", False, "somebody cancelled it"),
    ],
)
def test_what_an_end_means(
    world: World, outcome: Outcome, status: str, temporary: bool, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.template(timeout=900)
    world.emulator.outcomes["lifecycle-offboard"] = [outcome]
    result = world.run(timeout=20000, idle_timeout=20000)
    assert (result.status, result.temporary) == (status, temporary) and says in result.detail
    assert result.codes == ((outcome.code,) if outcome.code else ("unreachable",) if "not answer" in says else ())
    assert "jane" not in result.detail + caplog.text


def test_a_poll_that_fails_for_a_while_does_not_end_the_watch(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=300, artifacts={"n": 1})]
    for status, times in ((502, 6), (401, 3), (403, 3), (404, 2), (429, 3)):
        world.emulator.fault("status", status=status, path=r"/jobs/\d+/$", times=times, after=2)
    world.emulator.fault("html", path="job_events", times=4)
    with caplog.at_level(logging.WARNING):
        result = world.run()
    assert (result.status, result.stats) == ("successful", {"n": 1})
    assert world.token.read_text() not in caplog.text and "HTTP 401" in caplog.text


def test_a_token_that_is_replaced_holds_at_once(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=100)]
    old = world.token.read_text()

    def replace() -> None:
        world.emulator.secrets["bridge"] = "new-token"

    def tell() -> None:
        world.token.write_text("new-token\n")

    world.at = {world.time + 10: replace, world.time + 40: tell}
    try:
        assert world.run().status == "successful"
    finally:
        world.emulator.secrets["bridge"] = old


def test_a_job_that_was_deleted_is_unknown(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=500)]
    world.at[world.time + 20] = lambda: world.emulator.state["tables"]["jobs"].clear()
    result = world.run()
    assert (result.status, result.temporary) == ("unknown", True) and "no longer there" in result.detail


def test_a_controller_that_stays_silent_is_unknown_after_all(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=10**6)]
    world.emulator.fault("status", status=503, path=r"/jobs/\d+/", times=-1, after=3)
    result = world.run(timeout=600, idle_timeout=600)
    assert result.status == "unknown" and world.time < 1000 + 600 + BLIND + CANCEL + 60


def test_stop_cancels_and_waits_until_it_has_ended(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=500)]
    world.emulator.fault("status", status=502, method="POST", path="/cancel/", times=1)
    result = world.run(stop=lambda: world.time > 1020)
    assert result.status == "canceled" and world.jobs()[0]["status"] == "canceled"
    assert world.time < 1020 + 60  # asked again


def test_an_end_that_came_before_the_stop_counts(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=30, deaf=True, artifacts={"n": 1})]
    result = world.run(stop=lambda: world.time > 1005)
    assert (result.status, result.stats) == ("successful", {"n": 1})


def test_a_job_that_cannot_be_stopped_is_unknown(world: World) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=10**6, deaf=True)]
    result = world.run(timeout=60)
    assert result.status == "unknown" and "goes on as running" in result.detail and "awx-ee" in result.detail


@pytest.mark.parametrize(
    ("outcome", "order", "says"),
    [
        (
            Outcome(seconds=5000, tasks=(("p", "t", "h", "ok"),) * 500),
            {"timeout": 60, "idle_timeout": 900},
            "ran longer than 60 s",
        ),
        (Outcome(seconds=5000), {"timeout": 3600, "idle_timeout": 90}, "nothing was heard of it for 90 s"),
        (Outcome(waits=5000), {"timeout": 120, "idle_timeout": 90}, "waited 120 s for a place"),
    ],
)
def test_what_takes_too_long_is_ended(world: World, outcome: Outcome, order: dict[str, float], says: str) -> None:
    world.template()
    world.emulator.outcomes["lifecycle-offboard"] = [outcome]
    result = world.run(**order)
    assert result.status == "timeout" and says in result.detail and world.jobs()[0]["status"] == "canceled"


def test_without_concurrent_jobs_one_waits_for_the_other(world: World) -> None:
    """The trap behind ``allow_simultaneous``, as the emulator has it: doctor tells."""
    number = world.template(allow_simultaneous=False, timeout=0)
    world.emulator.outcomes["lifecycle-offboard"] = [Outcome(seconds=50)]
    for _ in range(2):
        assert world.api("POST", f"job_templates/{number}/launch/", {"extra_vars": {"user": "1"}}).status_code == 201
    world.time += 10
    world.api("GET", "jobs/")
    assert [job["status"] for job in world.jobs()] == ["running", "pending"]
    said = world.executor().check(("offboard", "onboard"))
    assert ["allow_simultaneous" in said[0], "timeout" in said[1], "lifecycle-onboard" in said[2]] == [True] * 3


def test_doctor(both: World) -> None:
    both.template()
    assert both.executor().check(("offboard",)) == []
    both.token.write_text("wrong")
    [said] = both.executor().check(("offboard",))
    assert "HTTP 401" in said and "executor.token" in said and "wrong" not in said.replace("what is wrong", "")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"templates": {"offboard": "nothing"}},
            "find the job template nothing for workforce.lifecycle.offboard: it is not there",
        ),
        ({"organization": "Other"}, "in organization Other"),
    ],
)
def test_a_template_that_is_not_there(world: World, settings: dict[str, Any], says: str) -> None:
    world.template()
    with pytest.raises(BridgeError, match=says):
        world.run(settings=settings)


def test_a_user_who_may_not_launch(world: World) -> None:
    world.template()
    world.emulator.row("users", username="bridge")["_launch"] = False
    with pytest.raises(BridgeError, match=r"HTTP 403.*role Execute"):
        world.run()


def test_a_run_goes_on_when_its_progress_cannot_be_written(world: World) -> None:
    world.template()

    def broken(_: Any) -> None:
        raise RuntimeError("database is down")

    assert (
        world.executor()
        .run(Order("c-1", "workforce.lifecycle.offboard", {"user": "1"}), stop=lambda: False, progress=broken)
        .status
        == "successful"
    )


def test_another_authority_is_not_trusted(world: World, box: Box, tmp_path: Path) -> None:
    with Box([Controller], tmp_path / "other") as other:
        settings = world.executor()._settings.model_copy(update={"ca": Path(other.ca_file)})
        executor = ControllerExecutor(Config(executor=settings), pause=world.pause, monotonic=lambda: world.time)
        with pytest.raises(BridgeError, match=r"executor\.ca"):
            executor.run(Order("c-1", "workforce.lifecycle.offboard"), stop=lambda: False, progress=lambda _: None)


def test_a_redirect_is_not_followed_with_the_token(world: World) -> None:
    world.emulator.fault("status", status=302, headers={"Location": "https://elsewhere.example/"}, path="/api/")
    with pytest.raises(BridgeError, match="redirects elsewhere"):
        world.run()


def test_only_a_controller_is_run_by_it() -> None:
    with pytest.raises(ConfigError, match=r"executor\.kind"):
        ControllerExecutor(Config())


# -- workflows ---------------------------------------------------------------------------------------------------------


def workflow(world: World, timeout: int = 0) -> None:
    """plan -> approval -> run, by which a playbook's name leads to a workflow."""
    for name, more in (("plan", {"job_type": "check"}), ("run", {})):
        world.template(name, **more)
    number = world.add(
        "workflow_job_templates",
        name="approved",
        organization=world.organization,
        survey_enabled=True,
        ask_labels_on_launch=True,
        allow_simultaneous=True,
    )
    assert world.api("POST", f"workflow_job_templates/{number}/survey_spec/", SURVEY).status_code == 200
    nodes = [
        world.api(
            "POST",
            f"workflow_job_templates/{number}/workflow_nodes/",
            {
                "identifier": name,
                **(
                    {"unified_job_template": world.emulator.row("job_templates", name=name)["id"]}
                    if name != "agree"
                    else {}
                ),
            },
        ).json()["id"]
        for name in ("plan", "agree", "run")
    ]
    assert (
        world.api(
            "POST",
            f"workflow_job_template_nodes/{nodes[1]}/create_approval_template/",
            {"name": "Agree to the plan", "timeout": timeout},
        ).status_code
        == 201
    )
    for parent, child in zip(nodes, nodes[1:]):
        assert (
            world.api("POST", f"workflow_job_template_nodes/{parent}/success_nodes/", {"id": child}).status_code == 204
        )
    world.emulator.outcomes |= {
        "plan": [Outcome(seconds=20, artifacts={"plan": "834bcb445eff"})],
        "run": [Outcome(seconds=20, artifacts={"lifecycle_case": "c1"})],
    }


AS_WORKFLOW = {"templates": {"offboard": "approved"}}


def decide(world: World, verb: str) -> None:
    [approval] = world.emulator.rows("workflow_approvals")
    assert world.api("POST", f"workflow_approvals/{approval['id']}/{verb}/").status_code == 204
    assert world.api("POST", f"workflow_approvals/{approval['id']}/{verb}/").status_code == 400


def test_a_workflow_waits_for_its_approval(world: World) -> None:
    workflow(world)
    world.at[world.time + 2 * 3600] = lambda: decide(world, "approve")
    result = world.run(
        settings=AS_WORKFLOW
    )  # longer than the run's timeout: nobody's time runs while a person is asked
    assert (result.status, result.stats) == ("successful", {"plan": "834bcb445eff", "lifecycle_case": "c1"})
    assert [p.outcome for p in world.told if p.play == "workflow"] == ["waits for an approval"]
    run = [job for job in world.jobs() if job["name"] == "run"][0]
    assert json.loads(run["extra_vars"]) == {"plan": "834bcb445eff", "user": "4711"}
    assert f"/jobs/workflow/{world.emulator.rows('workflow_jobs')[0]['id']}/" in result.output


def test_a_denied_workflow_is_refused(world: World) -> None:
    workflow(world)
    world.at[world.time + 100] = lambda: decide(world, "deny")
    result = world.run(settings=AS_WORKFLOW)
    assert result.status == "refused" and "Agree to the plan was denied" in result.detail and len(world.jobs()) == 1


def test_an_approval_that_nobody_gives_is_refused(world: World) -> None:
    workflow(world, timeout=600)
    result = world.run(settings=AS_WORKFLOW)
    assert result.status == "refused" and "in time" in result.detail


def test_a_workflow_that_is_stopped(world: World) -> None:
    workflow(world)
    assert world.run(settings=AS_WORKFLOW, stop=lambda: world.time > 1500).status == "canceled"
    assert world.emulator.rows("workflow_approvals")[0]["status"] == "canceled"


def test_a_workflows_failed_job_is_named_in_the_error(world: World) -> None:
    workflow(world)
    world.emulator.outcomes["plan"] = [Outcome(status="failed", tasks=(("p", "Open the case", "localhost", "failed"),))]
    result = world.run(settings=AS_WORKFLOW)
    assert result.status == "failed" and "plan: Open the case on localhost" in result.detail
    world.emulator.outcomes["plan"] = [LOST]
    assert world.run(ident="c-2", settings=AS_WORKFLOW).status == "unknown"


def test_a_workflow_is_found_again(world: World) -> None:
    workflow(world)
    world.emulator.fault("lost", method="POST", path="/launch/")
    world.at[world.time + 100] = lambda: decide(world, "approve")
    assert world.run(settings=AS_WORKFLOW).status == "successful" and len(world.emulator.rows("workflow_jobs")) == 1


def test_times_are_sane() -> None:
    assert SETTLE > 120 and controller_watch.LONGEST <= 10

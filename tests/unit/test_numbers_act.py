# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The modules audit and numbers: what they write, and what they say when they are asked wrongly."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.responsibility import (
    Duty,
    Escalation,
    Responsibility,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.modules.audit import TASK as AUDIT
from ansible_collections.workforce.lifecycle.plugins.modules.numbers import TASK as NUMBERS
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.acts import audit, numbers
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.audit.prometheus import PREFIX
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger

from tests.unit import ledger_sample as sample
from tests.unit.ledger_run import ledger_run

MONITORING = Path(__file__).resolve().parents[2] / "extensions" / "monitoring"
HOSTILE = "<script>alert(1)</script>"


def asked(task: Any, **given: Any) -> dict[str, Any]:
    return {name: given.get(name, option.get("default")) for name, option in task.argument_spec.items()}


@pytest.fixture()
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(str(tmp_path / "l.db"))
    sample.leaver(made)
    other = {**sample.PERSON, "email": "x@corp.example", "hr_id": "HR-9", "employee_id": "E9", "first_name": HOSTILE}
    case = made.open_case("offboard", other, "r", {"key": "2", "effective_at": "2020-01-01T00:00:00Z"})
    sample.step(made, case, 'git"hub', "cutoff", [sample.row("membership", "failed")])
    return made


def test_the_page_the_metrics_and_the_digest_are_written(ledger: Ledger, tmp_path: Path) -> None:
    policy = Policy(
        responsibility=Responsibility((Duty("cutoff", within="0"),), (Escalation("0", ("ciso@corp.example",)),))
    )
    run = ledger_run(ledger, sample.SYSTEMS, policy=policy)
    done = numbers.act(
        run, asked(NUMBERS, path=str(tmp_path / "page"), metrics=str(tmp_path / "m.prom"), company="Corp")
    )
    page = (tmp_path / "page" / "index.html").read_text()
    assert HOSTILE not in page and "&lt;script&gt;" in page and "http" not in page.replace("http-equiv", "")
    assert json.loads((tmp_path / "page" / "numbers.json").read_text())["leavers"] == 2
    assert "2 leavers" in done["digest"] and "Hardware that is not back" in done["digest"]
    assert {one["to"] for one in done["escalations"]} == {"ciso@corp.example"}
    metrics = (tmp_path / "m.prom").read_text()
    assert "jane" not in metrics.lower() and HOSTILE not in metrics
    line = re.compile(r'^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+-]+)$')
    assert not [row for row in metrics.splitlines() if not line.match(row)]
    types = re.findall(r"^# TYPE (\w+) ", metrics, re.M)
    assert len(types) == len(set(types)) > 8


def test_check_mode_writes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    run = ledger_run(ledger, sample.SYSTEMS, read_only=True)
    numbers.act(run, asked(NUMBERS, path=str(tmp_path / "page"), metrics=str(tmp_path / "m.prom")))
    assert not (tmp_path / "page").exists() and not (tmp_path / "m.prom").exists()


def test_every_metric_of_the_board_and_the_alerts_is_one_that_is_written(ledger: Ledger, tmp_path: Path) -> None:
    numbers.act(ledger_run(ledger, sample.SYSTEMS), asked(NUMBERS, metrics=str(tmp_path / "m.prom")))
    written = set(re.findall(r"^# TYPE (\w+) ", (tmp_path / "m.prom").read_text(), re.M))
    written |= {f"{name}_{end}" for name in list(written) for end in ("bucket", "count", "sum")}
    # What a company has none of is not written: those that hang on a kind of case or on a level.
    written |= {
        f"{PREFIX}_{name}"
        for name in ("ready_seconds", "first_sign_in_seconds", "in_time_ratio", "effective_to_closed_seconds")
    }
    board = json.loads((MONITORING / "grafana-board.json").read_text())
    rules = yaml.safe_load((MONITORING / "alert-rules.yml").read_text())
    said = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    said += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    used = {name for expr in said for name in re.findall(rf"{PREFIX}_\w+", expr)}
    assert used and used <= written, used - written


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"from": "soon", "to": "2026-01-01"}, "from is 'soon'"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, "is after"),
        ({"from": "2026-01-01", "to": "2026-02-01", "people": "/nowhere"}, "no HR system was read"),
    ],
)
def test_a_wrong_question_is_said_before_anything_is_written(
    ledger: Ledger, tmp_path: Path, given: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        audit.act(ledger_run(ledger, sample.SYSTEMS), asked(AUDIT, path=str(tmp_path / "packs"), **given))
    assert not (tmp_path / "packs").exists()


def test_the_pack_of_a_small_company_is_written_from_what_hr_said(ledger: Ledger, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    people = [{**sample.PERSON, "termination_date": "2026-11-22"}, {"email": "a@corp.example", "hr_id": "5"}]
    rows = [json.dumps({"person": one}) for one in people] + [json.dumps({"end": 2})]
    (spool / "hr-bamboohr.jsonl").write_text("\n".join(rows) + "\n")
    run = ledger_run(ledger, sample.SYSTEMS)
    given = asked(AUDIT, people=str(spool), path=str(tmp_path / "packs"), records=str(tmp_path / "records"), seed="1")
    done = audit.act(run, {**given, "from": "2026-01-01", "to": "2026-12-31"})
    assert done["summary"]["left, and has a case"] == 1 and done["exceptions"] > 0
    where = Path(done["path"])
    assert (where / "index.html").exists() and list((where / "cases").iterdir())
    assert "not signed" not in done["msg"] and not (where / "SHA256SUMS.sig").exists()

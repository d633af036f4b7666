# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The stages of a reconcile on the machine that runs Ansible: the index of people, the report, and the cases of its
fixes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...module_utils.company.profiles import load_profiles
from ...module_utils.engine.change import Outcome
from ...module_utils.model.answers import ProtectedAnswer
from ...module_utils.model.case import Facts, OpenCase
from ...module_utils.model.errors import InputError, Refused
from ...module_utils.model.kinds import RECONCILE
from ...module_utils.model.person import Person
from ...module_utils.model.system_facts import SystemFacts
from ...module_utils.people.hr_look import Look
from ...module_utils.reconcile.findings import SEVERITIES
from ...module_utils.reconcile.people import People
from ..approval import run as approval
from ..hr import feed
from ..ledger import links
from ..ledger.run import LedgerRun
from ..record import files as record_files
from . import fix as reconcile_fix
from . import index as reconcile_index
from . import page as reconcile_page
from . import report as reconcile_report
from .shapes import Report, ReportedFinding


@dataclass(frozen=True)
class Reconciling:
    """Each method is one stage of the playbook."""

    run: LedgerRun

    def begin(self, fix: Collection[str], only: Collection[str], fail_on: str) -> dict[str, Any]:
        """Check the options, before HR is read.

        :raises InputError: names the wrong option.
        """
        systems = self._systems()
        if not any("hr_records" in facts["capabilities"] for facts in systems.values()):
            raise InputError(
                "no HR system is in the inventory", act="reconcile", hint="without one, everybody would be an orphan"
            )
        reconcile_report.check_only(only, systems)
        if fail_on and fail_on not in SEVERITIES:
            raise InputError(
                f"reconcile_fail_on is {fail_on!r}", act="reconcile", hint=f"one of {', '.join(SEVERITIES)}"
            )
        reconcile_fix.chosen({"findings": []}, fix)
        for entry in self.run.policy.reconcile.ignore:
            reconcile_index.still_ignored(entry)
        return {"spool": str(reconcile_index.spool())}

    def index(self, profiles: str) -> dict[str, Any]:
        """Make the index of people.

        :raises Incident: an HR source can't be right.
        """
        systems = self._systems()

        def believe(looks: Mapping[str, Look]) -> None:
            feed.watch(self.run, looks)

        sources = [name for name, facts in systems.items() if "hr_records" in facts["capabilities"]]
        return reconcile_index.build(
            reconcile_index.spool(),
            sources,
            policy=self.run.policy,
            ledger=self.run.ledger,
            feed=believe,
            profiles=load_profiles(profiles, {name: facts["connector"] for name, facts in systems.items()})
            if profiles
            else None,
        )

    def report(
        self,
        *,
        company: str,
        folder: str,
        failures: Mapping[str, str],
        only: Collection[str],
        fix: Collection[str],
        fail_on: str,
        plan: str,
        protected: Sequence[ProtectedAnswer],
    ) -> dict[str, Any]:
        """Make the report, write it, and open the cases of the fixes."""
        systems = self._systems()
        earlier = reconcile_report.last(folder)
        made = reconcile_report.build(
            reconcile_index.spool(),
            systems,
            failures=failures,
            only=only,
            policy=self.run.policy,
            company=company,
            earlier=earlier,
        )
        # The links are kept before anything is corrected, so that a cut finds a person's second account by its link.
        seen = () if self.run.read_only else reconcile_report.links_seen(reconcile_index.spool(), made)
        linked = links.keep_seen(self.run.ledger, seen, self.run.id)
        said = reconcile_report.sentence(made)
        unread = made["summary"]["not_read"]
        bad = reconcile_report.at_least(made, fail_on) if fail_on else 0
        result = {
            "changed": set(made["first_seen"]) != set(earlier.get("first_seen") or ()),
            "msg": said,
            "worst": reconcile_report.worst(made),
            "summary": made["summary"],
            "complete": made["complete"],
            "too_bad": bad,
            "failed_systems": unread,
            "linked": linked,
            **self._written(made, folder),
        }
        if fix:
            result.update(self._fixes(made, fix, plan, protected))
        return result

    def _written(self, made: Report, folder: str) -> dict[str, str]:
        stem = "reconcile-" + made["made"].partition(".")[0].replace("-", "").replace(":", "") + "Z"
        where = Path(folder).expanduser().absolute()
        paths = {kind: where / f"{stem}.{kind}" for kind in ("json", "csv", "html")}
        if self.run.read_only:
            return {}
        for kind, text in (
            ("json", reconcile_report.as_json(made)),
            ("csv", reconcile_report.as_csv(made)),
            ("html", reconcile_page.render(made)),
        ):
            record_files.write(paths[kind], text)
        sha256 = reconcile_report.digest(made)
        kept = {key: made["summary"][key] for key in ("findings", "by_severity", "by_kind", "not_read", "ignored")}
        self.run.note(
            "reconciled",
            {**kept, "closed_leavers": made["closed_leavers"], "sha256": sha256, "file": paths["json"].name},
        )
        return {**{kind: str(path) for kind, path in paths.items()}, "sha256": sha256}

    def _fixes(
        self, made: Report, fix: Collection[str], plan: str, protected: Sequence[ProtectedAnswer]
    ) -> dict[str, Any]:
        """Return the steps of each system's play, and the cases. In check mode there are no cases, and the plays write
        nothing.

        :raises Refused: an approval is missing.
        """
        found, left = reconcile_fix.chosen(made, fix)
        steps: dict[str, list[dict[str, Any]]] = {}
        meant: dict[str, tuple[Person, list[ReportedFinding]]] = {}
        with closing(People(str(reconcile_index.spool() / reconcile_index.INDEX))) as people:
            for finding in found:
                person = reconcile_fix.person_of(
                    finding, people.record(finding["n"])["person"] if finding["n"] is not None else {}
                )
                why = reconcile_fix.shielded(self.run.policy, person, protected)
                if why:
                    left.append(f"{finding['id']}: {why}")
                else:
                    meant.setdefault(person.key, (person, []))[1].append(finding)
        lacking = approval.missing(self.run, approval.executed(self.run, plan), RECONCILE, len(meant)) if meant else []
        if lacking:
            raise Refused("; ".join(lacking), act="fix", hint="nothing was sent; the report is written")
        facts = Facts(key=self.run.id, others={"reason": RECONCILE, "report": made["made"]})
        cases = (
            self.run.open_cases(RECONCILE, [(person, facts) for person, _findings in meant.values()]) if meant else []
        )
        for case, (person, findings) in zip(cases, meant.values(), strict=True):
            for finding in findings:
                steps.setdefault(finding["system"], []).append(reconcile_fix.step_of(finding, person, case.id))
        return {"steps": steps, "cases": [case.as_dict() for case in cases], "left": left}

    def close(self, cases: Sequence[OpenCase]) -> dict[str, Any]:
        """Close the cases of the fixes, and return a line for each step that is still open."""
        still = []
        for case in cases:
            if not case.id:
                continue
            open_ = [
                f"{s['step']} of {s['person']} on {s['system']} ({s['outcome']})"
                for s in self.run.ledger.steps(case.id)
                if not Outcome(s["outcome"]).closed
            ]
            still += open_
            if not self.run.read_only:
                self.run.ledger.close_case(
                    case.id, run=self.run.id, complete=not open_, summary={"complete": not open_, "open": open_}
                )
                self.run.ledger.give_back(self.run.id, case.id)
        return {"open": still}

    def _systems(self) -> dict[str, SystemFacts]:
        systems = self.run.inventory.systems()
        if not systems:
            raise InputError(
                "the inventory has no systems", act="reconcile", hint="name a systems file: -i company.systems.yml"
            )
        return systems

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What the modules that work on cases get to see: the ledger, the inventory's systems, and whether they may write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...module_utils.company.policy import Policy, load_policy
from ...module_utils.connectors.registry import connector_class
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError
from ...module_utils.model.person import Person
from ...module_utils.sdk.capabilities import capabilities_of
from ..approval import approvals, plans
from ..ledger import brake as counting
from ..ledger.ledger import Case, Ledger


@dataclass(frozen=True)
class Casebook:
    """The ledger in the hands of one run.

    :param read_only: check mode: nothing may be appended.
    :param task_vars: Ansible's variables of the task, for the inventory's systems.
    :param template: resolves a variable's templates.
    """

    ledger: Ledger
    run: str
    read_only: bool
    task_vars: Mapping[str, Any]
    template: Callable[[Any], Any]

    @property
    def policy(self) -> Policy:
        """The company's; the defaults when the systems file names none."""
        return load_policy(os.path.expanduser(self._variable("lifecycle_policy")))

    def plan(self, name: str) -> dict[str, Any]:
        """The plan in a file or with a digest.

        :raises InputError: there is none, or it was changed.
        """
        return plans.read(name, os.path.expanduser(self._variable("lifecycle_plans")), self.ledger)

    def executed(self, name: str) -> dict[str, Any]:
        """The plan that this run executes, without its steps: see :func:`plans.executed`."""
        return dict(plans.executed(name, os.path.expanduser(self._variable("lifecycle_plans")), self.ledger).head)

    def not_approved(self, plan: Mapping[str, Any] | None, kind: str, people: int) -> list[str]:
        """What is missing before a run may begin, a line each: approvals of its plan, or a plan to approve."""
        if plan is not None:
            return approvals.missing(self.ledger, plan)
        why = "" if self.read_only else approvals.refused(self.policy, kind, people)
        return [why] if why else []

    def write_plan(self, kind: str, people: Sequence[Mapping[str, Any]], folder: str) -> dict[str, Any]:
        """Put together what the run's steps would do, and write it.

        :raises LedgerError: the folder cannot be written.
        """
        steps = plans.left()
        made = plans.document(kind, people, steps, approvals.needs(self.policy, kind, len(people), steps))
        return {**made, "path": str(plans.write(made, folder))}

    def approve(self, plan: Mapping[str, Any], by: str, account: str, note: str) -> None:
        """See :func:`approvals.approve`; in check mode only what it refuses."""
        approvals.approve(
            None if self.read_only else self.ledger, plan, by=by, account=account, note=note, run=self.run
        )

    def _variable(self, name: str) -> str:
        return str(self.template(self.task_vars.get(name, "")) or "")

    def group(self, name: str) -> list[str]:
        """The hosts of an inventory group: a capability's systems, or all of ``systems``."""
        return list(self.task_vars.get("groups", {}).get(name, []))

    def systems(self) -> dict[str, dict[str, Any]]:
        """Every host of the group ``systems``: ``{name: {connector, title, owner, service_level, capabilities}}``."""
        return {host: self._system(host) for host in self.group("systems")}

    def _system(self, host: str) -> dict[str, Any]:
        variables = self.task_vars["hostvars"].raw_get(host)
        name = self.template(variables.get("lifecycle_connector", ""))
        connector = connector_class(name, system=host)
        return {
            "connector": name,
            "title": connector.TITLE or name,
            "owner": self.template(variables.get("lifecycle_owner", "")),
            "service_level": dict(self.template(variables.get("lifecycle_service_level", {})) or {}),
            "capabilities": list(capabilities_of(connector)),
        }

    def examine_hr(self, looks: Mapping[str, Any], people: Sequence[Person]) -> None:
        """Compare what the HR sources look like with their last good look: see :func:`feed.examine`.

        :raises Incident: a source is not to be believed.
        """
        if looks:
            from ..hr import feed

            feed.examine(self.ledger, self.policy, looks, run=self.run, read_only=self.read_only, people=people)

    def keep_hr(self, looks: Mapping[str, Any]) -> None:
        """Note that the HR sources look good; not in check mode."""
        if looks and not self.read_only:
            from ..hr import feed

            feed.keep(self.ledger, looks, run=self.run)

    def release_hr(self, system: str, *, by: str, account: str, reason: str) -> dict[str, Any]:
        """See :func:`feed.release`."""
        from ..hr import feed

        return feed.release(
            self.ledger,
            self.policy,
            system,
            by=by,
            account=account,
            reason=reason,
            run=self.run,
            read_only=self.read_only,
        )

    def hr_source(self, system: str) -> dict[str, Any]:
        """See :func:`feed.shown`."""
        from ..hr import feed

        return feed.shown(self.ledger, self.policy, system)

    def spool(self) -> str:
        """This run's own folder: see :func:`reconcile_index.spool`."""
        from ..reconcile import index as reconcile_index

        return str(reconcile_index.spool())

    def take_in(
        self,
        people: Mapping[str, Sequence[Any]],
        everybody: Sequence[str],
        found: Sequence[Mapping[str, Any]],
        snapshots: str,
        batch: str,
    ) -> tuple[list[dict[str, Any]], int]:
        """What HR's records call for, and how many were judged: see :class:`intake.Intake`.

        :raises Incident: a source is not to be believed.
        """
        from pathlib import Path

        from ...module_utils.people.hr_look import Look
        from ..hr import intake
        from ..reconcile.index import read_people

        looks = {answer["system"]: Look.read(answer["look"]) for answer in found if answer.get("look")}
        files = sorted(Path(snapshots).glob("hr-*.jsonl")) if everybody else []
        all_people = {
            path.stem.removeprefix("hr-"): [Person.of(one) for one in read_people(path, looks)] for path in files
        }
        self.examine_hr(looks, [])
        judge = intake.Intake(self.ledger, self.policy, batch, read_only=self.read_only)
        decisions: list[dict[str, Any]] = []
        judged = 0
        for system, ids in people.items():
            decisions += judge.judge(
                system, intake.people_asked(system, [str(one) for one in ids], found), everybody=False
            )
            judged += len(ids)
        for system in everybody:
            if system not in all_people:
                raise InputError(
                    "it was not read", act="take in", system=system, hint="see its error above; nothing was decided"
                )
            decisions += judge.judge(system, intake.people_of(all_people, system), everybody=True)
            judged += len(all_people[system])
        self.keep_hr(looks)
        return decisions, judged

    def open(self, kind: str, person: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        """See :meth:`open_all`."""
        return self.open_all(kind, [(person, facts)])[0]

    def open_all(
        self, kind: str, people: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
    ) -> list[dict[str, Any]]:
        """Each person's case, opened if need be: all, or none; in check mode those that a run would open, without an id.

        :raises Held: another run has one of them, also after ``lifecycle_wait_for_person`` seconds.
        :raises Braked: there would be more leavers than policy allows.
        """
        if self.read_only:
            return [
                {"id": "", "kind": kind, "person": dict(person), "opened": "", "facts": dict(facts)}
                for person, facts in people
            ]
        from ..ledger import lease

        cases: list[Case] = lease.patiently(
            lambda: self.ledger.open_cases(kind, people, self.run, self.policy.brake),
            self._variable("lifecycle_wait_for_person"),
        )
        return [
            {"id": case.id, "kind": case.kind, "person": dict(person), "opened": case.opened, "facts": dict(case.facts)}
            for case, (person, _facts) in zip(cases, people, strict=True)
        ]

    def brake(self) -> list[dict[str, Any]]:
        """How each limit of the brake stands, and who is ``released`` from it."""
        return [
            {
                **tally.as_dict(),
                "released": [release.as_dict() for release in counting.releases(self.ledger.storage.query, tally.of)],
            }
            for tally in self.ledger.tallies(self.policy.brake)
        ]

    def braking(self, kind: str, people: Sequence[Person]) -> dict[str, Any]:
        """How the brake stands, and in check mode what it would stop: ``{"brake": [...]}``, and ``warnings``."""
        would = [
            tally.exceeded_by(
                {
                    p.key
                    for p in people
                    if not any(release.frees(p) for release in counting.releases(self.ledger.storage.query, tally.of))
                }
            )
            for tally in self.ledger.tallies(self.policy.brake)
            if self.read_only
            and (tally.of, kind)
            in (("leavers", "offboard"), ("disables", "offboard"), ("disables", "suspend"), ("disables", "withdraw"))
        ]
        return {
            "brake": self.brake(),
            **({"warnings": [f"the brake would stop this run: {why}" for why in would if why]} if any(would) else {}),
        }

    def release_brake(self, of: str, people: Sequence[Person], **facts: str) -> dict[str, Any]:
        """See :func:`brake.release`; noted, but in check mode."""
        noted = counting.release(self.policy.brake, of, people, **facts)
        if not self.read_only:
            self.ledger.note("released", noted, run=self.run, durable=True)
        return noted

    def reconciling(self) -> Any:
        """What a reconcile does on the controller: see :class:`reconcile_run.Reconciling`."""
        from ..reconcile.run import Reconciling

        return Reconciling(self)

    def move(self, person: Person, new: Any, known: Any, named: str, systems: Sequence[str]) -> dict[str, Any]:
        """What a transfer keeps with its case: ``{"old_profile": {"name", "why"}, "explained", "overlap": until when, or ""}``.

        :param new: the new profile, one of the ``known``; ``named`` is what somebody says was the old one.
        :param systems: the inventory's, by name.
        """
        from . import mover_origin as moves

        return {
            **moves.origin(self.ledger, person, new, known, named, list(systems)).facts(),
            "overlap": clock.stamp(clock.now() + timedelta(days=new.overlap)) if new.overlap else "",
        }

    def known_as(self, person: Person, further: Sequence[str]) -> Person:
        """See :func:`moves.known_as`."""
        from . import mover_origin as moves

        return moves.known_as(self.ledger, person, further)

    def diary(self) -> Any:
        """What is due later, and a leave's two ends: :class:`~plugins.plugin_utils.later.due_today.Diary`."""
        from ..later.due_today import Diary

        return Diary(self)

    def undoing(
        self, kind: str, person: Person, of: str, withdrawn_by: str, plan: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """What a reinstatement gives back, or a withdrawn hire takes: ``{"undone": Undone, "facts": facts of its case}``.

        See :func:`reinstatements.undoing` and :func:`reinstatements.withdrawing`.
        """
        from . import undo as reinstatements

        if kind == "withdraw":
            undone = reinstatements.withdrawing(self.ledger, person, of, withdrawn_by)
        else:
            undone = reinstatements.undoing(
                self.ledger, person, of, withdrawn_by, self.policy, approved=plan is not None or self.read_only
            )
        facts = {
            "key": undone.of.id,
            "of": undone.of.id,
            "wanted": sorted(undone.restore),
            **({"withdrawn_by": withdrawn_by.strip()} if withdrawn_by.strip() else {}),
            **(
                {"created": sorted(name for name, owes in undone.restore.items() if owes.get("created"))}
                if kind == "withdraw"
                else {}
            ),
        }
        return {"undone": undone, "facts": facts}

    def quarantined(self, case: Mapping[str, Any]) -> dict[str, bool]:
        """System -> whether the account there was taken for the joiner's own, of those that earlier runs of the case judged."""
        ids = (
            [case["id"]]
            if case["id"]
            else [
                one.id
                for one in self.ledger.cases(kind="onboard", person=Person.of(case["person"]).key)
                if not one.withdrawn and one.facts.get("key") == case["facts"].get("key")
            ][-1:]
        )
        return {
            system: own
            for id in ids
            for entry in self.ledger.noted("quarantined", case=id)
            for system, own in entry.data["systems"].items()
        }

    def quarantine(self, case: Mapping[str, Any], systems: Mapping[str, bool]) -> None:
        """Note what was judged, so that what the case itself makes is not judged later."""
        if systems and not self.read_only:
            self.ledger.note(
                "quarantined", {"systems": systems}, case=case["id"], person=Person.of(case["person"]).key, run=self.run
            )

    def earlier(self, case: Mapping[str, Any]) -> list[str]:
        """What the ledger knows of an earlier life of a person, or of others with their address; a line each."""
        person = Person.of(case["person"])
        cases = [
            one
            for one in self.ledger.cases()
            if one.id != case["id"] and (one.key == person.key or one.person["email"] == person.email)
        ]
        return [
            f"case {one.id} of {Person.of(one.person).name}{'' if one.key == person.key else ', another record in HR'}"
            for one in cases
            if one.key != person.key
            or one.kind == "offboard"
            and not one.withdrawn
            or one.kind == "onboard"
            and one.withdrawn
        ]

    def withdrawn(self, kind: str, undo: Mapping[str, Any], case: str) -> dict[str, Any]:
        """Note that the old case is over, and say what is given back, or taken."""
        from . import undo as reinstatements

        if not self.read_only:
            reinstatements.withdraw(
                self.ledger,
                undo["undone"].of,
                by=str(undo["facts"].get("withdrawn_by", "")),
                case=case,
                run=self.run,
                kind=kind,
            )
        return dict(undo["undone"].restore)

    def write_record(self, case_id: str, folder: str, systems: Mapping[str, Any] | None) -> dict[str, Any]:
        """Write a case's record as JSON and as a page, and close the case when nothing is open; in check mode, only say.

        :raises LedgerError: the folder cannot be written.
        """
        # Only the end of a run writes a record; every other step would wait for the page's template to be read.
        from ..record import build as record
        from ..record import files as record_files
        from ..record import sealed

        systems = self.systems() if systems is None else systems
        self.diary().schedule(case_id, systems)
        made = record.build(self.ledger, case_id, systems)
        complete = made["summary"]["complete"]
        case = self.ledger.case(case_id)
        if not self.read_only and (not case.closed or not complete):
            self.ledger.close_case(
                case.id, run=self.run, complete=complete and not self.ledger.prepared(case), summary=made["summary"]
            )
            made = record.build(self.ledger, case.id, systems)
        data, page = record_files.paths(folder, case.id)
        changed = record_files.earlier(data) != {"open_items": made["open_items"], "complete": complete}
        if not self.read_only:
            sealed.put(
                self.ledger,
                self.run,
                case.id,
                {data: json.dumps(made, indent=2, sort_keys=True) + "\n", page: record.render_html(made)},
            )
            # The run is through with them: the next one may go on.
            self.ledger.give_back(self.run, case.id)
        return {
            "changed": changed,
            "json": str(data),
            "html": str(page),
            "summary": made["summary"],
            "verdict": made["verdict"],
            "open_items": made["open_items"],
            "residual_access": made["residual_access"],
            "head": made["chain"]["head"],
            "sha256": record.digest(made),
            "case": case.id,
            "person": made["person"]["email"],
            "key": made["person"]["key"],
        }

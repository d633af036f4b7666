# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Watches HR sources over time: a source that lost people or columns, or mixed up its rows, since the last good look is
an incident.

The ledger keeps for each source: ``feed`` (a good look), ``feed_incident`` (a look that stopped a run),
``feed_released`` (a named person says that the source is right). A good look has only the differences from the looks
before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.model import clock
from ...module_utils.model.answers import HrAnswer
from ...module_utils.model.commands import command
from ...module_utils.model.errors import Incident, InputError, Refused
from ...module_utils.model.person import Person
from ...module_utils.people.hr_events import silent
from ...module_utils.people.hr_look import Look, hashed_address, hashed_id, packed, unpacked
from ..ledger import presence
from ..ledger.ledger import Ledger
from ..ledger.run import LedgerRun


@dataclass(frozen=True)
class Known:
    """What the ledger knows about a source: the last ``good`` look and its moment (``at``, ISO 8601), and a later
    ``incident``."""

    good: Look | None = None
    at: str = ""
    incident: Mapping[str, Any] | None = None
    released: Mapping[str, Any] | None = None


def known(ledger: Ledger, system: str) -> Known:
    """Return what the ledger knows about a source.

    :raises LedgerError: the ledger cannot be read.
    """
    good, at, n, pairs = None, "", 0, {}
    for entry in ledger.noted("feed", system=system):
        pairs.update(unpacked(entry.data["pairs"]))
        good, at, n = entry.data, entry.at, entry.n
    incidents = [entry for entry in ledger.noted("feed_incident", system=system) if entry.n > n]
    released = [entry.data for entry in ledger.noted("feed_released", system=system)]
    return Known(
        replace(Look.read(good), pairs=pairs) if good else None,
        at,
        incidents[-1].data if incidents else None,
        released[-1] if released else None,
    )


def looks_of(found: Sequence[HrAnswer]) -> dict[str, Look]:
    """Return the looks in the answers of the HR systems, by system."""
    return {answer["system"]: Look.read(answer["look"]) for answer in found if answer.get("look")}


def watch(run: LedgerRun, looks: Mapping[str, Look]) -> None:
    """Examine looks at whole sources, and keep the good ones."""
    examine(run, looks)
    keep(run, looks)


def examine(run: LedgerRun, looks: Mapping[str, Look], people: Sequence[Person] = ()) -> None:
    """Compare each source with its last good look.

    :param people: the people of the run: none of them may have an address that another id had before.
    :raises Incident: a source can't be right; says what changed, and how to release it.
    :raises Refused: two HR systems have one id for two people.
    """
    for system, look in looks.items():
        before, policy = known(run.ledger, system), run.policy
        what = doubt(look, before, policy, people)
        if not what:
            continue
        run.note("feed_incident", {"what": what, **look.as_dict()}, system=system, durable=True)
        raise Incident(
            f"{what}: nothing was touched", act="check the HR source", system=system, hint=_how(system, before, policy)
        )
    _refuse_shared_ids(looks, people)


def _refuse_shared_ids(looks: Mapping[str, Look], people: Iterable[Person]) -> None:
    """Refuse people whose id another HR system gave to somebody else: the ledger identifies people by HR's id alone.

    :raises Refused: names the other HR system.
    """
    for person in people:
        ident, address = hashed_id(person), hashed_address(person)
        other = next((name for name, look in looks.items() if look.pairs.get(ident, address) != address), "")
        if other and any(look.pairs.get(ident) == address for look in looks.values()):
            raise Refused(
                f"{other} has somebody else with the id {person.key}, and the ledger would take one for the other",
                act=f"open case of {person.email}",
                system=other,
                hint="nothing was sent; give the people of one of the two HR systems ids of their own (csv and connectors as data: the field hr_id)",
            )


def doubt(look: Look, before: Known, policy: Policy, people: Sequence[Person] = ()) -> str:
    """Return why a source can't be right; empty when it can, and when a person has released it."""
    said = look.wrong(before.good, policy.brake)
    said += [
        f"{person.employee_id or person.hr_id} has the address {person.email}, which was somebody else's before"
        for person in look.mixed_up(people, before.good)
    ]
    return "" if _is_released(look, before, policy) else "; ".join(said)


def keep(run: LedgerRun, looks: Mapping[str, Look]) -> None:
    """Note good looks in the ledger, each with the pairs that are new since the look before; not in check mode."""
    for system, look in looks.items() if not run.read_only else ():
        before = known(run.ledger, system).good
        fresh = {
            one: address for one, address in look.pairs.items() if before is None or before.pairs.get(one) != address
        }
        run.note("feed", {**look.as_dict(), "pairs": packed(fresh)}, system=system)


def release(run: LedgerRun, system: str, *, by: str, account: str, reason: str) -> dict[str, Any]:
    """Note that a named person says that the source was right when it stopped a run. It holds for policy's hours.

    :returns: the released look: ``{"what", "by", "until", "reason", "people", "active"}``.
    :raises InputError: there is nothing to release, or they may not.
    """
    act, who, rule = f"release {system}", by.strip().casefold(), run.policy.brake.feed
    before = known(run.ledger, system)
    if before.incident is None:
        raise InputError("no run was stopped by it since it was last good", act=act, hint="there is nothing to release")
    if who not in {name.casefold() for name in rule.release}:
        raise InputError(
            f"{by} may not release it" if by else "by is empty",
            act=act,
            hint=f"ask {' or '.join(rule.release) or 'the owner of the policy file: brake.feed.release names nobody'}",
        )
    # HR is in doubt, so that only the ledger shows whether this person is here.
    presence.require(run.ledger, who, role="one who releases it", act=act)
    if not reason.strip():
        raise InputError("no reason is given", act=act, hint="-e \"reason='the site in Lyon was sold on 1 March'\"")
    until = clock.stamp(clock.now() + timedelta(hours=rule.hours))
    data = {**before.incident, "by": who, "account": account, "reason": reason, "until": until}
    run.note("feed_released", data, system=system, durable=True)
    return {key: data[key] for key in ("what", "by", "until", "reason", "people", "active")}


def shown(run: LedgerRun, system: str) -> dict[str, Any]:
    """Return the state of a source: ``{"system", "people", "active", "good_at", "incident", "released_by", "silent"}``.

    ``silent`` is the reason why it counts as silent; empty when it does not.
    """
    now = known(run.ledger, system)
    last = clock.parse(now.at) if now.at else None
    return {
        "system": system,
        "people": now.good.people if now.good else 0,
        "active": now.good.active if now.good else 0,
        "good_at": now.at,
        "incident": now.incident["what"] if now.incident else "",
        "released_by": now.released["by"] if now.released and _in_time(now.released) else "",
        "silent": silent(None, last, clock.now(), run.policy.brake.feed.silent_hours),
    }


def _is_released(look: Look, before: Known, policy: Policy) -> bool:
    """Return whether this incident is released: a release is for the look that stopped the run; a worse look is a new
    incident."""
    if before.released is None or not _in_time(before.released):
        return False
    return not look.duplicates and not look.wrong(Look.read(before.released), policy.brake)


def _in_time(released: Mapping[str, Any]) -> bool:
    return clock.parse(released["until"]) > clock.now()


def _how(system: str, before: Known, policy: Policy) -> str:
    may = " or ".join(policy.brake.feed.release)
    last = f"last good look {before.at[:16]}Z; " if before.at else ""
    asked = (
        f"if it is right so, {may} releases it"
        if may
        else "if it is right so, name who may release it in the policy (brake.feed.release), who releases it"
    )
    return f"{last}mend the export; {asked}: {command('release_feed', open_end='-e by=<who> -e reason=<why>', source=system)}"

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Puts several leavers of one run in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...module_utils.company.policy import Policy, like
from ...module_utils.model.errors import LifecycleError
from ...module_utils.model.person import Person
from ..ledger.links import by_name, names_of
from ..ledger.run import LedgerRun

if TYPE_CHECKING:
    from ...module_utils.company.profiles import Profile


def administrators_first(run: LedgerRun, people: Sequence[Person], profiles: str) -> list[Person]:
    """Put people who may be administrators first: they can do the most harm while they wait.

    No system is read for it. A person may be an administrator when their profile gives what policy calls
    ``privileged``, or when they have more than one account on a system: a second account is most often for
    administration.

    :param profiles: folder of the access profiles; empty when none is named.
    """
    if len(people) < 2:
        return list(people)
    privileged, linked = _by_profile(run, profiles), by_name(run.ledger)
    return sorted(people, key=lambda person: not (privileged(person) or _has_several(linked, person)))


def _by_profile(run: LedgerRun, folder: str) -> Callable[[Person], bool]:
    if not folder or not run.policy.privileged:
        return lambda person: False
    from ...module_utils.company.profiles import load_profiles

    try:
        known = load_profiles(folder, {name: facts["connector"] for name, facts in run.inventory.systems().items()})
    except LifecycleError:
        return lambda person: False  # a leaver needs no profile: an error in one must not delay the cut

    def privileged(person: Person) -> bool:
        try:
            return _gives_privileges(run.policy, known.match(person))
        except LifecycleError:
            return False  # no profile fits, or two fit

    return privileged


def _gives_privileges(policy: Policy, profile: Profile) -> bool:
    return any(
        like(name, policy.privileged.get(system, {}).get(kind, ()))
        for system in profile.systems
        for kind, names in profile.wanted(system).items()
        for name in names
    )


def _has_several(linked: Mapping[str, Sequence[tuple[str, str]]], person: Person) -> bool:
    accounts = {account for name in names_of(person) for account in linked.get(name, ())}
    return len(accounts) > len({system for system, _account in accounts})

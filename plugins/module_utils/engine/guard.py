# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Refuses what a step may not do: the last check before the first write, for every module.

The shell says what policy, approvals and the plan mean for one step (plain data, so that it travels through AnsiballZ too);
the seam asks here, after planning and before writing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..company.policy import like
from ..connectors.registry import digest_of
from ..model.errors import AmbiguousIdentity, Drifted, InputError, Protected
from ..model.person import Person
from ..model.states import GONE_OR_OFF
from ..sdk.protocols import Accounts, Entitlements
from ..sdk.values import Account
from .administrators import leave_none
from .correlate import correlated

if TYPE_CHECKING:
    from .change import Change


@dataclass(frozen=True)
class Guard:
    """The limits of one step on one system.

    :param source: the policy's file, for messages.
    :param gone: people who would get something from this step and do not work here any more: address -> the reason.
    :param accounts: patterns of logins, ids and addresses that no run may touch here.
    :param entitlements: patterns such as ``groups: Break glass`` that no run may give or take here.
    :param stops: acts (``wipe``, ``delete``, ``disable``) that this run may not do, and why.
    :param privileged: patterns such as ``roles: *Administrator``: the person who holds one is privileged here.
    :param privileged_stop: why this run may not touch a privileged person; empty when it may.
    :param planned: the changes that the plan being executed foresees for this step, ``{"what", "before", "after"}`` each; None
        when no plan is being executed.
    :param declared: the digest of the connector's file that the plan was made with; "" for a connector that is code.
    :param not_people: facts of accounts that belong to no single person (patterns; all of one entry must fit). No run
        treats such an account as a person's: see :func:`correlate.refuse_no_person`. None when the account is known to
        be the person's.
    """

    source: str = ""
    gone: Mapping[str, str] = field(default_factory=dict)
    accounts: Sequence[str] = ()
    entitlements: Sequence[str] = ()
    stops: Mapping[str, str] = field(default_factory=dict)
    privileged: Sequence[str] = ()
    privileged_stop: str = ""
    planned: Sequence[Mapping[str, Any]] | None = None
    not_people: Sequence[Mapping[str, str]] | None = None
    declared: str = ""

    def holds(
        self, system: object, want: Mapping[str, Any], changes: Sequence[Change], pending: Sequence[Change]
    ) -> dict[str, str]:
        """Return the pending changes that must wait for a person: the change's name -> the reason.

        :raises Protected: the account may not be touched.
        :raises Drifted: the system is not as the plan saw it; says what is different.
        """
        if self.planned is not None:
            self._compare_file(system)
            self._compare(want, changes, pending)
        if not pending:
            return {}
        # The accounts are read once, for all the limits.
        administered = bool(getattr(system, "ADMINISTRATORS", ()))
        accounts = _accounts(system, want) if self.accounts or self.privileged_stop or administered else []
        self._refuse_protected(want, accounts)
        heirs = {**self.gone, **_inactive(system, want, self.gone)}
        held = leave_none(system, accounts, pending)
        for change in pending:
            pattern = like(change.what, self.entitlements)
            if pattern:
                held[change.what] = f"{pattern} is protected ({self.source}): settle it by hand, and attest"
            elif change.act in self.stops:
                held[change.what] = self.stops[change.act]
            else:
                gone = next((f"{who} {why}" for who, why in heirs.items() if _names(change, who)), "")
                if gone:
                    held[change.what] = f"{gone}: name another successor, and run again"
        if self.privileged_stop and self._is_privileged(system, accounts):
            held = {change.what: self.privileged_stop for change in pending}
        return held

    def says(self, system: object, want: Mapping[str, Any], pending: Sequence[Change]) -> dict[str, Any]:
        """Return what a rehearsal notes, so that the plan knows which approval it needs: whether the account is
        privileged."""
        return (
            {"privileged": True}
            if pending
            and self.privileged
            and not self.privileged_stop
            and self._is_privileged(system, _accounts(system, want))
            else {}
        )

    def _refuse_protected(self, want: Mapping[str, Any], accounts: Sequence[Account]) -> None:
        if not self.accounts or not want.get("person"):
            return
        person = Person.of(want["person"])
        names = [person.email, person.hr_id, person.employee_id, *person.aliases, *person.logins.values()]
        names += [name for account in accounts for name in (account.id, account.login, account.email)]
        for name in names:
            pattern = like(name, self.accounts) if name else ""
            if pattern:
                raise Protected(
                    f"{pattern} is protected ({self.source})",
                    act=f"touch account of {person.email}",
                    hint="no run may touch it",
                )

    def _is_privileged(self, system: object, accounts: Sequence[Account]) -> bool:
        return isinstance(system, Entitlements) and any(
            like(f"{e.kind}: {e.name}", self.privileged) for account in accounts for e in system.entitlements(account)
        )

    def _compare_file(self, system: object) -> None:
        """Refuse a connector file that differs from the plan's: it may send the same change somewhere else."""
        now = digest_of(type(system))
        if self.planned and now != self.declared:
            raise Drifted(
                f"the connector's file is {now or 'not a file'}, the plan was made with {self.declared or 'none'}",
                act="execute the plan",
                hint="nothing was sent: look at the file, and make a new plan with --check",
            )

    def _compare(self, want: Mapping[str, Any], changes: Sequence[Change], pending: Sequence[Change]) -> None:
        planned = {row["what"]: row for row in self.planned or ()}
        now = {change.what: change for change in changes}
        history = want.get("history") or {}
        done = {*(history.get("done") or ()), *(history.get("acknowledged") or ())}
        different = []
        for change in pending:
            if like(change.what, self.entitlements):
                continue  # it waits for a person in any case, and does not stop the other changes
            row = planned.get(change.what)
            if row is None:
                different.append(f"{change.what} is {_shown(change.before)}, and the plan has nothing of it")
            elif (_plain(change.before), _plain(change.after)) != (row["before"], row["after"]):
                different.append(
                    f"{change.what} is {_shown(change.before)} (to become {_shown(change.after)}), "
                    f"the plan says {_shown(row['before'])} (to become {_shown(row['after'])})"
                )
        waiting = {change.what for change in pending}
        for what, row in planned.items():
            # An earlier run of this plan may have done it, so that the system does not list it any more: a wiped device
            # is gone.
            if what not in waiting and what not in now and what not in done and row["after"] not in GONE_OR_OFF:
                different.append(f"{what} is no longer there, the plan says {_shown(row['before'])}")
        if different:
            email = (want.get("person") or {}).get("email", "")
            raise Drifted(
                "; ".join(different),
                act=f"execute the plan for {email}" if email else "execute the plan",
                hint="nothing was sent: make a new plan with --check",
            )


def _accounts(system: object, want: Mapping[str, Any]) -> list[Account]:
    """Return the person's accounts here; none where the system has no accounts, or the step is about no person."""
    if not want.get("person") or not isinstance(system, Accounts):
        return []
    found, meant = correlated(system, want)[1], want.get("account_id") or ""
    return [one.account for one in found.judged if (one.account.id == meant if meant else one in found.theirs)]


#: The arguments that name the people to whom a step gives something of the person's.
_HEIRS = ("successor", "delegates", "forward_to", "deliver_to", "organizer")


def heirs(want: Mapping[str, Any]) -> list[str]:
    """Return the people to whom a step gives something of the person's, as its arguments name them."""
    given = [want.get(name) or () for name in _HEIRS]
    return [str(name) for value in given for name in ([value] if isinstance(value, str) else value)]


def _inactive(system: object, want: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """Return the people who would get something and can't use their account on this system: address -> the reason."""
    if not isinstance(system, Accounts):
        return {}
    found = {}
    for name in sorted({name.lower() for name in heirs(want)} - set(known)):
        if "@" not in name:
            continue
        try:
            account = system.find_account(Person.of({"email": name}))
        except (AmbiguousIdentity, InputError) as e:
            found[name] = f"can't be looked up ({e.what})"
            continue
        if account is not None and not account.active:
            found[name] = "has an account here that can't be used"
        elif account is None and want.get("deliver_to", "").lower() == name:
            found[name] = "has no account here, and a credential goes only to somebody who works here"
    return found


def _names(change: Change, who: str) -> bool:
    """Return whether a change gives something to this address."""
    return who in f"{change.what} {change.after} {change.note}".lower()


def _plain(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple, set, frozenset)) else value


def _shown(value: Any) -> str:
    return "not there" if value is None else str(value)

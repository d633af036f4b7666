# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The kinds of case, and what each of them means, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ONBOARD: Final = "onboard"
TRANSFER: Final = "transfer"
OFFBOARD: Final = "offboard"
SUSPEND: Final = "suspend"
RESUME: Final = "resume"
REINSTATE: Final = "reinstate"
RENAME: Final = "rename"
WITHDRAW: Final = "withdraw"
#: Access beyond the profile, for a time; and a changed profile, given to everybody who has it. HR knows nothing of
#: either.
ACCESS: Final = "access"
ROLLOUT: Final = "rollout"
#: No event in HR: the fixes of a reconcile for one person, and a plan of the playbook ``followups``.
RECONCILE: Final = "reconcile"
FOLLOWUPS: Final = "followups"

#: The phases of all runs, by their names in the ledger: the roles whose steps it keeps.
PHASES: Final = (
    "cutoff",
    "preserve",
    "secure_devices",
    "reclaim",
    "closeout",
    "provision",
    "prepare_device",
    "welcome",
    "adjust",
    "followups",
    "suspend",
    "resume",
    "restore",
    "rename",
    "reconcile",
    "withdraw",
)

#: A system with one of these capabilities has a part in a case that gives access back or changes a name.
_ACCOUNTS = frozenset(("accounts", "manual_steps"))
_EVERYTHING = frozenset(
    (
        "cutoff",
        "accounts",
        "entitlements",
        "manual_steps",
        "provisioning",
        "devices",
        "mailbox",
        "mail_archive",
        "files",
    )
)


@dataclass(frozen=True)
class Kind:
    """The properties of one kind of case.

    :param name: its name in the ledger, on the command line and in files.
    :param title: for a person who reads a record.
    :param verdict: the record's word for a case with nothing open.
    :param proven: the record's sentence for such a case; ``{name}`` is the person.
    :param unproven: the record's sentence while something is open; ``{things}`` is ``1 thing``, ``2 things``.
    :param unproven_word: the record's word while something is open.
    :param parts: a system with none of these capabilities has no part in such a case.
    :param idle: the reason why nothing is missing on a system that the case does not concern; empty when a case of this
        kind concerns each system of the inventory.
    :param limits: the brake's limits that such a case counts against.
    :param takes: whether it ends somebody's access.
    :param ends: whether it ends the employment: no earlier case of the person goes on after it.
    :param returns: whether it gives access back to somebody whose access was taken.
    :param needs_profile: whether it gives what an access profile says.
    :param goes_on: whether a later run continues an open case of this kind, also when the key differs.
    :param newest_only: whether a run may continue only the person's newest case of this kind: somebody who moves back
        has a new move.
    :param changes_access: whether after it the person as a whole has access or has none; a move or a new name does not
        decide that.
    """

    name: str
    title: str
    verdict: str = "complete"
    proven: str = "The case of {name} is complete."
    unproven: str = "{things} still open for {name}."
    unproven_word: str = "open"
    parts: frozenset[str] = _EVERYTHING
    idle: str = ""
    limits: frozenset[str] = frozenset()
    takes: bool = False
    ends: bool = False
    returns: bool = False
    needs_profile: bool = False
    goes_on: bool = True
    newest_only: bool = False
    changes_access: bool = True


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            ONBOARD,
            title="Joining",
            verdict="ready",
            proven="{name} is ready to work.",
            unproven="{name} is not ready: {things} missing.",
            unproven_word="not ready",
            parts=frozenset(("provisioning", "entitlements", "first_sign_in", "manual_steps")),
            idle="the profile gives nothing here",
            returns=True,
            needs_profile=True,
        ),
        Kind(
            TRANSFER,
            title="Moving",
            verdict="moved",
            proven="{name} holds what the new role asks for, and nothing that it does not.",
            parts=frozenset(("provisioning", "entitlements", "manual_steps")),
            limits=frozenset(("movers",)),
            needs_profile=True,
            goes_on=False,
            newest_only=True,
            changes_access=False,
        ),
        Kind(
            OFFBOARD,
            title="Leaving",
            verdict="closed",
            proven="Every way in that we know of is closed for {name}.",
            limits=frozenset(("leavers", "disables")),
            takes=True,
            ends=True,
        ),
        Kind(
            SUSPEND,
            title="On leave",
            verdict="suspended",
            proven="{name} is kept out everywhere, and nothing was taken.",
            parts=frozenset(("cutoff", "manual_steps")),
            limits=frozenset(("disables",)),
            takes=True,
        ),
        Kind(
            RESUME,
            title="Back",
            verdict="back",
            proven="{name} can sign in again wherever the leave had shut them out.",
            parts=_ACCOUNTS,
            idle="nothing was taken here",
            returns=True,
        ),
        Kind(
            REINSTATE,
            title="Reinstated",
            verdict="reinstated",
            proven="{name} has back what can come back; what cannot is listed.",
            idle="nothing was taken here",
            returns=True,
            goes_on=False,
        ),
        Kind(RENAME, title="Renamed", parts=_ACCOUNTS, changes_access=False),
        Kind(
            WITHDRAW,
            title="Hire withdrawn",
            verdict="withdrawn",
            proven="What the onboarding of {name} made is undone; what they had before stays.",
            idle="nothing was taken here",
            limits=frozenset(("disables",)),
            ends=True,
            goes_on=False,
        ),
        Kind(
            ACCESS,
            title="Access by request",
            verdict="given",
            proven="{name} has what was asked for, until its end.",
            parts=frozenset(("provisioning", "entitlements")),
            idle="nothing was asked for here",
            goes_on=False,
            changes_access=False,
        ),
        Kind(
            ROLLOUT,
            title="Changed profile",
            verdict="up to date",
            proven="{name} holds what the access profile gives today.",
            parts=frozenset(("provisioning", "entitlements")),
            idle="the profile gives nothing here",
            needs_profile=True,
            goes_on=False,
            changes_access=False,
        ),
    )
}
#: For a kind that is not in KINDS: a reconcile's, or one that a later version wrote.
_OTHER = Kind("", title="")


def kind_of(name: str) -> Kind:
    """Return the properties of a kind of case; those of an ordinary one for an unknown kind."""
    return KINDS.get(name, _OTHER)

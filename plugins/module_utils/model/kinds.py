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
#: Beyond the profile, for a time; and a changed profile, for everybody who has it. HR knows nothing of either.
ACCESS: Final = "access"
ROLLOUT: Final = "rollout"
#: Not a case of HR's: what a reconcile settles for one person. A plan of the playbook ``followups`` has a kind of its own too.
RECONCILE: Final = "reconcile"
FOLLOWUPS: Final = "followups"

#: The phases of all runs, as the ledger has them: the roles whose steps it keeps.
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

#: The capabilities by which a system has a part in giving somebody back their access, or in calling them by another name.
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
    """What one kind of case means.

    :param name: as the ledger, the command line and the files say it.
    :param title: for a person who reads a record.
    :param verdict: the record's word for a case with nothing open.
    :param proven: the record's sentence for it; ``{name}`` is the person.
    :param unproven: the sentence while something is open; ``{things}`` says how many.
    :param unproven_word: the record's word for that.
    :param parts: a system with none of these capabilities has no part in such a case.
    :param idle: why a system of which the case asks nothing is no gap; empty when each system of the inventory is asked.
    :param limits: the brake's limits that such a case counts against.
    :param takes: whether it ends somebody's access.
    :param ends: whether it ends the whole of an employment, so that nothing from before it goes on.
    :param returns: whether it gives access back to somebody whose access was taken.
    :param needs_profile: whether it gives what an access profile says.
    :param goes_on: whether an open case of this kind is gone on with, whatever its key.
    :param newest_only: whether only the person's newest case of this kind may be gone on with: who moves back has moved again.
    :param changes_access: whether the person has more or less access after it; a move or a new name says nothing of that.
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
#: For a case whose kind is not of these: a reconcile's, or one that a later version wrote.
_OTHER = Kind("", title="")


def kind_of(name: str) -> Kind:
    """Return what a kind of case means; of one that is not among them, that it means nothing special."""
    return KINDS.get(name, _OTHER)

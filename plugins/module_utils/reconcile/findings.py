# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The findings of a reconcile: the severity and the words of each kind, and the command that corrects it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from ..model import commands
from ..model.answers import PersonRecord

SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Kind:
    """One kind of finding: its title, why it is wrong, and what to do. ``fix`` is what ``-e fix=`` does; "" when only a
    person can."""

    title: str
    severity: str
    why: str
    todo: str
    fix: str = ""


#: Kinds that rest on HR not having the person.
OF_NOBODY = frozenset({"orphan", "leaver_returned", "credential_maker_gone", "device_owner_gone"})
KINDS: Mapping[str, Kind] = {
    "leaver_returned": Kind(
        "A closed leaver is back",
        "critical",
        "Their leaving was proven and closed, and now an account of theirs is active again.",
        "Cut the account off, and ask who let it in.",
        "cutoff",
    ),
    "leaver_active": Kind(
        "A leaver can still sign in",
        "high",
        "HR says that this person has left; the account is active.",
        "Offboard the person.",
        "cutoff",
    ),
    "orphan": Kind(
        "Nobody in HR",
        "high",
        "Nothing that the account says of itself points to anybody in HR, and no link says whose it was.",
        "Suspend it; or name its pattern under reconcile.service when it belongs to no person.",
        "suspend",
    ),
    "separation": Kind(
        "Two that nobody may hold together",
        "high",
        "Policy says that no one person may hold both.",
        "Take one of them away.",
    ),
    "credential_maker_gone": Kind(
        "A key that outlived its maker",
        "high",
        "It works without anybody signing in, and who made it has left, or has no active account.",
        "Revoke it, or give it a new owner.",
    ),
    "device_owner_gone": Kind(
        "A device of somebody who is gone",
        "high",
        "It is assigned to somebody who has left, or whom HR does not know.",
        "Secure the device, and get it back.",
    ),
    "device_unencrypted": Kind(
        "A device that is not encrypted",
        "high",
        "Whoever finds it can read what is on it.",
        "Have its owner turn encryption on; lock it until then.",
    ),
    "device_unmanaged": Kind(
        "A device that is not enrolled", "medium", "It can be neither locked nor wiped.", "Have its owner enrol it."
    ),
    "device_not_compliant": Kind(
        "A device that does not comply",
        "medium",
        "The management says that it is not as it must be.",
        "Have its owner mend it.",
    ),
    "device_unowned": Kind("A device without an owner", "medium", "Nobody answers for it.", "Assign it, or retire it."),
    "entitlement_extra": Kind(
        "More than the profile gives",
        "medium",
        "No access profile explains it.",
        "Take it, or put it into the profile.",
        "take",
    ),
    "account_extra": Kind(
        "An account that the profile does not give",
        "medium",
        "The person's access profile has nothing on this system.",
        "Bring the person to their profile, or put the system into it.",
    ),
    "ambiguous": Kind(
        "Whose account is it?",
        "medium",
        "What the account says of itself does not show beyond doubt whose it is.",
        "Correct the address or the employee id, here or in HR: until then a run stops at it.",
    ),
    "dormant": Kind(
        "Nobody has used it",
        "medium",
        "The account is active, and has not been used for a long time.",
        "Suspend it, or ask its owner.",
        "suspend",
    ),
    "duplicate": Kind(
        "More than one account",
        "medium",
        "A leaver's run cuts all of them; every other run stops when two are equally theirs.",
        "Delete the one that is not needed, or correct its keys when it is somebody else's.",
    ),
    "entitlement_missing": Kind(
        "Less than the profile gives",
        "low",
        "The access profile gives it, and it is not held.",
        "Give it, or take it out of the profile.",
        "give",
    ),
    "account_missing": Kind(
        "No account, though the profile gives one",
        "low",
        "The access profile names this system.",
        "Make it, with what the profile gives.",
        "make",
    ),
    "leaver_holds": Kind(
        "A leaver's account still holds things",
        "low",
        "Nobody can sign in, but licences cost, and groups come back with the account.",
        "Offboard the person to the end.",
    ),
}


class FindingLine(TypedDict):
    """A finding as plain data, for the report; see :class:`Finding` for the fields."""

    id: str
    kind: str
    severity: str
    system: str
    ident: str
    account: str
    n: int | None
    detail: str
    said: str
    facts: dict[str, Any]
    fix: dict[str, str]
    protected: str


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. ``n`` is the person's number in the index; None for nobody, or for more than one.

    ``account`` is the name that people read (login, serial, name), ``ident`` the system's own id, which never changes.
    ``detail`` distinguishes two findings of one kind and account. ``certain``: there is no doubt about the finding, so
    that a run may correct it.
    """

    kind: str
    system: str
    ident: str
    account: str
    n: int | None = None
    detail: str = ""
    severity: str = ""
    said: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    fix: Mapping[str, str] = field(default_factory=dict)
    certain: bool = True
    protected: str = ""

    @property
    def id(self) -> str:
        """Return an id that is the same in every run while the finding exists."""
        text = "\n".join((self.kind, self.system, self.ident, self.detail))
        return "f-" + hashlib.sha256(text.encode()).hexdigest()[:12]

    def line(self) -> FindingLine:
        """Return the finding as plain data, for the report."""
        return {
            "id": self.id,
            "kind": self.kind,
            "severity": self.severity or KINDS[self.kind].severity,
            "system": self.system,
            "ident": self.ident,
            "account": self.account,
            "n": self.n,
            "detail": self.detail,
            "said": self.said,
            "facts": dict(self.facts),
            "fix": dict(self.fix) if self.certain and not self.protected else {},
            "protected": self.protected,
        }


def command(line: FindingLine, person: PersonRecord, capabilities: Collection[str]) -> str:
    """Return the command that corrects a finding; the command that looks again, where a person must correct it by hand.

    :param capabilities: the capabilities of the finding's system.
    """
    kind, system = line["kind"], line["system"]
    user = person.get("employee_id") or person.get("email") or ""
    if kind in ("leaver_active", "leaver_holds") and user:
        return commands.command("offboard", user=user)
    if line["fix"]:
        return commands.command("reconcile", fix=line["id"])
    if kind in ("account_extra", "account_missing") and user:
        return commands.command("transfer", user=user)
    if kind in ("device_owner_gone", "credential_maker_gone") and user:
        return commands.command("offboard", user=user)
    if kind == "separation":
        wanted = {
            "person": {"email": person["email"]},
            "mode": "remove",
            "wanted": {line["facts"]["kind"]: [line["facts"]["name"]]},
        }
        return _adhoc(line["facts"]["take_on"], "entitlements", wanted)
    if kind == "device_unowned":
        return _adhoc(system, "device_assignment", {"person": {"email": "NEW.OWNER"}, "serial": line["account"]})
    if (
        kind in ("device_owner_gone", "device_unencrypted")
        and "@" in str(line["facts"].get("owner") or "")
        and "devices" in capabilities
    ):
        return _adhoc(system, "device", {"person": {"email": line["facts"]["owner"]}, "company": "lock"})
    return look_again(system)


def look_again(system: str) -> str:
    """Return the command that looks at one system again."""
    return commands.command("reconcile", only=system)


def _adhoc(system: str, module: str, args: Mapping[str, Any]) -> str:
    return commands.ad_hoc(system, module, args)

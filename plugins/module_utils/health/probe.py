# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Examines one system before the first run: is it reachable, is the credential valid, and has it each capability's
permission?

It only reads: for each capability, it looks up a person who does not exist, as in check mode.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model.errors import (
    AuthenticationFailed,
    CertificateError,
    CredentialError,
    LifecycleError,
    NotFound,
    PermissionDenied,
    Unavailable,
    Unsupported,
)
from ..model.person import Person
from ..sdk.capabilities import capabilities_of
from ..sdk.protocols import AccountListing, Entitlements, Foresees, Ticketing, everybody
from ..sdk.target import Connector
from .endpoint import Endpoint, look_at

NOBODY = Person.of(
    {
        "email": "nobody.doctor@lifecycle.invalid",
        "employee_id": "lifecycle-doctor",
        "hr_id": "lifecycle-doctor",
        "first_name": "Nobody",
        "last_name": "Doctor",
    }
)
#: By how many seconds the system's clock may differ from ours, and how many days a certificate must still be valid.
CLOCK_SECONDS, CERTIFICATE_DAYS = 120.0, 21
#: A permission in the form that stands in a token: ``User.Read.All``, ``admin.users:read``.
_NAME = re.compile(r"[A-Za-z][\w-]*([.:][\w-]+)+")


def _first(items: Iterable[Any]) -> object:
    return next(iter(items), None)


#: capability -> the look-up that shows whether the credential has the permission to read.
QUESTIONS: Mapping[str, Callable[[Any], object]] = {
    "hr_records": lambda system: system.find_people(NOBODY.email),
    "accounts": lambda system: system.find_account(NOBODY),
    "restorable": lambda system: system.find_deleted(NOBODY),
    "entitlements": lambda system: [system.find_entitlement(kind, "doctor") for kind in system.ENTITLEMENT_KINDS[:1]],
    "mailbox": lambda system: system.mailbox(NOBODY),
    "mail_archive": lambda system: system.mail_folders(NOBODY),
    "calendar": lambda system: system.find_meeting(NOBODY, "doctor"),
    "files": lambda system: system.files(NOBODY),
    "manual_steps": lambda system: system.find_ticket("lifecycle-doctor") if isinstance(system, Ticketing) else None,
    "devices": lambda system: system.find_device("LIFECYCLE-DOCTOR"),
    "device_enrolment": lambda system: (system.management(), system.enrolment("LIFECYCLE-DOCTOR")),
    "account_listing": lambda system: _first(system.all_accounts()),
    "device_listing": lambda system: _first(system.all_devices()),
    "credential_listing": lambda system: _first(system.all_credentials()),
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: ``kind`` is ``reach``, ``certificate``, ``clock``, ``credential``, ``permission``, ``setup`` or ``answer``."""

    kind: str
    what: str
    fix: str = ""
    capability: str = ""


@dataclass
class Health:
    """The health of one system."""

    reached: bool = False
    problems: list[Problem] = field(default_factory=list)
    #: capability -> permission, in the vendor's words -> ``present``, ``missing`` or ``not shown``.
    permissions: dict[str, dict[str, str]] = field(default_factory=dict)
    endpoint: Endpoint = field(default_factory=Endpoint)


def examine(system: Connector) -> Health:
    """Examine one system, and return its health."""
    health = Health(endpoint=look_at(system.target))
    _judge_endpoint(health)
    asked = _ask(system, health)
    try:
        granted = system.granted() if health.reached else None
    except LifecycleError:
        granted = None  # the question above has said why
    for capability in capabilities_of(type(system)):
        names = system.PERMISSIONS.get(capability) or ()
        health.permissions[capability] = {
            name: _state(name, granted, asked.get(capability))
            for name in names
            if asked.get(capability) != "unsupported"
        }
        missing = [name for name, state in health.permissions[capability].items() if state == "missing"]
        if missing and asked.get(capability) != "refused":
            health.problems.append(
                Problem(
                    "permission", f"{capability} lacks {', '.join(missing)}", "grant it to the credential", capability
                )
            )
    if health.reached and isinstance(system, Foresees):
        health.problems += _foreseen(system)
    return health


def _foreseen(system: Foresees) -> list[Problem]:
    """Return the obstacles that a later write would meet."""
    try:
        return [
            Problem("setup", f"{capability}: {what}", fix, capability) for capability, what, fix in system.unready()
        ]
    except LifecycleError:
        return []  # the questions have said why


def _ask(system: Connector, health: Health) -> dict[str, str]:
    """Try the look-up of each capability; return capability -> ``answered``, ``refused``, ``unsupported`` or
    ``failed``."""
    asked: dict[str, str] = {}
    for capability in capabilities_of(type(system)):
        question = QUESTIONS.get(capability)
        if question is None:
            continue
        try:
            question(system)
            asked[capability] = "answered"
        except PermissionDenied as e:
            asked[capability] = "refused"
            needs = ", ".join(system.PERMISSIONS.get(capability) or ()) or "a permission"
            health.problems.append(
                Problem(
                    "permission",
                    f"{capability} is refused ({e.what})",
                    ". ".join(filter(None, (f"needed: {needs}", e.hint))),
                    capability,
                )
            )
        except Unsupported:
            asked[capability] = "unsupported"
        except NotFound:
            asked[capability] = "answered"
        except LifecycleError as e:
            asked[capability] = "failed"
            problem = _problem(e, capability)
            if problem not in health.problems:
                health.problems.append(problem)
            if problem.kind in ("reach", "credential", "certificate"):
                return asked
        health.reached = True
    health.reached = health.reached or not asked
    return asked


def _problem(error: LifecycleError, capability: str) -> Problem:
    if isinstance(error, CertificateError):
        return Problem("certificate", error.what, error.hint)
    if isinstance(error, (AuthenticationFailed, CredentialError)):
        return Problem("credential", error.what, error.hint)
    if isinstance(error, Unavailable):
        # "500" alone says little: the message names the act too.
        return Problem("reach", f"{error.act}: {error.what}" if error.status else error.what, error.hint)
    return Problem("answer", f"{capability}: {error.what}", error.hint, capability)


def _judge_endpoint(health: Health) -> None:
    seen = health.endpoint
    if seen.certificate_days is not None and seen.certificate_days < CERTIFICATE_DAYS:
        health.problems.append(
            Problem(
                "certificate",
                f"its certificate ends in {seen.certificate_days} days ({seen.certificate_ends[:10]})"
                if seen.certificate_days >= 0
                else f"its certificate ended on {seen.certificate_ends[:10]}",
                "renew it",
            )
        )
    if seen.clock_off is not None and abs(seen.clock_off) > CLOCK_SECONDS:
        way = "ahead of" if seen.clock_off > 0 else "behind"
        health.problems.append(
            Problem("clock", f"its clock is {abs(seen.clock_off):.0f} s {way} this machine's", "set both by NTP")
        )


def _state(name: str, granted: frozenset[str] | None, asked: str | None) -> str:
    """Return the state of one permission, from the credential's own list and from the look-up's answer."""
    if asked == "refused" and granted is None:
        return "missing"
    if granted is None or not _NAME.fullmatch(name):
        return "present" if asked == "answered" and granted is None and _reads(name) else "not shown"
    if name in granted or name.replace(".Read.", ".ReadWrite.") in granted:
        return "present"
    # A wider permission may include it: Directory.Read.All includes User.Read.All.
    return "present" if asked == "answered" and _reads(name) else "missing"


def _reads(name: str) -> bool:
    return bool(re.search(r"(?i)\.read\b|:read\b|\(read\)|^read |^view|:Get|:List|\.readonly", name))


def unread_holders(system: AccountListing, entitlements: Iterable[tuple[str, str]]) -> list[Problem]:
    """Return a problem for each entitlement that policy protects and whose holders can't be read: no run would begin."""
    problems = []
    for kind, name in entitlements:
        try:
            for _name in everybody(system, kind, name):
                pass
        except LifecycleError as e:
            what = f"who has {kind} {name}, which policy protects, can't be read ({e.what}), so that no run begins"
            problems.append(Problem("permission", what, e.hint, "account_listing"))
    return problems


def unknown_entitlements(system: Entitlements, wanted: Mapping[str, Iterable[str]]) -> list[Problem]:
    """Return a problem for each entitlement that an access profile names and this system does not have."""
    problems = []
    for kind, names in wanted.items():
        for name in names:
            try:
                found = system.find_entitlement(kind, name) is not None
            except NotFound:
                found = False
            except LifecycleError:
                continue  # the questions have said why
            if not found:
                fix = "correct the profile, or make it there"
                problems.append(
                    Problem("profile", f"a profile names {kind} {name}, which is not there", fix, "entitlements")
                )
    return problems

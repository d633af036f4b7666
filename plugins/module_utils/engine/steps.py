# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The steps of each module, the usual one first, and the arguments that each step takes from a case.

All functions are pure: they get a case and facts, and return arguments. Where a module has several steps, a role names
one with ``step:``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from ..company.policy import like
from ..model.case import OpenCase
from ..model.kinds import ACCESS, KINDS, OFFBOARD, ONBOARD, ROLLOUT, SUSPEND, TRANSFER, WITHDRAW
from .case_step import CaseStep, Here, Names, OfCase, everybody

Steps = Mapping[str, CaseStep]
Arguments: TypeAlias = "Mapping[str, Any] | None"

#: The platforms of Apple's devices, as profiles name them.
APPLE = ("macOS", "iOS", "iPadOS", "tvOS", "visionOS", "watchOS")
#: The phase that brings a leaver's data to safety.
_PRESERVED = ("preserve",)
#: The kinds that compare an old profile with a new one.
_BY_PROFILE = (TRANSFER, ROLLOUT)


# -- cutoff --------------------------------------------------------------------------------------------------------------


def _cut_again(case: OpenCase, here: Here) -> Arguments:
    return {} if case.kind in (OFFBOARD, SUSPEND) else None


def _cut_mover(case: OpenCase, here: Here) -> Arguments:
    if case.kind not in _BY_PROFILE or here.system in case.wanted or case.overlap_until or _never_named(case, here):
        return None
    return {
        "explained": (case.explained or {}).get(here.system),
        "unexplained": _unexplained(case, here),
        "keep": _kept(case, here),
    }


def _cut_withdrawn(case: OpenCase, here: Here) -> Arguments:
    return {} if "created" in _made(case, here) else None


def _cut_found(case: OpenCase, here: Here) -> Arguments:
    return {"account_id": here.fix.account_id} if here.fix is not None and here.fix.do == "cutoff" else None


CUTOFF: Steps = {
    "cut": CaseStep(everybody),
    "look": CaseStep(_cut_again, looks="again"),
    "adjust": CaseStep(_cut_mover),
    WITHDRAW: CaseStep(_cut_withdrawn),
    "withdraw_look": CaseStep(_cut_withdrawn, looks="again"),
    "fix": CaseStep(_cut_found),
}


# -- account -------------------------------------------------------------------------------------------------------------


def _account_given(case: OpenCase, here: Here) -> Arguments:
    if not _provisioned(case, here):
        return None
    return {"state": "prepared" if here.settings.stage == "prepare" else "present"}


def _account_of_mover(case: OpenCase, here: Here) -> Arguments:
    concerned = case.kind in _BY_PROFILE and here.system in case.wanted and "provisioning" in here.capabilities
    return {"state": "present"} if concerned else None


def _account_asked_for(case: OpenCase, here: Here) -> Arguments:
    return {"state": "present"} if here.system in (case.facts.others.get("seats") or ()) else None


def _account_withdrawn(case: OpenCase, here: Here) -> Arguments:
    made = _made(case, here)
    cut = "created" in made and "cutoff" in here.capabilities
    return {"state": "suspended"} if made.get("suspend") and not cut else None


def _account_deleted(case: OpenCase, here: Here) -> Arguments:
    return {"state": "absent", "confirm": list(here.settings.confirm)} if _is_due(here, "delete_account") else None


def _account_found(case: OpenCase, here: Here) -> Arguments:
    if here.fix is not None and here.fix.do == "make":
        return {"state": "present"}
    meant = ("suspend",) if "cutoff" in here.capabilities else ("suspend", "cutoff")
    concerned = here.fix is not None and here.fix.do in meant
    return {"account_id": here.fix.account_id, "state": "suspended"} if concerned and here.fix is not None else None


ACCOUNT: Steps = {
    "provision": CaseStep(_account_given),
    "adjust": CaseStep(_account_of_mover),
    ACCESS: CaseStep(_account_asked_for),
    WITHDRAW: CaseStep(_account_withdrawn),
    "delete": CaseStep(_account_deleted, name="delete_account", requires=_PRESERVED),
    "fix": CaseStep(_account_found),
}


# -- entitlements --------------------------------------------------------------------------------------------------------


def _left_before(case: OpenCase, here: Here) -> Arguments:
    concerned = here.adopted and not here.unread and here.system in case.wanted
    return {"mode": "remove", "keep": case.wanted[here.system]} if concerned else None


def _given(case: OpenCase, here: Here) -> Arguments:
    if not _provisioned(case, here):
        return None
    return {"wanted": case.wanted[here.system], "mode": "exact" if here.adopted else "add"}


def _taken(case: OpenCase, here: Here) -> Arguments:
    return {"mode": "remove"} if case.kind == OFFBOARD else None


def _asked_for(case: OpenCase, here: Here) -> Arguments:
    wanted = case.wanted.get(here.system) if case.kind == ACCESS else None
    return {"wanted": wanted, "mode": "add"} if wanted else None


def _adjusted(case: OpenCase, here: Here) -> Arguments:
    if case.kind not in _BY_PROFILE or _never_named(case, here):
        return None
    return {
        "wanted": case.wanted.get(here.system) or {},
        "mode": "exact" if here.system in case.wanted else "remove",
        "explained": (case.explained or {}).get(here.system) or {},
        "unexplained": _unexplained(case, here),
        "take_after": case.overlap_until,
        "keep": _kept(case, here),
    }


def _profile_given(case: OpenCase, here: Here) -> Arguments:
    if case.kind in _BY_PROFILE:
        return _adjusted(case, here)
    if case.kind == OFFBOARD or here.system not in case.wanted:
        return None
    return {"wanted": case.wanted[here.system], "mode": "exact" if here.adopted else "add"}


def _separated(case: OpenCase, here: Here) -> Arguments:
    return {"wanted": here.take_first, "mode": "remove"} if here.take_first else None


def _withdrawn(case: OpenCase, here: Here) -> Arguments:
    given = _made(case, here).get("entitlements")
    return {"wanted": given, "mode": "remove"} if given is not None else None


def _found(do: str, mode: str) -> OfCase:
    def of_case(case: OpenCase, here: Here) -> Arguments:
        if mode == "add" and here.fix is not None and here.fix.do == "make":
            return {"wanted": here.fix.wanted, "mode": mode} if here.fix.wanted else None
        if here.fix is None or here.fix.do != do:
            return None
        return {"account_id": here.fix.account_id, "wanted": here.fix.wanted, "mode": mode}

    return of_case


ENTITLEMENTS: Steps = {
    "provision": CaseStep(_given),
    "left_before": CaseStep(_left_before, name="left before"),
    "reclaim": CaseStep(_taken, requires=_PRESERVED),
    "adjust": CaseStep(_adjusted),
    ACCESS: CaseStep(_asked_for),
    "separate": CaseStep(_separated, name="separation", stops=True),
    "look_given": CaseStep(_profile_given, looks="again"),
    "look_taken": CaseStep(_taken, looks="again"),
    WITHDRAW: CaseStep(_withdrawn),
    "withdraw_look": CaseStep(_withdrawn, looks="again"),
    "fix_take": CaseStep(_found("take", "remove")),
    "fix_give": CaseStep(_found("give", "add")),
}


def _names_to_read(case: OpenCase, here: Here) -> Arguments:
    names = (case.wanted, case.explained or {}, here.settings.keep)
    return {"policy": here.settings.policy, "names": [dict(one.get(here.system) or {}) for one in names]}


ENTITLEMENTS_INFO: Steps = {"separate": CaseStep(_names_to_read, stops=True)}


# -- mail, files, meetings, what they own --------------------------------------------------------------------------------


def _mailbox_kept(case: OpenCase, here: Here) -> Arguments:
    said = here.settings.mailbox
    reply = f"{case.person.name} no longer works here."
    if case.successor:
        reply += f" Please write to {case.successor}."
    return {
        "hold": said.get("hold", True),
        "export": said.get("export"),
        "type": said.get("type", "shared"),
        "delegates": [case.successor] if case.successor else [],
        "forward_to": said.get("forward_to"),
        "auto_reply": said.get("auto_reply", reply),
        "hidden": said.get("hidden", True),
    }


def _mailbox_of_before(case: OpenCase, here: Here) -> Arguments:
    """Return the arguments that give back a mailbox that existed before, or that expect one where the profile names the
    system."""
    given_back = {"type": "user", "delegates": [], "forward_to": "", "auto_reply": "", "hidden": False}
    expected = case.kind == ONBOARD and here.system in case.wanted and here.settings.stage != "prepare"
    if not (expected or here.adopted_somewhere):
        return None
    return {**(given_back if here.adopted_somewhere else {}), "expected": expected}


def _mailbox_on_leave(case: OpenCase, here: Here) -> Arguments:
    said = here.settings.leave
    return {"auto_reply": said["auto_reply"]} if "auto_reply" in said else None


def _forwarding_ended(case: OpenCase, here: Here) -> Arguments:
    return {"forward_to": ""} if _is_due(here, "end_forwarding") else None


def _held(case: OpenCase, here: Here) -> Arguments:
    """Return the arguments that only hold the mail, for a silent departure: others can see every other setting of the
    mailbox."""
    return {"hold": here.settings.mailbox.get("hold", True)} if case.facts.others.get("silent") else None


MAILBOX: Steps = {
    "preserve": CaseStep(_mailbox_kept, shows=True),
    "hold": CaseStep(_held, name="hold"),
    "provision": CaseStep(_mailbox_of_before),
    "leave": CaseStep(_mailbox_on_leave),
    "end_forwarding": CaseStep(_forwarding_ended, name="end_forwarding"),
}


def _archive(case: OpenCase, here: Here) -> Arguments:
    path = f"{here.settings.archive}/{case.person.email}/{here.system}"
    return {"path": path, "exported": bool(here.settings.mailbox.get("export"))}


def _successor(case: OpenCase, here: Here) -> Arguments:
    return {"successor": case.successor}


def _came_back(case: OpenCase, here: Here) -> Arguments:
    said = here.due.serials if here.due is not None and _is_due(here, "check_in") else ()
    return {"serials": list(said)} if said else None


def _owned_still(case: OpenCase, here: Here) -> Arguments:
    """Return the arguments that look, after a check-in, at what the person still has."""
    return _successor(case, here) if _is_due(here, "check_in") else None


MAILBOX_ARCHIVE: Steps = {"preserve": CaseStep(_archive)}
#: Of files and meetings.
HANDED_OVER: Steps = {"preserve": CaseStep(_successor, shows=True)}
OWNERSHIP: Steps = {**HANDED_OVER, "look": CaseStep(_owned_still, looks="again")}
HARDWARE_RETURN: Steps = {"check_in": CaseStep(_came_back, name="check_in")}


# -- devices and controls ------------------------------------------------------------------------------------------------


def _secured(case: OpenCase, here: Here) -> Arguments:
    said = here.settings.devices
    return {
        "company": said.get("company", "lock"),
        "personal": said.get("personal", "retire"),
        "confirm": list(here.settings.confirm),
        "follow": said.get("follow", 0),
    }


def _locked_on_leave(case: OpenCase, here: Here) -> Arguments:
    locked = str(here.settings.leave.get("lock_devices", False)).lower() in ("1", "true", "yes", "on")
    return {"company": "lock", "personal": "keep"} if locked else None


def _serial(case: OpenCase, here: Here) -> str:
    return str(here.settings.serials.get(case.person.email) or here.settings.device_serial)


def _manages(case: OpenCase, here: Here) -> bool:
    """Return whether this system manages the profile's device; where the profile names no system, each device
    management does."""
    return case.device.get("system") in (None, here.system)


def _assigned(case: OpenCase, here: Here) -> Arguments:
    if not case.device or not _manages(case, here):
        return None
    asked = {name: case.device.get(name) or "" for name in ("platform", "model")}
    return {"serial": _serial(case, here), "stock": here.settings.stock or None, **asked}


def _enrolled(case: OpenCase, here: Here) -> Arguments:
    """Return the arguments that enrol the device that the run names, or that the case has given; the register knows no
    people."""
    asked = {name: str(case.device.get(name) or "") for name in ("platform", "model")}
    apple = not asked["platform"] or any(like(platform, [asked["platform"]]) for platform in APPLE)
    if case.kind != ONBOARD or not case.device or not apple:
        return None
    return {"serial": _serial(case, here), "stock": here.settings.stock or None, **asked}


def _device_ready(case: OpenCase, here: Here) -> Arguments:
    if case.kind != ONBOARD or not case.device or not _manages(case, here):
        return None
    return {
        "serial": _serial(case, here),
        "software": case.device.get("software") or [],
        "before_day": here.settings.stage == "prepare",
        "require_ready": True,
    }


def _controls_hold(case: OpenCase, here: Here) -> Arguments:
    # Before the day nobody can have registered a second factor.
    return {"required": list(case.controls)} if case.kind == ONBOARD and here.settings.stage != "prepare" else None


DEVICE: Steps = {"secure": CaseStep(_secured), "leave": CaseStep(_locked_on_leave)}
DEVICE_ASSIGNMENT: Steps = {"prepare": CaseStep(_assigned)}
DEVICE_ENROLMENT: Steps = {"prepare": CaseStep(_enrolled)}
DEVICE_INFO: Steps = {"look": CaseStep(_device_ready, looks="again")}
CONTROLS_INFO: Steps = {"look": CaseStep(_controls_hold, looks="again")}


# -- a joiner's first day ------------------------------------------------------------------------------------------------


def _existing(case: OpenCase, here: Here) -> Arguments:
    return {} if here.system in case.wanted or "provisioning" not in here.capabilities else None


def _expected_there(case: OpenCase, here: Here) -> Arguments:
    """Return the arguments that look for what a joiner's profile names and no run makes: a mailbox on an IMAP server, a
    drive."""
    wanted = case.kind == ONBOARD and here.system in case.wanted and here.settings.stage != "prepare"
    makes_none = {"files", "mail_archive"} & set(here.capabilities) and "mailbox" not in here.capabilities
    return {"expected": True} if wanted and makes_none and not here.unread else None


def _first_credential(case: OpenCase, here: Here) -> Arguments:
    # The account is opened, and its credential issued, on the day.
    if here.unread or here.settings.stage == "prepare" or _not_named(case, here):
        return None
    return {"deliver_to": case.person.manager_email, "lifetime_minutes": _lifetime(here)}


def _credential_again(case: OpenCase, here: Here) -> Arguments:
    if "access" not in _restored(case, here):
        return None
    to = here.settings.first_sign_in.get("deliver_to", case.person.manager_email)
    return {"deliver_to": to, "lifetime_minutes": _lifetime(here)}


def _lifetime(here: Here) -> int:
    return int(here.settings.first_sign_in.get("lifetime_minutes", 480))


def _orientation(case: OpenCase, here: Here) -> Arguments:
    if here.unread or not case.orientation:
        return None
    person = case.person
    return {
        "organizer": case.orientation["organiser"],
        "attendees": case.orientation["attendees"],
        "subject": case.orientation.get("subject", f"Welcome, {person.first_name or person.email}"),
        "body": "\n".join(case.orientation.get("agenda") or ()),
        "minutes": case.orientation.get("minutes", 60),
        "earliest": case.first_day["earliest"],
        "latest": case.first_day["latest"],
        "time_zone": person.time_zone or "UTC",
        "marker": f"orientation-{person.employee_id or person.email}",
    }


def _answers_asked_for(case: OpenCase, here: Here) -> Arguments:
    said = case.orientation if _is_due(here, "ask_answers") else {}
    return {"state": "answers", "organizer": said["organiser"], "marker": said["marker"]} if said else None


def _to_hr(case: OpenCase, here: Here) -> Arguments:
    if case.kind != ONBOARD or here.unread or not here.settings.address_rule:
        return None
    return {"policy": here.settings.policy or None}


EXISTING_INFO: Steps = {
    "look": CaseStep(_existing, looks="first"),
    "expected": CaseStep(_expected_there, name="expected", looks="again"),
}
FIRST_SIGN_IN: Steps = {"welcome": CaseStep(_first_credential), "restore": CaseStep(_credential_again)}
HR_ADDRESS: Steps = {"tell": CaseStep(_to_hr)}
MEETING: Steps = {"orientation": CaseStep(_orientation), "answers": CaseStep(_answers_asked_for)}


# -- by hand, by another name, and back ----------------------------------------------------------------------------------


def _by_hand(case: OpenCase, here: Here) -> Arguments:
    """Return the arguments that list what a person must do on this system; on a ticket system, also what is open on the
    others."""
    named = not _not_named(case, here)
    if case.kind not in KINDS or not (named or here.open_items):
        return None
    more = {"open_items": [*here.open_items], "listed": named} if here.open_items else {}
    return {"kind": case.kind, **more}


def _back_by_hand(case: OpenCase, here: Here) -> Arguments:
    return {"kind": case.kind} if case.restore or case.made else None


def _renamed(case: OpenCase, here: Here) -> Arguments:
    return {"policy": here.settings.policy or None}


MANUAL_STEP: Steps = {"say": CaseStep(_by_hand), "undo": CaseStep(_back_by_hand)}
RENAME: Steps = {"rename": CaseStep(_renamed), "look": CaseStep(_renamed, looks="again")}


def _back(part: str, *needs: str) -> OfCase:
    """Make a step that gives back one part of what a case took here, when the case took one of ``needs``."""

    def of_case(case: OpenCase, here: Here) -> Arguments:
        taken = _restored(case, here)
        return {"part": part, "taken": taken} if any(name in taken for name in needs or (part,)) else None

    return of_case


def _undone(part: str, needs: str = "") -> OfCase:
    """Make a step that undoes one part of what an onboarding made here."""

    def of_case(case: OpenCase, here: Here) -> Arguments:
        made = _made(case, here)
        return {"part": part, "taken": made} if (needs or part) in made else None

    return of_case


RESTORE: Steps = {
    "account": CaseStep(_back("account", "deleted", "suspended"), name="restore account"),
    "access": CaseStep(_back("access"), name="restore access"),
    "entitlements": CaseStep(_back("entitlements"), name="restore entitlements"),
    "mailbox": CaseStep(_back("mailbox"), name="restore mailbox"),
    "handed_over": CaseStep(
        _back("handed_over", "files", "owned", "let_in", "lost"), name="restore what was handed over"
    ),
    "look_access": CaseStep(_back("access"), name="restore access", looks="again"),
    "look_entitlements": CaseStep(_back("entitlements"), name="restore entitlements", looks="again"),
    "undo_mailbox": CaseStep(_undone("mailbox"), name="restore mailbox"),
    "undo_attributes": CaseStep(_undone("attributes"), name="restore attributes"),
    "undo_meeting": CaseStep(_undone("meeting"), name="restore meeting"),
    "undo_lost": CaseStep(_undone("handed_over", "lost"), name="restore what is left"),
}


# -- what several ask ----------------------------------------------------------------------------------------------------


def _provisioned(case: OpenCase, here: Here) -> bool:
    """Return whether the profile gives something here, and a run may give it now.

    Before the first day only a system with ``first_sign_in`` is made ready: any other would invite the person at once.
    Nothing is changed where no step could read what is there already.
    """
    ready = here.settings.stage != "prepare" or "first_sign_in" in here.capabilities
    return here.system in case.wanted and ready and not here.unread


def _never_named(case: OpenCase, here: Here) -> bool:
    """Return whether neither the changed profile nor the profile before the change names this system."""
    return case.kind == ROLLOUT and here.system not in case.wanted and here.system not in (case.explained or {})


def _not_named(case: OpenCase, here: Here) -> bool:
    """Return whether a joiner's profile names systems, and not this one: nobody is asked for the badge of a contractor
    without one."""
    return case.kind == ONBOARD and bool(case.wanted) and here.system not in case.wanted


def _restored(case: OpenCase, here: Here) -> Mapping[str, Any]:
    return (case.restore or {}).get(here.system) or {}


def _made(case: OpenCase, here: Here) -> Mapping[str, Any]:
    return (case.made or {}).get(here.system) or {}


def _is_due(here: Here, step: str) -> bool:
    return here.due is not None and here.due.word == "act" and here.due.step == step


def _unexplained(case: OpenCase, here: Here) -> str:
    return (case.unexplained or {}).get(here.system) or "remove"


def _kept(case: OpenCase, here: Here) -> Names:
    """Return the names that a transfer does not touch here, from the settings and from the case."""
    general, own = here.settings.keep.get(here.system) or {}, (case.keep or {}).get(here.system) or {}
    return {
        kind: [name for name in general.get(kind) or () if name not in (own.get(kind) or ())]
        + list(own.get(kind) or ())
        for kind in {**general, **own}
    }

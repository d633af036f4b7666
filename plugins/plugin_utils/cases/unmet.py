# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Refuses, before the first write, a profile that names something which no system of the company has or can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils.company.profiles import Profile
from ...module_utils.connectors.registry import connector_class
from ...module_utils.model import near
from ...module_utils.model.errors import InputError
from ...module_utils.model.marked_yaml import read_document
from ...module_utils.model.person import Person
from ...module_utils.model.system_facts import Systems
from ...module_utils.model.text import visible

#: The part of a profile, the capability that it needs, and the name of a system with it.
_ASKS = (("device", "devices", "device management"), ("orientation", "calendar", "calendar"))


def refuse_unmet(profiles: Iterable[Profile | None], systems: Systems) -> None:
    """Compare the profiles of a run with what the company's systems can do.

    :param systems: by name, with ``connector`` and ``capabilities``.
    :raises InputError: names file, line, and what is missing.
    """
    for profile in {one.name: one for one in profiles if one is not None}.values():
        for key, capability, called in _ASKS:
            if getattr(profile, key) and not any(capability in one["capabilities"] for one in systems.values()):
                raise read_document(profile.file).error(
                    f"the profile asks for it, and no system of the company is a {called}",
                    key,
                    hint=f"add the system to the systems file, or take {key} out of the profile",
                )
        _refuse_unmanaged(profile, systems)
        known = _controls(systems)
        for number, name in enumerate(profile.controls):
            if name not in known:
                raise read_document(profile.file).error(
                    f"no system of the company knows the control {name}",
                    "controls",
                    number,
                    hint=near.hint(name, known),
                )


def _refuse_unmanaged(profile: Profile, systems: Systems) -> None:
    """Refuse a profile's device whose ``system`` is no device management."""
    able = sorted(name for name, one in systems.items() if "devices" in one["capabilities"])
    named = profile.device.get("system")
    if named and named not in able:
        raise read_document(profile.file).error(
            f"{named} is no device management of the company", "device", "system", hint=f"one of {', '.join(able)}"
        )


def refuse_keep(keep: Mapping[str, Any], systems: Systems, act: str) -> None:
    """Check the names in ``lifecycle_keep``: an entitlement with a misspelt name would be taken.

    :param systems: by name, with ``connector``.
    :raises InputError: names the system or kind that nothing has.
    """
    for system, kinds in keep.items():
        has = (
            getattr(connector_class(systems[system]["connector"], system=system), "ENTITLEMENT_KINDS", ())
            if system in systems
            else ()
        )
        wrong = (
            [(system, systems)] if system not in systems else [(kind, has) for kind in kinds or () if kind not in has]
        )
        for name, known in wrong:
            raise InputError(
                f"lifecycle_keep names {name}{f' on {system}' if name != system else ''}, which no system here has",
                act=act,
                hint=near.hint(name, known),
            )


def refuse_logins(people: Sequence[tuple[Person, Profile | None]], systems: Systems, act: str) -> None:
    """Check each person's login on every system that their profile names, before the first write.

    :param systems: by name, with ``connector``, ``capabilities`` and ``login``, the pattern of logins there.
    :raises InputError: names every system that would refuse it, and why.
    """
    wrong = []
    for person, profile in people:
        for name, one in systems.items():
            connector = connector_class(one["connector"], system=name)
            rule = connector.LOGIN_RULE
            makes = "provisioning" in one["capabilities"] or "mailbox" in one["capabilities"]
            if rule is None or not makes or profile is not None and name not in profile.systems:
                continue
            login = person.login(name, one.get("login") or connector.LOGIN)
            if why := rule.wrong(login):
                wrong.append(f"{name}: {visible(login)} {why}")
    if wrong:
        raise InputError(
            "; ".join(wrong),
            act=act,
            hint="nothing was written anywhere: correct the address in HR, or set the system's option login",
        )


def _controls(systems: Systems) -> set[str]:
    """Return the security controls that some system can show."""
    return {
        str(control)
        for name, one in systems.items()
        if "security_controls" in one["capabilities"]
        for control in getattr(connector_class(one["connector"], system=name), "CONTROLS", ())
    }

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A step of a case: which arguments a module takes from the case and the system, and when it has nothing to do
there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..model.case import OpenCase

#: Entitlement names by kind, on one system.
Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Settings:
    """The settings of a run's steps: variables of the inventory, or given with ``-e`` by the person who starts the run.

    :param mailbox: ``lifecycle_mailbox``: what happens to a leaver's mailbox.
    :param devices: ``lifecycle_devices``: what happens to a leaver's devices.
    :param first_sign_in: ``lifecycle_first_sign_in``: how a joiner gets the first credential.
    :param leave: ``lifecycle_leave``: what a leave of absence does beside the cut.
    :param keep: ``lifecycle_keep``: what a transfer leaves alone, by system.
    :param serials: ``lifecycle_serials``: joiners' devices, by address.
    :param stock: ``lifecycle_stock``: the file of the devices that joiners may be given.
    :param device_serial: ``device_serial``: the device of the one joiner.
    :param archive: ``lifecycle_archive``: the folder of mail archives.
    :param policy: ``lifecycle_policy``: the policy's file.
    :param confirm: ``confirm``: the irreversible acts that are confirmed, by serial or login.
    :param address_rule: the option ``address`` of this HR system: how it makes work addresses.
    :param stage: ``stage``: ``prepare`` when what is made for a joiner stays closed until the day.
    """

    mailbox: Mapping[str, Any] = field(default_factory=dict)
    devices: Mapping[str, Any] = field(default_factory=dict)
    first_sign_in: Mapping[str, Any] = field(default_factory=dict)
    leave: Mapping[str, Any] = field(default_factory=dict)
    keep: Mapping[str, Names] = field(default_factory=dict)
    serials: Mapping[str, str] = field(default_factory=dict)
    stock: str = ""
    device_serial: str = ""
    archive: str = ""
    policy: str = ""
    confirm: Sequence[str] = ()
    address_rule: str = ""
    stage: str = ""


@dataclass(frozen=True)
class Due:
    """A follow-up that is due now.

    :param step: ``delete_account``, ``end_forwarding``, ``check_in`` or ``ask_answers``.
    :param word: ``act`` when a run does it; otherwise a person decides.
    :param serials: for ``check_in``: the hardware that a named person says they have received.
    """

    step: str
    word: str
    serials: Sequence[str] = ()


@dataclass(frozen=True)
class Fix:
    """A finding that this run of reconcile corrects here: ``do`` is ``cutoff``, ``suspend``, ``take``, ``give`` or
    ``make``."""

    do: str
    finding: str
    account_id: str
    wanted: Names = field(default_factory=dict)


@dataclass(frozen=True)
class Here:
    """What a step knows beside the case: the system, the settings, and what earlier steps of the run found about this
    person here.

    :param system: the system's name in the inventory.
    :param capabilities: what its connector can do.
    :param adopted: an account that existed already becomes this joiner's: it gets what the profile gives, and keeps
        nothing else.
    :param adopted_somewhere: ``adopted`` is true on at least one system.
    :param unread: no step could read whether the person has an account here, so nothing may be changed.
    :param take_first: entitlements that may not be held together with the new ones: they are taken before anything is
        given.
    :param open_items: what waits for a person on the other systems, where this one makes tickets: ``{"system", "what", "why"}`` each.
    :param due: the follow-up that the run does, in a run of ``followups``.
    :param fix: the finding that the run corrects, in a reconcile.
    """

    system: str
    capabilities: frozenset[str] = frozenset()
    settings: Settings = Settings()
    adopted: bool = False
    adopted_somewhere: bool = False
    unread: bool = False
    take_first: Names = field(default_factory=dict)
    open_items: Sequence[Mapping[str, str]] = ()
    due: Due | None = None
    fix: Fix | None = None


#: The step's arguments, without ``person``; None when the step does not concern this person here.
OfCase = Callable[[OpenCase, Here], "Mapping[str, Any] | None"]


@dataclass(frozen=True)
class CaseStep:
    """One of the steps that a module does in a case.

    :param of_case: a pure function: see :data:`OfCase`.
    :param name: the name under which the ledger keeps it; the module's, when empty.
    :param requires: the roles (phases) whose steps for this person must be proven before this step may run.
    :param looks: the step changes nothing. ``first``: it looks before anything is done; ``again``: it looks at the end,
        and is left out in check mode. The ledger keeps what it saw; a change that would still be necessary is open.
    :param stops: a failure ends the run for this system. After the failure of any other step the run goes on; the
        ledger keeps it.
    :param shows: colleagues or the person can see the result. In a silent departure the step waits until every way in
        is closed.
    """

    of_case: OfCase
    name: str = ""
    requires: tuple[str, ...] = ()
    looks: Literal["", "first", "again"] = ""
    stops: bool = False
    shows: bool = False

    def ledger_name(self, module: str, here: Here) -> str:
        """Return the name under which the ledger keeps the step."""
        if here.fix is None:
            return self.name or module
        do = "give" if here.fix.do == "make" and module == "entitlements" else here.fix.do
        return f"{do} {here.fix.finding}"


def everybody(case: OpenCase, here: Here) -> Mapping[str, Any]:
    """Return the arguments of a step that concerns everybody: none but the person."""
    return {}

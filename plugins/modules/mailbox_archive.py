#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: mailbox_archive
short_description: Archive a whole mailbox to files, provably complete
version_added: 0.1.0
description:
  - Stores every message of a mailbox, compressed, beside a manifest with folder, date, size and SHA-256 of each.
  - Goes on where an earlier run stopped, whatever stopped it, and stores nothing twice. A complete archive is read back in full, every hash compared,
    and held against the mailbox; mail that arrived since is added.
  - Needs the Python library zstandard.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
seealso:
  - module: workforce.lifecycle.mailbox
  - name: "The mailbox archive"
    description: The page of the collection's documentation.
    link: https://github.com/workforce-lifecycle/workforce.lifecycle/blob/main/docs/mailbox-archive.md
extends_documentation_fragment: [workforce.lifecycle.group, workforce.lifecycle.system, workforce.lifecycle.system.person]
options:
  path:
    description: Folder of this mailbox's archive; it is made, for its owner only. One mailbox a folder. No variable in it is expanded.
    type: str
    required: true
  verify:
    description: Whether a complete archive is read back and compared. Without it the manifest alone is checked.
    type: bool
    default: true
  exported:
    description: Whether the system's own export (M(workforce.lifecycle.mailbox), option C(export)) is the archive, where it makes one.
    type: bool
    default: false
    version_added: 0.2.0
"""

EXAMPLES = r"""
- name: Keep a leaver's mail
  workforce.lifecycle.mailbox_archive:
    person: {email: jane@corp.example}
    path: "{{ lifecycle_archive }}/jane@corp.example"
"""

RETURN = r"""
outcome: {description: "How it ended; see the notes.", returned: always, type: str, sample: done}
changes:
  description: 'The archive before and after: V(none), V(incomplete) or V(complete).'
  returned: always
  type: list
  elements: dict
  sample: [{what: archive, before: none, after: complete, outcome: done}]
"""

from dataclasses import replace
from typing import Any, Protocol
from collections.abc import Iterator, Mapping, Sequence

from ..module_utils.mailbox.archive import Archive
from ..module_utils.mailbox.manifest import State
from ..module_utils.engine.arguments import PERSON_SPEC
from ..module_utils.engine.correlate import person_here
from ..module_utils.sdk.protocols import MailArchive, Mailbox, OnSystem
from ..module_utils.sdk.values import MailFolder, MailMessage, Residual
from ..module_utils.model import private
from ..module_utils.model.errors import InputError
from ..module_utils.model.person import Person
from ..module_utils.engine.change import Change, absent
from ..module_utils.engine.steps import MAILBOX_ARCHIVE
from ..module_utils.engine.task import Task


class _Archived(MailArchive, OnSystem, Protocol):
    """A mail server that knows its options and who watches."""


def plan(system: _Archived, want: Mapping[str, Any]) -> list[Change]:
    person = person_here(system, want)
    exported = _exported(system, person) if want["exported"] else None
    if exported is not None:
        return [exported]
    folders = system.mail_folders(person)
    if folders is None:
        return absent("mailbox", f"{person.email} has no mailbox here")
    # Not of the type path: what an address holds is nobody's environment variable.
    archive = Archive(private.below_home(want["path"]))
    state = archive.state()
    owner = state.header.get("mailbox", person.email)
    if owner != person.email:
        raise InputError(
            f"{archive.folder} is the archive of {owner}",
            act=f"archive mailbox of {person.email}",
            hint="give each mailbox its own path",
        )
    if state.complete and want["verify"]:
        archive.verify()
    if not state.exists:
        before = "none"
    elif state.complete and not _something_left(system, person, folders, state):
        before = "complete"
    else:
        before = "incomplete"
    total = sum(folder.messages for folder in folders)
    size = f"{total} message{'s' if total != 1 else ''} in {len(folders)} folder{'s' if len(folders) != 1 else ''}"
    note = f"{size} of the mailbox; {state.messages} in the archive so far"
    return [
        Change(
            "mailbox archive",
            before,
            "complete",
            lambda: write(system, person, folders, archive),
            residual=_lingers(system),
            note=note,
        )
    ]


def _exported(system: object, person: Person) -> Change | None:
    """Return the system's own export, which the module mailbox has begun, in place of an archive of ours; None where it makes none."""
    found = system.mailbox(person) if isinstance(system, Mailbox) else None
    if found is None or "export" not in found:
        return None
    note = str(found.get("export_note") or "") or "the system exports it itself: lifecycle_mailbox: {export: true}"
    return Change("mailbox archive", found["export"], "exported", pending="exporting", once=True, note=note)


def _lingers(system: _Archived) -> Residual | None:
    """Return what stays open at the mail server, and with which system's cut it is closed."""
    lingers: Residual | None = system.LINGERS
    if lingers is None:
        return None
    checks = str(system.target.options.get("passwords_in") or "")
    if not checks:
        return lingers
    why = (
        f"{checks} checks the password, and the cut there ends it; an open session ends when somebody kicks it at the server; "
        "IMAP shows no rules that send mail on: take them out there"
    )
    return replace(lingers, closed_with=checks, why=why)


def write(system: _Archived, person: Person, folders: Sequence[MailFolder], archive: Archive) -> None:
    """Archive what is missing; progress goes to the system's watcher.

    :raises LifecycleError: the mailbox or the disk stopped it; what was stored stays.
    """
    system.target.writing(f"archive mailbox of {person.email}")
    total = sum(folder.messages for folder in folders)
    archive.append(
        lambda state: _missing(system, person, folders, state),
        mailbox=person.email,
        system=system.target.name,
        on_progress=lambda done: system.target.progress(done, max(total, done), "messages"),
    )


def _missing(system: MailArchive, person: Person, folders: Sequence[MailFolder], state: State) -> Iterator[MailMessage]:
    for folder in folders:
        yield from system.mail_messages(person, folder, frozenset(state.ids.get(folder.name, ())))


def _something_left(system: MailArchive, person: Person, folders: Sequence[MailFolder], state: State) -> bool:
    return next(_missing(system, person, folders, state), None) is not None


TASK = Task(
    MailArchive,
    plan,
    {
        **PERSON_SPEC,
        "path": {"type": "str", "required": True},
        "verify": {"type": "bool", "default": True},
        "exported": {"type": "bool", "default": False},
    },
    steps=MAILBOX_ARCHIVE,
    deadline=6 * 3600.0,
)


if __name__ == "__main__":
    TASK.main()

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The whole state of all systems, leaf by leaf, and what a list of losses accounts for.

A difference is written ``SIGN path``: ``-`` is gone, ``+`` came, ``~`` is another value. A loss accounts for the differences of the
very thing that it names, and no other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.__main__ import control
from sandbox.company import load_company
from tests.integration.company import SandboxCompany

Leaves = dict[str, Any]
#: Tables whose rows are given a new number when they are made again.
NUMBERED = ("role_assignments", "eligibilities", "app_assignments", "grants")
#: What the systems themselves keep of what happened, and that stands for nothing that anybody holds.
TRACES = (
    r"[+~-] github (former|privileges|next)\b.*",  # who was a member once; the number of the next invitation
    r"[+~] microsoft entra mails .*",
    r"[+~] microsoft onedrive sent .*",  # mail that was sent
    r"~ (wiki|crm) (Users|Groups) \S+ meta (lastModified|version)",
)


def whole(company: SandboxCompany) -> dict[str, Any]:
    """What every system holds, by its name in the sandbox: see ``sandbox/whole.py``."""
    found: dict[str, Any] = control(company.folder, "GET", next(iter(company.emulators.values())), "box/whole")
    return found


def leaves(tree: Any) -> Leaves:
    """Every leaf by its path. What is listed is counted, whatever its place in the list."""
    found: Leaves = {}
    listed: Counter[str] = Counter()
    for path, value, in_list in _leaves(tree, ""):
        if in_list:
            listed[path.strip()] += 1
        else:
            found[path.strip()] = value
    return {**found, **listed}


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any, bool]]:
    if path.rpartition(" ")[2] in NUMBERED and isinstance(tree, Mapping):
        tree = [
            dict(
                sorted(
                    (name, value)
                    for name, value in row.items()
                    if name not in ("id", "createdDateTime", "principalDisplayName")
                )
            )
            for row in tree.values()
        ]
    if not isinstance(tree, (Mapping, list)):
        yield path, tree, False
    elif not tree:
        yield f"{path} (empty)", True, False
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{path} {key}")
    else:
        yield from ((f"{path} {item!r}", 1, True) for item in tree)


def differences(before: Mapping[str, Any], after: Mapping[str, Any], traces: Sequence[str] = TRACES) -> dict[str, str]:
    """``{"SIGN path": "before -> after"}`` of two trees, but for traces."""
    one, two = leaves(before), leaves(after)
    signs = {
        path: "-" if path not in two else "+" if path not in one else "~"
        for path in one.keys() | two.keys()
        if path not in one or path not in two or one[path] != two[path]
    }
    found = {
        f"{sign} {path}": f"{one.get(path)!r} -> {two.get(path)!r}"
        for path, sign in sorted(signs.items())
        if not _only_filled(path, signs)
    }
    return {path: told for path, told in found.items() if not any(re.fullmatch(trace, path) for trace in traces)}


def _only_filled(path: str, signs: Mapping[str, str]) -> bool:
    """Whether something is empty, or no longer, only because what is in it came or went: that is a difference of its own."""
    inside = path.removesuffix(" (empty)")
    return path != inside and any(
        other != path and (other == inside or other.startswith(f"{inside} ")) for other in signs
    )


def accounted(
    lost: Iterable[tuple[str, str]], found: Iterable[str], key: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[tuple[str, str], list[str]]:
    """Which of the differences each loss (system, what) of the company's person ``key`` accounts for."""
    theirs = Theirs(key, before, after)
    found = list(found)
    return {
        loss: [path for path in found if any(re.fullmatch(pattern, path) for pattern in theirs.paths(*loss))]
        for loss in lost
    }


class Theirs:
    """What a person's losses look like in the systems' state."""

    def __init__(self, key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        person = load_company().people[key]
        self.before, self.after, self.email, self.github = (
            before,
            after,
            person["email"],
            (person.get("logins") or {}).get("github", ""),
        )
        self.entra = next(
            id for id, user in before["microsoft"]["entra"]["users"].items() if user["mail"] == self.email
        )
        self.slack = next(
            id for id, user in before["slack"]["users"].items() if any(e["value"] == self.email for e in user["emails"])
        )
        self.drive = next(
            id for id, drive in before["microsoft"]["onedrive"]["drives"].items() if drive["owner"] == self.email
        )
        self.dn = f"uid={key},ou=people,dc=corp,dc=example"

    def paths(self, system: str, what: str) -> list[str]:
        """Patterns of the differences that the loss of this thing makes; none for a thing that nobody knows."""
        return [
            pattern
            for (where, words), made in _PATHS.items()
            if where == system
            for match in [re.fullmatch(words, what)]
            if match
            for pattern in made(self, match)
        ]


def _meeting(theirs: Theirs, match: re.Match[str]) -> list[str]:
    """It ended in everybody's calendar, and the successor's took its place."""
    mailboxes = {
        id: {**theirs.after["microsoft"]["exchange"][id]["events"], **box["events"]}
        for id, box in theirs.before["microsoft"]["exchange"].items()
    }
    same = [
        (box, id, event)
        for box, events in mailboxes.items()
        for id, event in events.items()
        if event["subject"].removeprefix("Canceled: ") == match[1]
    ]
    old = {event["iCalUId"] for box, _id, event in same if box == theirs.entra and event["isOrganizer"]}
    new = {
        event["iCalUId"]
        for _box, _id, event in same
        if any("handover" in str(p) for p in event.get("_properties") or ())
    }
    return (
        [
            f"[~-] microsoft exchange {box} events {re.escape(id)} .*"
            for box, id, event in same
            if event["iCalUId"] in old
        ]
        + [
            f"[+~-] microsoft exchange {box} events {re.escape(id)} recurrence .*"
            for box, id, event in same
            if event["iCalUId"] in old
        ]
        + [
            f"\\+ microsoft exchange {box} events {re.escape(id)} .*"
            for box, id, event in same
            if event["iCalUId"] in new
        ]
    )


def _managed(theirs: Theirs, match: re.Match[str]) -> list[str]:
    ids = [
        id
        for id, device in theirs.before["microsoft"]["intune"]["devices"].items()
        if device["serialNumber"] == match[1]
    ]
    return [
        f"\\+ microsoft intune done {{'serial': '{match[1]}'.*",
        *(f"- microsoft intune (devices|apps|filevault|bypass|bitlocker) {id}( .*)?" for id in ids),
        # the order is there, and the device has not read it yet
        *(f"[+~] microsoft intune devices {id}( (managementState|deviceActionResults).*)?" for id in ids),
        *(f"[+~] microsoft intune queue {id}( .*)?" for id in ids),
    ]


#: (system, a loss as the record words it) -> patterns of the differences.
_PATHS: Mapping[tuple[str, str], Callable[[Theirs, re.Match[str]], list[str]]] = {
    ("entra", "password"): lambda t, _m: [
        f"[+~-] microsoft entra users {t.entra} (_password|passwordProfile|lastPasswordChangeDateTime|_forced).*"
    ],
    ("entra", "sessions"): lambda t, _m: [f"~ microsoft entra users {t.entra} signInSessionsValidFromDateTime"],
    # A first credential takes their place.
    ("entra", "authentication methods"): lambda t, _m: [
        f"- microsoft entra users {t.entra} _methods .*",
        f"\\+ microsoft entra users {t.entra} _methods .*temporaryAccessPass.*",
    ],
    ("entra", "app consents"): lambda t, _m: [f"- microsoft entra grants .*'principalId': '{t.entra}'.*"],
    ("entra", r"device .* \((\w{8})\)"): lambda _t, m: [f"- microsoft entra devices {m[1]}-\\S+ .*"],
    ("exchange", r"mobile device .* (\S+)"): lambda t, m: [
        f"- microsoft exchange {t.entra} devices {{'DeviceId': '{re.escape(m[1])}'.*"
    ],
    ("exchange", r"meeting (.+), \S+Z"): _meeting,
    ("onedrive", "sharing links"): lambda t, _m: [
        f"- microsoft onedrive drives {re.escape(t.drive)} items \\S+ (permissions|shared) .*"
    ],
    ("intune", r"device (\S+)"): _managed,
    ("slack", "sessions"): lambda t, _m: [f"- slack sessions {t.slack} .*"],
    ("tailscale", r"\w+ key (\S+)"): lambda _t, m: [f"- tailscale keys {re.escape(m[1])} .*"],
    ("tailscale", r"device \S+ \((\S+)\)"): lambda _t, m: [
        f"~ tailscale devices {re.escape(m[1])} (expires|keyExpiryDisabled)"
    ],
    ("github", "single sign-on credentials"): lambda t, _m: [f"- github credentials {{'login': '{t.github}'.*"],
    ("github", r"fine-grained token .* \((\d+)\)"): lambda _t, m: [f"- github pats {m[1]}"],
    ("github", r"codespace (\S+)"): lambda _t, m: [f"~ github spaces {re.escape(m[1])} state"],
    ("github", r"deploy key .* of (\S+) \((\d+)\)"): lambda _t, m: [
        f"- github repos {re.escape(m[1])} keys {{'id': {m[2]},.*"
    ],
    ("ldap", "password"): lambda t, _m: [f"- ldap {re.escape(t.dn)} userPassword .*"],
    ("aws", "console password"): lambda t, _m: [f"[+-] aws users {re.escape(t.email)} console( .*)?"],
    ("aws", r"MFA device (\S+)"): lambda t, m: [
        f"- aws users {re.escape(t.email)} mfa devices \\S+/{re.escape(m[1])} .*",
        f"- aws mfa \\S+/{re.escape(m[1])}",
    ],
}

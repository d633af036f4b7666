# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A WireGuard configuration file (wg(8), wg-quick(8)): pure functions that read its peers and comments, and remove and restore a peer.

WireGuard has no names. A person, or a tool such as PiVPN, writes the owner of a peer into a comment above or inside its section.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

_SECTION = re.compile(r"\s*\[\s*(interface|peer)\s*\]\s*(?:#.*)?$", re.IGNORECASE)
_PUBLIC_KEY = re.compile(r"\s*publickey\s*=\s*([A-Za-z0-9+/]{43}=)\s*(?:#.*)?$", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z0-9+/]{43}=")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
#: What tools write before a name: PiVPN's "begin", wg-easy's and others' "Client", the Prometheus exporter's "friendly_name".
_BEFORE = re.compile(r"(?:begin\s+|client\s*[:=]?\s*|(?:friendly_)?name\s*[:=]\s*|user\s*[:=]\s*)", re.IGNORECASE)
_END = re.compile(r"#+\s*end\s+\S", re.IGNORECASE)
_SETTING = re.compile(r"\s*\w+\s*=")
#: The mark before each line of a removed peer, which makes it a comment.
OFF = "#off#"
_MARK = re.compile(rf"{OFF} ?")


@dataclass(frozen=True)
class Peer:
    """One peer of the file.

    :param first, after: the numbers of its first line, which can be a comment, and of the first line after it.
    :param off: it was removed: its lines are comments.
    """

    key: str
    comments: tuple[str, ...]
    first: int
    after: int
    off: bool = False


@dataclass(frozen=True)
class Owner:
    """The owner of a peer, from its comments: addresses, words that may be logins, and the whole text."""

    addresses: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()
    text: str = ""


def peers_of(text: str) -> Sequence[Peer]:
    """Return the peers of a file, removed ones too.

    A section is its head, the comments right above it, and all lines down to its last setting. A comment after that belongs to no section,
    because it can be about the next one or about this one.
    """
    lines = text.splitlines()
    shown = [_MARK.sub("", line, count=1) if line.startswith(OFF) else line for line in lines]
    off = [line.startswith(OFF) for line in lines]
    heads = [n for n, line in enumerate(shown) if _SECTION.match(line)]
    found = []
    for head, following in zip(heads, [*heads, len(lines)][1:], strict=True):
        mine = [n for n in range(head, following) if off[n] == off[head]]
        after = 1 + max(n for n in mine if n == head or _SETTING.match(shown[n]))
        if after in mine and _END.match(shown[after]):
            after += 1
        first = _above(shown, off, head)
        inside = shown[first:after]
        key = next((said[1] for said in map(_PUBLIC_KEY.match, inside) if said), "")
        if key and _is_peer(shown[head]):
            alone = [line for line in inside if line.lstrip().startswith("#") and not _END.match(line)]
            beside = [line.partition("#")[2] for line in inside if "#" in line and not line.lstrip().startswith("#")]
            found.append(Peer(key, (*alone, *beside), first, after, off[head]))
    return found


def _is_peer(line: str) -> bool:
    matched = _SECTION.match(line)
    return matched is not None and matched[1].lower() == "peer"


def _above(shown: Sequence[str], off: Sequence[bool], head: int) -> int:
    """Return the first line of a section: comments right above its head belong to it, except the "end" comment of the section before."""
    first = head
    while (
        first
        and shown[first - 1].lstrip().startswith("#")
        and off[first - 1] == off[head]
        and not _END.match(shown[first - 1])
    ):
        first -= 1
    return first


def without(text: str, key: str) -> str:
    """Return the file with a peer removed: each of its lines becomes a comment."""
    return _changed(text, key, off=True)


def with_again(text: str, key: str) -> str:
    """Return the file with a removed peer restored."""
    return _changed(text, key, off=False)


def _changed(text: str, key: str, *, off: bool) -> str:
    lines = text.splitlines(keepends=True)
    for peer in peers_of(text):
        if peer.key == key and peer.off != off:
            for n in range(peer.first, peer.after):
                lines[n] = f"{OFF} {lines[n]}" if off else _MARK.sub("", lines[n], count=1)
    return "".join(lines)


def section_of(text: str, key: str) -> str:
    """Return the section of a peer, for ``wg addconf``; empty when the file does not have the peer."""
    lines = text.splitlines()
    found = next((one for one in peers_of(text) if one.key == key), None)
    own = lines[found.first : found.after] if found else []
    return "".join(_MARK.sub("", line, count=1) + "\n" if line.startswith(OFF) else f"{line}\n" for line in own)


def owner_of(comments: Sequence[str], device_after: str = "") -> Owner:
    """Return the owner of a peer, from its comments.

    :param device_after: the text between a login and the name of a device, e.g. ``-``; empty when names have no device.
    """
    addresses: list[str] = []
    logins: list[str] = []
    texts = [_BEFORE.sub("", comment.strip("# \t"), count=1).strip() for comment in comments]
    for text in filter(None, texts):
        found = _ADDRESS.findall(text)
        addresses += found
        if not found and not re.search(r"\s", text):
            login, sign, _device = text.rpartition(device_after) if device_after else ("", "", "")
            logins.append(login if sign and login else text)
    return Owner(tuple(dict.fromkeys(addresses)), tuple(dict.fromkeys(logins)), "; ".join(filter(None, texts)))


def named(text: str) -> Mapping[str, str]:
    """Read a file of names, with a public key and its owner in each line; return owner by key.

    :raises ValueError: a line has another form.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].split(None, 1)
        if not said:
            continue
        if len(said) != 2 or not _KEY.fullmatch(said[0]):
            raise ValueError(f"line {number} is not a public key and a name")
        found[said[0]] = said[1].strip()
    return found


def with_name(owner: Owner, name: str) -> Owner:
    """Return an owner with the name from the file of names put first."""
    if "@" in name:
        return replace(owner, addresses=tuple(dict.fromkeys((name, *owner.addresses))))
    return replace(owner, logins=tuple(dict.fromkeys((name, *owner.logins))))

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""WireGuard on the machine of the VPN: a cut-off removes a peer from the running interface and from its configuration file.

The tunnel of a peer ends when the interface does not have the peer any more. A peer that is still in the file comes back at the next start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import ClassVar

from ...model import clock
from ...model.errors import NotFound, ProtocolError
from ...sdk.keys import Key, Kind, PersonKeys, canonical
from ...sdk.machine import Machine
from ...sdk.target import Connector, Option, Target
from ...sdk.values import AccessPath, Account, Listed, WayBack
from .config import Owner, named, owner_of, peers_of, section_of, with_again, with_name, without

_PEER = "peer "


@dataclass(frozen=True)
class Seen:
    """One peer, which is in the file, on the running interface, or both. ``handshake`` is the last one, in epoch seconds; 0 for none."""

    key: str
    owner: Owner
    filed: bool
    running: bool
    handshake: int = 0

    @property
    def open(self) -> bool:
        return self.filed or self.running


class WireGuard(Connector):
    """Manages the peers of one interface."""

    TITLE = "WireGuard"
    NEEDS_URL = False
    OPTIONS = {
        "interface": Option("The interface's name.", default="wg0"),
        "config": Option("The interface's configuration file; /etc/wireguard/INTERFACE.conf when not given."),
        "names": Option(
            "A file with the owners of keys: in each line a public key, then a login or an address. Comments of the configuration file are read too."
        ),
        "device_after": Option(
            "The text between a login and a device when comments have both: - for jane-laptop. When not given, the whole name is a login."
        ),
        "wg": Option("The program wg.", default="wg"),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "accounts": ("root on the machine, or the capability CAP_NET_ADMIN", "read and write the file"),
        "cutoff": ("root on the machine, or the capability CAP_NET_ADMIN", "read and write the file"),
        "account_listing": ("root on the machine, or the capability CAP_NET_ADMIN", "read the file"),
    }
    LOOKS_UP = frozenset({Kind.ID, Kind.ADDRESS, Kind.LOGIN})
    COMPARES = frozenset({Kind.ADDRESS, Kind.LOGIN})
    NAMES_FROM = "nobody: WireGuard keeps no names"
    LISTS_HELD: ClassVar[bool] = True
    #: Two writers of one file would overwrite each other.
    PARALLEL = 1

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        options = target.options
        self.machine = Machine(target)
        self.interface = str(options["interface"])
        self.file = str(options["config"] or "") or os.path.join("/etc/wireguard", f"{self.interface}.conf")
        self.wg = str(options["wg"])

    # -- people --------------------------------------------------------------------------------------------------------

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Yield every account with an address or a login of the person in the comments of its peers."""
        for account in self._accounts(f"find {keys.person.email}"):
            if account.id in keys.ids or any(keys.has(key.kind, key.value) for key in account.carried):
                yield account

    def set_active(self, account: Account, active: bool) -> None:
        """Remove every peer of the account, or restore the removed ones."""
        peers: Sequence[Seen] = account.raw["peers"]
        for peer in peers:
            if active:
                self._put_back(peer.key, f"let in {account.login}")
            else:
                self._take_out(peer.key, f"suspend {account.login}")

    def all_accounts(self) -> Iterator[Listed]:
        for account in self._accounts("list peers"):
            peers: Sequence[Seen] = account.raw["peers"]
            last = max(peer.handshake for peer in peers)
            yield Listed(account, last_seen=clock.stamp(datetime.fromtimestamp(last, timezone.utc)) if last else "")

    def group_members(self, kind: str, name: str) -> Iterator[str]:
        raise NotFound(f"it has no {kind}", act=f"list members of {name}", system=self.target.name)

    # -- cut-off -------------------------------------------------------------------------------------------------------

    def access_paths(self, account: Account, since: str) -> Sequence[AccessPath]:
        """Return one way in for each peer: its tunnel ends when the interface does not have it any more."""
        peers: Sequence[Seen] = account.raw["peers"]
        return [
            AccessPath(
                _PEER + peer.key,
                "open" if peer.open else "closed",
                partial(self._take_out, peer.key, f"remove a peer of {account.login}"),
            )
            for peer in peers
        ]

    def ways_back(self, account: Account, closed: Mapping[str, str]) -> Sequence[WayBack]:
        peers: Sequence[Seen] = account.raw["peers"]
        known = {_PEER + peer.key: peer for peer in peers}
        found = []
        for name in closed:
            peer = known.get(name)
            if peer is None:
                found.append(WayBack(name, lost="the file does not have it any more: set the peer up again"))
            else:
                put_back = partial(self._put_back, peer.key, f"let in {account.login}")
                found.append(WayBack(name, "open" if peer.filed and peer.running else "closed", put_back))
        return found

    def _take_out(self, key: str, act: str) -> None:
        """Remove a peer from the file first: then an interface that starts in between does not have it."""
        with self.machine.alone(self.file, act=act):
            before = self._text(act)
            after = without(before, key)
            if after != before:
                self.machine.replace(self.file, after.encode("utf-8", "surrogateescape"), act=act)
        self.machine.run([self.wg, "set", self.interface, "peer", key, "remove"], act=act)

    def _put_back(self, key: str, act: str) -> None:
        with self.machine.alone(self.file, act=act):
            before = self._text(act)
            after = with_again(before, key)
            if after != before:
                self.machine.replace(self.file, after.encode("utf-8", "surrogateescape"), act=act)
        # Pass the section by standard input: it may hold a key.
        section = section_of(after, key)
        self.machine.run([self.wg, "addconf", self.interface, "/dev/stdin"], act=act, typed=section)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _accounts(self, act: str) -> Iterator[Account]:
        """Yield one account for each owner, with all their peers; a peer without a name is an account of its own."""
        together: dict[str, list[Seen]] = {}
        for peer in self._peers(act):
            owner = peer.owner
            name = next(iter((*owner.addresses, *owner.logins)), "")
            together.setdefault(canonical(Kind.LOGIN, name) or peer.key, []).append(peer)
        for name, peers in together.items():
            yield _account(name, peers)

    def _peers(self, act: str) -> Sequence[Seen]:
        text, names, running = self._text(act), self._names(act), self._running(act)
        filed = {peer.key: peer for peer in peers_of(text)}
        found = []
        for key in dict.fromkeys((*filed, *running)):
            comments = filed[key].comments if key in filed else ()
            owner = owner_of(comments, str(self.target.options["device_after"] or ""))
            if key in names:
                owner = with_name(owner, names[key])
            in_file = key in filed and not filed[key].off
            found.append(Seen(key, owner, in_file, key in running, running.get(key, 0)))
        return found

    def _text(self, act: str) -> str:
        return self.machine.read(self.file, act=act).decode("utf-8", "surrogateescape")

    def _names(self, act: str) -> Mapping[str, str]:
        path = str(self.target.options["names"] or "")
        if not path:
            return {}
        try:
            return named(self.machine.read(path, act=act).decode("utf-8", "replace"))
        except ValueError as e:
            raise ProtocolError(f"{path}: {e}", act=act, system=self.target.name) from None

    def _running(self, act: str) -> Mapping[str, int]:
        """Return the interface's peers by key, each with its last handshake in epoch seconds. ``dump`` would show private keys too."""
        said = self.machine.run([self.wg, "show", self.interface, "latest-handshakes"], act=act, reads=True)
        rows = [line.split("\t") for line in said.splitlines()]
        if any(len(row) != 2 or not row[1].isdigit() for row in rows):
            raise ProtocolError(f"{self.wg} does not list peers as expected", act=act, system=self.target.name)
        return {key: int(moment) for key, moment in rows}


def _account(name: str, peers: Sequence[Seen]) -> Account:
    """Return an owner's account. Its id is one of the owner's keys: a name can later belong to somebody else, a key can't."""
    addresses = tuple(dict.fromkeys(address for peer in peers for address in peer.owner.addresses))
    logins = tuple(dict.fromkeys(login for peer in peers for login in peer.owner.logins))
    return Account(
        next((peer.key for peer in peers if peer.open), peers[0].key),
        next(iter((*logins, *addresses)), peers[0].owner.text or name),
        any(peer.open for peer in peers),
        addresses[0].lower() if addresses else "",
        raw={"peers": tuple(peers)},
        keys=(
            *(Key(Kind.ADDRESS, address) for address in addresses[1:]),
            *(Key(Kind.LOGIN, login) for login in logins[1:]),
        ),
    )

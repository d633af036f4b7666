# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Microsoft OneDrive for Business: a leaver's files, the people who may open them, and the links to them.

OneDrive has no transfer of ownership: a successor gets access, and copies what they need before the drive is deleted
(https://learn.microsoft.com/sharepoint/retention-and-deletion). The tree is read by ``delta``, which Microsoft asks
scanners to use (https://learn.microsoft.com/onedrive/developer/rest-api/concepts/scan-guidance).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ..model.errors import NotFound
from ..model.person import Person
from ..sdk.address import at
from ..sdk.keys import PersonKeys
from ..sdk.target import Option, Target
from ..sdk.values import Account
from .microsoft.directory import DirectoryUsers
from .microsoft.graph import (
    GRAPH_CREDENTIALS,
    GRAPH_OPTIONS,
    graph_pages,
    graph_transport,
)
from .microsoft.people import LOOKS_UP, account_of, users

#: Roles that allow a successor to copy and change everything.
_FULL = frozenset({"write", "owner", "sp.full control"})
#: Parts of a login name by which SharePoint marks an account of another company.
_GUEST = ("#ext#", "urn:spo:guest", "urn%3aspo%3aguest")
#: Asks that only items with permissions of their own are marked as shared.
_SCAN = {"Prefer": "deltashowsharingchanges, hierarchicalsharing"}


class OneDrive(DirectoryUsers):
    """Microsoft OneDrive for Business."""

    TITLE = "Microsoft OneDrive"
    NAMES_FROM = "Entra ID"
    DEFAULT_URL = "https://graph.microsoft.com"
    CREDENTIALS = GRAPH_CREDENTIALS
    OPTIONS = {
        **GRAPH_OPTIONS,
        "notify": Option("Whether OneDrive mails the successor the address of the files.", kind="bool", default=True),
        "message": Option(
            "The text of that mail.",
            default="These files are handed over to you. Copy what must be kept before the drive is deleted.",
        ),
    }
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "files": ("Files.ReadWrite.All", "Sites.FullControl.All", "User.Read.All")
    }
    LOOKS_UP = LOOKS_UP
    COMPARES = LOOKS_UP
    SETTLES_WITHIN = 10.0

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.graph = graph_transport(
            target, scope=target.options["graph_scope"], url=target.url.rstrip("/").removesuffix("/v1.0")
        )

    def candidates(self, keys: PersonKeys) -> Iterator[Account]:
        """Return the users of Entra ID who own the drives."""
        return map(account_of, users(self.graph, at("/v1.0/users"), keys))

    def files(self, person: Person) -> Mapping[str, Any] | None:
        """Return the size of the drive and who has access; None when the person has no drive.

        ``items`` counts files and folders, ``bytes`` the files, ``shared_links`` the permissions that :meth:`end_sharing` would end.
        ``owners`` are the addresses of those who may change everything; ``url`` is the address of the drive.
        """
        drive = self._drive(person)
        if drive is None:
            return None
        act = f"read files of {person.email}"
        count = size = shared = 0
        for item in self._items(drive, act):
            if "root" not in item:
                count += 1
                size += int(item.get("size") or 0) if "file" in item else 0
            shared += sum(1 for _unused in self._ending(drive, item, act))
        owner = _address(drive.get("owner") or {}) or person.email
        granted = [
            _address(p.get("grantedToV2") or {})
            for p in self._permissions(drive, "root", act)
            if _FULL & set(p.get("roles") or ()) and "link" not in p
        ]
        return {
            "items": count,
            "bytes": size,
            "shared_links": shared,
            "owners": sorted({owner, *filter(None, granted)}),
            "url": drive.get("webUrl") or "",
        }

    def hand_over_files(self, person: Person, successor: str) -> None:
        """Let the successor read and change all files, and have OneDrive mail them the address (option ``notify``).

        :raises NotFound: the person has no drive.
        """
        act = f"hand over files of {person.email} to {successor}"
        drive = self._drive(person)
        if drive is None:
            raise NotFound(
                f"{person.email} has no drive",
                act=act,
                system=self.target.name,
                hint="the person never opened OneDrive: there is nothing to hand over",
            )
        notify = bool(self.target.options["notify"])
        # Repeating it grants nothing more, but would send a second mail.
        self.graph.send(
            "POST",
            at("/v1.0/drives/{}/items/root/invite", drive["id"]),
            act=act,
            retry_safe=not notify,
            json={
                "recipients": [{"email": successor}],
                "roles": ["write"],
                "requireSignIn": True,
                "sendInvitation": notify,
                **({"message": self.target.options["message"]} if notify else {}),
            },
        )

    def take_back_files(self, person: Person, successor: str) -> None:
        """Remove the successor's permission on the whole drive; their permissions on single files and folders stay."""
        drive = self._drive(person)
        if drive is None:
            return
        act = f"take back files of {person.email} from {successor}"
        for permission in list(self._permissions(drive, "root", act)):
            own = "owner" in (permission.get("roles") or ())
            if (
                "link" not in permission
                and not own
                and _address(permission.get("grantedToV2") or {}) == successor.lower()
            ):
                self._end(drive, "root", permission["id"], act)

    def end_sharing(self, person: Person) -> None:
        """End every link, and every permission of people outside the company; permissions of colleagues stay."""
        drive = self._drive(person)
        if drive is None:
            return
        act = f"end sharing of {person.email}"
        found = [
            (item["id"], permission["id"])
            for item in self._items(drive, act)
            for permission in self._ending(drive, item, act)
        ]
        for number, (item_id, permission_id) in enumerate(found, 1):
            self._end(drive, item_id, permission_id, act)
            self.target.progress(number, len(found), "links")

    def _end(self, drive: Mapping[str, Any], item_id: str, permission_id: str, act: str) -> None:
        self.graph.send(
            "DELETE",
            at("/v1.0/drives/{}/items/{}/permissions/{}", drive["id"], item_id, permission_id),
            act=act,
            missing=(404,),
        )

    # -- requests ------------------------------------------------------------------------------------------------------

    def _drive(self, person: Person) -> Any:
        """Return the drive; None when the person has no account here, or never opened OneDrive (404 "User's mysite not found.")."""
        login = self.login_of(person)
        return self.graph.get(at("/v1.0/users/{}/drive", login), act=f"find drive of {login}")

    def _items(self, drive: Mapping[str, Any], act: str) -> Iterator[Any]:
        """Return every item, the root too. An item that changes while we read comes twice: the last one counts."""
        items: dict[str, Any] = {}
        for row in graph_pages(
            self.graph,
            at("/v1.0/drives/{}/root/delta", drive["id"]),
            act=act,
            headers=_SCAN,
            params={"$select": "id,name,size,file,folder,root,shared,deleted"},
        ):
            if "deleted" in row:
                items.pop(row["id"], None)
            else:
                items[row["id"]] = row
        return iter(items.values())

    def _permissions(self, drive: Mapping[str, Any], item_id: str, act: str) -> Iterator[Any]:
        """Return the item's own permissions; an inherited one can only be ended on the item that it comes from."""
        rows = graph_pages(self.graph, at("/v1.0/drives/{}/items/{}/permissions", drive["id"], item_id), act=act)
        return (row for row in rows if not row.get("inheritedFrom"))

    def _ending(self, drive: Mapping[str, Any], item: Mapping[str, Any], act: str) -> Iterator[Any]:
        """Yield the item's permissions that :meth:`end_sharing` ends."""
        if "shared" not in item:
            return
        for permission in self._permissions(drive, item["id"], act):
            if "owner" not in (permission.get("roles") or ()) and (permission.get("link") or _outside(permission)):
                yield permission


def _identities(permission: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    sets = [permission.get("grantedToV2") or {}, *(permission.get("grantedToIdentitiesV2") or ())]
    for identities in sets:
        yield from (identities[kind] for kind in ("siteUser", "user") if identities.get(kind))


def _outside(permission: Mapping[str, Any]) -> bool:
    """Return whether the permission belongs to somebody of another company, or to an invited address that never signed in."""
    identities = list(_identities(permission))
    if not identities:
        return bool((permission.get("invitation") or {}).get("email"))
    return any(
        mark in str(identity.get(key) or "").casefold()
        for identity in identities
        for key in ("loginName", "email")
        for mark in _GUEST
    )


def _address(identities: Mapping[str, Any]) -> str:
    for kind in ("user", "siteUser"):
        found = identities.get(kind) or {}
        address = found.get("email") or str(found.get("loginName") or "").rpartition("|")[2]
        if "@" in address:
            return str(address).lower()
    return ""

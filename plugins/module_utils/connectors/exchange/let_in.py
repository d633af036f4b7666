# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Access of a person to mailboxes and calendars of others, and to distribution lists that Exchange keeps.

Exchange has no list of the mailboxes that somebody is a delegate of. Distribution lists and *Send As* can be searched by person; full
access and calendars are read mailbox by mailbox (https://learn.microsoft.com/powershell/module/exchange/get-mailboxpermission).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ...model.errors import NotFound, PermissionDenied
from ...sdk.address import UrlPath, at
from ...sdk.transport import Transport
from ...sdk.values import Account, Owned
from ..microsoft.graph import graph_lists, graph_pages
from .admin import AdminApi
from .on_behalf import OnBehalf

_BOXES = "ExternalDirectoryObjectId,UserPrincipalName,PrimarySmtpAddress,Name,GrantSendOnBehalfTo"
#: Mailboxes that are asked at once.
_AT_ONCE = 4
LIST, FULL, SEND_AS, ON_BEHALF, CALENDAR, FURTHER = (
    "distribution list",
    "full access to",
    "may send as",
    "may send on behalf of",
    "calendar of",
    "further calendar of",
)
#: Access that an ``Add-`` and a ``Remove-`` cmdlet give and take: their noun, the parameter for the person, and further parameters.
_GIVEN: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    LIST: ("DistributionGroupMember", "Member", {"BypassSecurityGroupManagerCheck": True}),
    FULL: ("MailboxPermission", "User", {"AccessRights": ["FullAccess"], "InheritanceType": "All"}),
    SEND_AS: ("RecipientPermission", "Trustee", {"AccessRights": ["SendAs"]}),
}


class LetIn:
    """Finds, ends and gives back a person's access to what belongs to others.

    :param up_to: how many mailboxes are read one by one, at most; a person has to look at the others.
    """

    def __init__(self, graph: Transport, admin: AdminApi, up_to: int) -> None:
        self.graph, self.admin, self.up_to = graph, admin, up_to

    def of(self, account: Account) -> Sequence[Owned]:
        """Return each access of the account, and one item that counts the mailboxes that were not read."""
        act = f"look where {account.login} was let in"
        boxes = [
            row
            for row in self.admin.rows("Get-Mailbox", act=act, select=_BOXES, ResultSize="Unlimited")
            if row.get("ExternalDirectoryObjectId") != account.id
        ]
        asked = boxes[: self.up_to]
        found = [*self._lists(account, act), *self._send_as(account, act), *self._on_behalf(account, boxes, act)]
        found += [*self._full(account, asked, act), *self._calendars(account, asked, act)]
        if len(boxes) > len(asked):
            found.append(
                _decide(
                    "mailboxes that were not asked",
                    f"{len(boxes) - len(asked)} of {len(boxes)}",
                    "nobody knows whether these let the leaver in: raise option delegations_up_to, or look, then attest",
                )
            )
        return found

    def take(self, account: Account, one: Owned) -> None:
        """End one access that :meth:`of` returned."""
        act = f"take {one.kind} {one.name} from {account.login}"
        if one.kind in (CALENDAR, FURTHER):
            path = _permissions_of(one.raw["box"], one.raw["calendar"]).below("/{}", one.id)
            self.graph.send("DELETE", path, act=act, missing=(404,))
            return
        if one.kind == ON_BEHALF:
            self._on_behalf_of("remove", account, one.id, act)
            return
        try:
            self._cmdlet("Remove", one.kind, account, one.id, act)
        except NotFound:
            return  # ended by somebody else

    def again(self, account: Account, what: str) -> None:
        """Give back an access that :meth:`take` ended.

        :param what: its kind and name: ``calendar of lena@corp.example (write)``.
        """
        act = f"let {account.login} in again: {what}"
        kind = next(kind for kind in (LIST, FULL, SEND_AS, ON_BEHALF, CALENDAR, FURTHER) if what.startswith(f"{kind} "))
        name = what.removeprefix(f"{kind} ")
        if kind in (CALENDAR, FURTHER):
            place, _space, role = name.removesuffix(")").rpartition(" (")
            address, _colon, called = place.partition(": ")
            who = {"emailAddress": {"address": account.email or account.login, "name": account.login}, "role": role}
            calendar = self._called(address, called, act) if kind == FURTHER else ""
            self.graph.send("POST", _permissions_of(address, calendar), act=act, json=who)
            return
        if kind == ON_BEHALF:
            self._on_behalf_of("add", account, name, act)
            return
        self._cmdlet("Add", kind, account, name, act, **({"AutoMapping": True} if kind == FULL else {}))

    def _cmdlet(self, verb: str, kind: str, account: Account, identity: str, act: str, **further: Any) -> None:
        noun, who, fixed = _GIVEN[kind]
        given = {"Identity": identity, who: account.id, **fixed, **further, "Confirm": False}
        self.admin.write(f"{verb}-{noun}", act=act, anchor=account.login, **given)

    def _on_behalf_of(self, verb: str, account: Account, identity: str, act: str) -> None:
        """Add or remove one person by object id; everybody else in the list stays, whatever they are called.

        https://learn.microsoft.com/powershell/module/exchange/set-mailbox (GrantSendOnBehalfTo)
        """
        change = {"@odata.type": "#Exchange.GenericHashTable", verb: account.id}
        self.admin.write("Set-Mailbox", act=act, anchor=account.login, Identity=identity, GrantSendOnBehalfTo=change)

    def _lists(self, account: Account, act: str) -> Iterator[Owned]:
        name = str(account.raw.get("DistinguishedName") or "")
        if not name:
            return
        query = "Members -eq '" + name.replace("'", "''") + "'"
        for row in self.admin.rows("Get-DistributionGroup", act=act, Filter=query, ResultSize="Unlimited"):
            shown = str(row.get("DisplayName") or row.get("PrimarySmtpAddress"))
            if row.get("IsDirSynced"):
                yield _decide(
                    LIST, shown, "it is synchronised from on-premises Active Directory: remove the leaver there"
                )
            else:
                yield Owned(LIST, str(row["ExternalDirectoryObjectId"]), shown, settle="shut_out")

    def _send_as(self, account: Account, act: str) -> Iterator[Owned]:
        rows = self.admin.rows("Get-RecipientPermission", act=act, Trustee=account.id, ResultSize="Unlimited")
        for row in rows:
            if "SendAs" in row.get("AccessRights", ()) and str(row["Identity"]) != account.raw.get("Identity"):
                yield Owned(SEND_AS, str(row["Identity"]), str(row["Identity"]), settle="shut_out")

    def _on_behalf(self, account: Account, boxes: Sequence[Mapping[str, Any]], act: str) -> Iterator[Owned]:
        names = OnBehalf(self.admin, account, boxes, act)
        for box in boxes:
            address = str(box["PrimarySmtpAddress"]).lower()
            given = [str(one) for one in box.get("GrantSendOnBehalfTo") or ()]
            theirs = {one: names.is_theirs(one) for one in given}
            if True in theirs.values():
                yield Owned(ON_BEHALF, str(box["ExternalDirectoryObjectId"]), address, settle="shut_out")
                continue
            for one in (one for one, is_theirs in theirs.items() if is_theirs is None):
                yield _decide(
                    ON_BEHALF,
                    address,
                    f"Exchange shows {one} there, and does not say who that is: look in the Exchange admin centre, then attest",
                )

    def _full(self, account: Account, boxes: Sequence[Mapping[str, Any]], act: str) -> Iterator[Owned]:
        def rights(box: Mapping[str, Any]) -> list[dict[str, Any]]:
            try:
                return self.admin.read(
                    "Get-MailboxPermission",
                    act=act,
                    anchor=box["UserPrincipalName"],
                    Identity=box["ExternalDirectoryObjectId"],
                    User=account.id,
                )
            except NotFound:
                return []  # the mailbox was deleted since it was listed

        for box, rows in zip(boxes, _side_by_side(rights, boxes), strict=True):
            if any(
                "FullAccess" in r.get("AccessRights", ()) and not r.get("Deny") and not r.get("IsInherited")
                for r in rows
            ):
                yield Owned(
                    FULL,
                    str(box["ExternalDirectoryObjectId"]),
                    str(box["PrimarySmtpAddress"]).lower(),
                    settle="shut_out",
                )

    def _calendars(self, account: Account, boxes: Sequence[Mapping[str, Any]], act: str) -> Iterator[Owned]:
        """Yield the account's permissions on the default calendar of each mailbox, and on further calendars that its owner may share."""
        ids = {str(box["ExternalDirectoryObjectId"]): box for box in boxes}
        paths: dict[UrlPath, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
            _permissions_of(one, ""): (box, {}) for one, box in ids.items()
        }
        try:
            shelves = {at("/users/{}/calendars", one): one for one in ids}
            for path, rows in graph_lists(self.graph, shelves, act=act, params={"$top": "100"}):
                for row in _there(rows):
                    if row.get("canShare") and not row.get("isDefaultCalendar"):
                        paths[_permissions_of(shelves[path], str(row["id"]))] = (ids[shelves[path]], row)
            for path, rows in graph_lists(self.graph, paths, act=act, params={"$top": "100"}):
                yield from self._permissions(account, *paths[path], rows)
        except PermissionDenied as e:
            yield _decide("calendars of others", "not seen", f"{e}: look whether they let the leaver in, then attest")

    def _called(self, address: str, name: str, act: str) -> str:
        """Return the id of a calendar.

        :raises NotFound: it does not exist any more.
        """
        for row in graph_pages(self.graph, at("/users/{}/calendars", address), act=act):
            if row.get("name") == name:
                return str(row["id"])
        hint = "ask the owner for another calendar"
        raise NotFound(f"{address} has no calendar {name}", act=act, system=self.graph.target.name, hint=hint)

    def _permissions(
        self, account: Account, box: Mapping[str, Any], further: Mapping[str, Any], rows: Iterator[dict[str, Any]]
    ) -> Iterator[Owned]:
        """Yield the account's permissions on one calendar.

        :param further: the calendar; empty for the default one of the mailbox.
        """
        place = str(box["PrimarySmtpAddress"]).lower() + (f": {further.get('name')}" if further else "")
        where = {"box": str(box["ExternalDirectoryObjectId"]), "calendar": str(further.get("id") or "")}
        for row in _there(rows):
            who = str((row.get("emailAddress") or {}).get("address") or "").lower()
            if who in (account.email, account.login.lower()):
                yield Owned(
                    FURTHER if further else CALENDAR,
                    str(row["id"]),
                    f"{place} ({row.get('role') or 'unknown'})",
                    settle="shut_out" if row.get("isRemovable", True) else "decide",
                    raw={**where, "why": "Exchange lets nobody remove it"},
                )


def _permissions_of(box: str, calendar: str) -> UrlPath:
    """Return the path of a calendar's permissions; an empty ``calendar`` means the default one of the mailbox."""
    if calendar:
        return at("/users/{}/calendars/{}/calendarPermissions", box, calendar)
    return at("/users/{}/calendar/calendarPermissions", box)


def _there(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a list; none where the mailbox has no calendar, or was deleted since it was listed."""
    try:
        yield from rows
    except NotFound:
        return


def _decide(kind: str, name: str, why: str) -> Owned:
    return Owned(kind, name, name, settle="decide", raw={"why": why})


def _side_by_side(
    read: Callable[[Mapping[str, Any]], list[dict[str, Any]]], boxes: Sequence[Mapping[str, Any]]
) -> Iterator[list[dict[str, Any]]]:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from threads.map(read, boxes)

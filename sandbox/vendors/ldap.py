# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A directory for where OpenLDAP is not installed: LDAP v3 over TLS, on ldaptor's protocol code, in memory.

It keeps the rules of slapd that a client can run into: who may read and write, the permanent lock of the password policy
(which a change of the password lifts), attributes that the schema does not have, groups that must have a member.
"""

from __future__ import annotations

import socketserver
import ssl
import threading
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ldaptor import interfaces
from ldaptor.inmemory import ReadOnlyInMemoryLDAPEntry
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap import distinguishedname, ldaperrors, ldapserver
from twisted.python.components import registerAdapter

from sandbox.company import Company
from sandbox.servers.base import Server
from sandbox.servers.directory import ADMIN, BASE, entries

LOCKED = b"000001010000Z"
SECRET = b"userPassword"
#: Attributes of the schemas that slapd.conf of the sandbox loads, as far as people and groups have them.
SCHEMA = {
    a.lower()
    for a in (
        b"objectClass",
        b"uid",
        b"cn",
        b"sn",
        b"givenName",
        b"displayName",
        b"mail",
        b"employeeNumber",
        b"employeeType",
        b"title",
        b"departmentNumber",
        b"l",
        b"mobile",
        b"manager",
        b"userPassword",
        b"member",
        b"uniqueMember",
        b"memberUid",
        b"dc",
        b"o",
        b"ou",
        b"pwdAttribute",
        b"pwdLockout",
        b"pwdAccountLockedTime",
        b"description",
        b"uidNumber",
        b"gidNumber",
        b"homeDirectory",
        b"loginShell",
    )
}
OPERATIONAL = {b"entryuuid", b"pwdaccountlockedtime", b"pwdchangedtime", b"createtimestamp"}


class _Tree:
    """What ldaptor calls a factory: where the entries are."""

    def __init__(self, root: Any) -> None:
        self.root = root


registerAdapter(lambda tree: tree.root, _Tree, interfaces.IConnectedLDAPEntry)


class _Protocol(ldapserver.LDAPServer):  # type: ignore[misc]
    """One connection."""

    def __init__(self, vendor: Ldap, transport: Any) -> None:
        super().__init__()
        self.vendor, self.factory, self.transport = vendor, _Tree(vendor.root), transport
        self.connectionMade()

    @property
    def admin(self) -> bool:
        return self.boundUser is not None and self.boundUser.dn.getText() == ADMIN

    def handle_LDAPBindRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        if request.dn and not request.auth:
            raise ldaperrors.LDAPUnwillingToPerform("unauthenticated bind (DN with no password) disallowed")
        self.boundUser = None
        answer = super().handle_LDAPBindRequest(request, controls, reply)
        locked = self.boundUser is not None and LOCKED in self.boundUser.get(b"pwdAccountLockedTime", ())
        if locked and self.vendor.locks():
            self.boundUser = None
            raise ldaperrors.LDAPInvalidCredentials()
        return answer

    def handle_LDAPSearchRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        if self.boundUser is None:
            raise ldaperrors.LDAPInsufficientAccessRights()
        return super().handle_LDAPSearchRequest(request, [], reply)  # one page holds everything, as a server may decide

    def _cbSearchGotBase(self, base: Any, dn: Any, request: Any, reply: Any) -> Any:
        wanted = {a.lower() for a in request.attributes} or {b"*"}

        def send(answer: Any) -> None:
            if isinstance(answer, pureldap.LDAPSearchResultEntry):
                answer = pureldap.LDAPSearchResultEntry(
                    objectName=answer.objectName,
                    attributes=[(k, v) for k, v in answer.attributes if self._visible(k, wanted)],
                )
            reply(answer)

        return super()._cbSearchGotBase(base, dn, request, send)

    def _visible(self, name: bytes, wanted: set[bytes]) -> bool:
        low = name.lower()
        if low == SECRET.lower() and not self.admin:
            return False
        return low in wanted or (b"*" in wanted and low not in OPERATIONAL) or (b"+" in wanted and low in OPERATIONAL)

    def _may_write(self, kind: str, dn: bytes) -> None:
        if not self.admin:
            raise ldaperrors.LDAPInsufficientAccessRights()
        self.vendor.journal.append(
            {
                "n": len(self.vendor.journal) + 1,
                "at": datetime.now(timezone.utc).isoformat(),
                "method": kind,
                "path": dn.decode(),
                "write": True,
                "fault": None,
                "status": 0,
            }
        )

    def handle_LDAPAddRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        self._may_write("ADD", request.entry)
        names = {name.value.lower() for name, _ in request.attributes}
        _known(names)
        classes = {
            v.value.lower()
            for name, values in request.attributes
            if name.value.lower() == b"objectclass"
            for v in values
        }
        _required(classes, names)
        answer = super().handle_LDAPAddRequest(request, controls, reply)
        return answer.addCallback(lambda done: self.vendor.stamp(request.entry) or done)

    def handle_LDAPDelRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        self._may_write("DELETE", request.value)
        return super().handle_LDAPDelRequest(request, controls, reply)

    def handle_LDAPModifyDNRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        self._may_write("MODRDN", request.entry)
        return super().handle_LDAPModifyDNRequest(request, controls, reply)

    def handle_LDAPModifyRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        """Return all changes or none, with the codes that slapd gives."""
        self._may_write("MODIFY", request.object)
        found = self.vendor.root.lookup(distinguishedname.DistinguishedName(request.object))

        def change(entry: Any) -> Any:
            values = {name: set(entry[name]) for name in entry}
            for step in request.modification:
                kind, (attribute, given) = step[0].value, (step[1][0].value, {v.value for v in step[1][1]})
                _known({attribute.lower()})
                name = next((n for n in values if n.lower() == attribute.lower()), attribute)
                held = values.setdefault(name, set())
                if kind == 0:
                    if held & given:
                        raise ldaperrors.LDAPAttributeOrValueExists()
                    held |= given
                elif kind == 1:
                    if not held or given - held:
                        raise ldaperrors.LDAPNoSuchAttribute()
                    values[name] = held - given if given else set()
                else:
                    values[name] = given
                if attribute.lower() == SECRET.lower():
                    values.pop(b"pwdAccountLockedTime", None)
            filled = {name: held for name, held in values.items() if held}
            _required({c.lower() for c in filled.get(b"objectClass", ())}, {n.lower() for n in filled})
            for name in list(entry.keys()):
                del entry[name]
            for name, held in filled.items():
                entry[name] = held
            return pureldap.LDAPModifyResponse(resultCode=0)

        return found.addCallback(change)


def _known(names: set[bytes]) -> None:
    for name in names - SCHEMA:
        raise ldaperrors.LDAPUndefinedAttributeType(name + b": attribute type undefined")


def _required(classes: set[bytes], names: set[bytes]) -> None:
    for cls, needs in (
        (b"inetorgperson", {b"cn", b"sn"}),
        (b"groupofnames", {b"cn", b"member"}),
        (b"posixaccount", {b"uidnumber", b"gidnumber", b"homedirectory"}),
    ):
        if cls in classes and needs - names:
            raise ldaperrors.LDAPObjectClassViolation(b"object class requires attribute " + min(needs - names))


class _Transport:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def write(self, content: bytes) -> None:
        self.connection.sendall(content)

    def loseConnection(self) -> None:
        self.connection.close()


class Ldap(Server):
    name = "ldap"

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.lock = threading.Lock()
        self._seed()
        vendor = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    self.request.do_handshake()
                    protocol = _Protocol(vendor, _Transport(self.request))
                    while content := self.request.recv(65536):
                        with vendor.lock:
                            protocol.factory = _Tree(vendor.root)
                            protocol.dataReceived(content)
                except (OSError, ValueError):
                    return  # the client went away

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.cert_file, self.authority.key_file)
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler, bind_and_activate=True)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"ldaps://localhost:{self._server.server_address[1]}"

    def start(self) -> None:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="ldap", daemon=True
        ).start()

    def halt(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def password_of(self, key: str) -> str:
        return self.secret(f"of-{key}")

    def _seed(self) -> None:
        everything = dict(entries(self.company, {key: self.password_of(key) for key in self.company.people}))
        everything[ADMIN] = {
            "objectClass": ["person"],
            "cn": ["admin"],
            "sn": ["admin"],
            "userPassword": [self.secret("password")],
        }
        placed: dict[str, Any] = {}
        for dn, attributes in everything.items():
            rdn, _, parent = dn.partition(",")
            values = {name.encode(): {v.encode() for v in held} for name, held in attributes.items()}
            placed[dn] = (
                placed[parent].addChild(rdn, values) if parent in placed else ReadOnlyInMemoryLDAPEntry(dn, values)
            )
        self.root = placed[BASE]
        for dn in placed:
            self.stamp(dn.encode())

    def stamp(self, dn: bytes) -> None:
        """Give an entry the id that never changes, and the classes that its own derive from (slapd matches filters by them)."""

        def stamped(entry: Any) -> None:
            entry[b"entryUUID"] = {str(uuid.uuid4()).encode()}
            entry[b"createTimestamp"] = {datetime.now(timezone.utc).strftime("%Y%m%d%H%M%SZ").encode()}
            if b"inetOrgPerson" in entry[b"objectClass"]:
                entry[b"objectClass"] = {*entry[b"objectClass"], b"person", b"organizationalPerson"}

        self.root.lookup(distinguishedname.DistinguishedName(dn)).addCallback(stamped)

    def locks(self) -> bool:
        """Return whether the password policy lets a lock hold: it is FALSE when nobody wrote it."""
        found: list[Any] = []
        dn = distinguishedname.DistinguishedName(f"cn=default,ou=policies,{BASE}".encode())
        self.root.lookup(dn).addCallbacks(found.append, lambda _failure: None)
        return bool(found) and b"TRUE" in found[0].get(b"pwdLockout", ())

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self._seed()

    def entry(self, dn: str) -> dict[str, list[str]] | None:
        """Return what the directory holds under a name, for whoever checks a run."""
        found: list[Any] = []
        with self.lock:
            self.root.lookup(distinguishedname.DistinguishedName(dn)).addCallbacks(
                found.append, lambda failure: failure.trap(ldaperrors.LDAPNoSuchObject) and None
            )
        return (
            {name.decode(): sorted(v.decode() for v in found[0][name]) for name in found[0]}
            if found and found[0] is not None
            else None
        )

    def groups(self) -> list[str]:
        """Return the names of all groups."""
        return [
            dn
            for dn, attributes in entries(self.company, dict.fromkeys(self.company.people, ""))
            if "groupOfNames" in attributes["objectClass"]
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "ldap": {
                "connector": "ldap",
                "url": self.url,
                "credentials": {"user": ADMIN, "password": self.secret("password")},
                "options": {"base": BASE, "groups_base": f"ou=groups,{BASE}", "first_credential": "elsewhere"},
                "owner": "IT",
            }
        }

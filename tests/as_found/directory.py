# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's directory on a real OpenLDAP: its own tree, units with umlauts, mail routing, small pages, nested groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ldap3

from sandbox.servers.slapd import Slapd
from tests.as_found.people import HUMANS, Human, Seat

BASE = "dc=acme,dc=example"


def dn_of(seat: Seat) -> str:
    return f"uid={seat.login},ou={seat.unit},ou=Belegschaft,{BASE}"


class FoundDirectory(Slapd):
    name = "found"
    BASE, ADMIN = BASE, f"cn=admin,{BASE}"
    SCHEMA = "include /etc/ldap/schema/misc.schema"
    PAGE = 7
    HUMANS: Mapping[str, Human] = HUMANS

    def entries(self) -> Iterator[tuple[str, Mapping[str, list[str]]]]:
        yield BASE, {"objectClass": ["dcObject", "organization"], "o": ["Acme"], "dc": ["acme"]}
        for unit in (f"ou=Belegschaft,{BASE}", f"ou=Gruppen,{BASE}", f"ou=policies,{BASE}"):
            yield unit, {"objectClass": ["organizationalUnit"]}
        for unit in ("Köln", "Admins"):
            yield f"ou={unit},ou=Belegschaft,{BASE}", {"objectClass": ["organizationalUnit"]}
        yield (
            f"cn=default,ou=policies,{BASE}",
            {
                "objectClass": ["device", "pwdPolicy"],
                "cn": ["default"],
                "pwdAttribute": ["userPassword"],
                "pwdLockout": ["TRUE"],
            },
        )
        members: dict[str, list[str]] = {}
        for human in self.HUMANS.values():
            for seat in human.seats:
                yield dn_of(seat), self._entry(seat)
                for group in seat.groups:
                    members.setdefault(group, []).append(dn_of(seat))
        for group, names in members.items():
            yield f"cn={group},ou=Gruppen,{BASE}", {"objectClass": ["groupOfNames"], "cn": [group], "member": names}
        inner = [f"cn={group},ou=Gruppen,{BASE}" for group in members]
        if inner:
            yield (
                f"cn=everybody,ou=Gruppen,{BASE}",
                {"objectClass": ["groupOfNames"], "cn": ["everybody"], "member": inner},
            )

    def _entry(self, seat: Seat) -> Mapping[str, list[str]]:
        entry = {
            "objectClass": ["inetOrgPerson", *(["inetLocalMailRecipient"] if seat.aliases else [])],
            "uid": [seat.login],
            "cn": [seat.name],
            "sn": [seat.last],
            "givenName": [seat.first],
            "mail": list(seat.mail),
            "mailLocalAddress": list(seat.aliases),
            "employeeNumber": [seat.number],
            "userPassword": [self.password_of(seat.login)],
        }
        return {name: [value for value in values if value] for name, values in entry.items() if any(values)}

    def password_of(self, key: str) -> str:
        return self.secret("of-" + key.encode("ascii", "ignore").decode())

    def signs_in(self, seat: Seat) -> bool:
        """Asked of the directory itself."""
        server = ldap3.Server(self.url, tls=ldap3.Tls(ca_certs_file=str(self.authority.ca_file), validate=2))
        connection = ldap3.Connection(server, dn_of(seat), self.password_of(seat.login), check_names=False)
        return bool(connection.bind())

    def entry(self, seat: Seat) -> dict[str, list[str]]:
        """A seat's entry as the administrator reads it."""
        server = ldap3.Server(self.url, tls=ldap3.Tls(ca_certs_file=str(self.authority.ca_file), validate=2))
        with ldap3.Connection(server, self.ADMIN, self.secret("password"), auto_bind=True, check_names=False) as admin:
            admin.search(dn_of(seat), "(objectClass=*)", search_scope="BASE", attributes=["*", "+"])
            return dict(admin.response[0]["attributes"])

    def write(self, seat: Seat, changes: Mapping[str, Any]) -> None:
        """Change a seat's entry as its administrator does."""
        server = ldap3.Server(self.url, tls=ldap3.Tls(ca_certs_file=str(self.authority.ca_file), validate=2))
        with ldap3.Connection(server, self.ADMIN, self.secret("password"), auto_bind=True, check_names=False) as admin:
            assert admin.modify(dn_of(seat), dict(changes)), admin.result

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "found": {
                "connector": "ldap",
                "url": self.url,
                "credentials": {"user": self.ADMIN, "password": self.secret("password")},
                "options": {"base": BASE, "groups_base": f"ou=Gruppen,{BASE}"},
            }
        }

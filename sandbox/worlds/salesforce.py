# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Salesforce's REST API: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/. Lists are SOQL; errors are arrays.

The emulator reads as much of SOQL as it is asked: ``SELECT fields FROM object WHERE a = 'x' AND|OR b = true``. A field that the
object has not is refused, as Salesforce does.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.days import stamp
from sandbox.emulator import Call, Reply
from sandbox.world import Op, Row, Seen, World, removed

VERSION = "/services/data/v62.0"
#: The fields that the object reference lists and that are asked for here.
FIELDS = {
    "User": {"Id", "Username", "Email", "EmployeeNumber", "FederationIdentifier", "FirstName", "LastName", "Title"}
    | {"Department", "IsActive", "UserType", "ProfileId", "LastLoginDate", "CreatedDate"},
    "UserLogin": {"Id", "UserId", "IsFrozen", "IsPasswordLocked"},
    "AuthSession": {"Id", "UsersId", "SessionType", "CreatedDate", "LoginType", "NumSecondsValid"},
    "OauthToken": {"Id", "UserId", "AppName", "DeleteToken", "CreatedDate", "LastUsedDate", "UseCount"},
    "PermissionSet": {"Id", "Name", "Label", "IsOwnedByProfile"},
    "PermissionSetAssignment": {"Id", "AssigneeId", "PermissionSetId", "PermissionSet.IsOwnedByProfile"},
    "PermissionSetLicense": {"Id", "DeveloperName", "MasterLabel"},
    "PermissionSetLicenseAssign": {"Id", "AssigneeId", "PermissionSetLicenseId"},
    "Group": {"Id", "Name", "Type"},
    "GroupMember": {"Id", "GroupId", "UserOrGroupId"},
    "Account": {"Id", "Name", "OwnerId"},
    "Opportunity": {"Id", "Name", "OwnerId", "IsClosed"},
    "Case": {"Id", "CaseNumber", "OwnerId", "IsClosed"},
    "Lead": {"Id", "Name", "OwnerId", "IsConverted"},
}
_QUERY = re.compile(r"SELECT (?P<fields>[\w., ]+) FROM (?P<object>\w+)(?: WHERE (?P<where>.+))?", re.DOTALL)
_TEST = re.compile(r"([\w.]+) (?:= ('(?:[^'\\]|\\.)*'|true|false)|IN \(([^)]*)\))(?: (AND|OR) |$)")
_OWNED = ("Account", "Opportunity", "Case", "Lead")
_NEEDED = ("Username", "Email", "LastName", "Alias", "ProfileId", "TimeZoneSidKey", "LocaleSidKey", "LanguageLocaleKey")


def refused(status: int, code: str, message: str) -> Reply:
    return Reply(status, [{"errorCode": code, "message": message, "fields": []}])


class Malformed(Exception):
    """The query is none."""


class Salesforce(World):
    name = "salesforce"
    READING_POSTS = (r"/services/oauth2/token$",)
    UNSIGNED = refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
    MISSING = refused(404, "NOT_FOUND", "The requested resource does not exist")
    OPTIONS = {"profile_id": "00e000000000001"}
    ADDRESS = "Email"
    GIVE = ("permission_sets", "Quote Approver")
    TAKE = ("groups", "Engineering")

    def seed(self) -> dict[str, Any]:
        state: dict[str, Any] = {name: {} for name in FIELDS}
        for number, label in enumerate(("System Administrator", "Quote Approver", "Forecaster"), 1):
            self._add(state, "PermissionSet", f"0PS{number:012}", Label=label, IsOwnedByProfile=False)
        self._add(state, "PermissionSet", "0PS000000000009", Label="00ex", IsOwnedByProfile=True)
        self._add(state, "PermissionSetLicense", "0PL000000000001", MasterLabel="Sales Console")
        for number, name in enumerate(("Engineering", "Platform"), 1):
            self._add(state, "Group", f"00G{number:012}", Name=name, Type="Regular")
        self._add(state, "Group", "00G000000000003", Name="Support", Type="Queue")
        for number, (key, person) in enumerate(self.seated().items(), 1):
            self._seat(state, number, key, person)
        jane = self.id_of(state["User"], "jane")
        for what, prefix in zip(_OWNED, ("001", "006", "500", "00Q"), strict=True):
            row = {"Name": f"{what} of jane", "OwnerId": jane, "IsClosed": False, "IsConverted": False}
            self._add(state, what, f"{prefix}000000000001", **row, CaseNumber="00001001")
        self._add(state, "Opportunity", "006000000000002", Name="won long ago", OwnerId=jane, IsClosed=True)
        return state

    def _seat(self, state: dict[str, Any], number: int, key: str, person: Any) -> None:
        ident = f"005{number:012}"
        state["User"][ident] = {
            **dict.fromkeys(FIELDS["User"]),
            "Id": ident,
            "Username": person["email"],
            "Email": person["email"],
            "EmployeeNumber": person.get("employee_id"),
            "FirstName": person["first_name"],
            "LastName": person["last_name"],
            "IsActive": True,
            "UserType": "Standard",
            "ProfileId": "00e000000000001",
            "LastLoginDate": stamp(-1),
            "CreatedDate": stamp(-700),
        }
        self._add(state, "UserLogin", f"0Yw{number:012}", UserId=ident, IsFrozen=False, IsPasswordLocked=False)
        self._add(state, "AuthSession", f"0Ak{number:012}", UsersId=ident, SessionType="UI", CreatedDate=stamp(0))
        token = {"UserId": ident, "AppName": "Dataloader", "DeleteToken": f"d-{number}", "CreatedDate": stamp(-90)}
        self._add(state, "OauthToken", f"0CD{number:012}", **token, LastUsedDate=stamp(-2))
        first = "0PS000000000001" if key == "grace" else "0PS000000000003"
        for count, held in enumerate((first, "0PS000000000009")):
            self._add(
                state,
                "PermissionSetAssignment",
                f"0Pa{number:011}{count}",
                AssigneeId=ident,
                PermissionSetId=held,
                **{"PermissionSet.IsOwnedByProfile": held.endswith("9")},
            )
        licence = {"AssigneeId": ident, "PermissionSetLicenseId": "0PL000000000001"}
        self._add(state, "PermissionSetLicenseAssign", f"2LA{number:012}", **licence)
        self._add(state, "GroupMember", f"011{number:012}", GroupId="00G000000000001", UserOrGroupId=ident)

    @staticmethod
    def _add(state: dict[str, Any], table: str, ident: str, **row: Any) -> None:
        state[table][ident] = {"Id": ident, **row}

    def operations(self) -> list[tuple[str, str, Op]]:
        deletable = ("AuthSession", "PermissionSetAssignment", "PermissionSetLicenseAssign", "GroupMember")
        return [
            ("POST", "/services/oauth2/token", lambda world, call: self._token(call)),
            ("POST", "/services/oauth2/revoke", lambda world, call: self._revoke(call)),
            ("GET", f"{VERSION}/query", lambda world, call: self._query(call)),
            ("GET", f"{VERSION}/query/{{cursor}}", lambda world, call: self._query(call)),
            *(("PATCH", f"{VERSION}/sobjects/{what}/{{id}}", self._patch(what)) for what in ("User", "UserLogin")),
            *(("PATCH", f"{VERSION}/sobjects/{what}/{{id}}", self._patch(what)) for what in _OWNED),
            *(("POST", f"{VERSION}/sobjects/{what}", self._post(what)) for what in ("User", *deletable[1:])),
            *(("DELETE", f"{VERSION}/sobjects/{what}/{{id}}", self._delete(what)) for what in deletable),
        ]

    # -- signing in ----------------------------------------------------------------------------------------------------

    def _secrets(self) -> list[str]:
        return ["client_id", "client_secret"]

    def _token(self, call: Call) -> Reply:
        known = {"client_id": self.secret("client_id"), "client_secret": self.secret("client_secret")}
        if call.form != {**known, "grant_type": "client_credentials"}:
            return Reply(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        return Reply(200, {"access_token": self.secret("token"), "instance_url": self.url, "token_type": "Bearer"})

    def authorise(self, call: Call) -> Reply | None:
        if call.path.startswith("/services/oauth2/"):
            return None
        return None if call.headers.get("authorization") == f"Bearer {self.secret('token')}" else self.UNSIGNED

    def _revoke(self, call: Call) -> Reply:
        tokens = self.state["OauthToken"]
        mine = [ident for ident, row in tokens.items() if row["DeleteToken"] == call.form.get("token")]
        if not mine:
            return Reply(400, {"error": "unsupported_token_type", "error_description": "this token is not supported"})
        for ident in mine:
            del tokens[ident]
        return Reply(200, None)

    # -- SOQL ----------------------------------------------------------------------------------------------------------

    def _query(self, call: Call) -> Reply:
        cursor = call.args.get("cursor", "")
        try:
            text, start = (self._kept[cursor], int(cursor.rpartition("-")[2])) if cursor else (call.query["q"], 0)
            rows = self._selected(text)
        except (Malformed, KeyError) as e:
            return refused(400, "MALFORMED_QUERY", str(e))
        size = self.page_size or 2000
        start = 0 if self.stuck else start
        done = start + size >= len(rows) and not (self.stuck and rows)
        said: Row = {"totalSize": len(rows), "done": done, "records": rows[start : start + size]}
        if not done:
            following = f"01g000000000001-{start + size}"
            self._kept[following] = text
            said["nextRecordsUrl"] = f"{VERSION}/query/{following}"
        return Reply(200, said)

    @property
    def _kept(self) -> dict[str, str]:
        """The queries whose next page was promised."""
        kept: dict[str, str] = self.__dict__.setdefault("_cursors", {})
        return kept

    def _selected(self, text: str) -> list[Row]:
        found = _QUERY.fullmatch(text)
        if found is None or found["object"] not in FIELDS:
            raise Malformed(f"unexpected: {text}")
        names, fields = FIELDS[found["object"]], found["fields"].split(", ")
        rows = [row for row in self.state[found["object"]].values() if self._passes(names, found["where"] or "", row)]
        if unknown := set(fields) - names:
            raise Malformed(f"No such column {sorted(unknown)} on entity {found['object']}")
        return [{name: row.get(name) for name in fields} for row in rows]

    def _passes(self, names: set[str], where: str, row: Row) -> bool:
        holds, word, end = True, "AND", 0
        for test in _TEST.finditer(where):
            if test.start() != end or test[1] not in names:
                raise Malformed(f"unexpected: {where[end:]}")
            wanted = [value(one) for one in (test[2] or test[3]).split(", ")]
            has = row.get(test[1])
            this = has in wanted or isinstance(has, str) and has.lower() in [str(one).lower() for one in wanted]
            holds = (holds and this) if word == "AND" else (holds or this)
            word, end = test[4] or "", test.end()
        if end != len(where):
            raise Malformed(f"unexpected: {where[end:]}")
        return holds

    # -- objects -------------------------------------------------------------------------------------------------------

    def _patch(self, table: str) -> Op:
        def op(world: World, call: Call) -> Reply:
            row = self.row(table, call.args["id"])
            if row is None:
                return self.MISSING
            if unknown := set(call.body) - set(row) - {"OwnerId"}:
                return refused(400, "INVALID_FIELD", f"No such column {sorted(unknown)}")
            if call.body.get("IsActive") is False and row["Id"] in self.state.get("named in rules", ()):
                return refused(400, "FIELD_INTEGRITY_EXCEPTION", "user is the default case owner")
            if call.body.get("OwnerId") and not self.state["User"][call.body["OwnerId"]]["IsActive"]:
                return refused(400, "INACTIVE_OWNER_OR_USER", "owner is inactive")
            row.update(call.body)
            return Reply(204)

        return op

    def _post(self, table: str) -> Op:
        def op(world: World, call: Call) -> Reply:
            body = dict(call.body)
            if table == "User":
                if missing := [name for name in _NEEDED if not body.get(name)]:
                    return refused(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: {missing}")
                if any(row["Username"] == body["Username"] for row in self.state["User"].values()):
                    return refused(400, "DUPLICATE_USERNAME", "Duplicate Username.")
                body = {**dict.fromkeys(FIELDS["User"]), "IsActive": True, "UserType": "Standard", **body}
            elif any(all(row.get(name) == said for name, said in body.items()) for row in self.state[table].values()):
                return refused(400, "DUPLICATE_VALUE", "duplicate value found")
            ident = f"{table[:3]}{self.next_id():012}"
            owned = {"PermissionSet.IsOwnedByProfile": False} if table == "PermissionSetAssignment" else {}
            self.state[table][ident] = {**body, **owned, "Id": ident}
            return Reply(201, {"id": ident, "success": True, "errors": []})

        return op

    def _delete(self, table: str) -> Op:
        def op(world: World, call: Call) -> Reply:
            row = self.row(table, call.args["id"])
            if row is not None and row.get("PermissionSet.IsOwnedByProfile"):
                return refused(400, "INVALID_CROSS_REFERENCE_KEY", "can't remove what the profile owns")
            return removed(table)(world, call)

        return op

    # -- what a tester sees --------------------------------------------------------------------------------------------

    def see(self, key: str) -> Seen:
        ident = self.id_of(self.state["User"], key)
        if ident is None:
            return Seen("absent")
        mine = {
            "PermissionSetAssignment": ("permission_sets", "PermissionSetId", "PermissionSet", "Label"),
            "PermissionSetLicenseAssign": ("licenses", "PermissionSetLicenseId", "PermissionSetLicense", "MasterLabel"),
            "GroupMember": ("groups", "GroupId", "Group", "Name"),
        }
        held = {
            f"{kind}: {self.state[other][row[column]][name]}"
            for table, (kind, column, other, name) in mine.items()
            for row in self.state[table].values()
            if ident in (row.get("AssigneeId"), row.get("UserOrGroupId"))
        }
        active = self.state["User"][ident]["IsActive"]
        frozen = all(row["IsFrozen"] for row in self.state["UserLogin"].values() if row["UserId"] == ident)
        ways = [row["Id"] for table in ("AuthSession", "OauthToken") for row in self._of(table, ident)]
        owned = [
            row["Id"]
            for table in _OWNED
            for row in self.state[table].values()
            if row["OwnerId"] == ident and not row.get("IsClosed") and not row.get("IsConverted")
        ]
        return Seen(
            "active" if active else "suspended",
            open=ways if frozen or active else [*ways, "login"],
            held=held,
            owned=owned,
        )

    def _of(self, table: str, ident: str) -> list[Row]:
        return [row for row in self.state[table].values() if ident in (row.get("UsersId"), row.get("UserId"))]

    def settle(self, key: str, state: str) -> None:
        self.state["User"][self.id_of(self.state["User"], key)]["IsActive"] = state == "active"

    def twin(self, key: str) -> None:
        row = self.state["User"][self.id_of(self.state["User"], key)]
        other = f"{row['Id']}x"
        self.state["User"][other] = {**row, "Id": other, "Username": f"x{row['Username']}"}


def value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return re.sub(r"\\(.)", r"\1", text[1:-1])

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Personio, API v2: token, persons, employments, org units, webhooks. Answers as the OpenAPI of developer.personio.de/reference says.

Attributes that a credential may not read are left out. Signature and repeats of webhooks are less sure than the rest: the public page
(v2.0/reference/webhooks) promises 6 tries within 3 days, none after a 4xx or 501; the header is known from public code only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.hr_webhooks import Act, HrSystem, only
from sandbox.vendors.personio_seed import office_of, seeded, termination_of

CLIENT = "papi-baaaaaad-c0de-fade-baad-00000000001d"
OURS = {
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "title": "title",
    "department": "department",
    "location": "office",
    "manager": "supervisor",
    "time_zone": "time_zone",
    "personal_email": "private_email",
    "employee_id": "employee_number",
}
CUSTOM = ("employee_number", "time_zone", "github", "private_email")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LISTING = re.compile(
    r"(limit|cursor|id|email|first_name|last_name|preferred_name|status|(created_at|updated_at)(\.gt|\.lt)?)"
)


class Personio(HrSystem):
    """``state["persons"]`` and ``state["employments"]`` by id; ``state["hidden"]`` attributes; ``state["left"]`` calls until 429; ``state["stuck"]`` cursors
    that do not advance."""

    name = "personio"
    READING_POSTS = (r"^/v2/auth/token$",)
    GAPS = (0, 1, 10, 60, 360, 1440)
    TIMEOUT = 3.0

    def seed(self) -> Any:
        return seeded(self.company)

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("POST", "/v2/auth/token", self._token),
            ("GET", "/v2/persons", self._list),
            ("GET", "/v2/persons/{id}", self._one),
            ("PATCH", "/v2/persons/{id}", self._update),
            ("GET", "/v2/persons/{id}/employments", self._employments),
            ("GET", "/v2/org-units", self._units),
        ]

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        offices = {
            office_of(str(person["location"])): str(person["location"]) for person in self.company.people.values()
        }
        return {
            "personio": {
                "connector": "personio",
                "url": self.url,
                "owner": "hr@corp.example",
                "credentials": {"client_id": CLIENT, "client_secret": self.secret("client-secret")},
                "options": {
                    "offices": offices,
                    "fields": {
                        "employee_id": "employee_number",
                        "time_zone": "time_zone",
                        "github": "github",
                        "personal_email": "private_email",
                    },
                },
            }
        }

    def authorise(self, call: Call) -> Reply | None:
        if call.path == "/v2/auth/token":
            return None
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in self.state["tokens"]:
            return _problem(401, "Unauthorized", "The provided credentials are not valid.")
        if self.state["left"] is not None:
            if self.state["left"] <= 0:
                self.state["left"] = None
                return _problem(429, "Too many requests", "Rate limit exceeded.", {"Retry-After": "0"})
            self.state["left"] -= 1
        return None

    def not_found(self, call: Call) -> Reply:
        return _problem(404, "Resource not found", "There is no resource for the specified id.")

    # -- paths ---------------------------------------------------------------------------------------------------------

    def _token(self, call: Call) -> Reply:
        if not call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _oauth(
                "invalid_request", 'The content type of the request must be "application/x-www-form-urlencoded".'
            )
        form = call.form
        if not all(form.get(name) for name in ("grant_type", "client_id", "client_secret")):
            return _oauth("invalid_request", "The request has missing or invalid required parameters.")
        if form["grant_type"] != "client_credentials":
            return _oauth("unsupported_grant_type", "The authorization grant type is not supported.")
        if form["client_id"] != CLIENT or not hmac.compare_digest(
            form["client_secret"].encode(), self.secret("client-secret").encode()
        ):
            return _oauth(
                "unauthorized_client",
                "The credentials were not correct. Make sure you are providing the right client_id and client_secret.",
            )
        if set(form.get("scope", "").split()) - {"personio:persons:read", "personio:org-units:read"}:
            return _oauth("invalid_scope", "The requested scope is invalid, unknown or malformed.")
        token = f"papi-canary-{secrets.token_urlsafe(24)}"
        self.state["tokens"].append(token)
        return Reply(
            200,
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": 86400,
                "scope": "personio:persons:read personio:org-units:read",
            },
        )

    def _list(self, call: Call) -> Reply:
        wrong = _wrong_query(call.query)
        if wrong:
            return _problem(400, "Bad request", wrong)
        query = call.query
        found = []
        for key, person in self.state["persons"].items():
            shown = self._person(key)
            ids, emails = query.get("id"), query.get("email")
            if (
                ids
                and key not in ids.split(",")
                or emails
                and str(person["email"]).lower() not in emails.lower().split(",")
            ):
                continue
            if any(
                query.get(name) not in (None, person[name]) for name in ("first_name", "last_name", "preferred_name")
            ):
                continue
            if query.get("status") not in (None, self._status(key)) or not _within(person, query):
                continue
            found.append(shown)
        return self._page(call, found, "/v2/persons")

    def _one(self, call: Call) -> Reply:
        key = call.args["id"]
        return Reply(200, self._person(key)) if key in self.state["persons"] else self.not_found(call)

    def _update(self, call: Call) -> Reply:
        """reference/patch_v2-persons-person-id: needs the scope personio:persons:write."""
        key, body = call.args["id"], call.body if isinstance(call.body, dict) else {}
        if key not in self.state["persons"]:
            return self.not_found(call)
        if "edit" in self.state["hidden"]:
            return _problem(403, "Forbidden", "The credentials lack the scope personio:persons:write.")
        if not body or set(body) - {"email", "first_name", "last_name", "preferred_name"}:
            return _problem(400, "Bad request", "Provided request parameters are invalid.")
        self.change(key, **body)
        return Reply(200, self._person(key))

    def _employments(self, call: Call) -> Reply:
        key = call.args["id"]
        wrong = _wrong_query(call.query)
        if wrong:
            return _problem(400, "Bad request", wrong)
        if key not in self.state["persons"]:
            return self.not_found(call)
        return self._page(call, [self._employment(one) for one in self._of(key) if _within(one, call.query)], call.path)

    def _units(self, call: Call) -> Reply:
        if call.query.get("type") not in ("department", "team"):
            return _problem(400, "Bad request", "Provided request parameters are invalid.")
        rows = [
            {"id": number, "type": "department", "name": name, "parent_id": None}
            for name, number in self.state["units"].items()
        ]
        return self._page(call, rows if call.query["type"] == "department" else [], "/v2/org-units")

    def _page(self, call: Call, rows: Sequence[Mapping[str, Any]], path: str) -> Reply:
        limit = int(call.query.get("limit", 10))
        try:
            start = (
                int(base64.urlsafe_b64decode(call.query["cursor"].removeprefix("cur_")))
                if call.query.get("cursor")
                else 0
            )
        except (ValueError, binascii.Error):
            return _problem(400, "Bad request", "Provided cursor is invalid.")
        links = {"self": {"href": f"https://api.personio.de{path}"}}
        if start + limit < len(rows):
            following = start if self.state["stuck"] else start + limit
            links["next"] = {
                "href": f"https://api.personio.de{path}?limit={limit}&cursor=cur_{base64.urlsafe_b64encode(str(following).encode()).decode()}"
            }
        return Reply(200, {"_data": list(rows[start : start + limit]), "_meta": {"links": links}})

    # -- what HR people do ---------------------------------------------------------------------------------------------

    def change(self, key: str, **values: Any) -> None:
        """Edit a person, or what stands on the employment (title, department, office, supervisor)."""
        person, employment = self.state["persons"][key], self._of(key)[0]
        for name, value in values.items():
            if name in CUSTOM:
                person["_custom"][name] = value
            elif name == "title":
                employment["position"] = {"title": value}
            elif name == "department":
                employment["org_units"] = [
                    {
                        "type": "department",
                        "id": self.state["units"].setdefault(value, str(401 + len(self.state["units"]))),
                    }
                ]
            elif name in ("office", "supervisor"):
                employment[name] = {"id": office_of(value) if name == "office" else value}
            else:
                person[name] = value
        moved = [name for name in values if name in CUSTOM or name in person]
        # An employment that changes does not move its person's date.
        (person if moved else employment)["updated_at"] = _now()
        self._send("person.updated" if moved else "employment.updated", key)

    def employ(self, key: str, **values: Any) -> None:
        """Change the last employment, as it stands in the API."""
        employment = self._of(key)[0]
        employment.update(values, updated_at=_now())
        self._send("employment.updated", key)

    def terminate(self, key: str, day: str, *, last_working_day: str = "", kind: str = "EMPLOYEE") -> None:
        """A termination, told when its day has come."""
        self.employ(key, employment_end_date=day, termination=termination_of(day, last_working_day, kind))
        if day <= _now()[:10]:
            self._send("employment.terminated", key)

    def edits_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        edits = {OURS.get(name, name): value for name, value in values.items()}
        unknown = sorted(set(edits) - {*OURS.values(), *CUSTOM, "preferred_name"})
        if unknown:
            raise LookupError(f"no field {', '.join(unknown)}; there are {', '.join(OURS)}")
        return edits

    def acts(self) -> Mapping[str, Act]:
        return {
            "terminate": lambda key, day, edits: self.terminate(key, day),
            "withdraw": lambda key, day, edits: self.employ(key, employment_end_date=None, termination=None),
            "leave": lambda key, day, edits: self.employ(key, _leave=True),
            "return": lambda key, day, edits: self.employ(key, _leave=False),
            "start": lambda key, day, edits: self.employ(key, employment_start_date=day),
            "change": lambda key, day, edits: self.change(key, **edits),
            "hire": lambda key, day, edits: self._hire("hire", key, day, edits),
            "rehire": lambda key, day, edits: self._hire("rehire", key, day, edits),
            "delete": self._delete,
            "midnight": self._midnight,
        }

    def _delete(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        self.state["persons"].pop(key)
        employments = self.state["employments"].items()
        self.state["employments"] = {one: e for one, e in employments if e["person"]["id"] != key}
        self._send("person.deleted", key)

    def _midnight(self, key: str, day: str, edits: Mapping[str, Any]) -> None:
        for one in self.state["employments"].values():
            if (one["termination"] or {}).get("termination_date") == day:
                self._send("employment.terminated", one["person"]["id"])

    def _hire(self, act: str, key: str, day: str, edits: Mapping[str, Any]) -> None:
        if act == "hire":
            key = str(1 + max(int(one) for one in self.state["persons"]))
            self.state["persons"][key] = {
                "id": key,
                "email": None,
                "created_at": _now(),
                "updated_at": _now(),
                "first_name": "",
                "last_name": "",
                "preferred_name": None,
                "gender": "UNSPECIFIED",
                "_custom": {},
            }
        one = f"2306b77a-35fb-4b1d-8044-{secrets.randbelow(10**12):012d}"
        before = (
            self._of(key)[0]
            if act == "rehire"
            else {"position": {"title": ""}, "supervisor": None, "office": {"id": office_of("Berlin")}, "org_units": []}
        )
        self.state["employments"][one] = {
            **before,
            "id": one,
            "person": {"id": key},
            "employment_start_date": day,
            "employment_end_date": None,
            "type": "INTERNAL",
            "contract_end_date": None,
            "created_at": _now(),
            "updated_at": _now(),
            "termination": None,
            "_leave": False,
        }
        if edits:
            self.change(key, **edits)
        self._send("person.created" if act == "hire" else "employment.created", key)

    def key_of(self, user: str) -> str:
        sought = user.casefold()
        return only(
            [
                key
                for key, p in self.state["persons"].items()
                if sought in (key, str(p["email"]).casefold(), str(p["_custom"].get("employee_number")).casefold())
            ],
            user,
        )

    # -- webhooks ------------------------------------------------------------------------------------------------------

    def again(self, status: int | None) -> bool:
        return status is None or status >= 500 and status != 501

    def signed(self, content: bytes, key: str) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {key}",
            "X-Personio-Signature": hmac.new(key.encode(), content, hashlib.sha256).hexdigest(),
        }

    def _send(self, event: str, key: str) -> None:
        payload = {"person": {"id": key}}
        if event.startswith("employment.") and key in self.state["persons"]:
            payload["employment"] = {"id": self._of(key)[0]["id"]}
        for to in list(self.subscriptions.values()):
            self.send(
                to,
                {"company_id": "9", "event_name": event, "occurred_at": _now(), "payload": payload, "meta": {}},
                event,
            )

    # -- values --------------------------------------------------------------------------------------------------------

    def _of(self, key: str) -> list[dict[str, Any]]:
        """Return the most recent first, as the vendor gives them."""
        mine = [one for one in self.state["employments"].values() if one["person"]["id"] == key]
        return sorted(mine, key=lambda one: one["employment_start_date"], reverse=True)

    def _employment(self, one: Mapping[str, Any]) -> dict[str, Any]:
        shown = {
            "status": _status(one),
            **{name: value for name, value in one.items() if not name.startswith("_")},
            "_meta": {"links": {"person": {"href": f"https://api.personio.de/v2/persons/{one['person']['id']}"}}},
        }
        return {name: value for name, value in shown.items() if name not in self.state["hidden"]}

    def _status(self, key: str) -> str:
        """Return that of the latest employment, coarser."""
        mine = self._of(key)
        return "INACTIVE" if not mine or _status(mine[0]) == "INACTIVE" else "ACTIVE"

    def _person(self, key: str) -> dict[str, Any]:
        person = self.state["persons"][key]
        custom = [
            {
                "id": f"dynamic_{305 + number}",
                "type": "STRING",
                "global_id": name,
                "label": name.replace("_", " ").title(),
                "value": person["_custom"].get(name),
            }
            for number, name in enumerate(CUSTOM)
            if person["_custom"].get(name) is not None and name not in self.state["hidden"]
        ]
        shown = {
            **{name: value for name, value in person.items() if not name.startswith("_")},
            "status": self._status(key),
            "custom_attributes": custom,
            "employments": [{"id": one["id"]} for one in self._of(key)],
            "_meta": {"links": {"employments": {"href": f"https://api.personio.de/v2/persons/{key}/employments"}}},
        }
        return {name: value for name, value in shown.items() if name not in self.state["hidden"]}


def _status(one: Mapping[str, Any]) -> str:
    today, end = _now()[:10], one["employment_end_date"]
    if one["employment_start_date"] > today:
        return "ONBOARDING"
    if end and end < today:
        return "INACTIVE"
    return "LEAVE" if one["_leave"] else "ACTIVE"


def _wrong_query(query: Mapping[str, str]) -> str:
    for name, value in query.items():
        if not _LISTING.fullmatch(name):
            return "Provided filter encoding is invalid."
        if name.startswith(("created_at", "updated_at")) and not _MOMENT.fullmatch(value):
            return "Provided request parameters are invalid."
    limit = query.get("limit", "10")
    if not limit.isdigit() or not 1 <= int(limit) <= 50 or query.get("status", "ACTIVE") not in ("ACTIVE", "INACTIVE"):
        return "Provided request parameters are invalid."
    return ""


def _within(record: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    for name in ("created_at", "updated_at"):
        at = _moment(record[name])
        if (
            f"{name}.gt" in query
            and not at > _moment(query[f"{name}.gt"])
            or f"{name}.lt" in query
            and not at < _moment(query[f"{name}.lt"])
        ):
            return False
        if name in query and at != _moment(query[name]):
            return False
    return True


def _moment(text: str) -> datetime:
    # Python 3.10 reads six digits of a second, and no Z.
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00"))


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Reply:
    body = {
        "personio_trace_id": secrets.token_hex(8),
        "timestamp": _now(),
        "errors": [{"title": title, "detail": detail, "type": "https://developer.personio.de/reference/errors"}],
    }
    return Reply(status, body, {"content-type": "application/problem+json", **(headers or {})})


def _oauth(error: str, description: str) -> Reply:
    return Reply(
        400,
        {"timestamp": _now(), "trace_id": secrets.token_hex(8), "error": error, "error_description": description},
        {"content-type": "application/problem+json"},
    )

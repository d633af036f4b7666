# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Everything in which the judge departs from the published descriptions: each row by name, with its source and its reason.

What has no row here is a violation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_GRAPH = "https://learn.microsoft.com/graph/api/"
_GITHUB = "https://docs.github.com/enterprise-cloud@latest/rest/"
_SLACK = "https://docs.slack.dev/reference/methods/"
_OUTSIDE = "documented there, but not in the part of the description that the slices were cut from"


@dataclass(frozen=True)
class Undescribed:
    """A method and a path (whole, as an expression) that the vendor documents outside the descriptions; its bodies aren't judged."""

    system: str
    method: str
    path: str
    source: str
    why: str = _OUTSIDE


UNDESCRIBED: Sequence[Undescribed] = (
    Undescribed(
        "github",
        "GET",
        r"/repos/[^/]+/[^/]+/actions/secrets",
        f"{_GITHUB}actions/secrets#list-repository-secrets",
    ),
    Undescribed("github", "GET", r"/user/\d+", f"{_GITHUB}users/users#get-a-user-using-their-id"),
    Undescribed(
        "google_workspace",
        "POST",
        r"/token",
        "https://developers.google.com/identity/protocols/oauth2/service-account",
        "the token service has no discovery document",
    ),
    Undescribed(
        "okta",
        "POST",
        r"/oauth2/v1/token",
        "https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/main/",
        "the authorization server has a description of its own",
    ),
    Undescribed(
        "microsoft",
        "GET",
        r"/[^/]+(/v2\.0)?/\.well-known/openid-configuration",
        "https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc",
        "the token service is not Graph",
    ),
    Undescribed(
        "microsoft",
        "POST",
        r"/[^/]+/oauth2/v2\.0/token",
        "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow",
        "the token service is not Graph",
    ),
    Undescribed(
        "microsoft",
        "POST",
        r"/adminapi/beta/[^/]+/InvokeCommand",
        "https://learn.microsoft.com/powershell/exchange/connect-to-exchange-online-powershell",
        "the endpoint under Exchange's PowerShell module has no published description",
    ),
    Undescribed(
        "microsoft",
        "GET",
        r"/v1\.0/users/[^/]+/mailFolders/[^/]+/messageRules",
        _GRAPH + "mailfolder-list-messagerules",
    ),
    Undescribed(
        "microsoft", "PATCH", r"/v1\.0/users/[^/]+/mailFolders/[^/]+/messageRules/[^/]+", _GRAPH + "messagerule-update"
    ),
    Undescribed(
        "microsoft", "DELETE", r"/v1\.0/users/[^/]+/mailFolders/[^/]+/messageRules/[^/]+", _GRAPH + "messagerule-delete"
    ),
    Undescribed("microsoft", "GET", r"/v1\.0/users/[^/]+/events/[^/]+/instances", _GRAPH + "event-list-instances"),
    Undescribed("microsoft", "GET", r"/v1\.0/users/[^/]+/calendars", _GRAPH + "user-list-calendars"),
    # The form for a sign-in name that begins with "$": the contract has users/{id} only.
    Undescribed("microsoft", "GET", r"/v1\.0/users\('\$[^/]+'\)", _GRAPH + "user-get"),
    *(
        Undescribed(
            "microsoft",
            method,
            rf"/v1\.0/users/[^/]+/calendars/[^/]+/calendarPermissions{one}",
            _GRAPH + "calendar-list-calendarpermissions",
        )
        for method, one in (("GET", ""), ("POST", ""), ("DELETE", "/[^/]+"))
    ),
    Undescribed(
        "microsoft",
        "GET",
        r"/v1\.0/users/[^/]+/calendar/calendarPermissions",
        _GRAPH + "calendar-list-calendarpermissions",
    ),
    Undescribed(
        "microsoft",
        "POST",
        r"/v1\.0/users/[^/]+/calendar/calendarPermissions",
        _GRAPH + "calendar-post-calendarpermissions",
    ),
    Undescribed(
        "microsoft",
        "DELETE",
        r"/v1\.0/users/[^/]+/calendar/calendarPermissions/[^/]+",
        _GRAPH + "calendarpermission-delete",
    ),
    Undescribed("microsoft", "GET", r"/v1\.0/drives/[^/]+/root/delta", _GRAPH + "driveitem-delta"),
    Undescribed("microsoft", "GET", r"/v1\.0/servicePrincipals(/[^/]+)?", _GRAPH + "serviceprincipal-list"),
    Undescribed("microsoft", "GET", r"/v1\.0/applications(/[^/]+)?", _GRAPH + "application-list"),
    Undescribed("microsoft", "GET", r"/v1\.0/groups/delta", _GRAPH + "group-delta"),
    Undescribed("microsoft", "POST", r"/v1\.0/directoryObjects/getByIds", _GRAPH + "directoryobject-getbyids"),
    Undescribed(
        "microsoft",
        "POST",
        r"/v1\.0/\$batch",
        "https://learn.microsoft.com/graph/json-batching",
        "a batch is no operation: what is in one is judged in tests/unit/test_listing_microsoft.py",
    ),
    Undescribed(
        "microsoft", "GET", r"/v1\.0/(applications|servicePrincipals)/[^/]+/owners", _GRAPH + "application-list-owners"
    ),
    Undescribed(
        "microsoft",
        "POST",
        r"/v1\.0/(applications|servicePrincipals)/[^/]+/owners/\$ref",
        _GRAPH + "application-post-owners",
    ),
    Undescribed(
        "microsoft",
        "DELETE",
        r"/v1\.0/(applications|servicePrincipals)/[^/]+/owners/[^/]+/\$ref",
        _GRAPH + "application-delete-owners",
    ),
    Undescribed(
        "microsoft",
        "POST",
        r"/beta/deviceManagement/managedDevices/[^/]+/users/\$ref",
        _GRAPH + "intune-devices-manageddevice-update?view=graph-rest-beta",
        "how the admin centre sets a primary user; no page of the reference describes it",
    ),
    Undescribed(
        "github",
        "POST",
        r"/app/installations/[^/]+/access_tokens",
        _GITHUB + "apps/apps#create-an-installation-access-token-for-an-app",
    ),
    Undescribed(
        "github",
        "POST",
        r"/graphql",
        "https://docs.github.com/enterprise-cloud@latest/graphql",
        "GraphQL has a schema of its own, not OpenAPI",
    ),
    Undescribed("github", "GET", r"/orgs/[^/]+/repos", _GITHUB + "repos/repos#list-organization-repositories"),
    Undescribed("github", "GET", r"/repos/[^/]+/[^/]+/teams", _GITHUB + "repos/repos#list-repository-teams"),
    Undescribed("github", "GET", r"/repos/[^/]+/[^/]+/commits", _GITHUB + "commits/commits#list-commits"),
    Undescribed("slack", "POST", r"/api/[a-zA-Z.]+", _SLACK, "Slack's Web API is not SCIM"),
)


@dataclass(frozen=True)
class Spelling:
    """A path as Graph takes it, and as its description writes it (expressions)."""

    name: str
    short: str
    described: str
    why: str


SPELLINGS: Sequence[Spelling] = (
    Spelling(
        "cast of deleted items",
        r"^/directory/deletedItems/microsoft\.graph\.user$",
        "/users",
        "OData's cast: the same collection, of users only, so judged as a list of users",
    ),
    Spelling(
        "cast of memberships",
        r"^/users/[^/]+/(memberOf|transitiveMemberOf)/microsoft\.graph\.group$",
        "/groups",
        "OData's cast: the same collection, of groups only, so judged as a list of groups",
    ),
    Spelling(
        "function without parentheses",
        r"/getFileVaultKey$",
        "/microsoft.graph.getFileVaultKey()",
        "a function without parameters may be called by its bare name",
    ),
    Spelling(
        "action without namespace",
        r"/(assignLicense|assignUserToDevice|unassignUserFromDevice|cancel|getSchedule|invite|remoteLock|restore|retire"
        r"|revokeSignInSessions|rotateFileVaultKey|rotateBitLockerKeys|sendMail|syncDevice|wipe)$",
        r"/microsoft.graph.\1",
        "Graph's pages call actions by their bare name; the description writes the namespace",
    ),
)

#: Query parameters that no operation lists.
QUERY_ANYWHERE: Mapping[str, str] = {
    "$skiptoken": "Graph's own next links carry it; opaque (https://learn.microsoft.com/graph/paging)",
    "$deltatoken": "Graph's own delta links carry it; opaque (https://learn.microsoft.com/graph/delta-query-overview)",
}
#: GitHub documents arrays as ``owner[]=a&owner[]=b``; the description names the parameter ``owner`` of type array.
ARRAY_SUFFIX = "[]"

#: Every GitHub operation may refuse so; the description lists refusals only here and there
#: (https://docs.github.com/enterprise-cloud@latest/rest/using-the-rest-api/troubleshooting-the-rest-api). Judged as ``basic-error``.
ERRORS_ANYWHERE = frozenset({400, 401, 403, 404, 422, 429, 500, 502, 503})

#: Bodies' required properties: Graph's description marks none, the operations' pages do.
REQUIRED: Mapping[tuple[str, str], Sequence[str]] = {
    ("POST", "/users"): (
        "accountEnabled",
        "displayName",
        "mailNickname",
        "userPrincipalName",
        "passwordProfile",
    ),  # user-post-users
    ("POST", "/users/{user-id}/appRoleAssignments"): (
        "principalId",
        "resourceId",
        "appRoleId",
    ),  # user-post-approleassignments
    ("POST", "/roleManagement/directory/roleAssignments"): (
        "principalId",
        "roleDefinitionId",
        "directoryScopeId",
    ),  # rbacapplication-post-roleassignments
    ("POST", "/users/{user-id}/microsoft.graph.assignLicense"): ("addLicenses", "removeLicenses"),  # user-assignlicense
    ("POST", "/users/{user-id}/microsoft.graph.sendMail"): ("message",),  # user-sendmail
    ("POST", "/drives/{drive-id}/items/{driveItem-id}/microsoft.graph.invite"): (
        "recipients",
        "roles",
    ),  # driveitem-invite
    ("POST", "/users/{user-id}/calendar/microsoft.graph.getSchedule"): (
        "schedules",
        "startTime",
        "endTime",
    ),  # calendar-getschedule
    ("POST", "/groups/{group-id}/members/$ref"): ("@odata.id",),
    ("POST", "/groups/{group-id}/owners/$ref"): ("@odata.id",),  # group-post-members
    ("PUT", "/users/{user-id}/manager/$ref"): ("@odata.id",),  # user-post-manager
}

#: Bodies that the description requires and the page says to leave out.
NO_BODY: Mapping[tuple[str, str], str] = {
    ("POST", "/directory/deletedItems/{directoryObject-id}/microsoft.graph.restore"): _GRAPH
    + "directory-deleteditems-restore: the body is optional",
}
#: Parameters of Exchange's actions: the description writes ``Message``, every page and Graph's own clients write ``message``.
CAPITALISED_PARAMETERS = "/microsoft.graph."

_TEXT: Mapping[str, Any] = {"type": "string"}
_SEEN = "in the page's own examples, and not in the description"

#: schema -> property -> (what it is, why): properties that the vendor documents and the description leaves out.
ADDED: Mapping[str, Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "Application": {
        "_embedded": (
            {"type": "object", "properties": {"user": {"$ref": "#/components/schemas/AppUser"}}},
            "the description has objects of objects; expand=user/{id} embeds an AppUser: "
            "https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/#tag/Application/operation/listApplications",
        ),
    },
    "microsoft.graph.ODataErrors.InnerError": dict.fromkeys(
        ("date", "request-id", "client-request-id"),
        (_TEXT, "https://learn.microsoft.com/graph/errors: the description has the object without its properties"),
    ),
    "microsoft.graph.device": {
        "registeredOwners": (
            {"type": "array", "items": {"$ref": "#/components/schemas/microsoft.graph.directoryObject"}},
            _GRAPH + "device-list: with $expand; the slices keep navigation as a name only",
        )
    },
    "microsoft.graph.identity": {"email": (_TEXT, _GRAPH + f"driveitem-list-permissions: {_SEEN}")},
    "microsoft.graph.event": {
        "recurrence": (
            {"allOf": [{"$ref": "#/components/schemas/microsoft.graph.patternedRecurrence"}], "nullable": True},
            _GRAPH + "event-get: null where an event doesn't recur; OpenAPI 3.0 can't say nullable beside a $ref",
        ),
        "singleValueExtendedProperties": (
            {
                "type": "array",
                "items": {"type": "object", "required": ["id", "value"], "properties": {"id": _TEXT, "value": _TEXT}},
            },
            _GRAPH
            + "singlevaluelegacyextendedproperty-post-singlevalueextendedproperties: sent inline with a new event",
        ),
    },
}

#: Types that answers name by ``@odata.type`` and the slice lacks: (base, their properties that are judged, why).
TYPES: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    name: (
        "microsoft.graph.directoryObject",
        {"displayName": _TEXT, "appId": _TEXT, "appRoles": {"type": "array"}},
        _GRAPH + f"user-list-ownedobjects: {_OUTSIDE}",
    )
    for name in ("microsoft.graph.application", "microsoft.graph.servicePrincipal")
} | {
    "microsoft.graph.mailSearchFolder": (
        "microsoft.graph.mailFolder",
        {
            "isSupported": {"type": "boolean"},
            "includeNestedFolders": {"type": "boolean"},
            "sourceFolderIds": {"type": "array", "items": _TEXT},
            "filterQuery": _TEXT,
        },
        _GRAPH + f"resources/mailsearchfolder: {_OUTSIDE}",
    ),
}
#: Every refusal of GitHub names its status (``basic-error`` has it); some operations describe a refusal of their own without it.
GITHUB_REFUSAL: Mapping[str, Any] = {"status": _TEXT}

#: What beta's managed device has besides v1.0's (intune-devices-manageddevice-get?view=graph-rest-beta).
BETA_PROPERTIES: Mapping[str, Any] = {
    "managementState": {
        "enum": [
            "managed",
            "retirePending",
            "retireFailed",
            "wipePending",
            "wipeFailed",
            "unhealthy",
            "deletePending",
            "retireIssued",
            "wipeIssued",
            "wipeCanceled",
            "retireCanceled",
            "discovered",
            "unknownFutureValue",
        ]
    },
    "hardwareInformation": {"type": "object"},
}

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reduces the vendors' published contracts to the operations that the connectors use: ``cut_contracts.py
FOLDER-OF-CONTRACTS``.

The folder holds ``microsoft/graph-v1.0-jml-subset.openapi.yaml``, ``microsoft/graph-beta-intune-extras.openapi.yaml`` (Graph's
OpenAPI description, MIT), ``github/github-ghec-subset.openapi.json`` (github/rest-api-description, MIT) and
``okta/okta-management-minimal-2026.06.3.yaml`` (okta/okta-management-openapi-spec, Apache-2.0). The results in
``tests/contract/specs`` keep everything by which a request or an answer is judged, without the descriptions.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

OUT = Path(__file__).resolve().parents[1] / "tests" / "contract" / "specs"
SOURCES = {
    "graph-v1.0": "microsoft/graph-v1.0-jml-subset.openapi.yaml",
    "graph-beta": "microsoft/graph-beta-intune-extras.openapi.yaml",
    "github": "github/github-ghec-subset.openapi.json",
    "okta": "okta/okta-management-minimal-2026.06.3.yaml",
}
#: The paths of each contract that a connector or an emulator has; an expression over the template.
PATHS = {
    "graph-v1.0": r"/deviceManagement/(managedDevices|windowsAutopilotDeviceIdentities)(/\{[^}]*\}(/microsoft\.graph\.\w+)?)?$|/devices(/\{[^}]*\})?$"
    r"|/directory/deletedItems(/.*)?$|/drives/(?!.*copy).*|/users/\{[^}]*\}/drive$"
    r"|/groups(/\{[^}]*\}(/(members|owners|transitiveMembers).*)?)?$|/informationProtection/.*|/oauth2PermissionGrants(/.*)?$"
    r"|/servicePrincipals/\{[^}]*\}/appRoleAssignedTo$"
    r"|/roleManagement/directory/role(Assignments|Definitions|EligibilitySchedules|EligibilityScheduleRequests)(/.*)?$|/subscribedSkus$"
    r"|/users$|/users/\{[^}]*\}$|/users/\{[^}]*\}/(appRoleAssignments|authentication|calendar(View)?|events|mailFolders|messages)\b.*"
    r"|/users/\{[^}]*\}/(mailboxSettings|managedDevices|manager/\$ref|memberOf|oauth2PermissionGrants|ownedDevices|ownedObjects|registeredDevices)$"
    r"|/users/\{[^}]*\}/microsoft\.graph\.(assignLicense|revokeSignInSessions|sendMail)$",
    "graph-beta": r"/deviceManagement/managedDevices/\{[^}]*\}/(detectedApps|microsoft\.graph\.(getFileVaultKey\(\)|rotate\w+))$",
    "github": r"/orgs/\{org\}/(credential-authorizations|invitations|members|memberships|outside_collaborators|personal-access-tokens)\b.*"
    r"|/orgs/\{org\}/copilot/billing/(seats|selected_users)$|/orgs/\{org\}/teams(/\{team_slug\}/(memberships/\{username\}|team-sync/group-mappings|repos.*))?$"
    r"|/repos/.*|/users/\{username\}$",
    "okta": r"/api/v1/(api-tokens(/\{apiTokenId\})?|apps(/\{appId\}/users(/\{userId\})?)?|devices/\{deviceId\}/(users|lifecycle/deactivate))$"
    r"|/api/v1/groups(/rules|/\{groupId\}/users(/\{userId\})?)?$|/api/v1/iam/assignees/users$"
    r"|/api/v1/users(/\{id\}(/groups|/lifecycle/(activate|deactivate|suspend|unsuspend))?)?$"
    r"|/api/v1/users/\{userId\}/(clients(/\{clientId\}/tokens)?|devices|factors(/\{factorId\})?|grants|roles(/\{roleAssignmentId\})?|sessions)$",
}
#: Google's discovery documents, all in one contract: file -> the paths of it that the connector uses.
DISCOVERY = {
    "google/admin.directory_v1.json": r"/admin/directory/v1/(users(/\{userKey\}(/(aliases|asps(/\{codeId\})?|makeAdmin|signOut|tokens(/\{clientId\})?|twoStepVerification/turnOff"
    r"|undelete|verificationCodes(/invalidate)?))?)?|groups(/\{groupKey\}(/members(/\{memberKey\})?)?)?"
    r"|customer/\{customer\}/role(s|assignments)(/\{roleAssignmentId\})?"
    r"|customer/\{customerId\}/devices/(mobile(/\{resourceId\}/action)?|chromeos(/\{deviceId\}|:batchChangeStatus)?))$",
    "google/admin.datatransfer_v1.json": r"/admin/datatransfer/v1/(applications|transfers)$",
    "google/cloudidentity.v1.json": r"/v1/devices(/\{devicesId\}(:wipe|/deviceUsers(/\{deviceUsersId\}:(block|wipe))?)?)?$",
    "google/licensing.v1.json": r"/apps/licensing/v1/product/\{productId\}/sku/\{skuId\}/user(s|/\{userId\})?$",
    "google/vault.v1.json": r"/v1/matters(/\{matterId\}/(holds(/\{holdId\})?|exports(/\{exportId\})?))?$",
    "google/gmail.v1.json": r"/gmail/v1/users/\{userId\}/(profile|messages(/\{id\})?|settings/(autoForwarding|vacation|sendAs|filters(/\{id\})?|forwardingAddresses|delegates(/\{delegateEmail\})?))$",
    "google/calendar.v3.json": r"/calendar/v3/(freeBusy|users/me/calendarList|calendars/\{calendarId\}/(transferOwnership|acl(/\{ruleId\})?|events(/\{eventId\}(/move)?)?))$",
    "google/drive.v3.json": r"/drive/v3/(drives|files/\{fileId\}/permissions(/\{permissionId\})?)$",
}
_PROSE = {
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "x-ms-enum",
    "x-ms-docs-key-type",
    "x-ms-docs-operation-type",
    "x-ms-pageable",
    "x-github",
    "x-github-breaking-changes",
    "headers",
    "deprecated",
    "x-ms-primary-error-message",
    "x-github-deprecation",
}


def cut(source: dict[str, Any], pattern: str) -> dict[str, Any]:
    """Return the matching paths with all types that they refer to, directly or indirectly, and all types derived from
    these."""
    paths = {path: _plain(item) for path, item in source["paths"].items() if re.match(pattern, path)}
    kept: dict[str, dict[str, Any]] = {}
    waiting = _refs(paths)
    derived: dict[str, list[str]] = {}
    for name, schema in source["components"]["schemas"].items():
        for part in schema.get("allOf", ()):
            if "$ref" in part:
                derived.setdefault(part["$ref"], []).append(f"#/components/schemas/{name}")
    # Whatever has an id derives from entity: its children are wanted only where something refers to them.
    derived.pop("#/components/schemas/microsoft.graph.entity", None)
    while waiting:
        ref = waiting.pop()
        _, _, kind, name = ref.split("/", 3)
        if name in kept.setdefault(kind, {}):
            continue
        kept[kind][name] = _plain(source["components"][kind][name])
        waiting |= _refs(kept[kind][name]) | set(derived.get(ref, ()))
    return {
        "openapi": source["openapi"],
        "info": {k: source["info"][k] for k in ("title", "version")},
        "paths": dict(sorted(paths.items())),
        "components": {kind: dict(sorted(found.items())) for kind, found in sorted(kept.items())},
    }


def _plain(node: Any, names: bool = False) -> Any:
    """Return a part without its descriptions.

    A link to another resource stays a name: no request asks for it with ``$expand``, and with it the whole of Graph
    would follow.

    :param names: the keys are a vendor's names, not OpenAPI's words."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    if not names and node.get("x-ms-navigationProperty"):
        return {"x-ms-navigationProperty": True}
    return {
        key: _plain(value, names=not names and key == "properties")
        for key, value in node.items()
        if names or key not in _PROSE
    }


def _refs(node: Any) -> set[str]:
    if isinstance(node, list):
        return {ref for item in node for ref in _refs(item)}
    if not isinstance(node, dict):
        return set()
    return (
        {node["$ref"]} if isinstance(node.get("$ref"), str) else {ref for item in node.values() for ref in _refs(item)}
    )


def discovered(folder: Path) -> dict[str, Any]:
    """Return Google's discovery documents as one OpenAPI description:
    https://developers.google.com/discovery/v1/reference/apis"""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for file, pattern in DISCOVERY.items():
        source = json.loads((folder / file).read_text(encoding="utf-8"))
        prefix = re.sub(r"[^A-Za-z]", "", source["name"] + "_")
        found = {path: item for path, item in _resources(source, prefix).items() if re.match(pattern, path)}
        paths |= found
        waiting = _refs(found)
        while waiting:
            name = waiting.pop().rpartition("/")[2]
            if name not in schemas:
                schemas[name] = _schema(source["schemas"][name.removeprefix(prefix)], prefix)
                waiting |= _refs(schemas[name])
    return {
        "openapi": "3.0.3",
        "info": {"title": "Google Workspace", "version": "discovery"},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _resources(source: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return every method of a discovery document, as OpenAPI's paths."""
    paths: dict[str, Any] = {}
    # Every method takes it: which fields an answer shall have.
    fields = {name: given for name, given in source.get("parameters", {}).items() if name == "fields"}

    def walk(resource: dict[str, Any]) -> None:
        for method in resource.get("methods", {}).values():
            path = "/" + source["servicePath"] + (method.get("flatPath") or method["path"])
            paths.setdefault(path, {})[method["httpMethod"].lower()] = _operation(
                {**method, "parameters": {**method.get("parameters", {}), **fields}}, prefix
            )
        for inner in resource.get("resources", {}).values():
            walk(inner)

    walk(source)
    return paths


def _operation(method: dict[str, Any], prefix: str) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": given["location"], "schema": _schema(given, prefix)}
        for name, given in method.get("parameters", {}).items()
    ]
    content = {
        side: {"application/json": {"schema": _schema(method[side], prefix)}}
        for side in ("request", "response")
        if side in method
    }
    return {
        "parameters": parameters,
        **({"requestBody": {"content": content["request"]}} if "request" in content else {}),
        "responses": {
            "2XX": {"content": content["response"]} if "response" in content else {},
            "default": {"content": {"application/json": {"schema": {}}}},
        },
    }


def _schema(node: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return a discovery schema as JSON Schema: discovery names types by a bare ``$ref``, and its type ``any`` allows
    every value."""
    if "$ref" in node:
        return {"$ref": f"#/components/schemas/{prefix}{node['$ref']}"}
    made = {key: node[key] for key in ("enum",) if key in node}
    if node.get("type") not in (None, "any"):
        made["type"] = node["type"]
    if "properties" in node:
        made["properties"] = {name: _schema(inner, prefix) for name, inner in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in node:
            made[key] = _schema(node[key], prefix)
    return made


def main(folder: Path) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, file in SOURCES.items():
        text = (folder / file).read_text(encoding="utf-8")
        source = (
            json.loads(text)
            if file.endswith("json")
            else yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe loader, in C where it is there
        )
        target = OUT / f"{name}.json"
        target.write_text(
            json.dumps(cut(source, PATHS[name]), indent=0, separators=(",", ":"), default=str) + "\n", encoding="utf-8"
        )
        print(f"{target.name}: {target.stat().st_size // 1024} KB, {len(cut(source, PATHS[name])['paths'])} paths")
    google = OUT / "google_workspace.json"
    google.write_text(json.dumps(discovered(folder), indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{google.name}: {google.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

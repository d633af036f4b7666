# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Cuts the vendors' published contracts down to the operations that the connectors use: ``cut_contracts.py FOLDER-OF-CONTRACTS``.

The folder holds ``microsoft/graph-v1.0-jml-subset.openapi.yaml``, ``microsoft/graph-beta-intune-extras.openapi.yaml`` (Graph's
OpenAPI description, MIT), ``github/github-ghec-subset.openapi.json`` (github/rest-api-description, MIT) and
``okta/okta-management-minimal-2026.06.3.yaml`` (okta/okta-management-openapi-spec, Apache-2.0). The slices in
``tests/contract/specs`` keep every word that a request or an answer is judged by, and drop the prose.
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
    r"|/users/\{[^}]*\}/(mailboxSettings|managedDevices|manager/\$ref|memberOf|oauth2PermissionGrants|ownedObjects|registeredDevices)$"
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
    """The matching paths and, to closure, all they refer to and all types derived from that."""
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
    """Without prose; ``names``: the keys are a vendor's names, not OpenAPI's words. Navigation to other resources stays a name:
    nothing asks for it with ``$expand``, and following it would fetch the whole of Graph."""
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


def main(folder: Path) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, file in SOURCES.items():
        text = (folder / file).read_text(encoding="utf-8")
        source = (
            json.loads(text)
            if file.endswith("json")
            else yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        )
        target = OUT / f"{name}.json"
        target.write_text(
            json.dumps(cut(source, PATHS[name]), indent=0, separators=(",", ":"), default=str) + "\n", encoding="utf-8"
        )
        print(f"{target.name}: {target.stat().st_size // 1024} KB, {len(cut(source, PATHS[name])['paths'])} paths")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

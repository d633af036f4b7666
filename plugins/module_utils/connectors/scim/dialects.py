# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""How SCIM 2.0 services differ, as data. The facts are the vendors' own pages; each entry names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """One vendor's SCIM.

    ``shapes``: forms of a PATCH that replaces a value, tried in order when the service answers 400: ``path``
    (``{"op", "path", "value"}``) or ``value`` (``{"op", "value": {...}}``). ``update_by_put``: PATCH changes nothing but ``active``.
    ``deactivate_deletes``: after ``active: false`` the resource is gone. ``delete``: ``hard``, ``same`` (is a deactivation that
    removes), ``soft`` (stays, inactive), ``final`` (can never be undone). ``filters``: attributes that ``eq`` takes, when the
    service says it filters; by others it is asked too, unless ``filters_closed``.
    ``member_removal``: forms tried in order: ``filter`` (path filter) or ``value`` (list of members).
    ``members_shown``: groups list their members; else only the filter shows them. ``kinds``: what it can grant.
    ``catalogues``: where the grantable things of a kind are listed. ``discovery``: has a ServiceProviderConfig.
    ``guest``: the schema that only guests' resources have; empty when the service says nothing of guests.
    ``administrators``: what lets somebody do everything there, as ``kind: name``.
    ``residual``: what outlives a deactivation, and why; empty when deactivation ends sessions and tokens.
    """

    title: str
    shapes: tuple[str, ...] = ("path",)
    update_by_put: bool = False
    deactivate_deletes: bool = False
    delete: str = "hard"
    filters: tuple[str, ...] = ("externalId", "userName")
    filters_closed: bool = False
    page_size: int = 100
    member_removal: tuple[str, ...] = ("filter", "value")
    members_shown: bool = True
    kinds: tuple[str, ...] = ("groups", "roles", "entitlements")
    catalogues: Mapping[str, str] | None = None
    discovery: bool = True
    etag: bool = False
    guest: str = ""
    residual: str = ""
    settles_within: float = 0.0
    attributes: tuple[str, ...] | None = None
    administrators: tuple[str, ...] = ()


_NAMES = ("first_name", "last_name", "display_name", "email")
_UNKNOWN = "SCIM has no sessions; whether this service ends sessions and tokens that were issued before the deactivation is not known"

DIALECTS: Mapping[str, Dialect] = {
    "generic": Dialect("any SCIM 2.0 service", shapes=("path", "value"), etag=True, residual=_UNKNOWN),
    # https://docs.slack.dev/admins/scim-api: deactivation signs the person out and revokes their tokens
    "slack": Dialect(
        "Slack",
        shapes=("path", "value"),
        delete="soft",
        page_size=1000,
        member_removal=("value",),
        kinds=("groups",),
        settles_within=10.0,
        filters=("userName",),
        guest="urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User",
    ),
    # https://developer.atlassian.com/cloud/admin/user-provisioning/rest/
    "atlassian": Dialect(
        "Atlassian",
        page_size=100,
        kinds=("groups",),
        settles_within=30.0,
        residual="API tokens and sessions end with the managed account, which follows the directory within minutes",
    ),
    # https://developers.zoom.us/docs/api/scim2/: PATCH of a user takes active and nearly nothing else
    "zoom": Dialect(
        "Zoom",
        update_by_put=True,
        filters=("userName",),
        kinds=("groups",),
        settles_within=5.0,
        residual="clients that are signed in stay so until they next refresh",
    ),
    # https://help.salesforce.com: users are never deleted; DELETE deactivates
    "salesforce": Dialect(
        "Salesforce",
        shapes=("value",),
        delete="soft",
        page_size=200,
        filters=("userName",),
        catalogues={"entitlements": "/Entitlements", "roles": "/Roles"},
        residual="sessions end at their next request; OAuth refresh tokens are refused while the user is inactive",
    ),
    # https://docs.github.com/rest/scim/scim: active false removes the person from the organisation, and the id
    "github_org": Dialect(
        "GitHub organisation",
        shapes=("value",),
        deactivate_deletes=True,
        delete="same",
        kinds=(),
        discovery=False,
        attributes=_NAMES,
        residual="personal access tokens and SSH keys stay valid for what is outside the organisation",
    ),
    # https://docs.github.com/enterprise-cloud@latest/rest/enterprise-admin/scim: path filters have no effect; DELETE is for ever
    "github_emu": Dialect(
        "GitHub enterprise managed users",
        shapes=("value",),
        delete="final",
        kinds=("groups", "roles"),
        discovery=False,
        attributes=_NAMES,
        member_removal=("filter", "value"),
    ),
    # https://docs.aws.amazon.com/singlesignon/latest/developerguide/limitations.html, .../listgroups.html
    "aws_identity_center": Dialect(
        "AWS IAM Identity Center",
        page_size=50,
        member_removal=("value", "filter"),
        members_shown=False,
        kinds=("groups",),
        residual="portal sessions and the roles taken from them live on: no API ends them (roles up to 12 h)",
    ),
    # https://www.canva.dev/docs/connect/scim/: there is no DELETE of a user; active false is the end
    "canva": Dialect(
        "Canva",
        shapes=("path", "value"),
        delete="soft",
        filters=("userName",),
        kinds=("groups",),
        residual="designs that were shared by a public link stay open",
    ),
    # https://developers.miro.com/docs/scim: the last administrator stays; a deletion gives boards to the oldest administrator
    "miro": Dialect(
        "Miro",
        shapes=("path", "value"),
        filters=("userName",),
        kinds=("groups", "roles"),
        residual="sessions are ended by another call (POST /v2/sessions/reset_all), and guests are not in SCIM",
    ),
    # https://docs.sentry.io/organization/authentication/sso/: active false removes the member; REST is the connector sentry
    "sentry": Dialect(
        "Sentry",
        shapes=("value", "path"),
        deactivate_deletes=True,
        delete="same",
        filters=("userName",),
        kinds=("groups",),
    ),
    # https://support.airtable.com/docs/scim-provisioning: an enterprise token; collaborators of a base are separate
    "airtable": Dialect(
        "Airtable",
        shapes=("path", "value"),
        filters=("userName",),
        kinds=("groups",),
        residual="personal access tokens and shared links of bases: not known whether the deactivation ends them",
    ),
    # Through a broker (WorkOS), which hands on what it has in its own time; who was invited in the console is not in it.
    "chatgpt": Dialect(
        "ChatGPT Enterprise",
        shapes=("path", "value"),
        filters=("userName",),
        kinds=("groups",),
        settles_within=60.0,
        residual="people who were invited in the console are invisible here, and sessions end when the broker next synchronises",
    ),
    # https://support.claude.com/en/articles/10280258: SCIM of Claude for Enterprise comes through the same broker
    "claude": Dialect(
        "Claude for Enterprise",
        shapes=("path", "value"),
        filters=("userName",),
        kinds=("groups",),
        settles_within=60.0,
        residual="people who were invited in the console are invisible here, and sessions end when the broker next synchronises",
    ),
    # https://developer.1password.com/docs/scim/: a bridge that the company runs itself; it invites and suspends
    "onepassword_bridge": Dialect(
        "1Password SCIM bridge",
        shapes=("path", "value"),
        filters=("userName",),
        kinds=("groups",),
        residual="what was in vaults that the person could open is known to them: rotate it",
    ),
}

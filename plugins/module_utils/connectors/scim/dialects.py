# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The differences between SCIM 2.0 services, as data. The facts come from the vendors' pages, which each entry names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """The SCIM of one vendor.

    ``shapes``: the forms of a PATCH that replaces a value, tried in this order when the service answers 400: ``path``
    (``{"op", "path", "value"}``) or ``value`` (``{"op", "value": {...}}``). ``update_by_put``: a PATCH can only change ``active``.
    ``deactivate_deletes``: the resource disappears after ``active: false``. ``delete``: ``hard``, ``same`` (does the same as a
    deactivation, which removes the account), ``soft`` (the account stays, inactive), ``final`` (can never be undone).
    ``filters``: the attributes that the service is known to filter by with ``eq``. Others are tried too, unless ``filters_closed``.
    ``member_removal``: the forms of a PATCH that removes a member, tried in this order: ``filter`` (path filter) or ``value`` (list).
    ``members_shown``: groups list their members; if not, only a filter shows them. ``kinds``: the kinds of entitlements that it grants.
    ``catalogues``: kind -> the path that lists its entitlements. ``discovery``: the service has a ServiceProviderConfig.
    ``guest``: the schema that only guests' resources have; empty when the service does not mark guests.
    ``administrators``: what lets somebody do everything there, as ``kind: name``.
    ``residual``: which access outlives a deactivation, and why; empty when a deactivation ends sessions and tokens.
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
        residual="no API ends portal sessions and the roles that were taken from them (roles last up to 12 h)",
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
    # It is reached by a broker (WorkOS), which synchronises with a delay and does not know people who were invited in the console.
    "chatgpt": Dialect(
        "ChatGPT Enterprise",
        shapes=("path", "value"),
        filters=("userName",),
        kinds=("groups",),
        settles_within=60.0,
        residual="people who were invited in the console are invisible here, and sessions end when the broker next synchronises",
    ),
    # https://support.claude.com/en/articles/10280258: Claude for Enterprise is reached by the same broker
    "claude": Dialect(
        "Claude for Enterprise",
        shapes=("path", "value"),
        filters=("userName",),
        kinds=("groups",),
        settles_within=60.0,
        residual="people who were invited in the console are invisible here, and sessions end when the broker next synchronises",
    ),
    # https://developer.1password.com/docs/scim/: the company runs this bridge itself; it invites and suspends people
    "onepassword_bridge": Dialect(
        "1Password SCIM bridge",
        shapes=("path", "value"),
        filters=("userName",),
        kinds=("groups",),
        residual="the person may know the secrets of the vaults that they could open: rotate them",
    ),
}

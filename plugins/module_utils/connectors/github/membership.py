# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Invitations, memberships and outside collaborators of a GitHub organisation, and how each ends."""

from __future__ import annotations

from ...model.errors import Rejected
from ...sdk.address import UrlPath
from ...sdk.values import Account
from .api import GitHubApi


class Membership:
    """Invites people to an organisation and removes them. ``org`` is the organisation's path."""

    def __init__(self, api: GitHubApi, org: UrlPath) -> None:
        self.api, self.org = api, org

    def set_active(self, account: Account, active: bool) -> None:
        """Remove a person from the organisation, or invite them back: for three months with their former role, teams and repositories."""
        if not active:
            self.leave(account)
            return
        act = f"invite {account.login}"
        try:
            self.api.send(
                "POST",
                self.org.below("/invitations"),
                act=act,
                json={"invitee_id": int(account.id), "role": "reinstate"},
            )
        except Rejected:
            self.invite(account.login)

    def invite(self, login: str) -> None:
        self.api.send("PUT", self.org.below("/memberships/{}", login), act=f"invite {login}", json={"role": "member"})

    def leave(self, account: Account) -> None:
        """End the membership, the outside collaboration, or the invitation, whichever the account has."""
        if account.raw.get("membership"):
            self.remove(account)
        elif account.raw.get("outside"):
            self.remove_outside(account)
        elif account.raw.get("invitation"):
            self.cancel_invitation(account)

    def remove(self, account: Account) -> None:
        self.api.send(
            "DELETE",
            self.org.below("/memberships/{}", account.login),
            act=f"remove {account.login} from the organisation",
            missing=(404,),
        )

    def remove_outside(self, account: Account) -> None:
        self.api.send(
            "DELETE",
            self.org.below("/outside_collaborators/{}", account.login),
            act=f"remove outside collaborator {account.login}",
            missing=(404,),
        )

    def cancel_invitation(self, account: Account) -> None:
        self.api.send(
            "DELETE",
            self.org.below("/invitations/{}", account.raw["invitation"]["id"]),
            act=f"cancel invitation of {account.login}",
            missing=(404,),
        )

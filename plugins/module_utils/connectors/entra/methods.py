# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Authentication methods of Entra ID accounts: removing them, the first credential, and the controls that they prove."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ...model import clock
from ...model.errors import InputError, LifecycleError, Rejected
from ...sdk.transport import Transport
from ...sdk.values import Account
from ..microsoft.graph import graph_pages
from .accounts import user_path

#: Type of an authentication method -> its own collection, the only place that has ``DELETE``
#: (https://learn.microsoft.com/graph/api/resources/authenticationmethods-overview).
METHODS: Mapping[str, str] = {
    "phone": "phoneMethods",
    "email": "emailMethods",
    "fido2": "fido2Methods",
    "microsoftAuthenticator": "microsoftAuthenticatorMethods",
    "softwareOath": "softwareOathMethods",
    "windowsHelloForBusiness": "windowsHelloForBusinessMethods",
    "temporaryAccessPass": "temporaryAccessPassMethods",
    "platformCredential": "platformCredentialMethods",
    "external": "externalAuthenticationMethods",
}
_STRONG = frozenset({"fido2", "windowsHelloForBusiness", "platformCredential"})
_SECOND_FACTORS = _STRONG | {"phone", "microsoftAuthenticator", "softwareOath", "hardwareOath", "external"}


class SignInMethods:
    """Reads and removes the authentication methods of accounts, and issues first credentials.

    :param sender: the mailbox that sends a first credential; without it none is issued.
    """

    def __init__(self, graph: Transport, system: str, sender: str) -> None:
        self.graph, self.system, self.sender = graph, system, sender

    def of(self, account: Account) -> list[tuple[str, Mapping[str, Any]]]:
        """Return (kind, method) of every method but the password, which can't be removed."""
        rows = graph_pages(
            self.graph,
            user_path(account.id).below("/authentication/methods"),
            act=f"read authentication methods of {account.login}",
        )
        kinds = [
            (str(row.get("@odata.type")).rpartition(".")[2].removesuffix("AuthenticationMethod"), row) for row in rows
        ]
        return [(kind, row) for kind, row in kinds if kind != "password"]

    def remove(self, account: Account) -> None:
        """Remove all methods, in rounds: Graph refuses the default one while others are left, and does not say which one it is.

        :raises Rejected: a round removed nothing.
        """
        act, left = f"remove authentication methods of {account.login}", self.of(account)
        while left:
            kept: list[tuple[str, Mapping[str, Any]]] = []
            refusal: LifecycleError | None = None
            for kind, row in left:
                if kind not in METHODS:
                    refusal = Rejected(
                        f"Graph v1.0 can't remove a method of the kind {kind}",
                        act=act,
                        system=self.system,
                        hint="remove it in the Entra admin centre",
                    )
                    kept.append((kind, row))
                    continue
                try:
                    self.graph.send(
                        "DELETE",
                        user_path(account.id).below("/authentication/{}/{}", METHODS[kind], row["id"]),
                        act=act,
                        missing=(404,),
                    )
                except Rejected as e:
                    refusal = e
                    kept.append((kind, row))
            if refusal and len(kept) == len(left):
                raise refusal
            left = kept

    def first_sign_in(self, account: Account) -> Mapping[str, Any]:
        for kind, row in self.of(account):
            if kind == "temporaryAccessPass" and (
                row.get("isUsable") or row.get("methodUsabilityReason") == "NotYetValid"
            ):
                return {
                    "issued": True,
                    "expires": clock.stamp(
                        clock.parse(row["startDateTime"]) + timedelta(minutes=row["lifetimeInMinutes"])
                    ),
                }
        return {"issued": False, "expires": ""}

    def issue(self, account: Account, *, deliver_to: str, lifetime_minutes: int, starts_at: str) -> None:
        """Issue a Temporary Access Pass and mail it. A pass that could not be mailed is deleted, so that the next run can issue another.

        :param starts_at: when the pass begins to work (ISO 8601); in the past or empty: at once.
        :raises InputError: option ``sender`` is not set.
        """
        act, sender = f"issue first credential of {account.login}", self.sender
        if not sender:
            raise InputError(
                "option sender is not set",
                act=act,
                system=self.system,
                hint="set options.sender to the mailbox that sends it",
            )
        wish: dict[str, Any] = {"lifetimeInMinutes": lifetime_minutes, "isUsableOnce": True}
        if starts_at and clock.parse(starts_at) > clock.now():
            wish["startDateTime"] = clock.stamp(clock.parse(starts_at))
        try:
            made = self.graph.send(
                "POST", user_path(account.id).below("/authentication/temporaryAccessPassMethods"), act=act, json=wish
            ).body
            self.graph.send(
                "POST",
                user_path(sender).below("/sendMail"),
                act=f"{act}: deliver it to {deliver_to}",
                json=_letter(account, deliver_to, made),
            )
        except LifecycleError:
            self._take_back(account, act)
            raise

    def _take_back(self, account: Account, act: str) -> None:
        for kind, row in self.of(account):
            if kind == "temporaryAccessPass":
                self.graph.send(
                    "DELETE",
                    user_path(account.id).below("/authentication/{}/{}", METHODS[kind], row["id"]),
                    act=f"{act}: delete the pass that was not delivered",
                    missing=(404,),
                )

    def controls(self, account: Account) -> Mapping[str, bool]:
        kinds = {kind for kind, _unused in self.of(account)}
        return {"mfa_registered": bool(kinds & _SECOND_FACTORS), "phishing_resistant": bool(kinds & _STRONG)}


def _letter(account: Account, deliver_to: str, made: Mapping[str, Any]) -> dict[str, Any]:
    text = (
        f"Your Temporary Access Pass for {account.login}:\n\n    {made['temporaryAccessPass']}\n\nIt works once, from {made['startDateTime']} for"
        f" {made['lifetimeInMinutes']} minutes. Sign in at https://aka.ms/mysecurityinfo and set up how you sign in from then on.\n"
    )
    return {
        "message": {
            "subject": "Your first sign-in",
            "body": {"contentType": "text", "content": text},
            "toRecipients": [{"emailAddress": {"address": deliver_to}}],
        },
        "saveToSentItems": False,
    }

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What a joiner does with their own hands: nobody can do it for them, so a run can only wait for it and see it."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.vendors.microsoft import guid


def first_day(box: Box, key: str) -> None:
    """The person boots the laptop, registers a second factor, and accepts what they were invited to."""
    person = box.company.people[key]
    email = person["email"]
    cloud = box["microsoft"]
    user = next(u for u in cloud.users() if u["mail"] == email or u["userPrincipalName"] == email)
    user["_methods"].append(
        {
            "_kind": "microsoftAuthenticator",
            "_default": True,
            "@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod",
            "id": guid("authenticator", key),
            "displayName": "Phone",
        }
    )
    for device in cloud.state["intune"]["stock"].values():
        if device["userPrincipalName"] == email and device["_boots"] is not None:
            device["_boots"] = 0
    login = (person.get("logins") or {}).get("github")
    if login in box["github"].state["members"]:
        box["github"].accept(login)
    box["tailscale"].accept(email)
    exchange = next(part for part in cloud.parts if part.name == "exchange")
    for organiser, mailbox in exchange.mailboxes():
        for event in list(mailbox["events"].values()):
            if event.get("isOrganizer") and any(
                a["emailAddress"]["address"].lower() == email for a in event["attendees"]
            ):
                exchange.answer(exchange.address(organiser), event["subject"], email, "accepted")

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Find access keys of other users that a person may know: of users whose tags name the person as responsible, and keys that they made.

AWS shows the secret of a key once, to the person who makes it (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html).
CloudTrail's event history shows for 90 days who made a key (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...model.errors import PermissionDenied, ProtocolError
from ...sdk.keys import Kind, same_text
from ...sdk.values import Account, Owned
from .api import AwsApi
from .users import LOWER, IamUsers, Raw

#: The region that has the events of IAM, for every account: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
EVENTS_REGION = "us-east-1"
#: Names of tags for the person who is responsible for a user, without case, spaces and punctuation.
RESPONSIBLE = frozenset({"owner", "createdby", "creator", "contact", "responsible", "maintainer"})
KIND = "access key of another user"
_WHY = "{how}, and who makes a key knows its secret: replace it, make the old one inactive, then attest"
_UNSEEN = "{error}: nobody knows whether the leaver made keys for other users; find out who made each key, then attest"


class AwsOwnership:
    """Finds keys of other users that a leaver may know, and makes them inactive.

    :param settle: what happens to such a key: ``decide`` (a person does), or ``revoke`` (it is made inactive).
    :param trail: whether CloudTrail is asked who made a key.
    """

    def __init__(self, api: AwsApi, users: IamUsers, *, settle: str, trail: bool) -> None:
        self.users, self.settle = users, settle
        self._api = api
        self._events = AwsApi(api.target, EVENTS_REGION) if trail else None

    def owned(self, account: Account) -> Iterator[Owned]:
        """Yield each active key of another user that the person is responsible for, or made."""
        made: dict[str, str] = {}
        try:
            made = dict(self._made(account))
        except PermissionDenied as e:
            yield Owned(
                "keys of other users",
                "not seen",
                "not seen",
                settle="decide",
                raw={"why": _UNSEEN.format(error=e)},
            )
        for user in self.users.every("list users"):
            named = _answers_for(user, account)
            if user["UserId"] == account.id or not named and user["UserName"] not in made.values():
                continue
            for key in self.users.keys(user["UserName"]):
                how = "the leaver made it" if key["AccessKeyId"] in made else named
                if how and key["Status"] == "Active":
                    yield Owned(
                        KIND,
                        key["AccessKeyId"],
                        f"{user['UserName']} ({key['AccessKeyId']})",
                        settle=self.settle,
                        # The person still knows the secret when the tag names another owner, or the event is too old.
                        lasting=True,
                        raw={"user": user["UserName"], "why": _WHY.format(how=how)},
                    )

    def revoke(self, owned: Owned) -> None:
        """Make the key inactive, which can be undone."""
        self._api.write(
            "iam",
            "update_access_key",
            f"make {owned.kind} {owned.name} inactive",
            gone_is_done=True,
            UserName=owned.raw["user"],
            AccessKeyId=owned.id,
            Status="Inactive",
        )

    def _made(self, account: Account) -> Iterator[tuple[str, str]]:
        """Yield (id of the key, name of its user) of each key that the account made, as far back as the event history goes."""
        if self._events is None:
            return
        asked = [{"AttributeKey": "EventName", "AttributeValue": "CreateAccessKey"}]
        act = f"look for keys that {account.login} made"
        for row in self._events.every("cloudtrail", "lookup_events", act, key="Events", LookupAttributes=asked):
            try:
                event = json.loads(row.get("CloudTrailEvent") or "{}")
            except ValueError:
                raise ProtocolError("an event is no JSON", act=act, system=self._api.target.name) from None
            key = (event.get("responseElements") or {}).get("accessKey") or {}  # without one, the call was refused
            if key and _is_by(event.get("userIdentity") or {}, account):
                yield str(key.get("accessKeyId") or ""), str(key.get("userName") or "")


def _answers_for(user: Raw, account: Account) -> str:
    """Return the tag that names the person as responsible for a user; empty when none does."""
    for tag in user.get("Tags") or ():
        plain = "".join(c for c in tag["Key"].translate(LOWER) if c.isalnum())
        if plain in RESPONSIBLE and any(same_text(tag["Value"].strip(), key.value) for key in account.carried):
            return f"tag {tag['Key']} names the leaver"
    return ""


def _is_by(identity: Mapping[str, Any], account: Account) -> bool:
    """Return whether the person caused an event: as their IAM user, by its id, or in a role's session with a name of theirs.

    Identity Center names a session by the user name: https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
    """
    principal, _colon, session = str(identity.get("principalId") or "").partition(":")
    if identity.get("type") == "IAMUser":
        return principal == account.id
    names = (key.value for key in account.carried if key.kind in (Kind.LOGIN, Kind.ADDRESS))
    return any(same_text(session, name) for name in names)

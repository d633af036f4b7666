# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Find access keys of other users that a person knows: of users whose tags name them as responsible, and keys that they made.

A person who makes a key is shown its secret, once (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html). Who made it
stands in CloudTrail's event history, for 90 days (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).
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

#: Where the events of IAM are kept, whatever region the rest is in: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
EVENTS_REGION = "us-east-1"
#: Tags that say who answers for a user, without case, spaces and marks.
RESPONSIBLE = frozenset({"owner", "createdby", "creator", "contact", "responsible", "maintainer"})
KIND = "access key of another user"
_WHY = "{how}, and the maker of a key has its secret: replace it, make the old one inactive, then attest"
_UNSEEN = "{error}: whether they made keys for other users is not known; see who made each key, then attest"


class AwsOwnership:
    """What a person of one AWS account leaves behind.

    :param settle: what becomes of such a key: ``decide`` by a person, or ``revoke`` (it is made inactive).
    :param trail: whether CloudTrail is asked who made a key.
    """

    def __init__(self, api: AwsApi, users: IamUsers, *, settle: str, trail: bool) -> None:
        self.users, self.settle = users, settle
        self._api = api
        self._events = AwsApi(api.target, EVENTS_REGION) if trail else None

    def owned(self, account: Account) -> Iterator[Owned]:
        """Yield each active key of another user that they are named for, or made."""
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
                how = "they made it" if key["AccessKeyId"] in made else named
                if how and key["Status"] == "Active":
                    yield Owned(
                        KIND,
                        key["AccessKeyId"],
                        f"{user['UserName']} ({key['AccessKeyId']})",
                        settle=self.settle,
                        # Another owner in the tag, or an event that aged out, makes nobody forget a secret.
                        lasting=True,
                        raw={"user": user["UserName"], "why": _WHY.format(how=how)},
                    )

    def revoke(self, owned: Owned) -> None:
        """Make the key inactive, so that it can be let in again."""
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
        """Yield the id of each key that the account made within the event history, and whose it is."""
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
            return f"tag {tag['Key']} names them"
    return ""


def _is_by(identity: Mapping[str, Any], account: Account) -> bool:
    """Return whether an event is the person's: their IAM user by its id, or a role's session under a name of theirs.

    Identity Center names a session by the user name: https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
    """
    principal, _colon, session = str(identity.get("principalId") or "").partition(":")
    if identity.get("type") == "IAMUser":
        return principal == account.id
    names = (key.value for key in account.carried if key.kind in (Kind.LOGIN, Kind.ADDRESS))
    return any(same_text(session, name) for name in names)

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Slack's Web API, which reports a refusal with status 200 and ``{"ok": false, "error": CODE}``.

https://docs.slack.dev/apis/web-api/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...model.errors import ProtocolError, Rejected
from ...sdk.address import at
from ...sdk.allowance import Pages
from ...sdk.target import Target
from ...sdk.transport import Answer, Auth, Policy, Transport, json_message

#: The codes by which Slack says that the workspace's plan does not have a method: "only available to Enterprise customers", "currently not
#: available" (both https://docs.slack.dev/reference/methods/admin.users.session.list), and "only available on Enterprise Grid plans"
#: (https://docs.slack.dev/reference/methods/admin.apps.mcp.servers.list).
NOT_OFFERED = frozenset({"feature_not_enabled", "unknown_method", "not_an_enterprise"})


class WebRefused(Rejected):
    """A refusal by the Web API.

    :param error: Slack's code for it, as the page of the method lists it.
    """

    def __init__(self, what: str, *, error: str, act: str, system: str) -> None:
        super().__init__(what, act=act, system=system, status=200)
        self.error = error


class WebApi:
    """Calls methods."""

    def __init__(self, target: Target, auth: Auth, hint: str) -> None:
        self.target = target
        self.http = Transport(
            target, auth, Policy(message=lambda a: refusal(a) or json_message(a), permission_hint=hint)
        )

    def call(
        self, method: str, *, act: str, reads: bool = False, retry_safe: bool | None = None, **args: Any
    ) -> Mapping[str, Any]:
        """Return the answer of a method.

        :raises WebRefused: Slack refuses the call.
        """
        answer = self.http.send(
            "POST",
            at("/{}", method),
            act=act,
            json={k: v for k, v in args.items() if v is not None},
            reads=reads,
            retry_safe=retry_safe,
        )
        said = refusal(answer)
        if said:
            error = str(answer.body.get("error") or "")
            raise WebRefused(said, error=error, act=act, system=self.target.name)
        if not isinstance(answer.body, dict) or answer.body.get("ok") is not True:
            raise ProtocolError("its answer has no ok", act=act, system=self.target.name)
        return answer.body

    def listed(self, method: str, key: str, *, act: str, limit: int = 100, **args: Any) -> Iterator[Mapping[str, Any]]:
        """Yield every row of a list, over all pages.

        :param limit: the rows of one page; each method has a maximum of its own.
        """
        cursor, turned = "", Pages(act, self.target.name, hint="")
        while True:
            body = self.call(method, act=act, reads=True, limit=limit, cursor=cursor or None, **args)
            if not isinstance(body.get(key), list):
                raise ProtocolError(f"its answer has no {key}", act=act, system=self.target.name)
            yield from body[key]
            cursor = (body.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return
            turned.turn(cursor)


def refusal(answer: Answer) -> str:
    """Return the text of a refusal: its code, the scope that is missing, and details; empty when the call succeeded."""
    body = answer.body
    if not isinstance(body, dict) or body.get("ok") is not False:
        return ""
    needed = f" (needs scope {body['needed']})" if body.get("needed") else ""
    details = "; ".join((body.get("response_metadata") or {}).get("messages") or ())
    return ": ".join(part for part in (f"{body.get('error', 'unknown_error')}{needed}", details) if part)

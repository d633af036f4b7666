# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exchange Online's admin API: cmdlets over HTTPS, the way Microsoft's own PowerShell module (v3) sends them.

Neither Graph nor the documented admin API (v2.0, preview) can convert, forward, hold, hide or delegate a mailbox. See
https://learn.microsoft.com/powershell/exchange/exchange-online-powershell-v2 and ``docs/connectors/exchange.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...model.errors import (
    AmbiguousIdentity,
    LifecycleError,
    NotFound,
    ProtocolError,
    Refused,
    SystemError_,
)
from ...sdk.address import UrlPath, at
from ...sdk.allowance import Pages
from ...sdk.transport import (
    Answer,
    Policy,
    Transport,
    json_message,
)

#: Exceptions of the service that are more exact than the status: it answers "not found" with 404, 400 or 500.
_KINDS: Mapping[str, type[LifecycleError]] = {
    "ManagementObjectNotFoundException": NotFound,
    "ManagementObjectAmbiguousException": AmbiguousIdentity,
}


def admin_message(answer: Answer) -> str:
    """Return the text of an error: of the .NET exception inside, else of the first detail. ``error.message`` says nothing useful.

    A 403 can have a body of NUL bytes, or none.
    """
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if not isinstance(error, dict):
        return json_message(answer)
    inner = error.get("innererror") or error.get("innerError") or {}
    cause = inner.get("internalexception") or inner.get("internalException") or {}
    if cause.get("message"):
        return f"{str(cause.get('type') or '').rpartition('.')[2]}: {cause['message']}".removeprefix(": ")
    details = error.get("details")
    detail = details[0].get("message") if isinstance(details, list) and details else ""
    # "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|text"
    code, _unused, rest = (detail or error.get("message") or "").partition("|")
    kind, found, text = rest.partition("|")
    return f"{kind.rpartition('.')[2]}: {text}" if found else (detail or json_message(answer))


ADMIN_POLICY = Policy(
    message=admin_message,
    permission_hint=(
        "grant the app Office 365 Exchange Online: Exchange.ManageAsApp with admin consent, and give its service principal the role Exchange Administrator"
    ),
)


@dataclass(frozen=True)
class AdminApi:
    """Runs cmdlets.

    :param transport: leads to the host of the admin API, with a token for Exchange Online.
    :param tenant: the tenant's id or initial domain.
    """

    transport: Transport
    tenant: str

    def read(self, cmdlet: str, *, act: str, anchor: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return all objects that a ``Get-`` cmdlet returns, over all pages.

        :raises NotFound: the object in ``parameters`` does not exist.
        :raises AmbiguousIdentity: more than one object answers to the name.
        """
        return list(self.rows(cmdlet, act=act, anchor=anchor, **parameters))

    def one(self, cmdlet: str, *, act: str, anchor: str, **parameters: Any) -> dict[str, Any]:
        """Return the one object that a ``Get-`` cmdlet returns.

        :raises AmbiguousIdentity: it returns none, or several.
        """
        rows = self.read(cmdlet, act=act, anchor=anchor, **parameters)
        if len(rows) != 1:
            raise AmbiguousIdentity(
                f"{len(rows)} objects answer to {cmdlet}",
                act=act,
                system=self.transport.target.name,
                hint="look at them in the Exchange admin centre, and run again",
            )
        return rows[0]

    def rows(
        self, cmdlet: str, *, act: str, anchor: str = "", select: str = "", **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield objects as :meth:`read` does, page by page, with the properties in ``select`` only: a mailbox has hundreds.

        :param anchor: the mailbox to whose server the request goes; without it, the tenant's system mailbox.
        """
        anchor = anchor or f"SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{self.tenant}"
        turned = Pages(act, self.transport.target.name, hint="")
        path, params = str(self._path), {"$select": select} if select else None
        while path:
            turned.turn(path)
            body = self._send(path, cmdlet, parameters, act=act, anchor=anchor, reads=True, params=params).body
            if not isinstance(body, dict) or not isinstance(body.get("value"), list):
                raise ProtocolError("its answer has no value", act=act, system=self.transport.target.name)
            # Leave out the properties that only name the type of another one: "Size@data.type".
            yield from ({k: v for k, v in row.items() if "@" not in k} for row in body["value"])
            path, params = str(body.get("@odata.nextLink") or ""), None

    def write(self, cmdlet: str, *, act: str, anchor: str, **parameters: Any) -> None:
        """Run a cmdlet that sets a fixed value or removes something. It may be sent twice: the second time changes nothing more."""
        self._send(self._path, cmdlet, parameters, act=act, anchor=anchor, reads=False)

    @property
    def _path(self) -> UrlPath:
        return at("/adminapi/beta/{}/InvokeCommand", self.tenant)

    def _send(
        self,
        path: str,
        cmdlet: str,
        parameters: Mapping[str, Any],
        *,
        act: str,
        anchor: str,
        reads: bool,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        headers = {
            "X-AnchorMailbox": f"UPN:{anchor}",
            "X-CmdletName": cmdlet,
            "X-ResponseFormat": "json",
            "Prefer": "odata.maxpagesize=1000",
            "Content-Type": "application/json; charset=utf-8",
        }
        try:
            return self.transport.send(
                "POST",
                path,
                act=act,
                json={"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}},
                params=params,
                headers=headers,
                reads=reads,
                retry_safe=True,
            )
        except SystemError_ as e:
            for name, kind in _KINDS.items():
                if name in e.what:
                    raise kind(e.what, act=act, system=e.system, status=e.status) from None
            if "is being synchronized from your on-premises organization" in e.what:
                raise Refused(
                    "it is synchronised from on-premises Active Directory",
                    act=act,
                    system=e.system,
                    hint="change it there",
                ) from None
            raise

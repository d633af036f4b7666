# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exchange Online in the sandbox: the admin API, and Graph's mail, settings and calendars, over one set of mailboxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.emulator import Call, Handler, Reply
from sandbox.vendors.exchange_admin import Cmdlets
from sandbox.vendors.exchange_events import CalendarOfGraph
from sandbox.vendors.exchange_graph import MailOfGraph


class ExchangePart(MailOfGraph, CalendarOfGraph):
    """The state: a mailbox per user's id. A mailbox appears with a licence, and goes with it unless it is shared."""

    name = "exchange"
    READING_POSTS = (r"/calendar/(microsoft\.graph\.)?getSchedule$",)

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        # Every cmdlet goes to one path
        cloud.READING_BODIES = (*cloud.READING_BODIES, (r"/InvokeCommand$", rb'"CmdletName":\s*"Get-'))
        self.warnings: list[str] = []
        self.admin_page = 1000
        self.cmdlets = Cmdlets(self)

    def seed(self) -> Any:
        self.cloud.state[self.name] = {}
        self.mailboxes()
        return self.state

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "exchange": self.cloud.system(
                "exchange", options={"authority": self.cloud.url, "exchange_url": self.cloud.url}
            )
        }

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        user = "/v1.0/users/{user}"
        graph: list[tuple[str, str, Callable[[Call, dict[str, Any], dict[str, Any]], Reply]]] = [
            ("GET", "/mailboxSettings", self.get_settings),
            ("PATCH", "/mailboxSettings", self.patch_settings),
            ("GET", "/mailFolders", self.list_folders),
            ("GET", "/mailFolders/{folder}", self.get_folder),
            ("GET", "/mailFolders/{folder}/childFolders", self.list_folders),
            ("GET", "/mailFolders/{folder}/messages", self.list_messages),
            ("GET", "/mailFolders/{folder}/messageRules", self.list_rules),
            ("PATCH", "/mailFolders/{folder}/messageRules/{rule}", self.patch_rule),
            ("DELETE", "/mailFolders/{folder}/messageRules/{rule}", self.delete_rule),
            ("GET", "/messages/{message}/$value", self.get_mime),
            ("GET", "/calendarView", self.calendar_view),
            ("GET", "/events", self.list_events),
            ("POST", "/events", self.create_event),
            ("GET", "/events/{event}", self.get_event),
            ("PATCH", "/events/{event}", self.patch_event),
            ("DELETE", "/events/{event}", self.delete_event),
            ("GET", "/events/{event}/instances", self.list_instances),
            ("POST", "/events/{event}/cancel", self.cancel_event),
            ("POST", "/events/{event}/microsoft.graph.cancel", self.cancel_event),
            ("GET", "/calendars", self.list_calendars),
            ("GET", "/calendars/{calendar}/calendarPermissions", self.list_permissions),
            ("POST", "/calendars/{calendar}/calendarPermissions", self.add_calendar_permission),
            ("DELETE", "/calendars/{calendar}/calendarPermissions/{permission}", self.delete_permission),
            ("GET", "/calendar/calendarPermissions", self.list_permissions),
            ("POST", "/calendar/calendarPermissions", self.add_calendar_permission),
            ("DELETE", "/calendar/calendarPermissions/{permission}", self.delete_permission),
            ("POST", "/calendar/getSchedule", self.get_schedule),
            ("POST", "/calendar/microsoft.graph.getSchedule", self.get_schedule),
        ]
        return [
            ("POST", "/adminapi/beta/{tenant}/InvokeCommand", self.cmdlets.invoke),
            *((method, user + path, self._graph(handler)) for method, path, handler in graph),
        ]

    # -- mailboxes -----------------------------------------------------------------------------------------------------

    # -- Graph ---------------------------------------------------------------------------------------------------------

    # -- settings and rules --------------------------------------------------------------------------------------------

    # -- mail ----------------------------------------------------------------------------------------------------------

    # -- calendars -----------------------------------------------------------------------------------------------------

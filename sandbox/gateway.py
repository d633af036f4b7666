# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A real HTTP server behind the sandbox's journal, faults, latency and TLS."""

from __future__ import annotations

from typing import Any

import httpx

from sandbox.emulator import Call, Emulator, Reply

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding", "date", "server"}


class Gateway(Emulator):
    """Passes everything on to ``self.upstream``. Subclasses start the server, and seed it over its own protocol."""

    upstream = ""

    def routes(self) -> list[Any]:
        return []

    def seed(self) -> Any:
        return None

    #: Whether the upstream must see the address the client used (signed requests).
    KEEP_HOST = False

    async def work(self, call: Call, write: bool) -> Reply:
        if not hasattr(self, "_client"):
            self._client = httpx.AsyncClient(timeout=60)
        headers = {k: v for k, v in call.headers.items() if k not in _HOP}
        if self.KEEP_HOST:
            headers["host"] = call.headers["host"]
        url = self.upstream + call.path + (f"?{call.query_string}" if call.query_string else "")
        answer = await self._client.request(call.method, url, content=call.content or None, headers=headers)
        return Reply(
            answer.status_code,
            answer.content,
            {k: v for k, v in answer.headers.items() if k not in _HOP and k != "content-encoding"},
        )

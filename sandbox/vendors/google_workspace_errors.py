# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Google's error body: https://developers.google.com/admin-sdk/directory/v1/limits"""

from __future__ import annotations

from sandbox.emulator import Reply


def error(status: int, reason: str, message: str) -> Reply:
    row = {"message": message, "domain": "global", "reason": reason}
    return Reply(status, {"error": {"code": status, "message": message, "errors": [row]}})


def gone(what: str) -> Reply:
    return error(404, "notFound", f"Resource Not Found: {what}")

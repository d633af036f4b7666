# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Okta's error body: https://developer.okta.com/docs/reference/error-codes/"""

from __future__ import annotations

from sandbox.emulator import Reply


def error(status: int, code: str, summary: str, *causes: str) -> Reply:
    """Okta's error body."""
    body = {
        "errorCode": code,
        "errorSummary": summary,
        "errorLink": code,
        "errorId": f"oae{abs(hash(summary)) % 10**10}",
        "errorCauses": [{"errorSummary": cause} for cause in causes],
    }
    return Reply(status, body)


def not_found(what: str, kind: str) -> Reply:
    return error(404, "E0000007", f"Not found: Resource not found: {what} ({kind})")

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes logs: one line of JSON for each event; text for a person at a terminal.

Besides the message only simple values are logged, and none whose name says that it is secret or personal. Addresses, tokens and the queries of
URLs are removed from messages. An exception is logged with its type and its place; its text only when it is the bridge's own.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.plain_text import one_line

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
#: Words that the name of a logged field must not hold.
_PRIVATE = re.compile(
    r"body|payload|password|passwd|secret|token|authoriz|cookie|signature|credential|private|api_?key|"
    r"e?_?mail|(?:first|last|full|display)_?name|salary",
    re.I,
)
_TAKEN_OUT = (
    (re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"), "<address>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "***"),
    (re.compile(r"\bwh(?:sec|sk)_[\w+/=-]+"), "***"),
    (re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"), "***"),
    (re.compile(r"\?[^\s\"']*(?:code|state|token|secret|key)=[^\s\"']*", re.I), "?***"),
)
_LONGEST = 2_000


def clean(text: str) -> str:
    """Return a text on one line, without secrets and addresses."""
    for pattern, instead in _TAKEN_OUT:
        text = pattern.sub(instead, text)
    return one_line(text, _LONGEST) + ("..." if len(text) > _LONGEST else "")


def facts(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a log record that may be written."""
    said: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
    }
    if record.name == "uvicorn.access" and isinstance(record.args, tuple) and len(record.args) == 5:
        address, method, path, _version, status = record.args
        said |= {
            "message": "request",
            "address": str(address),
            "method": str(method),
            "path": clean(str(path).partition("?")[0]),
            "status": status,
        }
    else:
        said["message"] = clean(record.getMessage())
    for name, value in vars(record).items():
        if name in _PLAIN or name.startswith("_") or name in said or _PRIVATE.search(name):
            continue
        if isinstance(value, bool | int | float) or value is None:
            said[name] = value
        elif isinstance(value, str):
            said[name] = clean(value)
    if record.exc_info and record.exc_info[1] is not None:
        said |= _exception(record.exc_info[1])
    return said


def _exception(failure: BaseException) -> dict[str, Any]:
    frames = [
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(failure.__traceback__)[-12:]
    ]
    said: dict[str, Any] = {"exception": type(failure).__name__, "trace": frames}
    if isinstance(failure, BridgeError):
        said["why"] = clean(str(failure))
    if failure.__cause__ is not None:
        said["cause"] = type(failure.__cause__).__name__
    return said


class Json(logging.Formatter):
    """Formats a record for machines."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(facts(record), ensure_ascii=False, default=str)


class Text(logging.Formatter):
    """Formats a record for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        said = facts(record)
        rest = " ".join(
            f"{name}={value}"
            for name, value in said.items()
            if name not in ("time", "level", "logger", "message", "trace")
        )
        trace = "".join(f"\n    {frame}" for frame in said.get("trace", ()))
        return f"{said['time'][11:19]} {said['level']:<7} {said['message']}{'  ' + rest if rest else ''}{trace}"


def setup(level: str = "INFO", stream: TextIO | None = None, form: str = "") -> None:
    """Send all logs, uvicorn's too, to standard error.

    :param form: ``json`` or ``text``; by itself text on a terminal and JSON elsewhere.
    """
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(Text() if form == "text" or (not form and out.isatty()) else Json())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in ("urllib3", "requests", "authlib", "sqlalchemy.engine"):  # below a warning they may write what was sent
        logging.getLogger(name).setLevel(logging.WARNING)

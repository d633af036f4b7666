# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps the events of a run for its supervisor: output, progress, failures, ``set_stats`` data; and computes how the run ended.

Nothing here uses a network, waits, or raises an exception: ansible-runner calls it between two reads of the playbook's output, and an exception
would end the run half-way without a message (its status would stay ``running``).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, TextIO
from urllib.parse import urlsplit

from lifecycle_bridge.execute.failures import Failure, failures_of, is_temporary, summary
from lifecycle_bridge.execute.folder import Folder

_OUTCOMES = {"runner_on_ok": "ok", "runner_on_failed": "failed", "runner_on_unreachable": "unreachable"}
_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_MOST_PROGRESS = 5_000
_MOST_OUTPUT = 64 << 20
_MOST_FAILURES = 200
_WORD = 300


class Redactor:
    """Replaces secrets in a text: the values of the environment that a run was given, and the passwords in addresses among them."""

    def __init__(self, values: Iterable[str]) -> None:
        secrets: set[str] = set()
        for value in values:
            if os.path.exists(value[:4096].partition("\n")[0]):
                continue  # a path says where a secret is, not what it is
            secrets |= {value, *(line.strip() for line in value.splitlines() if not line.startswith("-----"))}
            secrets.add(_password(value))
        found = sorted((secret for secret in secrets if len(secret) >= 6), key=len, reverse=True)
        self._pattern = (
            re.compile(
                "|".join(
                    re.escape(form) for secret in found for form in dict.fromkeys((secret, json.dumps(secret)[1:-1]))
                )
            )
            if found
            else None
        )

    def __call__(self, text: str) -> str:
        return self._pattern.sub("********", text) if self._pattern else text


def _password(value: str) -> str:
    try:
        return urlsplit(value).password or ""
    except ValueError:
        return ""


class RunEvents:
    """All that is kept of a run's events. :meth:`event` is ansible-runner's ``event_handler``."""

    def __init__(self, folder: Folder, redact: Redactor) -> None:
        self.redact = redact
        self.seen = time.monotonic()
        self.begun = False
        self.ended = False
        self.stats: dict[str, Any] = {}
        self.failures: list[Failure] = []
        self.trouble = ""
        self.tail: list[str] = []
        self._output = _text(folder.output)
        self._progress = _text(folder.progress)
        self._room = _MOST_OUTPUT
        self._steps = 0

    def event(self, event: dict[str, Any]) -> bool:
        """Keep one event. Returns False, so that ansible-runner keeps no file of it."""
        self.seen = time.monotonic()
        try:
            self._take(event)
        except Exception as failure:  # noqa: BLE001 - whatever it is (a full disk, an odd event): raised, it would stop the play half-way
            self.trouble = f"{type(failure).__name__}: {failure}"
        return False

    def _take(self, event: dict[str, Any]) -> None:
        kind, data = event.get("event", ""), event.get("event_data") or {}
        if kind == "playbook_on_stats":
            self.ended = True
            self.stats = dict(data.get("artifact_data") or {})
        elif kind == "runner_on_start":
            self.begun = True
        elif kind in _OUTCOMES:
            self.begun = True
            outcome = _OUTCOMES[kind]
            if outcome != "ok":
                self._failed(outcome, data)
            elif (data.get("res") or {}).get("changed"):
                outcome = "changed"
            self._step("ignored" if data.get("ignore_errors") else outcome, event, data)
        self._say(str(event.get("stdout") or ""))

    def _failed(self, outcome: str, data: Mapping[str, Any]) -> None:
        room = _MOST_FAILURES - len(self.failures)
        self.failures += failures_of(data, unreachable=outcome == "unreachable")[: max(room, 0)]

    def _step(self, outcome: str, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        self._steps += 1
        if self._steps > _MOST_PROGRESS:
            return
        words = {"play": data.get("play"), "task": data.get("task"), "host": data.get("host")}
        line = {
            "at": str(event.get("created", "")),
            **{name: self.short(str(word or "")) for name, word in words.items()},
            "outcome": outcome,
        }
        self._progress.write(json.dumps(line) + "\n")

    def _say(self, text: str) -> None:
        if not text:
            return
        text = self.redact(text)
        self.tail = [*self.tail, *(line for line in text.splitlines()[-5:] if line.strip())][-5:]
        if self._room > 0:
            self._room -= len(text)
            self._output.write(text + "\n" if self._room > 0 else "... and more: the output was cut here\n")

    def short(self, text: str) -> str:
        """Return one line for a person, without secrets and addresses."""
        line = " ".join(_ADDRESS.sub("<address>", self.redact(text)).split())
        return line if len(line) <= _WORD else line[: _WORD - 3] + "..."

    def close(self) -> None:
        """Close the files of output and progress."""
        for file in (self._output, self._progress):
            file.close()

    # -- the verdict ---------------------------------------------------------------------------------------------------

    def verdict(self, *, reason: str, why: str, said: str, code: int | None, left: str) -> tuple[str, str, bool]:
        """Return how the run ended: status, detail, temporary.

        It is ``successful`` only when ansible-runner's status, the playbook's last event and its exit code say so.

        :param reason: ``timeout``, ``canceled`` or ``unknown`` when it was stopped, and ``why`` in words.
        :param said: ansible-runner's status; empty when it didn't get so far.
        :param code: the exit code of ansible-playbook; negative or None when it was killed.
        :param left: processes that could not be ended, in words.
        """
        whole = self.ended and code == 0 and said == "successful"
        if left:
            return "unknown", f"{left}; the run may still be at work", True
        if whole:
            return "successful", "", False
        if reason:
            return reason, why, reason != "canceled"
        if code is None or code < 0 or (not self.ended and (self.begun or code == 0)):
            ended = "was killed" if code is None or code < 0 else f"ended with code {code} and without its last event"
            return "unknown", f"ansible-playbook {ended}: what it did is not known; look into the output", True
        if code == 0:
            return (
                "unknown",
                f"ansible-playbook ended well, ansible-runner says {said or 'nothing'}: look into the output",
                True,
            )
        return "failed", self._what_failed(code), is_temporary(self.failures)

    def _what_failed(self, code: int) -> str:
        if not self.failures:
            said = next(
                (line for line in self.tail if "ERROR" in line), self.tail[-1] if self.tail else "it said nothing"
            )
            return f"ansible-playbook ended with code {code}: {self.short(said)}"
        return summary(self.failures)


def _text(path: os.PathLike[str]) -> TextIO:
    return open(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        "w",
        encoding="utf-8",
        errors="replace",
        buffering=1,
    )

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Turns results of modules into lines of text for the screen. The functions are pure: they use no screen and no
Ansible.

A result may lack any key (an older module, a failure in Ansible itself), so that the code expects none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ...module_utils.model.step_result import ChangeRow
from ...module_utils.model.text import STEERING

#: outcome -> (symbol, symbol where only ASCII is safe, words, colour)
WORDS: Mapping[str, tuple[str, str, str, str]] = {
    "done": ("✓", "+", "done", "green"),
    "already": ("✓", "=", "was so already", "dim"),
    "absent": ("–", "-", "no account here", "dim"),
    "found": ("✓", "+", "found", "green"),
    "nobody": ("–", "-", "knows nobody by that", "dim"),
    "opened": ("✓", "+", "opened", "green"),
    "acknowledged": ("≈", "~", "accepted, cannot be seen", "cyan"),
    "in_progress": ("…", ".", "under way", "yellow"),
    "needs_human": ("!", "!", "needs a person", "yellow"),
    "unsupported": ("∅", "0", "not possible here", "yellow"),
    "unknown": ("?", "?", "not known whether it happened", "red"),
    "failed": ("✗", "x", "failed", "red"),
    "unreachable": ("✗", "x", "not reached", "red"),
    "looked": ("✓", "+", "looked at", "dim"),
    "idle": ("–", "-", "nothing to do", "dim"),
    "skipped": ("·", ".", "skipped", "dim"),
    "planned": ("→", ">", "would change", "cyan"),
}
#: The steps whose outcome depends on what they found: step -> the answer's key, the outcome when it has something, and
#: when not.
_FINDS: Mapping[str, tuple[str, str, str]] = {
    "person_info": ("people", "found", "nobody"),
    "case": ("cases", "opened", "already"),
}
#: The steps that only look, and those that mostly find nothing to do: for them, "was so already" would be wrong.
_LOOKS = frozenset(("existing_info", "ledger_info", "quarantine", "separation", "protected_info", "reconcile_system"))
_IDLES = frozenset(("followups", "notices", "reconcile", "audit"))
OPEN = frozenset(("in_progress", "needs_human", "unsupported", "unknown", "failed", "unreachable"))
PHASES: Mapping[str, str] = {
    "identify": "Ask HR who it is",
    "quarantine": "Look for what is there already",
    "separate": "Keep duties apart",
    "open_case": "Open the case",
    "cutoff": "Cut off",
    "preserve": "Preserve",
    "secure_devices": "Secure the devices",
    "reclaim": "Take back",
    "closeout": "Look again",
    "report": "Write the record",
    "provision": "Provision",
    "prepare_device": "Prepare the device",
    "welcome": "Welcome",
    "adjust": "Adjust",
    "restore": "Give back",
    "followups": "What is due",
    "suspend": "Say so",
    "resume": "Let in again",
}
#: The steps that only look, and whose answers the playbook shows together at the end.
QUIET = frozenset(
    ("doctor", "doctor_system", "locate", "locate_system", "steps", "init", "people_snapshot", "contacts_info")
)
_SECRET = re.compile(
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}|((?:password|passwd|secret|token|api[_-]?key)\s*[=:]\s*)\S+|(://[^/\s:@]+:)[^@\s/]+(?=@)"
)
#: What ansible-core says, since 2.19, before the words of a lookup of ours.
_OF_CORE = re.compile(r"^Task failed: Finalization of task args .*?The lookup plugin '[\w.]+' failed: ")
_SECRET_KEYS = re.compile(
    r"(?i)(password|passwd|passphrase|secret|token|api_?key|private_?key|credential|recovery_?key|otp)"
)


@dataclass(frozen=True)
class Line:
    """One line: the end of a step. ``outcome`` is one of :data:`WORDS`; ``changes`` are the rows of the result;
    ``took`` is the seconds of one of several people; ``left`` are the open items of a record, and ``verdict`` is its
    sentence.
    """

    system: str
    step: str
    person: str
    outcome: str
    message: str
    changes: tuple[ChangeRow, ...]
    residual: tuple[Mapping[str, Any], ...]
    html: str = ""
    planned: bool = False
    took: float | None = None
    left: tuple[Any, ...] = ()
    verdict: str = ""


def lines(
    system: str,
    step: str,
    result: Any,
    *,
    unreachable: bool = False,
    failed: bool = False,
    skipped: bool = False,
    check: bool = False,
) -> Iterator[Line]:
    """Yield the lines of a task's result: one, or one per item of a loop."""
    found = result if isinstance(result, Mapping) else {}
    items = found.get("results")
    if isinstance(items, (list, tuple)) and items and all(isinstance(item, Mapping) for item in items):
        for item in items:
            yield from lines(
                system,
                step,
                item,
                unreachable=bool(item.get("unreachable")),
                failed=bool(item.get("failed")),
                skipped=bool(item.get("skipped")),
                check=check,
            )
        return
    rows = tuple(cast(ChangeRow, row) for row in _sequence(found.get("changes")) if isinstance(row, Mapping))
    planned = any(row.get("outcome") == "planned" for row in rows)
    outcome = str(found.get("outcome") or "")
    if unreachable:
        outcome = "unreachable"
    elif skipped:
        outcome = "skipped"
    elif (failed or found.get("failed")) and found.get("code") == "open":
        outcome = "needs_human"  # the record was written, and lists open items
    elif (failed or found.get("failed")) and outcome not in OPEN:
        outcome = "failed"
    elif step in _FINDS and _FINDS[step][0] in found:
        outcome = _found(step, found)
    elif planned and outcome == "done":
        outcome = "planned"
    elif outcome not in WORDS:
        outcome = ("planned" if check else "done") if found.get("changed") else "already"
    if step in _LOOKS and outcome in ("already", "done"):
        outcome = "looked"
    elif step in _IDLES and outcome == "already" and not found.get("msg"):
        outcome = "idle"
    yield Line(
        text(found.get("system") or system),
        text(found.get("step") or step),
        text(found.get("person") or _person(found)),
        outcome,
        _message(found.get("msg")),
        rows,
        tuple(r for r in _sequence(found.get("residual") or found.get("residual_access")) if isinstance(r, Mapping)),
        text(found.get("html") or ""),
        planned,
        float(found["seconds"]) if isinstance(found.get("seconds"), (int, float)) else None,
        _sequence(found.get("open_items")),
        _sentence(found.get("verdict")),
    )


def _sentence(verdict: object) -> str:
    """Return the sentence of a record's verdict."""
    return text(verdict.get("sentence") or "") if isinstance(verdict, Mapping) else ""


def _found(step: str, answer: Mapping[str, Any]) -> str:
    """Return the outcome of a step that looks for people; ``skipped`` when it had nobody to look for."""
    key, some, none = _FINDS[step]
    others = answer.get("present")
    if answer.get("asked") or not isinstance(others, Mapping):
        return some if answer[key] else none
    # It was asked only about people who approve or attest.
    return "skipped" if not others else some if all(others.values()) else none


def _message(value: object) -> str:
    """Return the message of a result; several lines are joined."""
    return "; ".join(text(one) for one in _sequence(value)) if _sequence(value) else _OF_CORE.sub("", text(value or ""))


def _sequence(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def _person(found: Mapping[str, Any]) -> str:
    label = found.get("_ansible_item_label")
    return str(label) if isinstance(label, (str, int)) else ""


def text(value: Any) -> str:
    """Return a value as one line without control characters, and with everything that looks like a secret replaced by
    ``***``."""
    flat = STEERING.sub("", " ".join(str(value).split()))
    return _SECRET.sub(
        lambda m: (
            f"{m.group(2) or m.group(3) or m.group(1) or ''} ***" if m.group(1) else f"{m.group(2) or m.group(3)}***"
        ),
        flat,
    )


def indented(value: Any) -> str:
    """Return a line as :func:`text` does, and keep the spaces at its beginning."""
    line = str(value)
    return " " * min(8, len(line) - len(line.lstrip(" "))) + text(line)


def plain(name: str, value: Any) -> str:
    """Return a value of a change in words; ``name`` is the name of the change."""
    if value in (None, "", [], {}):
        return "nothing"
    if _SECRET_KEYS.search(name) and not isinstance(value, bool) and " " not in str(value) and len(str(value)) > 15:
        return "***"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(name, v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(
            f"{text(k)}: {'***' if _SECRET_KEYS.search(str(k)) else plain(str(k), v)}" for k, v in value.items()
        )
    return text(value)


def change(row: ChangeRow, *, arrow: str = "→") -> str:
    """Return a change as text: ``group Sales: held → not held  (CAN NOT BE UNDONE)``."""
    what = text(row.get("what", ""))
    before, after = plain(what, row.get("before")), plain(what, row.get("after"))
    if row.get("after") is None and row.get("before") is not None:
        after = "gone"
    moved = (
        f"{what}: {before} {arrow} {after}"
        if row.get("before") != row.get("after")
        else f"{what}: {after}"
        if row.get("after") is not None
        else what
    )
    note = f" - {text(row['note'])}" if row.get("note") else ""
    return f"{moved}{'  (CAN NOT BE UNDONE)' if row.get('irreversible') else ''}{note}"


def span(took: float) -> str:
    """Return a number of seconds in words."""
    if took < 60:
        return f"{took:.1f} s"
    minutes, rest = divmod(int(took), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def gauge(done: int, total: int, unit: str, *, width: int = 16) -> str:
    """Return a progress bar: ``[####....] 4 of 8 people``."""
    if total <= 0:
        return f"{done} {text(unit)}"
    full = max(0, min(width, done * width // total))
    return f"[{'#' * full}{'.' * (width - full)}] {done} of {total} {text(unit)}"

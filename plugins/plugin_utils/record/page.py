# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes the page of a record. It loads nothing, and every value is escaped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils.model import clock
from ...module_utils.model.kinds import kind_of
from .html import environment, sentence
from .template import TEMPLATE

#: outcome -> (symbol, words, tone)
WORDS: Mapping[str, tuple[str, str, str]] = {
    "done": ("✓", "done, and seen done", "good"),
    "already": ("✓", "was so already", "good"),
    "absent": ("–", "no account here", "quiet"),
    "acknowledged": ("≈", "accepted; cannot be seen", "soft"),
    "in_progress": ("…", "under way", "warn"),
    "needs_human": ("!", "needs a person", "warn"),
    "unsupported": ("∅", "not possible here", "warn"),
    "unknown": ("?", "not known whether it happened", "bad"),
    "failed": ("✗", "failed", "bad"),
    "not_covered": ("∅", "nothing was tried", "bad"),
    "attested": ("✓", "attested by a person", "soft"),
}
PHASES: Mapping[str, str] = {
    "cutoff": "Cut off",
    "preserve": "Preserve",
    "secure_devices": "Secure the devices",
    "reclaim": "Take back",
    "closeout": "Look again",
    "provision": "Provision",
    "prepare_device": "Prepare the device",
    "welcome": "Welcome",
    "adjust": "Adjust",
    "followups": "Later",
    "suspend": "Say so",
    "resume": "Let in again",
    "restore": "Give back",
    "withdraw": "Undo the onboarding",
}
#: The words for states of a device.
_STATES: Mapping[str, str] = {
    "lock_pending": "lock ordered",
    "retire_pending": "retire ordered",
    "wipe_pending": "wipe ordered",
}
_WIDTH, _LEFT, _ROW, _TOP = 1000, 190, 26, 34


def render(record: Mapping[str, Any], sha256: str) -> str:
    """Return the page of a record. ``sha256`` is the digest of its canonical JSON."""
    env = environment()
    env.filters.update(when=_when, span=_span, plain=_plain, sentence=sentence)
    env.globals.update(
        words=_words, phase=lambda name: PHASES.get(name, name.replace("_", " ").capitalize() or "Other")
    )
    by_system: dict[str, list[Any]] = {}
    for action in record["actions"]:
        by_system.setdefault(action["system"], []).append(action)
    return env.from_string(TEMPLATE).render(
        r=record,
        sha256=sha256,
        kind=kind_of(record["case"]["kind"]).title or record["case"]["kind"],
        systems=by_system,
        chart=_chart(record),
    )


def _words(outcome: str) -> tuple[str, str, str]:
    return WORDS.get(outcome, ("·", outcome.replace("_", " "), "warn"))


def _when(text: str) -> str:
    try:
        return clock.parse(text).strftime("%-d %b %Y, %H:%M:%S UTC") if text else "–"
    except ValueError:
        return text


def _span(took: float | None) -> str:
    """Return a number of seconds in words."""
    if took is None:
        return "not yet"
    sign, took = ("−" if took < 0 else ""), abs(took)
    if took < 10:
        return f"{sign}{took:.1f} s"
    for size, unit, smaller, name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if took >= size:
            rest = int(took % size // smaller)
            return f"{sign}{int(took // size)} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{sign}{took:.0f} s"


def _plain(value: Any) -> str:
    """Return a value in words."""
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(v) for v in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return _STATES.get(str(value), str(value))


def _chart(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the positions of the timeline's bars. The scale is linear, but a pause of hours between two runs is
    shortened."""
    bars = []
    for action in record["actions"]:
        start, end = action["requested_at"], action["completed_at"] or action["verified_at"] or action["requested_at"]
        if start:
            bars.append(
                (
                    action,
                    clock.parse(start).timestamp(),
                    max(clock.parse(end).timestamp(), clock.parse(start).timestamp()),
                )
            )
    if not bars:
        return {}
    scale = _Scale([t for _unused, start, end in bars for t in (start, end)])
    names = list(dict.fromkeys(action["system"] for action, _unused, _unused in bars))
    rows = {name: _TOP + number * _ROW for number, name in enumerate(names)}
    drawn = _drawn(bars, scale, rows)
    phases = _phases(bars, scale)
    height = _TOP + _ROW * len(names) + 30
    return {
        "width": _WIDTH,
        "height": height,
        "left": _LEFT,
        "rows": [{"name": n, "y": y} for n, y in rows.items()],
        "row": _ROW,
        "bars": drawn,
        "phases": phases,
        "ticks": scale.ticks(),
        "base": _TOP + _ROW * len(names),
        "breaks": scale.breaks,
    }


def _drawn(
    bars: Sequence[tuple[Mapping[str, Any], float, float]], scale: _Scale, rows: Mapping[str, float]
) -> list[dict[str, Any]]:
    drawn = []
    for action, start, end in bars:
        left, right = scale.x(start), scale.x(end)
        symbol, words, tone = _words(action["result"] if not action["attested"] or not action["closed"] else "attested")
        drawn.append(
            {
                "x": left,
                "w": max(right - left, 7),
                "y": rows[action["system"]] + 6,
                "tone": tone,
                "title": f"{action['action'].replace('_', ' ')}: {words}",
                "phase": action["phase"],
            }
        )
    return drawn


def _phases(bars: Sequence[tuple[Mapping[str, Any], float, float]], scale: _Scale) -> list[dict[str, Any]]:
    phases: list[dict[str, Any]] = []
    for name in dict.fromkeys(action["phase"] for action, _unused, _unused in bars):
        mine = [(start, end) for action, start, end in bars if action["phase"] == name]
        phases.append(
            {
                "name": PHASES.get(name, name),
                "x": scale.x(min(s for s, _unused in mine)),
                "end": scale.x(max(e for _unused, e in mine)),
            }
        )
    # A name that would overlap another one is left out; the bars' titles still have it.
    free = 0.0
    for phase in phases:
        phase["shown"] = phase["x"] >= free
        if phase["shown"]:
            free = phase["x"] + 7.2 * len(phase["name"]) + 10
    return phases


class _Scale:
    """Converts time to pixels. A gap of more than 15 minutes and three times the busy time is drawn as a short
    break."""

    def __init__(self, moments: list[float]) -> None:
        points = sorted(set(moments))
        self.start = points[0]
        gaps = [(b - a, a, b) for a, b in zip(points, points[1:], strict=False)]
        busy = sum(g for g, _unused, _unused in gaps if g <= 900) or 1.0
        self.cuts = [(a, b) for g, a, b in gaps if g > max(900.0, busy * 3)]
        self.short = busy * 0.12
        self.length = self._virtual(points[-1]) or 1.0
        self.real_end = points[-1]
        self.breaks = [round((self.x(a) + self.x(b)) / 2, 1) for a, b in self.cuts]

    def _virtual(self, t: float) -> float:
        v = t - self.start
        for a, b in self.cuts:
            if t > a:
                v -= min(t, b) - a
                v += self.short * (min(t, b) - a) / (b - a)
        return v

    def x(self, t: float) -> float:
        return round(_LEFT + 12 + (_WIDTH - _LEFT - 40) * self._virtual(t) / self.length, 1)

    def ticks(self) -> list[dict[str, Any]]:
        marks = [(self.start, "start")]
        marks += [(t, f"+{_span(t - self.start)}") for t in [b for _unused, b in self.cuts] + [self.real_end]]
        if not self.cuts:
            marks += [(self.start + self.length * part, f"+{_span(self.length * part)}") for part in (0.25, 0.5, 0.75)]
        shown: list[dict[str, Any]] = []
        for t, text in sorted(marks):
            if not shown or self.x(t) - shown[-1]["x"] > 70 and text != shown[-1]["text"]:
                shown.append({"x": self.x(t), "text": text})
        return shown

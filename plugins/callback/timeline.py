# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: timeline
type: stdout
short_description: A checklist of systems, as a person reads it
description:
  - Shows the phases of a run, in each the systems and how they ended, and at the end what a person still has to do.
  - On a terminal, what is under way is shown in place. Elsewhere (CI, AWX, a file) there are plain lines only.
  - With C(--check) it reads like a plan, system by system, before and after.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
requirements: [set as stdout_callback in ansible.cfg]
options:
  show_already:
    description: Whether changes that were so already are listed too.
    type: bool
    default: false
    env: [{name: LIFECYCLE_SHOW_ALREADY}]
    ini: [{section: callback_timeline, key: show_already}]
"""

import os
import shutil
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ansible import constants as C
from ansible.plugins.callback import CallbackBase

from ..plugin_utils.shell import bytecode as _bytecode  # noqa: F401 (before the rest of the collection)

# isort: split
from ..module_utils.model.commands import command, option
from ..module_utils.sdk.values import lasting
from ..plugin_utils.screen import left_open
from ..plugin_utils.screen import result_lines as wording
from ..plugin_utils.shell import progress
from ..plugin_utils.shell.tasks import make_ready

#: A step for more people than this is shown in one line; of the open ones only the first are listed.
MANY = left_open.MANY

#: The seconds between two lines with the people who have finished a step.
EVERY = 5.0

_COLOURS = {"green": "32", "red": "31", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}


@dataclass
class _Several:
    """A step for several people: how many ended with each outcome, and whose names were not shown yet."""

    system: str
    step: str
    of: int
    said: float
    counts: Counter[str] = field(default_factory=Counter)
    fresh: list[str] = field(default_factory=list)

    @property
    def open(self) -> int:
        return sum(count for outcome, count in self.counts.items() if outcome in wording.OPEN)


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Shows the run on the screen: see DOCUMENTATION. The texts are made in ``plugin_utils/screen/result_lines.py``."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "workforce.lifecycle.timeline"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.out = sys.stdout
        self.began = time.monotonic()
        self.live = (
            self.out.isatty()
            and os.environ.get("TERM", "dumb") != "dumb"
            and not os.environ.get("CI")
            and not os.environ.get("AWX_JOB_ID")
            and not os.environ.get("JOB_ID")
        )
        self.colour = bool(
            not os.environ.get("NO_COLOR") and not C.ANSIBLE_NOCOLOR and (self.live or C.ANSIBLE_FORCE_COLOR)
        )
        self.unicode = (getattr(self.out, "encoding", None) or "").lower().replace("-", "").startswith("utf")
        self.phase = self._heading = ""
        self.check = False
        self.running: dict[str, tuple[str, float]] = {}
        self.how_far: dict[tuple[str, str], str] = {}
        self.ends: dict[tuple[str, str, str], wording.Line] = {}
        self.several: dict[str, _Several] = {}
        self.records: dict[str, str] = {}
        self.left = 0
        self._shown: set[str] = set()
        self.plan: dict[str, Any] = {}
        self.planned = 0
        self._status = ""
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._reader = progress.Reader()
        self._clock: threading.Thread | None = None

    # -- the screen ----------------------------------------------------------------------------------------------------

    def _width(self) -> int:
        return max(40, shutil.get_terminal_size((100, 24)).columns)

    def _say(self, line: str, colour: str = "") -> None:
        with self._lock:
            self._wipe()
            if self._heading:
                heading, self._heading = self._heading, ""
                self._say("")
                self._say(f"{heading}{' (plan: nothing is changed)' if self.check else ''}", "bold")
            if not self.unicode:
                line = line.replace("→", "->").replace("…", "...").replace("–", "-").encode("ascii", "replace").decode()
            if self.live:
                line = (
                    _cut(line, self._width(), "…" if self.unicode else "~") if not line.startswith("      ") else line
                )
            self.out.write((f"\033[{_COLOURS[colour]}m{line}\033[0m" if colour and self.colour else line) + "\n")
            self.out.flush()

    def _wipe(self) -> None:
        if self._status:
            self.out.write("\r\033[2K")
            self._status = ""

    def _tick(self) -> None:
        while not self._over.wait(0.25):
            with self._lock:
                self._look()
                if not self.live:
                    continue
                busy = [self._busy(system, step, began) for system, (step, began) in list(self.running.items())]
                self._wipe()
                if busy:
                    self._status = _cut(f"  {len(busy)} under way: " + "; ".join(busy), self._width() - 1, "~")
                    self.out.write(self._status if self.unicode else self._status.encode("ascii", "replace").decode())
                    self.out.flush()

    def _busy(self, system: str, step: str, began: float) -> str:
        far = next((text for (name, _unused), text in reversed(list(self.how_far.items())) if name == system), "")
        return f"{system} {wording.span(time.monotonic() - began)}{' ' + far if far else ''}"

    def _look(self) -> None:
        for line in self._reader.new():
            if isinstance(line, dict) and isinstance(line.get("ended"), dict) and isinstance(line.get("of"), int):
                self._one_ended(str(line.get("task")), line["ended"], line["of"])
            elif isinstance(line, dict) and isinstance(line.get("done"), int) and isinstance(line.get("total"), int):
                system, step = wording.text(line.get("system", "")), wording.text(line.get("step", ""))
                far = wording.gauge(line["done"], line["total"], str(line.get("unit", "")))
                if not self.live and self.how_far.get((system, step)) != far:
                    self._say(f"  . {system:<16} {step.replace('_', ' ')}: {far}")
                self.how_far[system, step] = far

    # -- what Ansible says ---------------------------------------------------------------------------------------------

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._say(f"{os.path.basename(getattr(playbook, '_file_name', '') or 'run')}", "bold")

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self.check = bool(getattr(play, "check_mode", False)) or self._cli_check()
        if self._clock is None:
            self._clock = threading.Thread(target=self._tick, daemon=True)
            self._clock.start()

    def _cli_check(self) -> bool:
        from ansible import context

        return bool((context.CLIARGS or {}).get("check"))

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        make_ready(task.action)
        role = getattr(task, "_role", None)
        name = role.get_name().rpartition(".")[2] if role is not None else ""
        phase = wording.PHASES.get(name, name.replace("_", " ").capitalize()) or wording.text(task.get_name())
        if phase != self.phase:
            # The heading is shown with the phase's first line, because many phases have none.
            self.phase = self._heading = phase

    v2_playbook_on_handler_task_start = None
    v2_playbook_on_cleanup_task_start = None

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        with self._lock:
            self.running[host.get_name()] = (wording.text(task.get_name()), time.monotonic())

    def v2_runner_on_ok(self, result: Any) -> None:
        self._ended(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._ended(result, failed=True, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._ended(result, unreachable=True)

    def v2_runner_on_skipped(self, result: Any) -> None:
        with self._lock:
            self.running.pop(_of(result, "host").get_name(), None)

    def _ended(self, result: Any, *, failed: bool = False, unreachable: bool = False, ignored: bool = False) -> None:
        host, task, data = _of(result, "host").get_name(), _of(result, "task"), _of(result, "result")
        with self._lock:
            self._wipe()
            self._handle_warnings(data)
            self._look()
            _unused, began = self.running.pop(host, ("", time.monotonic()))
            self.how_far = {key: far for key, far in self.how_far.items() if key[0] != host}
            if getattr(task, "no_log", False) is True:
                data = {
                    "failed": failed,
                    "outcome": "failed" if failed else None,
                    "msg": "hidden: no_log",
                    "changed": data.get("changed"),
                }
            ours = str(getattr(task, "action", "")).startswith("workforce.lifecycle.")
            if not ours and failed and self._is_shown(data.get("msg")):
                return
            # A failure of our module is still open when the play ignores it; a failure of another module is not shown
            # then.
            if not ours and (ignored or not failed and not unreachable):
                if str(getattr(task, "action", "")).rpartition(".")[2] == "debug" and data.get("msg") is not None:
                    said = data["msg"] if isinstance(data["msg"], list) else [data["msg"]]
                    for one in said:
                        self._say(f"      {wording.indented(one)}")
                        self._shown.add(wording.text(one))
                return
            step = wording.text(str(getattr(task, "action", "")).rpartition(".")[2])
            if step in wording.QUIET and (ignored or not failed):
                return
            if step == "plan" and data.get("digest"):
                self.plan = data
                return
            several = self.several.pop(f"{getattr(task, '_uuid', '')} {host}", None)
            if several is not None:
                if several.of > MANY:
                    self._sum_up(several, time.monotonic() - began)
                return
            # Each item of a loop has its own flag "failed"; the whole result is failed when one item is.
            ended = wording.lines(host, step, data, failed=failed, unreachable=unreachable, check=self.check)
            self._tell_all([line for line in ended if line.outcome != "skipped"], time.monotonic() - began)

    def _is_shown(self, message: object) -> bool:
        """Return whether the message of a task that fails the run was shown before."""
        said = wording.text(message or "")
        return (
            said in self._shown or bool(self.plan) and said == wording.text("; ".join(self.plan.get("problems") or ()))
        )

    def _tell_all(self, lines: list[wording.Line], took: float) -> None:
        """Print a line for each; for many people, only the first open ones and a summary."""
        if len(lines) <= MANY:
            for line in lines:
                self._tell(line, took if line.took is None else line.took)
            return
        several = _Several(lines[0].system, lines[0].step, len(lines), 0.0)
        for line in lines:
            self._count(several, line)
        self._sum_up(several, took)

    def _count(self, several: _Several, line: wording.Line) -> None:
        """Count the outcome of one of many people; print it when it is one of the first open ones."""
        several.counts[line.outcome] += 1
        if line.outcome in wording.OPEN and several.open <= left_open.LISTED:
            self._tell(line, line.took or 0.0)
        else:
            several.fresh.append(line.person)
            self._remember(line)

    def _one_ended(self, task: str, result: dict[str, Any], of: int) -> None:
        """Print the end of a step for one of several people, while it goes on for the others."""
        system = wording.text(result.get("system", ""))
        for line in wording.lines(system, str(result.get("step", "")), result, check=self.check):
            several = self.several.setdefault(f"{task} {system}", _Several(system, line.step, of, time.monotonic()))
            if of <= MANY:
                several.counts[line.outcome] += 1
                self._tell(line, line.took or 0.0)
            else:
                self._count(several, line)
                self.how_far[system, line.step] = wording.gauge(several.counts.total(), of, "people")
                if time.monotonic() - several.said >= EVERY:
                    self._tell_who(several)

    def _tell_who(self, several: _Several) -> None:
        """Print the names of the people who have finished the step since the last time."""
        several.said = time.monotonic()
        if several.fresh:
            name = several.step.replace("_", " ")
            self._say(f"  . {several.system:<16} {name:<18} {several.counts.total()} of {several.of} people")
            self._say(f"      {', '.join(several.fresh)}")
            several.fresh.clear()

    def _sum_up(self, several: _Several, took: float) -> None:
        """Print one line for a step of many people."""
        counts = several.counts
        words = ", ".join(f"{count} {wording.WORDS[outcome][2]}" for outcome, count in counts.most_common())
        worst = next((outcome for outcome in counts if outcome in wording.OPEN), next(iter(counts)))
        mark = wording.WORDS[worst]
        name = several.step.replace("_", " ")
        self._say(
            f"  {mark[0] if self.unicode else mark[1]} {several.system:<16} {name:<18} {counts.total()} people: {words}  {wording.span(took)}",
            mark[3],
        )
        if several.open > left_open.LISTED:
            self._say(
                f"      of those that are open the first {left_open.LISTED} are shown; the records name all", mark[3]
            )

    def _tell(self, line: wording.Line, took: float) -> None:
        symbol, ascii_symbol, words, colour = wording.WORDS[line.outcome]
        who = f"  {line.person}" if line.person else ""
        self._say(
            f"  {symbol if self.unicode else ascii_symbol} {line.system:<16} {line.step.replace('_', ' '):<18} {words}{who}  {wording.span(took)}",
            colour,
        )
        for row in line.changes:
            how = row.get("outcome")
            told_anyway = (
                how in wording.OPEN and row.get("code") != "not_sent" or how == "planned" or row.get("irreversible")
            )
            if told_anyway or how == "acknowledged" or (how in ("done", "already") and self._option("show_already")):
                mark = wording.WORDS.get(str(how), wording.WORDS["planned"])
                self._say(f"      {mark[0] if self.unicode else mark[1]} {wording.change(row)}", mark[3])
        if line.message and line.outcome in wording.OPEN and not any(row.get("note") for row in line.changes):
            self._say(f"      {line.verdict or line.message}", colour)
        self._remember(line)

    def _remember(self, line: wording.Line) -> None:
        """Keep what the end of the run shows of this line."""
        self.planned += sum(row.get("outcome") == "planned" for row in line.changes)
        key = (line.system, line.step, line.person)
        if line.outcome in wording.OPEN or line.residual:
            self.ends[key] = left_open.with_notes_of(self.ends.get(key), line)
        else:
            self.ends.pop(key, None)  # it was open before, and is closed now
        if line.html and line.html not in self.records and not self.check:
            self.records[line.html] = line.verdict if line.outcome not in wording.OPEN else ""
            self.left += len(line.left)

    def _option(self, name: str) -> bool:
        try:
            return bool(self.get_option(name))
        except KeyError:
            return False

    def _tell_plan(self) -> None:
        digest = wording.text(self.plan["digest"])[:12]
        self._say(f"      Plan: {wording.text(self.plan.get('path', ''))}")
        for need in self.plan.get("needs") or ():
            self._say(
                f"      Needs an approval of {wording.text(' or '.join(need['by']))}: {wording.text(need['why'])}",
                "yellow",
            )
        if self.plan.get("needs"):
            self._say(f"      Approve it: {command('approve', open_end='-e by=<who>', plan=digest)}")
        if self.plan.get("problems"):
            self._say("      Some steps could not be looked at: see above, and run --check again", "yellow")
        else:
            self._say(f"      Do exactly this: the same command without --check, with {option(plan=digest)}")

    def _tell_open(self, still: list[wording.Line]) -> None:
        for heading, under_way in (
            ("What would stay open" if self.check else "What a person still has to do", False),
            ("Still under way: run again to see the end", True),
        ):
            texts = list(left_open.items(still, under_way))
            if texts:
                self._say("")
                self._say(heading, "bold")
            for text, colour in texts:
                self._say(f"      {text}", colour)
            how = "" if self.check or under_way else left_open.how_to_attest(still)
            if how:
                self._say(f"      What was done by hand is noted with: {how}")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._over.set()
        self._heading = ""
        if self._clock is not None:
            self._clock.join(1)
        self._look()
        with self._lock:
            self._wipe()
        still = left_open.still_open(self.ends.values())
        self._tell_open(still)
        residual = lasting(
            {"system": line.system, "person": line.person, **r}
            for line in self.ends.values()
            if line.step != "record"
            for r in line.residual
        )
        if residual:
            self._say("")
            self._say("Access that may linger", "bold")
        for text in left_open.lingering(residual):
            self._say(f"      {text}", "cyan")
        self._say("")
        for text in left_open.records(self.records):
            self._say(f"      {text}")
        took = wording.span(time.monotonic() - self.began)
        if self.plan:
            self._tell_plan()
        if self.check:
            self._say(
                f"Plan: {self.planned} change{'s' if self.planned != 1 else ''}; nothing was written. {took}", "bold"
            )
        else:
            bad = bool(still) or any(
                stats.summarize(host)["failures"] or stats.summarize(host)["unreachable"] for host in stats.processed
            )
            if self.left and not bad:
                things = "1 thing" if self.left == 1 else f"{self.left} things"
                self._say(f"Done, and {things} of the case still open: see the record. {took}", "yellow")
            else:
                self._say(f"{'Not complete' if bad else 'Complete'}. {took}", "red" if bad else "green")


def _cut(line: str, width: int, mark: str) -> str:
    return line if len(line) <= width else line[: width - len(mark)] + mark


def _of(result: Any, name: str) -> Any:
    """Return ``host``, ``task`` or ``result`` of a callback's result: public attributes since ansible-core 2.19,
    private before."""
    value = getattr(result, name, None)
    if value is None:
        value = getattr(result, f"_{name}", None)
    return {} if value is None and name == "result" else value

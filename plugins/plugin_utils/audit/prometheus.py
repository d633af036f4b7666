# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the numbers in Prometheus' text format, for node_exporter's textfile collector. No label names a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ...module_utils.model import clock
from ...module_utils.model.kinds import OFFBOARD, ONBOARD, TRANSFER
from ...module_utils.model.text import visible
from .numbers import Numbers, Spread
from .plots import STEPS, buckets

PREFIX = "workforce_lifecycle"
Sample = tuple[dict[str, str], float]


def text(data: Numbers) -> str:
    """Return all metrics; each family once, with its help and type."""
    lines: list[str] = []
    for name, kind, help_, samples in _families(data):
        lines += [f"# HELP {PREFIX}_{name} {help_}", f"# TYPE {PREFIX}_{name} {kind}"]
        lines += [f"{PREFIX}_{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
    return "\n".join([*lines, *_histogram(data), ""])


def _families(data: Numbers) -> Iterator[tuple[str, str, str, Iterable[Sample]]]:
    kinds = ((OFFBOARD, data.leavers), (ONBOARD, data.joiners), (TRANSFER, data.movers))
    yield "cases", "gauge", "Cases of the period by kind.", [({"kind": kind}, count) for kind, count in kinds]
    yield "access_open", "gauge", "Leavers of the period with a way in that is open.", [({}, data.access_open)]
    for name, spread, what in (
        ("first_way_closed", data.to_first_way_closed, "From HR's word to the first way in closed"),
        ("hr_latency", data.hr_latency, "How long after it took effect HR recorded a leaving"),
        ("ready", data.to_ready, "From the beginning of the first day to ready"),
        ("first_sign_in", data.to_first_sign_in, "From the beginning of the first day to the last first sign-in"),
        ("effective_to_closed", data.effective_to_closed, "From the end of employment to the last way in closed"),
    ):
        if spread.count:
            yield f"{name}_seconds", "gauge", f"{what}, by share of cases.", list(_quantiles(spread))
    for name, share, what in (
        ("in_time_ratio", data.share_in_time, "Steps within their service level."),
        ("completeness_ratio", data.completeness, "Steps that are closed."),
        ("by_hand_ratio", data.share_by_hand, "Steps that a person did."),
    ):
        if share is not None:
            yield name, "gauge", what, [({}, share)]
    errors = data.errors
    counts = (
        ("attempt", errors.attempts),
        ("wrong", errors.wrong),
        ("repaired", errors.repaired),
        ("too_much", errors.too_much),
        ("too_late", errors.too_late),
    )
    yield (
        "access_errors",
        "gauge",
        "Access errors of the period by sort.",
        [({"sort": name}, count) for name, count in counts],
    )
    yield "devices_out", "gauge", "Company devices of leavers that are not back.", [({}, len(data.devices_out))]
    open_ = Counter((item.system, item.kind) for item in data.open_items)
    late = Counter((item.system, item.kind) for item in data.open_items if item.late)
    yield (
        "open_items",
        "gauge",
        "Steps that wait.",
        [({"system": s, "kind": k}, n) for (s, k), n in sorted(open_.items())],
    )
    yield (
        "late_items",
        "gauge",
        "Open steps over their service level.",
        [({"system": s, "kind": k}, n) for (s, k), n in sorted(late.items())],
    )
    oldest = max((item.age for item in data.open_items), default=0.0)
    yield "oldest_open_item_seconds", "gauge", "Age of the oldest step that waits.", [({}, oldest)]
    yield "residual_access", "gauge", "Ways in that may linger.", [({"system": s}, n) for s, n in data.residual.items()]
    yield (
        "closed_by_reconcile",
        "gauge",
        "Leavers whose access was closed only after a reconcile.",
        [({}, data.closed_by_reconcile)],
    )
    made = clock.parse(data.made).timestamp()
    yield "numbers_timestamp_seconds", "gauge", "When these numbers were made.", [({}, made)]


def _quantiles(spread: Spread) -> Iterator[Sample]:
    for share, value in (("0.5", spread.median), ("0.9", spread.p90), ("1", spread.longest)):
        if value is not None:
            yield {"quantile": share}, value


def _histogram(data: Numbers) -> Iterator[str]:
    """Yield the histogram of the seconds until access was closed; a case that is open is in no bucket."""
    name = f"{PREFIX}_access_closed_seconds"
    yield f"# HELP {name} From HR's word to the last way in closed."
    yield f"# TYPE {name} histogram"
    total = 0
    for (limit, _name), count in zip(STEPS, buckets(data.closed_after).values(), strict=True):
        total += count
        yield f'{name}_bucket{{le="{"+Inf" if limit == float("inf") else int(limit)}"}} {total}'
    yield f"{name}_sum {_number(sum(data.closed_after))}"
    yield f"{name}_count {total}"


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return visible(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))

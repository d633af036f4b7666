# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Answers ``/metrics`` for Prometheus, from the database: all bridges of one database give the same numbers, and a restart loses none. Only the
numbers of webhooks and of loops are those of this process.

Names and units follow https://prometheus.io/docs/practices/naming; no label holds a person, a case or an address.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import logging
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config
from lifecycle_bridge.loops import Loops
from lifecycle_bridge.receive.endpoint import Passed
from lifecycle_bridge.store import Database, moment
from lifecycle_bridge.store.tables import CASE_STATES, alerts, cases, events, measures, runs, sources
from lifecycle_bridge.store.views import late as is_late

log = logging.getLogger("lifecycle_bridge.metrics")

#: Upper bounds in seconds: a minute, 5, 15, an hour, 4 hours, a day, 3 days.
BUCKETS = (60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0, 259200.0)
_ANSWERS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
#: How many records are read for one answer; the others are read for the next.
_MOST = 200
_BIGGEST = 20_000_000
_TIMES = ("cut", "full_revoke", "ready")


class EndpointMeter(Collector):
    """Counts how this process answered the requests of HR. ``seen`` is called by the endpoint."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "jml_hr_requests",
            "Requests of HR systems, by how they were answered.",
            ["source", "outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "jml_hr_answer_seconds", "Until HR had its answer.", ["source"], buckets=_ANSWERS, registry=self._registry
        )
        self._known = Counter(
            "jml_hr_duplicate_events", "Events that were known already.", ["source"], registry=self._registry
        )

    def seen(self, passed: Passed) -> None:
        self._requests.labels(passed.source, passed.outcome).inc()
        self._seconds.labels(passed.source).observe(passed.seconds)
        if passed.known:
            self._known.labels(passed.source).inc(passed.known)

    def collect(self) -> Iterable[Metric]:
        return self._registry.collect()


class LoopMeter(Collector):
    """How long each loop of this process has been silent."""

    def __init__(self, loops: Loops) -> None:
        self._loops = loops

    def collect(self) -> Iterator[Metric]:
        silent = GaugeMetricFamily(
            "jml_loop_silent_seconds", "Since each loop of this process last moved; 0 while none runs.", labels=["loop"]
        )
        allowed = GaugeMetricFamily(
            "jml_loop_allowed_seconds", "How long it may be silent before it counts as hanging.", labels=["loop"]
        )
        for name, one in self._loops.silences().items():
            silent.add_metric([name], one.seconds)
            allowed.add_metric([name], one.allowed)
        yield silent
        yield allowed


class StoreMeter(Collector):
    """Reads the numbers from the database."""

    def __init__(self, database: Database, config: Config) -> None:
        self._database, self._config = database, config

    def collect(self) -> Iterator[Metric]:
        now = clock.now()
        build = GaugeMetricFamily("jml_build_info", "The bridge.", labels=["version", "executor"])
        build.add_metric([_version(), self._config.executor.kind], 1)
        yield build
        with self._database.read() as connection:
            yield from _cases(connection)
            late = GaugeMetricFamily(
                "jml_cases_late", "Cases that are more than five minutes behind their minute.", labels=["kind"]
            )
            counted = sa.func.count(sa.case((is_late(now), 1)))  # a kind of which none is late is 0, not absent
            for kind, n in connection.execute(sa.select(cases.c.kind, counted).group_by(cases.c.kind)):
                late.add_metric([kind], n)
            yield late
            yield self._durations(connection)
            yield from _from_records(connection)
            yield from self._feed(connection, now.timestamp())
            ended = CounterMetricFamily("jml_runs", "Runs of playbooks that have ended.", labels=["playbook", "status"])
            for playbook, status, n in connection.execute(
                sa.select(runs.c.playbook, runs.c.status, sa.func.count())
                .where(runs.c.ended_at != "")
                .group_by(runs.c.playbook, runs.c.status)
            ):
                ended.add_metric([playbook.rpartition(".")[2], status], n)
            yield ended
            open_alerts = connection.scalar(
                sa.select(sa.func.count()).select_from(alerts).where(alerts.c.settled_at == "")
            )
            yield GaugeMetricFamily("jml_alerts", "Alerts that nobody has settled.", value=open_alerts or 0)

    def _durations(self, connection: sa.Connection) -> HistogramMetricFamily:
        """Return how long cases took. The database adds them up: one row for each kind, not one for each case."""
        began = sa.case((cases.c.due_at > cases.c.created_at, cases.c.due_at), else_=cases.c.created_at)
        spans = {
            "start": (began, cases.c.started_at),
            "run": (cases.c.started_at, cases.c.ended_at),
            "total": (began, cases.c.ended_at),
        }
        columns: list[sa.ColumnElement[Any]] = []
        for phase, (begin, end) in spans.items():
            length = self._seconds(begin, end)
            columns.append(sa.func.sum(length).label(f"{phase}_sum"))
            columns += [
                sa.func.count(sa.case((length <= bound, 1))).label(f"{phase}_{index}")
                for index, bound in enumerate(BUCKETS)
            ]
            columns.append(sa.func.count(length).label(f"{phase}_{len(BUCKETS)}"))
        where = sa.and_(cases.c.state == "done", cases.c.started_at != "", cases.c.ended_at != "")
        found = HistogramMetricFamily(
            "jml_case_duration_seconds",
            "Of cases that are done. start: from when it could begin until its first run began; run: from then until it was done; "
            "total: both. cut, full_revoke, ready: as the record says.",
            labels=["kind", "phase", "urgency"],
        )
        for row in connection.execute(
            sa.select(cases.c.kind, cases.c.urgent, *columns).where(where).group_by(cases.c.kind, cases.c.urgent)
        ).mappings():
            for phase in spans:
                counts = [row[f"{phase}_{index}"] for index in range(len(BUCKETS) + 1)]
                found.add_metric(
                    [row["kind"], phase, _urgency(row["urgent"])], _buckets(counts), float(row[f"{phase}_sum"] or 0)
                )
        value = measures.c.value
        counted = [sa.func.count(sa.case((value <= bound, 1))) for bound in BUCKETS]
        by = (cases.c.kind, cases.c.urgent, measures.c.name)
        joined = sa.select(*by, sa.func.sum(value), *counted, sa.func.count()).join(
            cases, cases.c.id == measures.c.case_id
        )
        for kind, urgent, phase, total, *counts in connection.execute(
            joined.where(measures.c.name.in_(_TIMES)).group_by(*by)
        ):
            found.add_metric([kind, phase, _urgency(urgent)], _buckets(counts), float(total))
        return found

    def _seconds(self, begin: sa.ColumnElement[Any], end: sa.ColumnElement[Any]) -> sa.ColumnElement[float]:
        if self._database.sqlite:
            # The difference is a float of days: rounded, so that a minute is not a little longer than one.
            return sa.func.round((sa.func.julianday(end) - sa.func.julianday(begin)) * 86400.0, 3)
        stamp_type = sa.TIMESTAMP(timezone=True)
        return sa.cast(sa.func.extract("epoch", sa.cast(end, stamp_type) - sa.cast(begin, stamp_type)), sa.Float)

    def _feed(self, connection: sa.Connection, now: float) -> Iterator[Metric]:
        total = CounterMetricFamily("jml_hr_events", "Events of HR systems that were kept.", labels=["source", "type"])
        for source, kind, n in connection.execute(
            sa.select(events.c.source, events.c.type, sa.func.count()).group_by(events.c.source, events.c.type)
        ):
            total.add_metric([source, kind], n)
        yield total
        waits = connection.execute(
            sa.select(sa.func.count(), sa.func.min(events.c.received_at)).where(events.c.state.in_(("new", "taken")))
        ).one()
        oldest = moment(waits[1] or "")
        yield GaugeMetricFamily("jml_inbox_events", "Events that the intake has not done with.", value=waits[0])
        age = max(0.0, now - oldest.timestamp()) if oldest else 0.0
        yield GaugeMetricFamily(
            "jml_inbox_oldest_age_seconds", "How long the oldest of them has waited; 0 when there is none.", value=age
        )
        looked = GaugeMetricFamily(
            "jml_hr_last_success_timestamp_seconds",
            "The last look at the source that succeeded; 0 for never.",
            labels=["source"],
        )
        heard = GaugeMetricFamily(
            "jml_hr_last_event_timestamp_seconds", "The source's last event; 0 for never.", labels=["source"]
        )
        known = {
            row.name: row
            for row in connection.execute(sa.select(sources.c.name, sources.c.last_look_at, sources.c.last_event_at))
        }
        for name in sorted({*self._config.sources, *known}):
            row = known.get(name)
            looked.add_metric([name], _time(row.last_look_at if row else ""))
            heard.add_metric([name], _time(row.last_event_at if row else ""))
        yield looked
        yield heard


def _cases(connection: sa.Connection) -> Iterator[Metric]:
    gauge = GaugeMetricFamily("jml_cases", "Cases in each state.", labels=["kind", "state"])
    found: dict[tuple[str, str], int] = {}
    for kind, state, n in connection.execute(
        sa.select(cases.c.kind, cases.c.state, sa.func.count()).group_by(cases.c.kind, cases.c.state)
    ):
        found[kind, state] = n
    for kind in sorted({kind for kind, _state in found}):
        for state in CASE_STATES:
            gauge.add_metric([kind, state], found.get((kind, state), 0))
    yield gauge
    begun = CounterMetricFamily("jml_case_attempts", "Runs that were begun for cases.", labels=["kind"])
    for kind, n in connection.execute(sa.select(cases.c.kind, sa.func.sum(cases.c.attempt)).group_by(cases.c.kind)):
        begun.add_metric([kind], n)
    yield begun


def _from_records(connection: sa.Connection) -> Iterator[Metric]:
    acted = CounterMetricFamily(
        "jml_actions", "Steps of cases by how they stand, as the records say.", labels=["system", "action", "result"]
    )
    columns = (measures.c.system, measures.c.action, measures.c.result)
    steps = sa.select(*columns, sa.func.sum(measures.c.value)).where(measures.c.name == "action").group_by(*columns)
    for system, action, result, n in connection.execute(steps):
        acted.add_metric([system, action, result], n)
    yield acted
    broken = CounterMetricFamily(
        "jml_sla_breaches",
        "Steps that took longer than their system's service level, as the records say.",
        labels=["kind", "system"],
    )
    joined = sa.select(cases.c.kind, measures.c.system, sa.func.sum(measures.c.value)).join(
        cases, cases.c.id == measures.c.case_id
    )
    for kind, system, n in connection.execute(
        joined.where(measures.c.name == "breach").group_by(cases.c.kind, measures.c.system)
    ):
        broken.add_metric([kind, system], n)
    yield broken


def harvest(database: Database, most: int = _MOST) -> int:
    """Store the numbers of the records of cases that ended since the last time; return how many cases there were.

    A record that this machine cannot read (a controller's) is left out, and is not read again until its case ends again.
    """
    mark = measures.alias()
    with database.read() as connection:
        wanted = sa.select(cases.c.id, cases.c.record, cases.c.ended_at).outerjoin(
            mark, sa.and_(mark.c.case_id == cases.c.id, mark.c.name == "read")
        )
        rows = connection.execute(
            wanted.where(
                cases.c.record != "",
                cases.c.ended_at != "",
                sa.or_(mark.c.result.is_(None), mark.c.result != cases.c.ended_at),
            ).limit(most)
        ).all()
    taken = {
        case: [_row(case, "read", 1.0, result=ended), *_measured(case, Path(record).with_suffix(".json"))]
        for case, record, ended in rows
    }
    if taken:
        with database.write() as connection:
            connection.execute(sa.delete(measures).where(measures.c.case_id.in_(list(taken))))
            connection.execute(sa.insert(measures), [row for found in taken.values() for row in found])
    return len(taken)


def _measured(case: str, path: Path) -> list[dict[str, Any]]:
    try:
        if path.stat().st_size > _BIGGEST:
            return []
        record = json.loads(path.read_bytes())
        counts: dict[tuple[str, str, str, str], float] = {}
        for step in record["actions"]:
            key = ("action", str(step["system"])[:63], str(step["action"])[:63], str(step["result"])[:32])
            counts[key] = counts.get(key, 0) + 1
        for level in record["timings"]["service_levels"]:
            if not level["met"]:
                key = ("breach", str(level["system"])[:63], "", "")
                counts[key] = counts.get(key, 0) + 1
        for name in _TIMES:
            seconds = record["summary"].get(f"time_to_{name}_s")
            if isinstance(seconds, int | float):
                counts[name, "", "", ""] = float(seconds)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as failure:
        log.warning(
            "the record of a case was not read for the metrics: %s", type(failure).__name__, extra={"case": case}
        )
        return []
    return [_row(case, name, value, system, action, result) for (name, system, action, result), value in counts.items()]


def _row(case: str, name: str, value: float, system: str = "", action: str = "", result: str = "") -> dict[str, Any]:
    return {"case_id": case, "name": name, "system": system, "action": action, "result": result, "value": value}


def metrics_route(
    database: Database, config: Config, endpoint: EndpointMeter | None = None, loops: Loops | None = None
) -> Route:
    """Return the route ``GET /metrics``: with ``metrics_token`` for requests with this token, without it for requests of this machine."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LoopMeter(loops or Loops()))
    registry.register(StoreMeter(database, config))
    if endpoint is not None:
        registry.register(endpoint)

    def text(accept: str) -> tuple[bytes, str]:
        encode, kind = choose_encoder(accept)
        harvest(database)
        return encode(registry), kind

    async def answer(request: Request) -> Response:
        if config.metrics_token is not None:
            wanted = f"Bearer {config.metrics_token.read()}"
            if not hmac.compare_digest(request.headers.get("authorization", "").encode(), wanted.encode()):
                return PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        elif not _is_local(request):
            return PlainTextResponse("set metrics_token to read this from elsewhere\n", 403)
        body, kind = await run_in_threadpool(text, request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return Route("/metrics", answer, methods=["GET"])


def _is_local(request: Request) -> bool:
    """Return whether the request is from this machine: without a token nobody else may read how many people leave."""
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _urgency(urgent: bool) -> str:
    return "immediate" if urgent else "scheduled"


def _buckets(counts: Iterable[int]) -> list[tuple[str, float]]:
    return list(zip([*(str(bound) for bound in BUCKETS), "+Inf"], map(float, counts), strict=True))


def _time(text: str) -> float:
    found = moment(text)
    return found.timestamp() if found else 0.0


def _version() -> str:
    try:
        return version("workforce-lifecycle-bridge")
    except PackageNotFoundError:
        return "unknown"

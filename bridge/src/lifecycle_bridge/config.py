# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads the configuration file, and checks all of it before anything starts. docs/bridge.md explains every key.

A secret is never written in it: it says where the secret is found, ``{env: NAME}`` or ``{file: path}``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lifecycle_bridge.errors import ConfigError
from lifecycle_bridge.kinds import OFFBOARD, ONBOARD, TRANSFER

#: Names of sources stand in addresses (``/hr/<name>``) and in the ids of cases.
NAME = re.compile(r"^[a-z][a-z0-9_-]{0,62}$")


def _time_of_day(value: str) -> str:
    if value and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("a time of day, HH:MM")
    return value


class _Section(BaseModel):
    """An unknown key is a mistake, not an extension."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(_Section):
    """Where a secret is found. It is read each time it is needed, so that a changed one is used without a restart."""

    env: str = ""
    file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> Secret:
        if bool(self.env) == bool(self.file):
            raise ValueError("say where the secret is found: {env: NAME} or {file: path}")
        return self

    def read(self) -> str:
        """Return the secret, without the line's end.

        :raises ConfigError: it isn't there, or is empty.
        """
        if self.env:
            found = os.environ.get(self.env, "")
            where = f"environment variable {self.env}"
        else:
            assert self.file is not None
            where = str(self.file)
            try:
                found = self.file.read_text(encoding="utf-8").strip()
            except OSError as failure:
                raise ConfigError(f"read secret {where}: {failure.strerror}") from None
        if not found:
            raise ConfigError(f"secret {where} is empty")
        return found


class Poll(_Section):
    """How a source is asked for changes. ``every``: how often, in seconds.

    ``options`` are the poller's own: base URL, company id and the like.
    """

    every: Annotated[float, Field(ge=1)] = 300
    kind: str
    url: str = ""
    credentials: dict[str, Secret] = {}
    options: dict[str, Any] = {}


class Source(_Section):
    """One HR system: how it sends webhooks, and how it is polled.

    :param scheme: how its webhooks are signed (:data:`lifecycle_bridge.receive.SCHEMES`); empty when it only is polled.
    :param secrets: the valid keys; several while one is replaced.
    :param system: its name in the collection's inventory; the source's own name when empty.
    :param silent_after: hours without an event and without a successful look after which a person gets an alert.
    :param everybody_at: local time of the nightly full comparison, ``HH:MM``; empty for none.
    """

    scheme: str = ""
    secrets: list[Secret] = []
    system: str = ""
    options: dict[str, Any] = {}
    poll: Poll | None = None
    silent_after: Annotated[float, Field(gt=0)] = 26
    everybody_at: str = "03:15"
    max_bytes: Annotated[int, Field(ge=256)] = 1_000_000
    per_minute: Annotated[int, Field(ge=1)] = 30_000

    @model_validator(mode="after")
    def _reachable(self) -> Source:
        if not self.scheme and self.poll is None:
            raise ValueError("neither scheme nor poll: nothing would ever come from it")
        return self

    @field_validator("everybody_at")
    @classmethod
    def _time(cls, value: str) -> str:
        return _time_of_day(value)


class Runner(_Section):
    """The executor that runs playbooks on this machine, by ansible-runner.

    :param python: the interpreter whose environment has ansible-core and the collection; this one's when empty.
    :param environment: names of variables of the bridge's own environment that a run may see; it sees no others.
    :param variables: variables that each run gets, with their values.
    :param keep_days: days for which the folder of a run that has ended is kept.
    """

    kind: Literal["runner"] = "runner"
    python: str = ""
    environment: list[str] = []
    variables: dict[str, str] = {}
    keep_days: Annotated[float, Field(ge=0)] = 14


class Controller(_Section):
    """The executor that launches job templates of AWX / automation controller.

    :param api: ``/api/v2`` with AWX and controller 4.5; ``/api/controller/v2`` behind AAP 2.5's gateway; found by itself when empty.
    :param templates: the job template's name for a playbook's short name; ``lifecycle-<name>`` for one that is not listed.
    """

    kind: Literal["controller"]
    url: str
    token: Secret
    api: str = ""
    organization: str = ""
    templates: dict[str, str] = {}
    ca: Path | None = None

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        if urlsplit(value).scheme != "https":
            raise ValueError("https:// only: the token travels in each request")
        return value.rstrip("/")


class Retry(_Section):
    """Seconds before a run that failed is tried again: doubled each time, up to ``longest``, a part of it at random. ``times``: how many tries."""

    first: Annotated[float, Field(gt=0)] = 30
    longest: Annotated[float, Field(gt=0)] = 3600
    times: Annotated[int, Field(ge=0)] = 8


#: The news of a notice. ``todo``: a person has something to do; ``reminder``: the same again; ``prepared``: all that is done before the first day.
News = Literal[
    "due",
    "prepared",
    "not_ready",
    "ready",
    "done",
    "late",
    "stuck",
    "held",
    "todo",
    "reminder",
    "cancelled",
    "alert",
    "cut",
]
#: People whom a case concerns, as HR names them at the moment of sending.
Concerned = Literal["person", "manager", "buddy"]


class Notify(_Section):
    """One way to send notices: to whom, and about what.

    :param name: the name of this way in time lines; its kind when empty. Two ways of one kind need names.
    :param people: besides ``to``, the people whom the case concerns; only mail can reach them.
    :param news: the news that is sent; when empty, news that a person must act on, and to ``people`` the news that concerns each.
    :param kinds: of case (``onboard``); all when empty.
    :param names: whether a notice may hold the person's name.
    :param secret: signs a ``webhook`` (Standard Webhooks) or ``ssf``, or is the address itself of ``slack``, ``teams`` and ``apprise``.
    :param next_secret: of ``ssf``: the key that is to sign next; it is shown to receivers from now on, and signs a day later.
    :param issuer, audience, token: of ``ssf``: who we are and who they are, as the receiver knows it, and what lets us push to them.
    """

    kind: Literal["mail", "slack", "teams", "webhook", "apprise", "ssf"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,40}$")] = ""
    to: list[str] = []
    people: list[Concerned] = []
    news: list[News] = []
    kinds: list[str] = []
    names: bool = False
    url: str = ""
    server: str = ""
    sender: str = ""
    issuer: str = ""
    audience: str = ""
    token: Secret | None = None
    user: str = ""
    secret: Secret | None = None
    next_secret: Secret | None = None

    @property
    def way(self) -> str:
        """Return the name of this way in tables and time lines."""
        return self.name or self.kind


class Notices(_Section):
    """The texts of notices, and how many days before a case they are sent.

    :param days_before: by kind of case, how many days before its minute the people concerned get a notice.
    :param templates: folder with the company's own texts, which win over ours; docs/bridge-notices.md says how they are named.
    :param company: the company's name in the texts.
    :param language: the language where HR does not say a person's.
    :param buddy: the HR fact that holds the buddy's address or employee number.
    """

    days_before: dict[str, Annotated[int, Field(ge=0, le=60)]] = {ONBOARD: 7, OFFBOARD: 3, TRANSFER: 3}
    templates: Path | None = None
    company: str = ""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    buddy: str = "buddy"


class Chore(_Section):
    """A playbook that the bridge runs by the clock.

    :param at: time of day, ``HH:MM``; empty: the bridge does not run it.
    :param on: on which days: each ``day``, one weekday, or the first of each ``month``.
    :param zone: IANA name of the zone of that time; UTC when empty.
    """

    at: str = ""
    on: Literal["day", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "month"] = "day"
    zone: str = ""
    extra_vars: dict[str, Any] = {}

    @field_validator("at")
    @classmethod
    def _time(cls, value: str) -> str:
        return _time_of_day(value)

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("an IANA name of a time zone, such as Europe/Berlin") from None
        return value


class Oidc(_Section):
    """Sign-in by OpenID Connect. The lists hold values of ``claim``; a user with none of them sees nothing.

    :param operators: may do everything but approve plans.
    :param approvers: look, and approve plans that policy lets them approve.
    :param auditors: look at everything, also at records; ``viewers`` too.
    :param departments: by group, the departments whose people its members may look at.
    """

    issuer: str
    client_id: str
    client_secret: Secret
    claim: str = "groups"
    operators: list[str] = []
    approvers: list[str] = []
    auditors: list[str] = []
    viewers: list[str] = []
    departments: dict[str, list[str]] = {}
    ca: Path | None = None


class Console(_Section):
    """The console. ``token_file`` holds the local token for the first day (made at the first start, 0600); empty when there is none."""

    token_file: Path | None = None
    oidc: Oidc | None = None
    session_hours: Annotated[float, Field(gt=0)] = 10


class ApiToken(_Section):
    """A bearer token of the API.

    :param name: the name of its holder, written to time lines unless ``by`` is given.
    :param by: the address under which it acts, where policy names people (who may release, approve).
    :param scopes: what it may do; nothing else.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    secret: Secret
    by: str = ""
    scopes: list[Literal["read", "act", "attest", "approve", "release"]] = ["read"]


class ApiSettings(_Section):
    """The API; without a token there is none."""

    tokens: list[ApiToken] = []


class Config(_Section):
    """The whole configuration.

    :param listen: ``host:port``. TLS is the reverse proxy's, unless ``tls_cert`` and ``tls_key`` are given.
    :param trusted_proxies: addresses of the reverse proxies whose ``X-Forwarded-For`` is believed. From others it is ignored, so that nobody evades a limit.
    :param database: SQLAlchemy URL, ``sqlite:////path`` or ``postgresql+psycopg://...``; a password in it is given by ``database_password``.
    :param work: folder of the runs; made 0700.
    :param inventory: the collection's systems file, or a folder of an inventory.
    :param extra_vars: given to every run, such as ``lifecycle_records``.
    :param chores: playbooks that the bridge runs by the clock; with ``at: ""`` one is left to another scheduler.
    :param metrics_token: the token that Prometheus sends to ``/metrics``; without it, only this machine gets an answer there.
    :param at_once: how many runs go on at the same time on this machine.
    :param together: how many people with the same kind of case share one run.
    """

    listen: str = "127.0.0.1:8650"
    public_url: str = "http://127.0.0.1:8650"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: list[str] = []
    database: str = "sqlite:///bridge.db"
    database_password: Secret | None = None
    work: Path = Path("runs")
    inventory: Path = Path("company.systems.yml")
    extra_vars: dict[str, Any] = {}
    executor: Annotated[Runner | Controller, Field(discriminator="kind")] = Runner()
    sources: dict[str, Source] = {}
    retry: Retry = Retry()
    notify: list[Notify] = []
    notices: Notices = Notices()
    chores: dict[Literal["followups", "reconcile", "report", "verify", "audit"], Chore] = {
        "followups": Chore(at="06:00"),
        "reconcile": Chore(at="02:30"),
    }
    console: Console = Console()
    api: ApiSettings = ApiSettings()
    metrics_token: Secret | None = None
    at_once: Annotated[int, Field(ge=1, le=200)] = 4
    together: Annotated[int, Field(ge=1, le=500)] = 50
    run_timeout: Annotated[float, Field(gt=0)] = 3600
    idle_timeout: Annotated[float, Field(gt=0)] = 900

    @field_validator("sources")
    @classmethod
    def _names(cls, value: dict[str, Source]) -> dict[str, Source]:
        for name in value:
            if not NAME.match(name):
                raise ValueError(f"{name!r}: a source's name stands in its address: small letters, digits, - and _")
        return value

    @field_validator("notify")
    @classmethod
    def _ways(cls, value: list[Notify]) -> list[Notify]:
        ways = [one.way for one in value]
        for way in ways:
            if ways.count(way) > 1:
                raise ValueError(f"there are two ways called {way}: give each a name, such as name: it-mail")
        return value

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        if not re.fullmatch(r"[^\s:]*:\d{1,5}|\[[0-9a-f:]+\]:\d{1,5}", value):
            raise ValueError("host:port, such as 127.0.0.1:8650")
        return value


def source_of(name: str, given: Any) -> Source:
    """Return one source, as written under ``sources``: for Event-Driven Ansible, which does not read our file.

    :raises ConfigError: one line for each mistake.
    """
    try:
        return Source.model_validate(given)
    except ValidationError as failure:
        raise ConfigError(
            "\n".join(
                f"sources.{name}: {'.'.join(str(part) for part in each['loc']) or 'it'}: {_said(each)}"
                for each in failure.errors()
            )
        ) from None


def load(path: Path) -> Config:
    """Read and check the file. Relative paths are of its folder.

    :raises ConfigError: one line for each mistake: file, key, what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as failure:
        raise ConfigError(
            f"read the configuration {path}: {failure.strerror}; -c FILE or LIFECYCLE_BRIDGE_CONFIG says where it is"
        ) from None
    try:
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        raise ConfigError(
            f"{path}{f', line {mark.line + 1}' if mark else ''}: {getattr(failure, 'problem', '') or 'not YAML'}"
        ) from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: not a list of keys")
    if isinstance(data.get("executor"), dict):
        data["executor"].setdefault("kind", "controller" if "url" in data["executor"] else "runner")
    try:
        config = Config.model_validate(data)
    except ValidationError as failure:
        raise ConfigError(
            "\n".join(
                f"{path}: {'.'.join(str(part) for part in each['loc']) or 'file'}: {_said(each)}"
                for each in failure.errors()
            )
        ) from None
    return _absolute(config, path.parent.resolve())


def _said(mistake: Any) -> str:
    return "unknown key" if mistake["type"] == "extra_forbidden" else str(mistake["msg"]).removeprefix("Value error, ")


def _absolute(config: Config, folder: Path) -> Config:
    database = config.database
    if database.startswith("sqlite:///") and not database.startswith("sqlite:////"):
        database = f"sqlite:///{folder / database.removeprefix('sqlite:///')}"
    paths = {
        name: folder / value
        for name in ("work", "inventory", "tls_cert", "tls_key")
        if (value := getattr(config, name)) is not None
    }
    console = (
        config.console.model_copy(update={"token_file": folder / config.console.token_file})
        if config.console.token_file
        else config.console
    )
    notices = config.notices
    if notices.templates is not None:
        notices = notices.model_copy(update={"templates": folder / notices.templates})
    return config.model_copy(update={**paths, "database": database, "console": console, "notices": notices})

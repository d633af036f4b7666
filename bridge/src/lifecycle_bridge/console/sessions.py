# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps who is signed in, by a signed cookie with an end, which is not valid after signing out.

The key of the signature is made of the secret by which the user signed in (the local token, or OIDC's client secret). So all bridges of a
company accept each other's sessions, no other key is needed, and a change of the secret ends every session that was made with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from itsdangerous import BadData, URLSafeSerializer

from lifecycle_bridge import clock
from lifecycle_bridge.errors import ConfigError
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.acts import is_about
from lifecycle_bridge.store.planning import ENDING
from lifecycle_bridge.store.tables import cases, signed_out

TOKEN, OIDC = "token", "oidc"


@dataclass(frozen=True)
class Who:
    """A user who is signed in.

    :param name: what time lines say: an address, or ``local token``.
    :param via: :data:`TOKEN` or :data:`OIDC`.
    :param groups: those of their groups that the configuration names.
    """

    session: str
    name: str
    via: str
    groups: tuple[str, ...]
    until: datetime


class Sessions:
    """Makes, reads and ends sessions.

    :param secrets_of: for each way to sign in, a function that reads its secret now; it raises ConfigError when that way is switched off.
    """

    def __init__(self, database: Database, secrets_of: Mapping[str, Callable[[], str]], hours: float) -> None:
        self._database = database
        self._secrets = secrets_of
        self._hours = hours

    def open(self, name: str, via: str, groups: Sequence[str]) -> tuple[Who, str]:
        """Return a new session and its cookie's value."""
        who = Who(secrets.token_urlsafe(24), name, via, tuple(groups), clock.now() + timedelta(hours=self._hours))
        facts = {"s": who.session, "n": who.name, "g": list(who.groups), "u": int(who.until.timestamp())}
        return who, f"{via}.{self.signer(via, 'session').dumps(facts)}"

    def read(self, cookie: str) -> Who | None:
        """Return whose cookie this is; None when it is not valid, has ended, or was signed out."""
        via, _, signed = cookie.partition(".")
        facts = self.opened(via, "session", signed)
        if facts is None:
            return None
        who = Who(str(facts["s"]), str(facts["n"]), via, tuple(facts["g"]), datetime.fromtimestamp(facts["u"], UTC))
        with self._database.read() as connection:
            gone = connection.scalar(
                sa.select(signed_out.c.session).where(signed_out.c.session == _digest(who.session))
            )
            cut = self._was_cut(connection, who)
        return None if gone or cut else who

    def _was_cut(self, connection: sa.Connection, who: Who) -> bool:
        """Return whether a run began to end this person's access since they signed in: a session of the console is a way in too."""
        begun = stamp(who.until - timedelta(hours=self._hours))
        ended = sa.select(cases.c.marks).where(cases.c.kind.in_(ENDING), cases.c.started_at >= begun)
        return any(is_about(marks, [who.name]) for marks in connection.execute(ended).scalars())

    def close(self, who: Who) -> None:
        """Sign out, on every machine at once, and remove sessions from the table whose time has passed."""
        with self._database.write() as connection:
            connection.execute(
                sa.delete(signed_out).where(
                    sa.or_(signed_out.c.until < stamp(clock.now()), signed_out.c.session == _digest(who.session))
                )
            )
            connection.execute(sa.insert(signed_out).values(session=_digest(who.session), until=stamp(who.until)))

    def form_token(self, who: Who) -> str:
        """Return what a form of this session carries (against forged requests)."""
        return hmac.new(self._key(who.via, "form"), who.session.encode(), hashlib.sha256).hexdigest()

    def signer(self, via: str, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._key(via, purpose),
            salt=purpose,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def opened(self, via: str, purpose: str, signed: str) -> dict[str, Any] | None:
        """Return what was signed for this purpose, unless its time ``u`` has passed."""
        if via not in self._secrets:
            return None
        try:
            facts = self.signer(via, purpose).loads(signed)
        except (BadData, ConfigError):
            return None
        return facts if isinstance(facts, dict) and clock.now().timestamp() < facts.get("u", 0) else None

    def _key(self, via: str, purpose: str) -> bytes:
        return hmac.new(
            self._secrets[via]().encode(), f"lifecycle-bridge {via} {purpose}".encode(), hashlib.sha256
        ).digest()


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()

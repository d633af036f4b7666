# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Shows receivers of signals the keys that verify them and the transmitter's configuration, and chooses the key that signs.

A receiver keeps the keys that it has read. So a key signs only when it has been shown for a while, and the previous key is shown for as long as
the configuration names it.

Sources: https://www.rfc-editor.org/rfc/rfc7517#section-5, https://openid.net/specs/openid-sharedsignals-framework-1_0.html#section-7.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lifecycle_bridge import clock
from lifecycle_bridge.config import Config, Notify, Secret
from lifecycle_bridge.errors import ConfigError, Unreachable
from lifecycle_bridge.notify.signal import public_key
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.shown_keys import shown_since

log = logging.getLogger("lifecycle_bridge")
KEYS, ABOUT = "/.well-known/jwks.json", "/.well-known/ssf-configuration"
#: Seconds for which a receiver may keep our answers.
KEPT = 300
_KEPT = {"Cache-Control": f"public, max-age={KEPT}"}
#: How long the next key is shown before it signs: some receivers keep keys for longer than allowed.
OVERLAP = timedelta(days=1)
#: How long a key is shown before it signs, when it replaced another one that is not there any more.
_SHORTEST = timedelta(seconds=2 * KEPT)


class SignalKeys:
    """See the module."""

    def __init__(self, database: Database, config: Config) -> None:
        self._database, self._config = database, config

    def routes(self) -> list[Route]:
        """Return the addresses of the keys and of the transmitter's configuration; none where no signals are sent."""
        ways = self._ways()
        if not ways:
            return []
        one_issuer = len({way.issuer for way in ways}) == 1
        return [Route(KEYS, self._keys), *([Route(ABOUT, self._about)] if one_issuer else [])]

    def shown(self) -> list[dict[str, object]]:
        """Return every key that verifies, and note that receivers can know it from now on.

        :raises ConfigError: one cannot be read.
        """
        found = {str(key["kid"]): key for key in map(public_key, self._every())}
        try:
            self._since()
        except sa.exc.SQLAlchemyError as failure:  # a receiver needs the keys in any case
            log.error(
                "keep since when the keys of signals are shown: the database does not take it (%s)",
                type(failure).__name__,
            )
        return list(found.values())

    def signing(self, way: Notify) -> Notify:
        """Return a way with the key that signs now: the next one once it has been shown long enough, else the present one.

        :raises ConfigError: a key cannot be read.
        :raises Unreachable: no receiver can know its key yet.
        """
        now, since = clock.now(), self._since()
        for one, least in ((_by(way, way.next_secret), OVERLAP), (way, _SHORTEST)):
            if one.secret is not None and since[_kid(one)] + least <= now:
                return one
        at = since[_kid(way)] + _SHORTEST
        raise Unreachable(f"ssf: its key is new, and receivers read it first: it signs from {at:%H:%M:%S} UTC on")

    def _since(self) -> Mapping[str, datetime]:
        every, present = [_kid(one) for one in self._every()], [_kid(way) for way in self._ways()]
        return shown_since(self._database, every, clock.now(), present=present)

    def _ways(self) -> list[Notify]:
        return [way for way in self._config.notify if way.kind == "ssf"]

    def _every(self) -> Iterator[Notify]:
        """Yield each way with each of its keys."""
        for way in self._ways():
            yield way
            if way.next_secret is not None:
                yield _by(way, way.next_secret)

    def _keys(self, _request: Request) -> Response:
        try:
            return JSONResponse({"keys": self.shown()}, headers=_KEPT)
        except ConfigError as failure:
            log.error("the keys of signals cannot be shown: %s", failure)
            return JSONResponse({"error": "the keys cannot be read now"}, 503)

    def _about(self, _request: Request) -> Response:
        said = {
            "spec_version": "1_0",
            "issuer": self._ways()[0].issuer,
            "jwks_uri": f"{self._config.public_url.rstrip('/')}{KEYS}",
            "delivery_methods_supported": ["urn:ietf:rfc:8935"],
        }
        return JSONResponse(said, headers=_KEPT)


def _kid(way: Notify) -> str:
    return str(public_key(way)["kid"])


def _by(way: Notify, secret: Secret | None) -> Notify:
    return way.model_copy(update={"secret": secret})

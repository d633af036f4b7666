# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Where a receiver of signals finds the keys that verify them, and what kind of transmitter we are. Public, as the keys are.

Sources: https://www.rfc-editor.org/rfc/rfc7517#section-5, https://openid.net/specs/openid-sharedsignals-framework-1_0.html#section-7.
"""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lifecycle_bridge.config import Config, Notify
from lifecycle_bridge.errors import ConfigError
from lifecycle_bridge.notify.signal import public_key

log = logging.getLogger("lifecycle_bridge")
KEYS, ABOUT = "/.well-known/jwks.json", "/.well-known/ssf-configuration"
_KEPT = {"Cache-Control": "public, max-age=300"}


def signal_routes(config: Config) -> list[Route]:
    """Return the addresses of the keys and of the transmitter's configuration; none where no signals are sent."""
    ways = [way for way in config.notify if way.kind == "ssf"]
    if not ways:
        return []

    def keys(_request: Request) -> Response:
        try:
            found = {str(key["kid"]): key for key in map(public_key, ways)}
        except ConfigError as failure:
            log.error("the keys of signals cannot be shown: %s", failure)
            return JSONResponse({"error": "the keys cannot be read now"}, 503)
        return JSONResponse({"keys": list(found.values())}, headers=_KEPT)

    def about(_request: Request) -> Response:
        return JSONResponse(_about(config, ways[0]), headers=_KEPT)

    one_issuer = len({way.issuer for way in ways}) == 1
    return [Route(KEYS, keys), *([Route(ABOUT, about)] if one_issuer else [])]


def _about(config: Config, way: Notify) -> dict[str, object]:
    return {
        "spec_version": "1_0",
        "issuer": way.issuer,
        "jwks_uri": f"{config.public_url.rstrip('/')}{KEYS}",
        "delivery_methods_supported": ["urn:ietf:rfc:8935"],
    }

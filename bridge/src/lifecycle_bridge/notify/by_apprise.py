# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Whatever Apprise reaches (Matrix, Mattermost, Signal, ntfy, ...), with the extra ``apprise`` of the bridge."""

from __future__ import annotations

from typing import Any

from lifecycle_bridge.config import Notify
from lifecycle_bridge.errors import ConfigError, Unreachable
from lifecycle_bridge.notify.notice import Notice


def check_apprise(channel: Notify) -> None:
    """:raises ConfigError: it is not installed, or the address is none that it knows."""
    _service(channel)


def by_apprise(channel: Notify, notice: Notice) -> None:
    """Hand it over. Apprise says whether it arrived, and not why.

    :raises Unreachable: it did not arrive.
    """
    if not _service(channel).notify(title=notice.title, body=notice.text()):
        raise Unreachable(f"{channel.way}: the service did not take it; it will be tried again")


def _service(channel: Notify) -> Any:
    if channel.secret is None:
        raise ConfigError("apprise needs its secret: the service's address, such as matrixs://user:token@host/#room")
    try:
        from apprise import Apprise, NotifyFormat
    except ModuleNotFoundError:
        raise ConfigError("apprise is not installed: pip install workforce-lifecycle-bridge[apprise]") from None
    service = Apprise()
    # Plain text: what comes from elsewhere must not be read as Markdown or HTML.
    if not service.add(channel.secret.read()):
        raise ConfigError("apprise does not know this address; it begins with the service's name, such as matrixs://")
    for one in service:
        one.notify_format = NotifyFormat.TEXT
    return service

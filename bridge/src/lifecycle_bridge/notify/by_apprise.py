# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Sends notices to services that Apprise knows (Matrix, Mattermost, Signal, ntfy, ...), with the extra ``apprise`` of the bridge."""

from __future__ import annotations

from typing import Any

from lifecycle_bridge.config import Notify
from lifecycle_bridge.errors import ConfigError, Unreachable
from lifecycle_bridge.notify.notice import Notice


def check_apprise(channel: Notify) -> None:
    """Check a channel.

    :raises ConfigError: Apprise is not installed, or does not know the address.
    """
    _service(channel)


def by_apprise(channel: Notify, notice: Notice) -> None:
    """Send the notice by Apprise, which says whether it arrived, and not why it did not.

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
    # Plain text: text from outside must not be read as Markdown or HTML.
    if not service.add(channel.secret.read()):
        raise ConfigError("apprise does not know this address; it begins with the service's name, such as matrixs://")
    for one in service:
        one.notify_format = NotifyFormat.TEXT
    return service

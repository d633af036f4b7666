# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps the local token, for the first day: a user who can read its file on the machine can operate the bridge."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from pathlib import Path

from lifecycle_bridge import private
from lifecycle_bridge.errors import ConfigError

log = logging.getLogger("lifecycle_bridge.console")
_SHORTEST = 20


class LocalToken:
    """The token's file. It is read each time, so that a changed or removed token takes effect at once.

    :param path: None when there is to be none.
    :param make: make it when it is not there; not so where sign-in by OIDC is configured: then a removed file stays removed.
    """

    def __init__(self, path: Path | None, make: bool) -> None:
        self.path = path
        if path is not None and make:
            self._make(path)

    @property
    def offered(self) -> bool:
        """Return whether users can sign in by it."""
        return self.path is not None and self.path.exists()

    def read(self) -> str:
        """Return the token.

        :raises ConfigError: there is none, others may read the file, or it is too short to be safe.
        """
        if self.path is None:
            raise ConfigError("console.token_file names no file: there is no local token")
        try:
            with self.path.open(encoding="utf-8") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise ConfigError(
                        f"local token {self.path}: others may read it; remove it and start the bridge again, which makes a new one (0600)"
                    )
                found = file.read(4096).strip()
        except OSError as failure:
            raise ConfigError(f"read local token {self.path}: {failure.strerror}") from None
        if len(found) < _SHORTEST:
            raise ConfigError(
                f"local token {self.path}: shorter than {_SHORTEST} characters; remove it and start the bridge again, which makes a new one"
            )
        return found

    def opens(self, given: str) -> bool:
        """Return whether this is the token, in a time that does not depend on it.

        :raises ConfigError: as :meth:`read`.
        """
        return hmac.compare_digest(self.read().encode(), given.strip().encode())

    def _make(self, path: Path) -> None:
        try:
            private.folder(path.parent)
            place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        except OSError as failure:
            raise ConfigError(f"make the local token {path}: {failure.strerror}; see console.token_file") from None
        with os.fdopen(place, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        log.info("local token for the console made in %s", path)

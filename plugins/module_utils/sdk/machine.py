# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads and writes files and runs programs on the machine on which a connector runs, as the transport does it for HTTP.

Such a system is reached by Ansible itself (``vars: {ansible_connection: ssh}``): the module then runs there, as any module does.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..model.errors import AnswerLost, NotFound, PermissionDenied, Rejected, SystemError_, Unavailable
from .target import Target

_HERE = "is this the machine? vars.ansible_connection and vars.ansible_host of the system say where it runs"
_RIGHTS = "run as root there (vars.ansible_become: true), or let this user read and write it"


class Machine:
    """The machine on which one system's connector runs."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def read(self, path: str, *, act: str, missing: bytes | None = None) -> bytes:
        """Return a file's content.

        :param missing: the content to return when there is no such file; None when the file must be there.
        """
        try:
            with open(path, "rb") as file:
                return file.read()
        except FileNotFoundError as e:
            if missing is not None:
                return missing
            raise self._failed(e, path, act) from None
        except OSError as e:
            raise self._failed(e, path, act) from None

    def names(self, folder: str, *, act: str) -> Sequence[str]:
        """Return the names of a folder's files, sorted; none when there is no such folder."""
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return ()
        except OSError as e:
            raise self._failed(e, folder, act) from None

    def replace(self, path: str, content: bytes, *, act: str, mode: int = 0o600) -> None:
        """Replace a file in one step. Owner and mode stay; ``mode`` is for a file that was not there."""
        self.target.writing(act)
        try:
            before = os.stat(path) if os.path.exists(path) else None
            handle, made = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".lifecycle-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                    os.fchmod(file.fileno(), before.st_mode & 0o7777 if before else mode)
                    if before and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                        os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.replace(made, path)
            except OSError:
                os.unlink(made)
                raise
        except OSError as e:
            raise self._failed(e, path, act) from None

    def run(
        self,
        command: Sequence[str],
        *,
        act: str,
        reads: bool = False,
        secrets: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        folder: str | None = None,
        typed: str = "",
    ) -> str:
        """Run a program and return its output. No shell reads the arguments.

        :param reads: the program changes nothing.
        :param typed: the text for its standard input.
        :param secrets: further environment variables; no argument may hold a secret.
        :raises Rejected: it ended with an error; the message has the last line of its output.
        """
        if not reads:
            self.target.writing(act)
        try:
            # run_command is a method of AnsibleModule, which there is none of in the controller's shell; it has no time limit either.
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                list(command),
                env={**os.environ, "LC_ALL": "C", **(env or {}), **(secrets or {})},
                cwd=folder,
                input=typed.encode("utf-8", "surrogateescape"),
                capture_output=True,
                timeout=self.target.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            kind = Unavailable if reads else AnswerLost
            what = f"{command[0]} did not end within {self.target.timeout:.0f} s"
            raise kind(what, act=act, system=self.target.name, hint="look there, and run again") from None
        except OSError as e:
            raise self._failed(e, command[0], act) from None
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace").splitlines()
            shown = self._without((said or ["nothing"])[-1], secrets or {})
            raise Rejected(
                f"{' '.join(command)} ended with {done.returncode}: {shown}",
                act=act,
                system=self.target.name,
            )
        return done.stdout.decode("utf-8", "replace")

    @contextmanager
    def alone(self, path: str, *, act: str) -> Iterator[None]:
        """Lock a file or folder, so that no other run of the collection changes it meanwhile."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as e:
            raise self._failed(e, path, act) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _without(self, text: str, secrets: Mapping[str, str]) -> str:
        for secret in secrets.values():
            text = text.replace(secret, "***") if secret else text
        return text

    def _failed(self, e: OSError, path: str, act: str) -> SystemError_:
        name = self.target.name
        if isinstance(e, PermissionError):
            return PermissionDenied(f"{path} may not be used", act=act, system=name, hint=_RIGHTS)
        if isinstance(e, FileNotFoundError):
            return NotFound(f"{path} is not there", act=act, system=name, hint=_HERE)
        return Unavailable(f"{path}: {e.strerror or e}", act=act, system=name)

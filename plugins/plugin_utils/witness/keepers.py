# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The kinds of witness: each keeps statements, and returns them."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from ...module_utils.company.policy import Policy
from ...module_utils.company.proof import Witness, beside
from ...module_utils.model.commands import command
from ...module_utils.model.errors import LedgerError
from ..post.mail import send
from .stamps import StampFolder
from .statement import Statement, read

#: Seconds that a witness may take.
PATIENCE = 20
#: How many bytes of a file's end contain its newest statement.
_TAIL = 65536


@dataclass(frozen=True)
class Kept:
    """The content of a witness: its statements, the oldest first, and its broken parts, each with the moment of the
    last good statement before it.
    """

    statements: Sequence[Statement] = ()
    broken: Sequence[tuple[str, str]] = ()


class Keeper(Protocol):
    """One witness."""

    #: Whether it can be read. A person who gets mail cannot.
    ANSWERS: bool

    def keep(self, statement: Statement) -> None:
        """Keep a statement.

        :raises LedgerError: the witness could not be reached.
        """

    def kept(self, *, thorough: bool) -> Kept:
        """Return its content: with ``thorough`` all of it, from the remote place; without, only the newest part,
        quickly.

        :raises LedgerError: it could not be read.
        """


@dataclass(frozen=True)
class FileKeeper:
    """Keeps statements in a file that is only appended to."""

    path: Path
    ANSWERS = True

    def keep(self, statement: Statement) -> None:
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, statement.line().encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as e:
            raise LedgerError(
                e.strerror or str(e), act=f"append to {self.path}", hint="is the share mounted?"
            ) from None

    def kept(self, *, thorough: bool) -> Kept:
        try:
            with open(self.path, "rb") as file:
                whole = thorough or os.fstat(file.fileno()).st_size <= _TAIL
                if not whole:
                    file.seek(-_TAIL, os.SEEK_END)
                    file.readline()
                return parsed(file.read().decode("utf-8", "replace"), str(self.path), numbered=whole)
        except FileNotFoundError:
            return Kept()
        except OSError as e:
            raise LedgerError(e.strerror or str(e), act=f"read {self.path}", hint="is the share mounted?") from None


@dataclass(frozen=True)
class GitKeeper:
    """Keeps statements in a clone of a git repository: each is a commit, which is pushed when there is a remote."""

    clone: Path
    ANSWERS = True
    FILE = "heads.jsonl"

    def keep(self, statement: Statement) -> None:
        with open(self.clone / ".git" / "lifecycle.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            FileKeeper(self.clone / self.FILE).keep(statement)
            self._git("add", "--", self.FILE)
            name = ("-c", "user.name=workforce.lifecycle", "-c", "user.email=lifecycle@localhost")
            self._git(*name, "-c", "commit.gpgsign=false", "commit", "-q", "-m", f"head {statement.n}", "--", self.FILE)
            if self._git("remote"):
                self._git("push", "-q")

    def kept(self, *, thorough: bool) -> Kept:
        if not (self.clone / ".git").is_dir():
            raise LedgerError("it is no clone of a repository", act=f"read {self.clone}", hint="git clone it there")
        where = "HEAD"
        if thorough and self._git("remote"):
            self._git("fetch", "-q")
            where = self._git("rev-parse", "--abbrev-ref", "@{upstream}").strip()
        if not self._git("ls-tree", "--name-only", where, "--", self.FILE, failing_is_empty=True):
            return Kept()
        return parsed(self._git("show", f"{where}:{self.FILE}"), f"{self.clone} {where}")

    def _git(self, *arguments: str, failing_is_empty: bool = False) -> str:
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        try:
            done = subprocess.run(
                ["git", "-C", str(self.clone), *arguments],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                env=environment,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            raise LedgerError(
                str(e), act=f"git in {self.clone}", hint="is git installed, and the remote there?"
            ) from None
        if done.returncode and not failing_is_empty:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise LedgerError(
                said[-1] if said else f"it ended with {done.returncode}",
                act=f"git {arguments[-1] if arguments[0] == '-c' else arguments[0]} in {self.clone}",
                hint="do it by hand there to see why",
            )
        return done.stdout if not done.returncode else ""


@dataclass(frozen=True)
class MailKeeper:
    """Sends statements to a person by mail, who keeps them."""

    to: str
    sender: str
    server: str
    ANSWERS = False

    def keep(self, statement: Statement) -> None:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, self.to
        message["Subject"] = f"Ledger head {statement.n}, {statement.at[:16]}Z"
        message.set_content(
            "Keep this message. It proves later that nothing in the ledger up to here was changed:\n\n"
            f"{command('verify', expected_head=statement.head)}\n\n{statement.line()}\n",
            cte="7bit",
        )
        send(message, self.server, f"send a head to {self.to} by {self.server}")

    def kept(self, *, thorough: bool) -> Kept:
        return Kept()


def parsed(text: str, where: str, *, numbered: bool = True) -> Kept:
    """Return the statements in a text of lines; a line that is no statement is broken."""
    statements: list[Statement] = []
    broken = []
    for number, line in enumerate(text.splitlines(), 1):
        found = read(line)
        if found is not None:
            statements.append(found)
        elif line.strip():
            what = f"{where}{f', line {number}' if numbered else ''} is no statement: it was changed"
            broken.append((what, statements[-1].at if statements else ""))
    return Kept(statements, broken)


def keeper_of(policy: Policy, witness: Witness) -> Keeper:
    """Return the keeper of a witness in policy."""
    path = Path(beside(policy.file, witness.path))
    if witness.kind == "file":
        return FileKeeper(path)
    if witness.kind == "git":
        return GitKeeper(path)
    if witness.kind == "rfc3161":
        return StampKeeper(StampFolder(path, witness.url, beside(policy.file, witness.ca)))
    return MailKeeper(witness.to, witness.sender, witness.server)


@dataclass(frozen=True)
class StampKeeper:
    """Has statements stamped by a time-stamping authority, and keeps the stamps in a folder beside the statements."""

    stamps: StampFolder
    ANSWERS = True

    def keep(self, statement: Statement) -> None:
        self.stamps.stamp(f"{statement.n:012d}", statement.line().encode())

    def kept(self, *, thorough: bool) -> Kept:
        names: Sequence[str] = self.stamps.names()
        statements: list[Statement] = []
        broken = []
        for name in names if thorough else names[-1:]:
            text, doubt = self.stamps.read(name, check=thorough)
            found = read(text.decode("utf-8", "replace"))
            if doubt or found is None:
                what = f"stamp {name} in {self.stamps.folder}: {doubt or 'it is of no statement'}"
                broken.append((what, statements[-1].at if statements else ""))
            else:
                statements.append(found)
        return Kept(statements, broken)


def keepers_of(policy: Policy) -> Mapping[str, Keeper]:
    """Return the keepers of the policy's witnesses, by name."""
    return {witness.name: keeper_of(policy, witness) for witness in policy.proof.witnesses}

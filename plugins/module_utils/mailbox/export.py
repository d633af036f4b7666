# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Reads a mailbox archive for a person::

python -m ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.export ARCHIVE list
python -m ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.export ARCHIVE verify
python -m ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.export ARCHIVE mbox OUT.mbox [--folder INBOX]
python -m ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.export ARCHIVE eml  OUT/     [--folder INBOX]
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..model import clock, private
from ..model.errors import LifecycleError
from .archive import Archive, _plainly
from .manifest import Entry

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_UNSAFE = re.compile(r"[^\w.@ -]")


def to_eml(archive: Archive, out: Path, folder: str = "") -> int:
    """Write each message unchanged to a file ``.eml``, in a folder for each mail folder; return how many were written.

    :raises InputError: the archive is damaged, or ``out`` can't be written.
    """
    number = 0
    with _plainly("extract archive", out):
        for number, (entry, content) in enumerate(_chosen(archive, folder), 1):
            # The names come from mail: no separator and no leading dot in them may change the path.
            place = out.joinpath(*(_safe(part) for part in entry.folder.split("/") if part))
            private.make_folder(place)
            with open(
                private.opened(place / f"{number:06d} {_safe(entry.date)}.eml", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
                "wb",
            ) as file:
                file.write(content)
    return number


def to_mbox(archive: Archive, out: Path, folder: str = "") -> int:
    """Write all messages to one mbox file (mboxrd quoting, Unix line ends), for any mail program; return how many were
    written.

    :raises InputError: the archive is damaged, or ``out`` can't be written.
    """
    number = 0
    with (
        _plainly("extract archive", out),
        open(private.opened(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file,
    ):
        for entry, content in _chosen(archive, folder):
            number += 1
            when = (
                clock.parse(entry.date).strftime("%a %b %e %H:%M:%S %Y") if entry.date else "Thu Jan  1 00:00:00 1970"
            )
            body = _FROM.sub(rb">\1", content.replace(b"\r\n", b"\n"))
            file.write(f"From MAILER-DAEMON {when}\n".encode() + body + (b"\n" if body.endswith(b"\n") else b"\n\n"))
    return number


def _chosen(archive: Archive, folder: str) -> Iterator[tuple[Entry, bytes]]:
    """Yield the messages of a mail folder, or of all folders when ``folder`` is empty, each with its content."""
    return ((entry, content) for entry, content in archive.messages() if not folder or entry.folder == folder)


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text).lstrip(".")[:120] or "_"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="archive_export", description="Read a mailbox archive.")
    parser.add_argument("archive", type=Path)
    parser.add_argument("verb", choices=("list", "verify", "mbox", "eml"))
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--folder", default="", help="only this mail folder")
    args = parser.parse_args(arguments)
    if args.verb in ("mbox", "eml") and args.out is None:
        parser.error("give the path to write to")
    archive = Archive(args.archive)
    try:
        if args.verb == "verify":
            state = archive.verify()
            _say(f"complete and whole: {state.messages} messages, {state.bytes} bytes, of {state.header['mailbox']}")
        elif args.verb == "list":
            for entry, _unused in _chosen(archive, args.folder):
                _print(entry)
        else:
            _say(
                f"{(to_mbox if args.verb == 'mbox' else to_eml)(archive, args.out, args.folder)} messages written to {args.out}"
            )
    except LifecycleError as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _print(entry: Entry) -> None:
    _say(f"{entry.date}  {entry.size:>10}  {entry.folder}  {entry.id}  {entry.sha256}")


if __name__ == "__main__":
    raise SystemExit(main())

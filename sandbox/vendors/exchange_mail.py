# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The mail in the sandbox's Exchange mailboxes: what is in them, kept as a few words each, and made into MIME when asked for."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from sandbox.days import moment

_BEGIN = moment(-60)
#: (name, parent, hidden, kind)
_STANDARD = [
    ("Inbox", "", False, "inbox"),
    ("Drafts", "", False, "drafts"),
    ("Sent Items", "", False, "sentitems"),
    ("Deleted Items", "", False, "deleteditems"),
    ("Archive", "", False, "archive"),
    ("Junk Email", "", False, "junkemail"),
    ("Outbox", "", False, "outbox"),
    ("Conversation History", "", True, "conversationhistory"),
    ("Deletions", "#", False, "recoverableitemsdeletions"),
]


def folders_of(key: str, address: str, people: list[str]) -> list[dict[str, Any]]:
    """Return a mailbox' folders with their messages; ``#`` as parent is outside the tree that users see."""
    folders = [_folder(key, *row) for row in _STANDARD]
    by_name = {f["displayName"]: f for f in folders}

    def add(name: str, parent: str, hidden: bool = False, kind: str = "") -> None:
        by_name[name] = _folder(key, name, by_name[parent]["id"] if parent else "", hidden, kind)
        folders.append(by_name[name])

    def fill(name: str, count: int, **how: Any) -> None:
        folder = by_name[name]
        for n in range(len(folder["messages"]), len(folder["messages"]) + count):
            folder["messages"].append(_message(key, folder["id"], n, address, people, **how))

    if key != "jane":
        fill("Inbox", 3)
        fill("Sent Items", 2, sent=True)
        return folders
    add("Projekte", "Inbox")
    add("Müller & Söhne – Angebote", "Projekte")
    add("日本チーム", "Inbox")
    add("Verlauf", "", hidden=True)
    add("Ungelesene E-Mails", "", kind="search")
    fill("Inbox", 230)
    fill("Projekte", 12, attachment=("Plan.xlsx", 20_000))
    fill("Müller & Söhne – Angebote", 5, attachment=("Angebot für Köln.pdf", 45_000))
    fill("日本チーム", 4)
    fill("Verlauf", 2)
    fill("Sent Items", 60, sent=True)
    fill("Deleted Items", 8)
    fill("Deletions", 3)
    fill("Archive", 1, attachment=("backup.tar", 18_900_000))
    by_name["Ungelesene E-Mails"]["messages"] = by_name["Inbox"]["messages"]
    return folders


def _folder(key: str, name: str, parent: str, hidden: bool, kind: str) -> dict[str, Any]:
    return {
        "id": _id("folder", key, parent, name),
        "displayName": name,
        "parent": parent,
        "isHidden": hidden,
        "kind": kind,
        "messages": [],
    }


def _message(
    key: str,
    folder: str,
    n: int,
    address: str,
    people: list[str],
    sent: bool = False,
    attachment: tuple[str, int] | None = None,
) -> dict[str, Any]:
    other = people[n % len(people)]
    subject = (
        "Résumé of the week",
        "Re: Größere Änderungen am Build",
        "Lunch?",
        "レビューのお願い 🚀",
        "Invoice 47-",
    )[n % 5] + (f"{n:04d}" if n % 5 == 4 else "")
    return {
        "id": _id("message", key, folder, str(n)),
        "subject": f"{subject} #{n}",
        "from": address if sent else other,
        "to": other if sent else address,
        "at": (_BEGIN + timedelta(hours=5 * n)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "attachment": list(attachment) if attachment else None,
    }


def _id(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]


def mime(message: dict[str, Any]) -> bytes:
    """Return the message as it was sent, the same on every call."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = message["from"], message["to"], message["subject"]
    mail["Date"] = format_datetime(datetime.strptime(message["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc))
    mail["Message-ID"] = f"<{message['id']}@corp.example>"
    mail.set_content(f"Hallo,\n\nüber {message['subject']} reden wir morgen.\n")
    if not message["attachment"]:
        return mail.as_bytes()
    name, size = message["attachment"]
    mail.add_attachment(b"", maintype="application", subtype="octet-stream", filename=name)
    mail.set_boundary(f"=_{message['id']}")
    # the email package takes seconds to wrap 25 MB; the attachment goes in before the last boundary
    head, end, tail = mail.as_bytes().rpartition(f"\r\n--=_{message['id']}--".encode())
    return head + b"".join(_base64(size)) + end + tail


def _base64(size: int) -> Iterator[bytes]:
    block = bytes(range(57))
    line = base64.b64encode(block) + b"\r\n"
    yield line * (size // 57)
    yield base64.b64encode(block[: size % 57])

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Measures the archiving of 20,000 messages (about 1.5 GB) from a local Dovecot: by us, by mbsync, and by a bare
imaplib loop, in turn.

Our program and the bare loop are processes of their own, so that nothing else is in their memory and time. The script
prints ``{name: {value, unit, peer, peer_value, ratio}}`` as JSON.
"""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

FOLDERS = {"INBOX": 8000, "Sent": 5000, "Archive/2024": 5000, "B&APw-ro": 2000}
ROUNDS = 3

#: Of this process alone: ``ru_maxrss`` is kept over exec (getrusage(2)), so that a child of a large process begins with its size.
PEAK = """
def peak_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
"""

OURS = (
    PEAK.replace("{", "{{").replace("}", "}}")
    + """
import json, sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from ansible_collections.workforce.lifecycle.plugins.modules.mailbox_archive import write
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.archive import Archive
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.imap.connector import Imap
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
entry = json.loads(sys.argv[1])
system = Imap(Target("mail", "imap", entry["url"], entry["credentials"], checked_options("mail", Imap, entry["options"])))
person = Person("bob@corp.example")
start = time.monotonic()
write(system, person, system.mail_folders(person), Archive(Path(sys.argv[2])))
took = time.monotonic() - start
memory = peak_mb()
start = time.monotonic()
state = Archive(Path(sys.argv[2])).verify()
print(json.dumps({{"seconds": took, "mb": memory, "messages": state.messages, "verify": time.monotonic() - start}}))
"""
)

BARE = (
    PEAK
    + """
import hashlib, imaplib, json, os, sys, time
imaplib._MAXLINE = 10_000_000
entry = json.loads(sys.argv[1])
start = time.monotonic()
m = imaplib.IMAP4("localhost", entry["port"]); m.login("bob*archiver", entry["credentials"]["password"])
names = [l.decode().split(' "." ')[1].strip('"') for l in m.list()[1] if b"Noselect" not in l]
count, h, out = 0, hashlib.sha256(), open(sys.argv[2], "wb")
for name in names:
    m.select('"%s"' % name, readonly=True)
    ids = m.uid("SEARCH", None, "ALL")[1][0].split()
    for i in range(0, len(ids), 200):
        for part in m.uid("FETCH", f"{ids[i].decode()}:{ids[min(i + 200, len(ids)) - 1].decode()}", "(UID FLAGS INTERNALDATE BODY.PEEK[])")[1]:
            if isinstance(part, tuple):
                count += 1; h.update(part[1]); out.write(part[1])
out.flush(); os.fsync(out.fileno()); m.logout()
print(json.dumps({"seconds": time.monotonic() - start, "mb": peak_mb(), "messages": count}))
"""
)

MBSYNC = """
IMAPAccount b
Host 127.0.0.1
Port {port}
User "bob*archiver"
Pass {password}
SSLType None
AuthMechs LOGIN
PipelineDepth 50

IMAPStore far
Account b

MaildirStore near
Path {out}/
Inbox {out}/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Near
SyncState *
Sync Pull
"""


def generate(maildir_of: Any, scale: float = 1.0) -> tuple[int, int]:
    """Fill Maildirs with mail, a quarter of it with attachments, and return the numbers of messages and bytes."""
    dice, number, total = random.Random(7), 0, 0
    words = [
        f"{a}{b}"
        for a in ("ver", "be", "ent", "zu", "auf", "ab", "er", "un")
        for b in ("trag", "sicht", "stellung", "lauf", "wort", "satz", "gang", "recht")
    ]
    blob = dice.randbytes(8 << 20)
    for folder, count in FOLDERS.items():
        cur = maildir_of(folder) / "cur"
        for _ in range(int(count * scale)):
            number += 1
            when = 1_600_000_000 + number * 3600
            text = " ".join(dice.choices(words, k=dice.randint(40, 400)))
            lines = [text[i : i + 76] for i in range(0, len(text), 76)]
            if number % 50 == 0:
                lines.insert(1, "From the beginning of a line")
            head = [
                f"Message-ID: <{number}.{dice.getrandbits(64):x}@corp.example>",
                f"From: Person {number % 97} <p{number % 97}@corp.example>",
                "To: Bob <bob@corp.example>",
                f"Subject: Betreff {number}",
                "MIME-Version: 1.0",
            ]
            if dice.random() < 0.25:
                size = int(min(6e6, dice.lognormvariate(11.6, 1.2)))
                start = dice.randrange(0, len(blob) - size)
                body = base64.encodebytes(blob[start : start + size]).decode().rstrip("\n")
                lines = [
                    f'Content-Type: multipart/mixed; boundary="b{number}"',
                    "",
                    f"--b{number}",
                    "Content-Type: text/plain; charset=utf-8",
                    "",
                    *lines,
                    f"--b{number}",
                    "Content-Type: application/pdf",
                    "Content-Transfer-Encoding: base64",
                    "",
                    body,
                    f"--b{number}--",
                    "",
                ]
            else:
                lines = ["Content-Type: text/plain; charset=utf-8", "", *lines, ""]
            content = "\n".join(head + lines).encode()
            total += len(content)
            (cur / f"{when}.M{number}P1.bench,S={len(content)},W={len(content) + content.count(10)}:2,S").write_bytes(
                content
            )
    return number, total


def run(scale: float = 1.0, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return the rows; none when Dovecot or mbsync is not installed."""
    from sandbox.certs import Authority
    from sandbox.company import load_company
    from sandbox.servers.dovecot import Dovecot

    if Dovecot.missing() or not shutil.which("mbsync"):
        return {}
    with tempfile.TemporaryDirectory(prefix="bench-archive-") as name:
        folder = Path(name)
        server = Dovecot(load_company())
        server.authority = Authority(folder / "tls")
        try:
            server.start()
            server.halt()
            messages, size = generate(lambda f: server.maildir("bob", f), scale)
            server.set_users({"bob": server.secret("of-bob")})
            server.run()
            entry = {**server.systems()["dovecot"], "url": f"imap://localhost:{server.port}", "port": server.port}
            entry["options"] = {"tls": "none", "login": "{local_part}"}
            times: dict[str, list[dict[str, float]]] = {"bare": [], "ours": [], "mbsync": []}
            for number in range(rounds + 1):
                for kind, seconds in times.items():
                    out = folder / f"{kind}-{number}"
                    result = _measured(kind, entry, out)
                    shutil.rmtree(out, ignore_errors=True)
                    out.unlink(missing_ok=True)
                    if number:  # the first round warms caches and Dovecot's indexes, for all alike
                        seconds.append(result)
        finally:
            server.stop()
    return _figures(times, messages, size)


def _figures(times: dict[str, list[dict[str, float]]], messages: int, size: int) -> dict[str, Any]:
    ours, bare, mbsync = (median(r["seconds"] for r in times[k]) for k in ("ours", "bare", "mbsync"))
    assert all(r["messages"] == messages for r in times["ours"] + times["bare"]), "messages are missing"
    memory = max(r["mb"] for r in times["ours"])
    bare_memory = max(r["mb"] for r in times["bare"])
    what = f"{messages} messages, {size / 1e6:.0f} MB"
    return {
        "archive": {
            "value": round(ours, 2),
            "unit": "s",
            "peer": f"mbsync, {what}",
            "peer_value": round(mbsync, 2),
            "ratio": round(mbsync / ours, 2),
        },
        "archive_vs_bare_loop": {
            "value": round(ours, 2),
            "unit": "s",
            "peer": "imaplib, 200 a batch, sha256, one file",
            "peer_value": round(bare, 2),
            "ratio": round(ours / bare, 2),
        },
        "archive_memory": {
            "value": round(memory),
            "unit": "MB",
            "peer": "bare imaplib loop",
            "peer_value": round(bare_memory),
            "ratio": round(memory / bare_memory, 2),
        },
        "archive_verify": {
            "value": round(median(r["verify"] for r in times["ours"]), 2),
            "unit": "s",
            "peer": "archiving",
            "peer_value": round(ours, 2),
            "ratio": round(median(r["verify"] for r in times["ours"]) / ours, 2),
        },
    }


def _measured(kind: str, entry: dict[str, Any], out: Path) -> dict[str, float]:
    if kind == "mbsync":
        out.mkdir()
        conf = out.with_suffix(".rc")
        with open(os.open(conf, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(MBSYNC.format(port=entry["port"], password=entry["credentials"]["password"], out=out))
        start = time.monotonic()
        subprocess.run(["mbsync", "-q", "-c", str(conf), "-a"], check=True, stdout=subprocess.DEVNULL)
        return {"seconds": time.monotonic() - start, "mb": 0, "messages": 0}
    program = OURS.format(path=[str(ROOT), str(ROOT / "build" / "collections")]) if kind == "ours" else BARE
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(entry), str(out)], check=True, stdout=subprocess.PIPE
    )
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0), indent=2))

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A company whose ledger is signed and witnessed: by a file, a git repository and a time-stamping authority that is openssl itself."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import Policy, load_policy
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import sealed
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.witness.give import give, seal_of
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.witness.inspect import Inspection, inspect

from tests.unit import ledger_sample as sample

TSA = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
"""


def openssl(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    """What openssl says; it must succeed."""
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, input=stdin).stdout


def new_key(path: Path) -> Path:
    """A private key, and its public half beside it, as a company makes them."""
    openssl("genpkey", "-algorithm", "ed25519", "-out", path)
    path.chmod(0o600)
    openssl("pkey", "-in", path, "-pubout", "-out", path.with_suffix(".pub.pem"))
    return path


@contextmanager
def authority(folder: Path) -> Iterator[str]:
    """A time-stamping authority: openssl behind a socket. Its root certificate is ``ca.pem`` in the folder."""
    folder.mkdir()
    subject = ("-subj", "/CN=stamps of the test")
    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", *subject, "-days", "30")
    openssl("req", *key, "-keyout", folder / "tsa.key", "-out", folder / "tsa.csr", "-subj", "/CN=tsa")
    (folder / "use.cnf").write_text("extendedKeyUsage=critical,timeStamping\n")
    ca = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial")
    openssl("x509", "-req", "-in", folder / "tsa.csr", *ca, "-out", folder / "tsa.pem", "-extfile", folder / "use.cnf")
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(TSA.format(folder=folder))

    class Stamps(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            with tempfile.NamedTemporaryFile() as asked:
                asked.write(query)
                asked.flush()
                said = openssl("ts", "-reply", "-config", folder / "tsa.cnf", "-queryfile", asked.name)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stamps)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


POLICY = """
proof:
  key: keys/ledger.pem
  witnesses:
    - {{name: office, kind: file, path: elsewhere/heads.jsonl}}
    - {{name: repository, kind: git, path: elsewhere/clone}}
    - {{name: authority, kind: rfc3161, url: "{url}", ca: keys/ca.pem, path: elsewhere/stamps}}
"""


@dataclass(frozen=True)
class World:
    """Where everything of the company lies."""

    home: Path

    @property
    def db(self) -> Path:
        return self.home / "ledger.db"

    @property
    def records(self) -> Path:
        return self.home / "records"

    @property
    def policy(self) -> Policy:
        return load_policy(str(self.home / "policy.yml"))

    def ledger(self, run: str = "") -> Ledger:
        """The ledger as a run opens it."""
        ledger = Ledger(str(self.db))
        folder = Path(tempfile.mkdtemp(dir=self.home))
        ledger.chain.seal = seal_of(self.policy, str(folder))
        return ledger

    def write_record(self, ledger: Ledger, case: str, text: str, run: str = "r") -> None:
        paths = [self.records / f"{case}.json", self.records / f"{case}.html"]
        sealed.put(ledger, run, case, {paths[0]: text, paths[1]: f"<p>{text}</p>"})

    def give(self, ledger: Ledger, run: str = "r") -> None:
        failed = give(ledger, self.policy, run)
        assert not failed, failed

    def inspect(self, expected_head: str = "") -> Inspection:
        ledger = Ledger(str(self.db))
        return inspect(ledger, self.policy, str(self.records), str(self.home / "plans"), expected_head)

    def copy(self, to: Path) -> World:
        shutil.copytree(self.home, to, symlinks=True)
        return World(to)


def build(home: Path, url: str = "", ca: Path | None = None) -> World:
    """A company with one signed and witnessed ledger: three runs, three leavers, their records, the brake's places."""
    home.mkdir(parents=True)
    for name in ("keys", "elsewhere"):
        (home / name).mkdir()
    new_key(home / "keys" / "ledger.pem")
    text = POLICY.format(url=url)
    if ca is not None:
        shutil.copy(ca, home / "keys" / "ca.pem")
    else:
        text = "\n".join(line for line in text.splitlines() if "rfc3161" not in line and "git" not in line) + "\n"
    (home / "policy.yml").write_text(text)
    if ca is not None:
        for arguments in (["init", "-q", "-b", "main", "elsewhere/clone"],):
            subprocess.run(["git", *arguments], cwd=home, check=True)
    return World(home)


def three_runs(world: World) -> list[str]:
    """What the company did: the cases, in the order of their runs."""
    cases = []
    for number in range(3):
        ledger = world.ledger()
        who = {
            **sample.PERSON,
            "email": f"leaver{number}@corp.example",
            "hr_id": f"HR-{number}",
            "employee_id": f"E{number}",
        }
        [case] = ledger.open_cases("offboard", [(who, {"key": "2026", "expected": ["entra"]})], f"r{number}", None)
        sample.step(ledger, case, "entra", "cutoff", [sample.row("sign-in"), sample.row("sessions")], run=f"r{number}")
        ledger.note("approved", {"plan": "p" * 64, "by": "grace@corp.example"}, case=case.id, run=f"r{number}")
        ledger.close_case(case.id, run=f"r{number}", complete=True, summary={"complete": True})
        world.write_record(ledger, case.id, f'{{"case": "{case.id}"}}\n', f"r{number}")
        ledger.give_back(f"r{number}")
        world.give(ledger, f"r{number}")
        cases.append(case.id)
    return cases

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""No secret in anything that a run prints, writes, leaves behind or shows in the process list.

The secrets are the credentials of the sandbox, whatever it issued meanwhile (tokens, passes, initial passwords: read from its
journals), and the keys it holds in escrow. All are looked for as they are, and as base64 and URLs carry them.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from tests.integration.company import BIN, SandboxCompany

RUNS = (
    ("onboard", "-e", "user=ada@corp.example", "-e", "device_serial=5CGADA001"),
    ("transfer", "-e", "user=tom@corp.example"),
    (
        "offboard",
        "-e",
        "user=jane@corp.example",
        "-e",
        "confirm=C02JANE01",
        "-e",
        '{"lifecycle_devices": {"company": "wipe", "follow": 20}}',
    ),
)
#: Credentials that are names, not secrets.
PUBLIC = ("client_id", "tenant_id", "app_id", "installation_id", "user", "access_key_id")
#: Keys of vendors' requests and answers whose values are secrets.
SECRET_KEYS = re.compile(
    r"^(access_token|refresh_token|id_token|token|password|newPassword|temporaryAccessPass|client_secret|client_assertion|userPassword|recoveryKey|"
    r"SecretAccessKey|key)$"
)


def _strings(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield str(key), inner
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return dict(parse_qsl(text)) if "=" in text and not text.startswith("<") else None


def secrets_of(company: SandboxCompany) -> set[str]:
    """Everything that must be seen nowhere, from the sandbox's own books."""
    found = {path.read_text().strip() for path in company.folder.glob("credentials/*/*") if path.name not in PUBLIC}
    for emulator in company.emulators:
        for entry in company.journal(emulator):
            for text in (entry["body"], entry.get("answer") or ""):
                found.update(value for key, value in _strings(_parsed(text)) if SECRET_KEYS.match(key))
                found.update(re.findall(r"canary-[\w-]{8,}", text))
        found.update(value for key, value in _strings(company.state(emulator)) if key == "password")
    intune = company.state("microsoft")["intune"]
    found.update((*intune["filevault"].values(), *intune["bypass"].values()))
    return {secret for secret in found if len(secret) >= 8 and not secret.startswith("http")}


def forms(secret: str) -> set[bytes]:
    """A secret, and what base64 (at each of its three offsets), JSON and URLs make of it."""
    raw = secret.encode()
    encoded = {base64.b64encode(b"\0" * offset + raw)[[0, 2, 3][offset] :].rstrip(b"=")[:-1] for offset in range(3)}
    return {
        raw,
        quote(secret, safe="").encode(),
        json.dumps(secret)[1:-1].encode(),
        *(form for form in encoded if len(form) > 9),
    }


def leaks(secrets: set[str], places: dict[str, bytes]) -> list[str]:
    """Where a secret stands: the place, and what is around it."""
    known = {form: secret for secret in secrets for form in forms(secret)}
    any_of = re.compile(
        b"|".join(re.escape(form) for form in sorted(known, key=len, reverse=True)) + rb"|canary-[\w-]{8,}"
    )
    return [
        f"{place}: ...{content[max(0, m.start() - 60) : m.end() + 10]!r}"
        for place, content in places.items()
        for m in [any_of.search(content)]
        if m
    ]


@dataclass
class Watch:
    """The process list while a run lasts: command lines and environments of it and all its children, as root sees them."""

    root: int
    seen: dict[str, bytes] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
        family = {self.root}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        for pid in family:
            for what in ("cmdline", "environ"):
                try:
                    content = Path(f"/proc/{pid}/{what}").read_bytes()
                except OSError:
                    continue
                self.seen[f"{what} {content[:80]!r} {hash(content)}"] = content

    def __enter__(self) -> Watch:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def _run(self) -> None:
        while not self.over.wait(0.02):
            self.look()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


@dataclass
class Traces:
    """A run's surroundings, all in one folder, and everything found in them afterwards."""

    company: SandboxCompany
    folder: Path
    places: dict[str, bytes] = field(default_factory=dict)

    def environment(self, callback: str) -> dict[str, str]:
        return self.company.environment(
            ANSIBLE_STDOUT_CALLBACK=callback,
            ANSIBLE_HOME=str(self.folder / "home"),
            ANSIBLE_LOCAL_TEMP=str(self.folder / "local-tmp"),
            ANSIBLE_REMOTE_TEMP=str(self.folder / "remote-tmp"),
            ANSIBLE_LOG_PATH=str(self.folder / "ansible.log"),
            ANSIBLE_CACHE_PLUGIN="ansible.builtin.jsonfile",
            ANSIBLE_CACHE_PLUGIN_CONNECTION=str(self.folder / "facts"),
            TMPDIR=str(self.folder / "tmp"),
        )

    def play(self, playbook: str, *args: str, callback: str) -> int:
        (self.folder / "tmp").mkdir(exist_ok=True)
        with (self.folder / f"{playbook}.out").open("wb") as out:
            process = subprocess.Popen(
                self.company.command(playbook, *args, "-vvv", "--diff"),
                env=self.environment(callback),
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
            )
            with Watch(process.pid) as watch:
                code = process.wait(300)
        self.places |= watch.seen
        assert len(watch.seen) >= 2, "nothing of the process list was seen"
        return code

    def collect(self) -> dict[str, bytes]:
        listed = subprocess.run(
            [str(BIN / "ansible-inventory"), "-i", str(self.company.systems_file), "--list", "-vvv"],
            env=self.environment("default"),
            capture_output=True,
        )
        self.places["ansible-inventory --list"] = listed.stdout + listed.stderr
        kept = [
            *self.folder.rglob("*"),
            *self.company.folder.glob("ledger.db*"),
            *self.company.folder.glob("records/*"),
            *self.company.folder.glob("archive/**/*"),
        ]
        self.places |= {str(path): path.read_bytes() for path in kept if path.is_file() and not path.is_symlink()}
        return self.places


@pytest.mark.parametrize(
    ("callback", "in_process"),
    [
        ("workforce.lifecycle.timeline", True),
        ("ansible.builtin.default", False),
        pytest.param("ansible.builtin.default", True, marks=pytest.mark.soak),
        pytest.param("workforce.lifecycle.timeline", False, marks=pytest.mark.soak),
    ],
)
@pytest.mark.rotating(of=6)
def test_no_secret_is_seen_anywhere(company: SandboxCompany, tmp_path: Path, callback: str, in_process: bool) -> None:
    traces = Traces(company, tmp_path)
    for playbook, *args in RUNS if in_process else [run for run in RUNS if run[0] == "offboard"]:
        traces.play(playbook, *args, "-e", json.dumps({"lifecycle_in_process": in_process}), callback=callback)
        assert f"{playbook}" in (tmp_path / f"{playbook}.out").read_text()
    places = traces.collect()
    assert (
        any(path.endswith(".html") for path in places)
        and any("manifest.jsonl" in path for path in places)
        and str(tmp_path / "ansible.log") in places
    )
    secrets = secrets_of(company)
    assert (
        any("canary-token-" in s for s in secrets)
        and (not in_process or any("canary-pass-" in s for s in secrets))
        and len(secrets) > 15
    )
    assert leaks(secrets, places) == []
    left = [
        str(path)
        for folder in ("local-tmp", "remote-tmp", "tmp")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    ]
    assert left == [], "the run's temporary files are gone"


def test_a_planted_leak_is_found(company: SandboxCompany, tmp_path: Path) -> None:
    traces = Traces(company, tmp_path)
    playbook = tmp_path / "leak.yml"
    file = company.folder / "credentials" / "slack" / "token"
    playbook.write_text(f"""
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {{msg: "{{{{ lookup('file', '{file}') }}}}"}}
    - ansible.builtin.command: "sh -c 'sleep 1; true' {{{{ lookup('file', '{file}') }}}}"
    - ansible.builtin.copy: {{content: "{{{{ lookup('file', '{file}') | b64encode }}}}", dest: "{tmp_path}/left.txt"}}
""")
    command = traces.company.command(str(playbook))
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            command,
            env=traces.environment("ansible.builtin.default"),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        with Watch(process.pid) as watch:
            assert process.wait(60) == 0
    traces.places |= watch.seen
    found = leaks(secrets_of(company), traces.collect())
    for place in ("out: ", "left.txt: ", "ansible.log: ", "cmdline "):
        assert any(place in leak for leak in found), (place, found)

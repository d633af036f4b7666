# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Bad input, from a shell: one line that says where, what and how to fix it, in either callback; and nothing is written anywhere."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
import zstandard

from tests.integration.company import SandboxCompany

pytestmark = pytest.mark.rotating(of=6)
JANE = ("-e", "user=jane@corp.example")
ADA = ("-e", "user=ada@corp.example")
CALLBACKS = ("ansible.builtin.default", "workforce.lifecycle.timeline")
Systems = dict[str, Any]


@dataclass(frozen=True)
class Bad:
    """A mistake. ``only`` is what the company has besides HR; ``edit`` makes the mistake in the systems file's data, ``text`` in
    its text, ``profiles`` in files; ``says`` are expressions that one line of the output must all match."""

    name: str
    says: tuple[str, ...]
    args: tuple[str, ...] = JANE
    playbook: str = "cutoff"
    only: tuple[str, ...] = ("entra",)
    edit: Callable[[Systems, Path], None] = lambda data, folder: None
    text: Callable[[str], str] = lambda text: text
    profiles: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def credential(system: str, name: str, reference: Any) -> Callable[[Systems, Path], None]:
    def edit(data: Systems, folder: Path) -> None:
        credentials = data["systems"][system]["credentials"]
        if reference is None:
            del credentials[name]
        else:
            credentials[name] = reference

    return edit


def wrong(system: str, name: str, secret: str = "not-the-secret") -> Callable[[Systems, Path], None]:
    def edit(data: Systems, folder: Path) -> None:
        file = folder / f"{system}-{name}"
        file.write_text(secret)
        file.chmod(0o600)
        data["systems"][system]["credentials"][name] = {"file": str(file)}

    return edit


def with_key(system: str, key: str, value: Any) -> Callable[[Systems, Path], None]:
    def edit(data: Systems, folder: Path) -> None:
        data["systems"][system][key] = value

    return edit


def other_authority(system: str) -> Callable[[Systems, Path], None]:
    def edit(data: Systems, folder: Path) -> None:
        from sandbox.certs import Authority

        data["systems"][system]["ca_file"] = str(Authority(folder / "other-tls").ca_file)

    return edit


def archive_on_a_file(data: Systems, folder: Path) -> None:
    (folder / "archive-file").write_text("in the way")
    data["archive"] = str(folder / "archive-file")


TOKEN = r"oauth2/v2\.0/token"
EXPIRED = {
    "fault": "status",
    "path": TOKEN,
    "times": -1,
    "status": 401,
    "headers": {"content-type": "application/json"},
    "body": {
        "error": "invalid_client",
        "error_codes": [7000222],
        "error_description": "AADSTS7000222: The provided client secret keys for app 'x' are expired. Visit the Azure portal to create new keys for your app.",
    },
}
STAFF = "name: staff\nmatch: {department: '*'}\n"

BAD = [
    Bad(
        "unknown person",
        ("nobody@corp.example", "bamboohr", "nobody in HR has this e-mail address", "correct user"),
        ("-e", "user=nobody@corp.example"),
        "offboard",
    ),
    Bad(
        "two matches",
        ("sam@corp.example", "2 people answer to it", "E1008", "E1009", "give the employee id"),
        ("-e", "user=sam@corp.example"),
        "offboard",
    ),
    Bad("no user", ("user", r"-e user=jane@corp\.example"), (), "offboard"),
    Bad("an empty user", ("user", r"-e user=jane@corp\.example"), ("-e", "user="), "offboard"),
    Bad(
        "a device command that is none",
        ("company", "keep, lock, wipe", "burn"),
        (*JANE, "-e", '{"lifecycle_devices":{"company":"burn"}}'),
        "offboard",
    ),
    # -- credentials
    Bad(
        "environment variable not set",
        ("credential client_secret", "entra", "ENTRA_SECRET is not set", "export ENTRA_SECRET"),
        edit=credential("entra", "client_secret", {"env": "ENTRA_SECRET"}),
    ),
    Bad(
        "file of a credential not there",
        ("credential client_secret", "entra", r"/nowhere/secret cannot be read \(No such file", "check the path"),
        edit=credential("entra", "client_secret", {"file": "/nowhere/secret"}),
    ),
    Bad(
        "HR's credential not there",
        ("credential api_key", "bamboohr", "HR_KEY is not set", "export HR_KEY"),
        edit=credential("bamboohr", "api_key", {"env": "HR_KEY"}),
    ),
    Bad(
        "credential not given",
        ("entra", "client_secret", "credentials"),
        edit=credential("entra", "client_secret", None),
    ),
    Bad(
        "credential of another name",
        ("entra", "client_secrt", "client_secret"),
        edit=credential("entra", "client_secrt", {"env": "HOME"}),
    ),
    Bad(
        "wrong secret",
        ("entra", "client.secret", "AADSTS7000215|7000215|wrong|not the"),
        edit=wrong("entra", "client_secret"),
    ),
    Bad("expired secret", ("entra", "client.secret", "expired", "new"), faults={"microsoft": EXPIRED}),
    Bad("wrong token", ("wiki", "401", "check the credentials of wiki"), only=("wiki",), edit=wrong("wiki", "token")),
    Bad("wrong api key", ("bamboohr", "api_key|API key", "401|not accept|refused"), edit=wrong("bamboohr", "api_key")),
    Bad(
        "wrong cloud key",
        ("aws", "InvalidClientTokenId", "check the credentials of aws"),
        only=("aws",),
        edit=wrong("aws", "access_key_id", "AKIAIOSFODNN7EXAMPLE"),
    ),
    Bad("wrong directory password", ("ldap", "password"), only=("ldap",), edit=wrong("ldap", "password")),
    Bad(
        "wrong mail password", ("imap", "password"), only=("imap",), playbook="offboard", edit=wrong("imap", "password")
    ),
    # -- the systems file
    Bad(
        "unknown connector",
        (r"bad\.systems\.yml:\d+: systems\.github\.connector", "githb", "did you mean github"),
        only=("github",),
        edit=with_key("github", "connector", "githb"),
    ),
    Bad(
        "unknown key",
        (r"bad\.systems\.yml:\d+: systems\.github\.urll", "unknown key", "did you mean url"),
        only=("github",),
        edit=with_key("github", "urll", "x"),
    ),
    Bad(
        "unknown option",
        (r"bad\.systems\.yml:\d+: systems\.github\.options\.orgg", "did you mean org"),
        only=("github",),
        edit=with_key("github", "options", {"orgg": "corp-example", "org": "corp-example"}),
    ),
    Bad(
        "a timeout that is none",
        (r"bad\.systems\.yml:\d+: systems\.github\.timeout", "soon"),
        only=("github",),
        edit=with_key("github", "timeout", "soon"),
    ),
    Bad(
        "not YAML",
        (r"bad\.systems\.yml:\d+: not YAML", "indentation"),
        text=lambda text: text.replace("systems:\n", "systems:\n   - [\n", 1),
    ),
    Bad(
        "a system twice",
        (r"bad\.systems\.yml:\d+: entra is given twice", r"first on line \d+", "keep one"),
        text=lambda text: text + "  entra:\n    connector: entra\n",
    ),
    # -- profiles
    Bad(
        "profile: unknown key",
        (r"staff\.yml:3: systms: unknown key", "did you mean systems"),
        ADA,
        "onboard",
        profiles={"staff.yml": f"{STAFF}systms: {{entra: {{}}}}\n"},
    ),
    Bad(
        "profile: a circle",
        (r"(a|b)\.yml:\d+: extends", "circle: .*-> ", "take one of them out"),
        ADA,
        "onboard",
        profiles={"a.yml": "extends: [b]\n", "b.yml": "extends: [a]\n"},
    ),
    Bad(
        "profile: unknown system",
        (r"staff\.yml:4: systems\.entre", "no such system", "did you mean entra"),
        ADA,
        "onboard",
        profiles={"staff.yml": f"{STAFF}systems:\n  entre: {{}}\n"},
    ),
    Bad(
        "profile: unknown kind",
        (r"staff\.yml:4: systems\.entra\.grups", "did you mean groups"),
        ADA,
        "onboard",
        profiles={"staff.yml": f"{STAFF}systems:\n  entra: {{grups: [IT]}}\n"},
    ),
    Bad(
        "profile: a draw",
        ("ada@corp.example", "one .*one.yml.* and two .*two.yml.* match equally well", "-e profile=NAME"),
        ADA,
        "onboard",
        profiles={
            "one.yml": "match: {department: Engineering}\nsystems: {entra: {}}\n",
            "two.yml": "match: {department: Engineering}\nsystems: {entra: {}}\n",
        },
    ),
    Bad(
        "profile: not YAML",
        (r"staff\.yml:\d+: not YAML",),
        ADA,
        "onboard",
        profiles={"staff.yml": "match: {department: [\n"},
    ),
    # -- systems that are not what they seem
    Bad("wrong certificate authority", ("entra", "certificate", "ca_file"), edit=other_authority("entra")),
    Bad("wrong certificate authority of HR", ("bamboohr", "certificate", "ca_file"), edit=other_authority("bamboohr")),
    Bad(
        "wrong certificate authority of the cloud",
        ("aws", "certificate", "ca_file"),
        only=("aws",),
        edit=other_authority("aws"),
    ),
    Bad(
        "wrong certificate authority of the directory",
        ("ldap", "certificate", "ca_file"),
        only=("ldap",),
        edit=other_authority("ldap"),
    ),
    Bad(
        "wrong certificate authority of the mail server",
        ("imap", "certificate", "ca_file"),
        only=("imap",),
        playbook="offboard",
        edit=other_authority("imap"),
    ),
    Bad(
        "a page where an answer should be",
        ("github", "HTML", "url"),
        only=("github",),
        faults={"github": {"fault": "html", "times": -1}},
    ),
    Bad(
        "a page where HR's answer should be",
        ("bamboohr", "HTML", "url"),
        faults={"bamboohr": {"fault": "html", "times": -1}},
    ),
    # -- the archive
    Bad(
        "an archive that cannot be written",
        ("imap", "archive-file", "path|archive"),
        only=("imap",),
        playbook="offboard",
        edit=archive_on_a_file,
    ),
]


def bad_systems_file(company: SandboxCompany, folder: Path, bad: Bad) -> Path:
    """A company of HR and what the case names, with its mistake."""
    data = yaml.safe_load(company.systems_file.read_text())
    data["systems"] = {name: entry for name, entry in data["systems"].items() if name in ("bamboohr", *bad.only)}
    # What names a system goes with it.
    if "github" not in data["systems"]:
        del data["systems"]["bamboohr"]["options"]["fields"]["github"]
    if "ldap" not in data["systems"] and "imap" in data["systems"]:
        del data["systems"]["imap"]["options"]["passwords_in"]
    data.pop("policy", None)  # the company's speaks of systems that are not in this file
    data |= {
        "ledger": str(folder / "ledger.db"),
        "records": str(folder / "records"),
        "archive": str(folder / "archive"),
    }
    if bad.profiles:
        data["profiles"] = str(folder / "profiles")
        (folder / "profiles").mkdir()
        for name, text in bad.profiles.items():
            (folder / "profiles" / name).write_text(text)
    bad.edit(data, folder)
    file = folder / "bad.systems.yml"
    file.write_text(bad.text(yaml.safe_dump(data, sort_keys=False)))
    return file


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_one_line_says_it_and_nothing_is_written(company: SandboxCompany, tmp_path: Path, bad: Bad) -> None:
    file = bad_systems_file(company, tmp_path, bad)
    for emulator, fault in bad.faults.items():
        company.fault(emulator, fault)
    for callback in CALLBACKS:
        ran = company.play(bad.playbook, *bad.args, systems_file=file, ANSIBLE_STDOUT_CALLBACK=callback)
        assert ran.code != 0, f"{callback}\n{ran.output}"
        told = [line for line in ran.output.splitlines() if all(re.search(words, line) for words in bad.says)]
        assert told, f"{callback}: no line says {bad.says}\n{ran.output}"
        assert "Traceback" not in ran.output and "is undefined" not in ran.output, f"{callback}\n{ran.output}"
    assert company.writes() == []


def test_a_bad_credential_of_one_system_stops_no_other(company: SandboxCompany, tmp_path: Path) -> None:
    file = bad_systems_file(
        company, tmp_path, Bad("", (), only=("entra", "github", "slack"), edit=wrong("entra", "client_secret"))
    )
    ran = company.play("cutoff", *JANE, systems_file=file)
    assert ran.code != 0
    assert {line.split()[0] for line in company.writes()} == {"github", "slack"}


def archived(folder: Path) -> int:
    """Messages of an archive, each of them whole: read as its format says, without our own reader."""
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert lines[-1]["complete"]
    data, frames, end = (folder / "messages.zst").read_bytes(), {}, 0
    for line in lines:
        if "length" in line:
            assert line["frame"] == end
            end += line["length"]
            frames[line["frame"]] = zstandard.ZstdDecompressor().decompressobj().decompress(data[line["frame"] : end])
    messages = [line for line in lines if "sha256" in line and "folder" in line]
    for m in messages:
        assert hashlib.sha256(frames[m["frame"]][m["at"] : m["at"] + m["size"]]).hexdigest() == m["sha256"]
    assert end == len(data) and lines[-1]["messages"] == len(messages) == len(
        {(m["folder"], m["id"]) for m in messages}
    )
    return len(messages)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that is full before jane's mailbox is archived."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("may not mount a small disk here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_said_and_the_archive_goes_on_when_there_is_room(
    company: SandboxCompany, tmp_path: Path, small_disk: Path
) -> None:
    def on_the_disk(data: Systems, folder: Path) -> None:
        data["archive"] = str(small_disk)

    file = bad_systems_file(company, tmp_path, Bad("", (), only=("imap",), edit=on_the_disk))
    for callback in CALLBACKS:
        ran = company.play("offboard", *JANE, systems_file=file, ANSIBLE_STDOUT_CALLBACK=callback)
        assert ran.code != 0
        assert [
            line
            for line in ran.output.splitlines()
            if "imap" in line and str(small_disk) in line and re.search("[Nn]o space|full", line)
        ], ran.output
        assert "Traceback" not in ran.output
    assert company.writes() == []
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    ran = company.play("offboard", *JANE, systems_file=file)
    # No directory is in this file: her password at the mail server stays open, and nothing else.
    assert ran.code == 2 and "1 thing still open" in ran.output and "mailbox password on imap" in ran.output, ran.output
    assert archived(small_disk / "jane@corp.example" / "imap") > 10

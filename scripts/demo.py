# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Hire, move and offboard people of the sandbox company, then ask its systems what happened."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sandbox.__main__ import control

FOLDER = ROOT / "build" / "demo"
BIN = Path(sys.executable).parent
ADA, TOM, JANE = "ada@corp.example", "tom@corp.example", "jane@corp.example"


@dataclass(frozen=True)
class Claim:
    """What a system must show of a person afterwards: all of ``says`` and none of ``not_``."""

    person: str
    system: str
    says: tuple[str, ...] = ()
    not_: tuple[str, ...] = ()


CLAIMS = [
    Claim("ada", "entra", ("sign-in enabled", "Engineering", "VPN Users", "SPE_E3")),
    Claim("ada", "exchange", ("own mailbox",)),
    Claim("ada", "intune", ("5CGADA001 (encrypted, compliant)",)),
    Claim("ada", "ldap", ("enabled", "engineering", "vpn")),
    Claim("ada", "wiki", ("active", "Engineering")),
    Claim("ada", "github", ("member (active)", "engineering")),
    Claim("ada", "tailscale", ("active",)),
    Claim("ada", "slack", ("active", "engineering")),
    Claim("ada", "aws", ("Developers",)),
    Claim("ada", "crm", ("no account",)),
    Claim("tom", "entra", ("Engineering; ", "VPN Users"), ("groups Sales", "DYN365")),
    Claim("tom", "ldap", ("engineering", "vpn"), ("sales",)),
    Claim("tom", "wiki", ("Engineering",), ("Sales",)),
    Claim("tom", "crm", ("deactivated",), ("Sales",)),
    Claim("tom", "slack", ("user groups engineering",), ("sales",)),
    Claim("tom", "aws", ("Developers",)),
    Claim("jane", "entra", ("sign-in blocked", "no sign-in methods"), ("licences", "roles", "apps", "consents")),
    Claim(
        "jane",
        "exchange",
        ("shared mailbox", "on hold", "hidden", "open to mark", "0 protocols open", "0 meetings of theirs"),
    ),
    Claim("jane", "onedrive", ("0 sharing links", "open to mark")),
    Claim("jane", "intune", ("C02JANE01 wiped", "F2LJANE02 retired"), ("manages",)),
    Claim("jane", "ldap", ("locked",), ("groups",)),
    Claim("jane", "wiki", ("deactivated",), ("groups",)),
    Claim("jane", "crm", ("deactivated",), ("groups",)),
    Claim("jane", "github", ("not in the organisation",), ("teams", "tokens", "administers website")),
    Claim("jane", "slack", ("deactivated", "no session"), ()),
    Claim("jane", "tailscale", ("suspended",), ()),
    Claim("jane", "aws", ("no console sign-in", "0 of 2 keys active"), ("groups", "Deploy")),
    Claim("jane", "imap", ("27 messages",)),
]


def main() -> int:
    start = time.monotonic()
    if FOLDER.exists():
        _sandbox("down")
        shutil.rmtree(FOLDER)
    FOLDER.mkdir(parents=True)
    print("Starting Corp Example, a company in a box, on this machine ...", flush=True)
    _sandbox("up")
    try:
        return _show(start)
    finally:
        _sandbox("down")


def _show(start: float) -> int:
    running = json.loads((FOLDER / "running.json").read_text())
    systems = running["systems"]
    print(f"{len(systems)} systems: {', '.join(systems)}\n")
    before = {person: _asked(running, person) for person in ("ada", "tom", "jane")}
    codes = _plays(running)
    after = {person: _asked(running, person) for person in before}
    wrong = _compare(before, after)
    records = sorted((FOLDER / "records").glob("*.html"))
    print("\nThe records, one a case:")
    for record in records:
        said = json.loads(record.with_suffix(".json").read_text())
        print(f"  {record.relative_to(ROOT)}\n      {said['verdict']['sentence']}")
        if not said["summary"]["complete"]:
            wrong.append(f"{record.name}: not complete: {'; '.join(said['verdict']['missing'])}")
    # A run that leaves something for a person ends failed, and says so; the run or the attestation after it does not.
    if [n for n, code in enumerate(codes) if code] != [0, 4, 8]:
        wrong.append(f"exit codes {codes}")
    print(f"\n{len(CLAIMS)} claims, {len(systems)} systems asked, {time.monotonic() - start:.0f} s.")
    for line in wrong:
        print(f"  ✗ {line}")
    print("Everything is as it should be." if not wrong else "NOT as it should be.")
    return 1 if wrong else 0


def _plays(running: dict[str, Any]) -> list[int]:
    """Run the README's commands one after the other, and return their exit codes."""
    return [
        _play(
            "Ada starts next week. Give her exactly what her role needs.",
            "onboard",
            f"user={ADA}",
            "device_serial=5CGADA001",
        ),
        _play(
            "Somebody printed her badge, and says so by name.",
            "attest",
            f"user={ADA}",
            "system=badge",
            "by='Lena Fischer'",
        ),
        _first_day(running, "ada"),
        _play(
            "Run again: it does what became possible, and says whether she is ready.",
            "onboard",
            f"user={ADA}",
            "device_serial=5CGADA001",
        ),
        _play("Tom moves from Sales to Engineering: the new, and not the old.", "transfer", f"user={TOM}"),
        _play("", "attest", f"user={TOM}", "system=badge", "by='Lena Fischer'"),
        _first_day(running, "tom"),
        _play("", "transfer", f"user={TOM}"),
        *_leaver(),
    ]


def _leaver() -> list[int]:
    return [
        _play(
            "Jane leaves. Cut everything, keep what the company needs, wipe the laptop.",
            "offboard",
            f"user={JANE}",
            "confirm=C02JANE01",
            '{"lifecycle_devices": {"company": "wipe", "follow": 30}}',
        ),
        _play(
            "Five things only a person can do.",
            "attest",
            f"user={JANE}",
            "system=badge",
            "by='Grace Okoye'",
            "note='in the safe'",
        ),
        _play(
            "", "attest", f"user={JANE}", "system=tailscale", "by='Mark Chen'", "note='the build server is mine now'"
        ),
        _play(
            "",
            "attest",
            f"user={JANE}",
            "system=entra",
            "by='Mark Chen'",
            "note='Deploy Bot has a new secret and certificate'",
        ),
        _play("", "attest", f"user={JANE}", "system=slack", "by='Mark Chen'", "note='I am on duty for releases'"),
        _play("", "attest", f"user={JANE}", "system=aws", "by='Mark Chen'", "note='the inline policy is deleted'"),
        _play(
            "Her laptop comes back, and whoever has it says so. Only now is the case complete.",
            "custody",
            "device=C02JANE01",
            "state=received",
            "by='Grace Okoye'",
            "place='shelf 4'",
        ),
        _play("Is the ledger as it was written?", "verify"),
    ]


def _sandbox(verb: str) -> None:
    subprocess.run([sys.executable, "-m", "sandbox", "--folder", str(FOLDER), verb], cwd=ROOT, check=True)


def _asked(running: dict[str, dict[str, str]], person: str) -> dict[str, str]:
    answers: dict[str, str] = control(FOLDER, "GET", running["emulators"]["slack"], f"person/{person}")
    return answers


def _first_day(running: dict[str, dict[str, str]], person: str) -> int:
    print(
        f"\n── {person.capitalize()} boots the laptop, registers a second factor, accepts the invitations. (Nobody can do that for anybody.)"
    )
    control(FOLDER, "POST", running["emulators"]["slack"], f"first-day/{person}", {})
    return 0


def _play(headline: str, playbook: str, *extra: str) -> int:
    command = [
        str(BIN / "ansible-playbook"),
        "-i",
        str(FOLDER / "company.systems.yml"),
        f"workforce.lifecycle.{playbook}",
    ]
    for value in extra:
        command += ["-e", value]
    if headline:
        print(f"\n── {headline}")
    shown = (
        " ".join(
            value if " " not in value and "{" not in value else f'"{value}"' if "{" not in value else f"'{value}'"
            for value in ["-e " + v for v in extra]
        )
        .replace('"-e ', '-e "')
        .replace("'-e ", "-e '")
    )
    print(f"$ ansible-playbook -i company.systems.yml workforce.lifecycle.{playbook} {shown}\n", flush=True)
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}, stdin=subprocess.DEVNULL
    ).returncode


def _compare(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> list[str]:
    print("\n── What the systems themselves say")
    names = {"ada": "Ada, hired", "tom": "Tom, moved", "jane": "Jane, left"}
    wrong = []
    for person, answers in after.items():
        print(f"\n{names[person]}")
        for system, now in answers.items():
            then = before[person][system]
            claims = [c for c in CLAIMS if (c.person, c.system) == (person, system)]
            good = all(all(s in now for s in c.says) and not any(s in now for s in c.not_) for c in claims)
            if then == now and not claims:
                continue
            if not good:
                wrong.append(f"{person} on {system}: {now}")
            print(
                f"  {'✓' if good and claims else '·' if good else '✗'} {system:10} {textwrap.shorten(then, 88, placeholder=' …')}"
            )
            print(f"    {'':10} → {textwrap.shorten(now, 108, placeholder=' …')}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company in a box, from a shell::

python -m sandbox up   [--folder build/sandbox] [--foreground]   start it, write company.systems.yml
python -m sandbox down [--folder build/sandbox]
python -m sandbox status
python -m sandbox writes                                         what each system was asked to change
python -m sandbox fault SYSTEM '[{"fault": "status", "status": 503, "method": "WRITE"}]'
python -m sandbox hr terminate tom@corp.example [--on YYYY-MM-DD] [--set department=Sales]
                  [--webhook URL --key-env NAME] [--system bamboohr] [--minute 0.5] [--wait 10]
                                                                 what HR does, and the signed webhook that it sends
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parents[1]
#: IAM says of no user that it is a machine's: who leaves and has none would wait for the user that the runs themselves sign in as.
#: No run gave the sandbox's people what they have: of a mover's, nothing would be explained, and all of it asked about.
POLICY = {"reconcile": {"service": {"aws": ["lifecycle"]}}, "transfer": {"unexplained": "remove"}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A company in a box.")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "sandbox")
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start it")
    up.add_argument("--foreground", action="store_true")
    verbs.add_parser("down", help="stop it")
    verbs.add_parser("status", help="which systems run, and where")
    verbs.add_parser("writes", help="what each system was asked to change")
    fault = verbs.add_parser("fault", help="make a system fail on command")
    fault.add_argument("system")
    fault.add_argument("faults", type=json.loads)
    hr = verbs.add_parser("hr", help="do what HR does, and send its webhook")
    hr.add_argument(
        "act", help="hire, terminate, withdraw, rehire, leave, return, change, start, revoke, delete, midnight"
    )
    hr.add_argument("user", nargs="?", default="", help="address, employee id or HR id; none with hire and midnight")
    hr.add_argument("--on", default="", metavar="DAY", help="the day it takes effect; today")
    hr.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="department=Sales; several")
    hr.add_argument("--webhook", default="", metavar="URL", help="who is called")
    hr.add_argument("--key-env", default="", metavar="NAME", help="the variable with the key that signs")
    hr.add_argument("--system", default="bamboohr", help="which HR system")
    hr.add_argument(
        "--minute", type=float, default=60.0, metavar="SECONDS", help="how long a minute of the vendor's repeats takes"
    )
    hr.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="wait for the answer to the webhook, and print it"
    )
    args = parser.parse_args()
    folder = args.folder.resolve()
    if args.verb == "up":
        return _serve(folder) if args.foreground else _detached(folder)
    if args.verb == "down":
        return _down(folder)
    running = _running(folder)
    if running is None:
        print("the sandbox is not running: make sandbox", file=sys.stderr)
        return 1
    if args.verb == "status":
        for name, url in running["systems"].items():
            print(f"{name:14} {url}")
        return 0
    if args.verb == "writes":
        for name, url in running["emulators"].items():
            for entry in control(folder, "GET", url, "journal"):
                if entry["write"]:
                    print(f"{name:10} {entry['at'][11:23]} {entry['method']:6} {entry['path']} -> {entry['status']}")
        return 0
    url = running["emulators"].get(args.system)
    if url is None:
        print(f"no such system: {args.system}; there are {', '.join(running['emulators'])}", file=sys.stderr)
        return 1
    if args.verb == "hr":
        return _hr(folder, url, args)
    control(folder, "POST", url, "faults", args.faults)
    return 0


def control(folder: Path, method: str, url: str, verb: str, body: Any = None) -> Any:
    """Speak to an emulator's control address."""
    context = ssl.create_default_context(cafile=str(folder / "tls" / "ca.pem"))
    answer = httpx.request(method, f"{url}/_sandbox/{verb}", json=body, verify=context, timeout=30)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def _hr(folder: Path, url: str, args: argparse.Namespace) -> int:
    values = dict(part.partition("=")[::2] for part in args.set)
    if args.webhook:
        key = os.environ.get(args.key_env, "")
        if not key:
            print(
                f"the key that signs is missing: export {args.key_env or 'NAME'}=..., and --key-env {args.key_env or 'NAME'}",
                file=sys.stderr,
            )
            return 2
        control(folder, "POST", url, "webhooks", {"url": args.webhook, "key": key, "minute": args.minute})
    before = len(control(folder, "GET", url, "deliveries"))
    try:
        done = control(
            folder, "POST", url, "hr", {"act": args.act, "user": args.user, "day": args.on, "values": values}
        )
    except httpx.HTTPStatusError as refusal:
        print(refusal.response.json().get("message", refusal), file=sys.stderr)
        return 1
    print(json.dumps(done))
    deadline = time.monotonic() + args.wait
    while args.wait and time.monotonic() < deadline:
        tries = control(folder, "GET", url, "deliveries")[before:]
        if tries:
            print("\n".join(json.dumps(one) for one in tries))
            return 0 if any(one["status"] and 200 <= one["status"] < 300 for one in tries) else 1
        time.sleep(0.02)
    return 0


def _running(folder: Path) -> dict[str, Any] | None:
    try:
        running: dict[str, Any] = json.loads((folder / "running.json").read_text())
        os.kill(running["pid"], 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return running


def _detached(folder: Path) -> int:
    if _running(folder):
        _down(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "running.json").unlink(missing_ok=True)
    _forget(folder)
    with open(folder / "sandbox.log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--folder", str(folder), "up", "--foreground"],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if _running(folder):
            return 0
        if process.poll() is not None:
            break
        time.sleep(0.05)
    print((folder / "sandbox.log").read_text()[-2000:], file=sys.stderr)
    print("the sandbox did not start; its log is above", file=sys.stderr)
    return 1


def _forget(folder: Path) -> None:
    """Remove what runs kept of an earlier company: its people have their access again, and a reconcile would find each leaver back."""
    for path in folder.glob("ledger.db*"):
        path.unlink()
    for name in ("records", "archive"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _serve(folder: Path) -> int:
    from sandbox.box import Box
    from sandbox.catalogue import COMPANY

    with Box(COMPANY, folder) as box:
        (folder / "policy.yml").write_text(yaml.safe_dump(POLICY), encoding="utf-8")
        systems = box.write_systems_file(
            folder / "company.systems.yml",
            policy=str(folder / "policy.yml"),
            ledger=str(folder / "ledger.db"),
            records=str(folder / "records"),
            archive=str(folder / "archive"),
            profiles=str(ROOT / "inventory" / "profiles"),
        )
        entries = box.systems()
        running = {
            "pid": os.getpid(),
            "systems_file": str(systems),
            "systems": {name: entry.get("url", "") for name, entry in entries.items()},
            "emulators": {
                name: emulator.url for name, emulator in box.emulators.items() if emulator.url.startswith("https://")
            },
        }
        partial = folder / "running.json.part"
        partial.write_text(json.dumps(running, indent=1))
        partial.rename(folder / "running.json")
        stopping = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.append(True))
        while not stopping:
            time.sleep(0.2)
        (folder / "running.json").unlink(missing_ok=True)
    return 0


def _down(folder: Path) -> int:
    running = _running(folder)
    if running is None:
        return 0
    os.kill(running["pid"], signal.SIGTERM)
    for _ in range(100):
        if _running(folder) is None:
            return 0
        time.sleep(0.1)
    os.kill(running["pid"], signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())

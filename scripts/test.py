# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs every check: first those that fail fastest, then the tests, and beside the tests the slow checks.

Ends with a list of what was skipped, and why, and with the time of each stage: on the clock, and of the processors. A server that
still runs when its stage ends is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from on_a_day import combinations, each_day, environment

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import rotation

BIN = Path(sys.executable).parent
BUILD = ROOT / "build"
#: How much of a failed stage is shown again at the end.
LAST_LINES = 40
#: What asks which day it is, the long ones first: run on every sample day by `make soak`.
DATED = (
    *(f"tests/integration/test_{name}.py" for name in ("leave", "movers", "runs", "people")),
    "tests/unit",
)
#: How `make test`, and `make soak` on a sample day, run their tests: three workers, each with whole files, in the order they are named.
BY_FILE = ("-m", "not soak", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "-p", "no:cacheprovider")
#: ansible-test fetches a script with this name from a server of its own, for each of its ten environments. This one installs pip once,
#: with what Python brings along, and then copies it. Several ansible-cores may run it at once.
GET_PIP = """import os, pathlib, shutil, subprocess, sys, sysconfig
wanted = [a for a in sys.argv[1:] if not a.startswith("-")]
once = pathlib.Path.home() / "-".join(wanted)
if not once.exists():
    maker, made = (once.with_name(f"{name}-{os.getpid()}") for name in ("maker", "made"))
    subprocess.check_call([sys.executable, "-m", "venv", maker])
    pip = [maker / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", made]
    subprocess.check_call(pip + wanted)
    shutil.rmtree(maker)
    try:
        made.rename(once)
    except OSError:  # another was first
        shutil.rmtree(made)
shutil.copytree(once, sysconfig.get_path("purelib"), dirs_exist_ok=True, ignore=shutil.ignore_patterns("bin"))
"""


class Runner:
    """Runs stages, and keeps their times and what was skipped."""

    def __init__(self) -> None:
        self.failed: dict[str, list[str]] = {}
        self.times: list[tuple[str, float, float]] = []
        self.env = {
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "PYTHONPATH": "",
            "ANSIBLE_HOME": str(BUILD / "ansible-home"),
            "LC_ALL": "C.UTF-8",
        }

    def stage(self, name: str, command: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
        """Run one stage; the output of a stage that a thread runs beside others is shown when it has ended."""
        aside = threading.current_thread() is not threading.main_thread()
        print(f"\n== {name}{': begins' if aside else ''}", flush=True)
        start = time.monotonic()
        # A file, not a pipe: a server that a stage leaves running holds a pipe open for ever.
        with tempfile.NamedTemporaryFile() as written, Path(written.name).open(errors="replace") as read:
            with subprocess.Popen(
                command,
                cwd=cwd,
                env={**self.env, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            ) as running:
                while not (ended := os.wait4(running.pid, os.WNOHANG))[0]:
                    time.sleep(0.1)
                    if not aside:
                        print(read.read(), end="", flush=True)
                running.returncode = os.waitstatus_to_exitcode(ended[1])
            self.times.append((name, time.monotonic() - start, ended[2].ru_utime + ended[2].ru_stime))
            print(f"\n== {name}\n{read.read()}" if aside else read.read(), end="", flush=True)
            if running.returncode:
                read.seek(0)
                self.failed[name] = read.readlines()[-LAST_LINES:]
                print(f"== {name}: FAILED ({running.returncode})", flush=True)

    def end(self) -> int:
        """Print the last lines of each failed stage: when a long output is cut off at its beginning, they are still
        there."""
        for name, lines in self.failed.items():
            print(f"\n== {name}: its last lines\n{''.join(lines)}")
        print(f"\n{len(self.times) - len(self.failed)} passed, {len(self.failed)} failed")
        if self.failed:
            print("failed: " + ", ".join(self.failed))
        return 1 if self.failed else 0


def python(name: str) -> str:
    return str(BIN / name)


def style(run: Runner) -> None:
    run.stage("ruff", [python("ruff"), "check", "."])
    run.stage("ruff format", [python("ruff"), "format", "--check", "."])
    run.stage("vulture: nothing is dead", [python("vulture")])
    run.stage("reuse: every file has a licence", [python("reuse"), "lint", "--quiet"])
    run.stage(
        "mypy --strict on every plugin that is shipped",
        [
            python("mypy"),
            "--config-file",
            "pyproject.toml",
            "-p",
            "ansible_collections.workforce.lifecycle.plugins",
        ],
        env={"MYPYPATH": str(BUILD / "collections")},
    )
    run.stage(
        "mypy --strict on the bridge",
        [python("mypy"), "--config-file", "pyproject.toml", "-p", "lifecycle_bridge"],
        env={"MYPYPATH": str(ROOT / "bridge" / "src")},
    )


def playbooks(run: Runner) -> None:
    run.stage(
        "ansible-lint, production profile",
        [python("ansible-lint"), "--offline", "--profile", "production", "--strict", "playbooks", "roles"],
    )


def documentation(run: Runner) -> None:
    # below build, which git ignores, antsibull-docs finds nothing to look at
    with tempfile.TemporaryDirectory() as scratch:
        lint_docs(run, unpacked("docs", Path(scratch)))


def lint_docs(run: Runner, copy: Path) -> None:
    routing = copy / "meta" / "runtime.yml"
    # antsibull-docs takes the redirection of an action for one of the module, and then misses every module.
    routing.write_text(routing.read_text().partition("plugin_routing:")[0])
    run.stage(
        "antsibull-docs lint",
        [
            python("antsibull-docs"),
            "lint-collection-docs",
            "--plugin-docs",
            "--validate-collection-refs",
            "self",
            "--skip-rstcheck",
            ".",
        ],
        cwd=copy,
    )


def demos(run: Runner) -> None:
    """Run the README's first commands: after some commits as of today, after others as of another day. `make soak` runs every day."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    turn, other_day = divmod(int(head[:8] or "0", 16), 2)
    days = combinations()
    if other_day:
        demo(run, *days[turn % len(days)])
    else:
        demo_today(run)


def demo_today(run: Runner) -> None:
    run.stage("make demo", ["make", "demo", f"PYTHON={sys.executable}"])


def demo(run: Runner, day: str, zone: str) -> None:
    run.stage(f"the demo: {day}, {zone}", [python("python"), "scripts/demo.py"], env=environment(day, zone, run.env))


def unpacked(name: str, folder: Path = BUILD) -> Path:
    """Unpack the archive that would be published, at the path that tools expect for a collection, and return that
    path."""
    copy = folder / name / "ansible_collections" / "workforce" / "lifecycle"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as built:
        subprocess.run(
            [python("ansible-galaxy"), "collection", "build", "--output-path", built, str(ROOT)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        [archive] = Path(built).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(copy, filter="data")
    return copy


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Start what this thread starts on one core: pylint has a process for each, and each reads again what the others have read."""
    if not hasattr(os, "sched_setaffinity"):  # Linux has it
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[os.getpid() % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@one_core()
def sanity(run: Runner) -> None:
    """Run ansible-test on the published files. It needs a git checkout."""
    copy = unpacked(f"sanity-{BIN.parent.name.strip('.')}")  # of several cores at once, each has its own
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    subprocess.run(["git", "add", "-A"], cwd=copy, check=True)
    home = BUILD / "ansible-test-home"
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in ("25_2", "24_2", "23_1_2", "20_3_4"):
        (cache / f"get_pip_{version}.py").write_text(GET_PIP)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    run.stage(
        "ansible-test sanity",
        [
            python("ansible-test"),
            "sanity",
            "--python",
            version,
            "--color",
            "no",
            "--skip-test",
            "shellcheck",
            "--skip-test",
            "pslint",
        ],
        cwd=copy,
        env={"HOME": str(home), "ANSIBLE_HOME": str(home / ".ansible"), "ANSIBLE_CONFIG": ""},
    )


def sampled_days() -> list[tuple[str, str]]:
    """Return every sample day, each in one time zone: in another one after the next commit, and in all of them with
    ``LIFECYCLE_ROTATION=all``."""
    return combinations() if rotation.everything() else each_day(rotation.commit_number())


def soak(run: Runner) -> None:
    """Run the checks that take two to three hours: the long tests, and every sampled day. Each core on each Python is ``make cores``."""
    run.stage("servers of Debian", ["bash", str(ROOT / "scripts" / "debian.sh"), "soak"])
    run.stage("servers of others", ["sh", str(ROOT / "scripts" / "worlds.sh")])
    run.stage(
        "soak",
        [
            python("pytest"),
            "-m",
            "soak or rotating",
            "-n",
            "2",  # with more, an emulator of ten thousand people needs longer than the product waits for it
            "--dist",
            "worksteal",
            "--long-first",
            "-rs",
            "--durations=20",
            "-p",
            "no:cacheprovider",
            "--ignore=tests/integration/test_installed.py",
            "tests",
        ],
    )
    demo_today(run)
    for day, zone in sampled_days():
        with ThreadPoolExecutor(1) as beside:
            its_demo = beside.submit(demo, run, day, zone)
            on_that_day(run, day, zone)
            its_demo.result()


def on_that_day(run: Runner, day: str, zone: str) -> None:
    run.stage(
        f"what depends on dates: {day}, {zone}",
        [python("pytest"), *BY_FILE, "-q", *DATED],
        env=environment(day, zone, run.env),
    )


def of_cores(cell: str) -> list[str]:
    """Return the arguments of pytest for each ansible-core on each Python, or for one of them."""
    return ["-m", "soak or not soak", "-k", cell, "tests/integration/test_installed.py"]


def cores(run: Runner, cell: str) -> None:
    """Run the built archive, installed elsewhere, and its unit tests."""
    run.stage(
        "each ansible-core, each Python",
        [python("pytest"), "-rs", "--durations=20", "-p", "no:cacheprovider", *of_cores(cell)],
    )


def gates(run: Runner, only: str | None) -> None:
    """Run the checks that a change must pass, or one part of them."""
    if only in (None, "pytest"):
        run.stage("servers of Debian", ["bash", str(ROOT / "scripts" / "debian.sh")])
    if only in (None, "lint"):
        style(run)
    # Of two cores, the slow gates keep one busy, and they need nothing that the tests have.
    with ThreadPoolExecutor(1) as beside:
        slow = [beside.submit(part, run) for name, part in SLOW if only in (None, name)]
        if only in (None, "pytest"):
            tests(run)
        for part in slow:
            part.result()


def pages(run: Runner) -> None:
    run.stage("the site: no warning, and some pages looked at", [python("python"), "scripts/site.py", "--sample", "10"])


def tests(run: Runner) -> None:
    run.stage(
        "pytest",
        [
            python("pytest"),
            *BY_FILE,
            "--rotate",
            "-rs",
            "--durations=20",
            # the long ones first, so that both cores end together
            "tests/integration",
            "tests/conformance",
            "tests/bridge",
            "tests/contract",
            "tests/declared",
            "tests/hostile",
            "tests/unit",
        ],
    )


#: What runs beside the tests, one after the other, and with which part it is asked for.
SLOW = (
    ("sanity", sanity),
    ("lint", playbooks),
    ("lint", documentation),
    ("all", pages),
    ("pytest", demos),
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["lint", "sanity", "pytest"])
    parser.add_argument("--soak", action="store_true")
    parser.add_argument("--cores", metavar="CELL", help="an ansible-core and a Python, as in 2.19-3.12; empty: each")
    args = parser.parse_args()
    run = Runner()
    start = time.monotonic()
    if args.soak:
        soak(run)
    elif args.cores is not None:
        cores(run, args.cores)
    else:
        gates(run, args.only)
    print("\n== times: on the clock, of the processors")
    for name, seconds, used in (*run.times, ("in all", time.monotonic() - start, sum(row[2] for row in run.times))):
        print(f"   {seconds:7.1f} s {used:7.1f} s  {name}")
    return run.end()


if __name__ == "__main__":
    sys.exit(main())

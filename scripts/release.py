# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Builds the files of a release, checks them as Galaxy does, lists their components, and signs them: ``make release
KEY=...``.

Everything is written to build/release: the collection's archive, the bridge's wheel and source, a list of components of each
(CycloneDX), SHA256SUMS and its detached signature. docs/releasing.md has the steps before and after.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
OUT = ROOT / "build" / "release"
TOOLS = ROOT / "build" / "release-tools"
#: In an environment of their own: galaxy-importer wants older versions of what the tests use.
WANTED = ("galaxy-importer>=0.4.40,<0.5", "cyclonedx-bom>=7,<8", "build>=1.2,<2", "uv>=0.5,<1", "twine>=6,<8")
#: Red Hat's settings for certification, less what `make test` runs by itself (ansible-lint, ansible-test).
IMPORTER = """[galaxy-importer]
CHECK_CHANGELOG = True
CHECK_REQUIRED_TAGS = True
REQUIRE_V1_OR_GREATER = {v1}
RUN_ANSIBLE_DOC = True
RUN_ANSIBLE_LINT = False
RUN_ANSIBLE_TEST = False
RUN_FLAKE8 = False
"""
#: What is locked, from what.
LOCKS = {
    "requirements.lock": (["requirements.txt"], "3.10"),
    "bridge/requirements.lock": (["bridge/pyproject.toml", "--extra", "runner", "--extra", "postgresql"], "3.11"),
}


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, check=False)
    if done.returncode:
        raise SystemExit(f"release: {' '.join(command[:3])} ended with {done.returncode}; nothing was signed")


def must_be_signable(key: str) -> None:
    """Check at once what would otherwise fail minutes later: the key must be here, and every file in a commit."""
    run("gpg", "--batch", "--list-secret-keys", key)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    if changed.stdout:
        raise SystemExit(f"release: what is signed is what was committed; commit or remove:\n{changed.stdout.rstrip()}")


def tool(name: str) -> str:
    return str(TOOLS / "bin" / name)


def get_tools() -> None:
    if not (TOOLS / "bin" / "python").exists():
        venv.create(TOOLS.resolve(), with_pip=True)  # it refuses a link
    run(tool("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WANTED)


def lock() -> None:
    """Write the lock files: each package that users install, with version and hashes, for every supported Python."""
    for name, (source, python) in LOCKS.items():
        run(
            tool("uv"),
            "pip",
            "compile",
            "--quiet",
            "--upgrade",
            "--universal",
            "--generate-hashes",
            "--no-emit-index-url",
            "--no-header",
            "--python-version",
            python,
            *source,
            "--output-file",
            name,
        )


def build() -> Path:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    run(str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(OUT))
    run(tool("python"), "-m", "build", "--outdir", str(OUT), "bridge")
    [archive] = OUT.glob("workforce-lifecycle-*.tar.gz")
    return archive


def check(archive: Path) -> None:
    """Check the archive with Galaxy's importer, and the bridge's package with PyPI's own check."""
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    settings = OUT.parent / "galaxy-importer.cfg"
    settings.write_text(IMPORTER.format(v1=not version.startswith("0.")), encoding="utf-8")
    run(
        tool("python"),
        "-m",
        "galaxy_importer.main",
        archive.name,
        cwd=archive.parent,
        env={"GALAXY_IMPORTER_CONFIG": str(settings), "PATH": f"{TOOLS / 'bin'}:{os.environ['PATH']}"},
    )
    archive.parent.joinpath("importer_result.json").unlink(missing_ok=True)
    run(tool("twine"), "check", "--strict", *(str(path) for path in sorted(OUT.glob("workforce_lifecycle_bridge-*"))))


def components() -> None:
    """List the packages that are installed with each, and which package needs them: CycloneDX, from the lock files."""
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    collection = OUT.parent / "collection.toml"  # galaxy.yml in the words that the tool reads
    collection.write_text(
        f"""[project]
name = "{galaxy["namespace"]}.{galaxy["name"]}"
version = "{galaxy["version"]}"
license = "GPL-3.0-or-later"
""",
        encoding="utf-8",
    )
    for name in LOCKS:
        part, project = (
            ("bridge", "bridge/pyproject.toml") if name.startswith("bridge/") else ("collection", collection)
        )
        listed = str(OUT / f"{part}.cdx.json")
        run(tool("cyclonedx-py"), "requirements", name, "--pyproject", str(project), "--output-file", listed)


def sums() -> Path:
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(OUT.iterdir())
        if path.is_file()
    ]
    path = OUT / "SHA256SUMS"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", default="", help="the GnuPG key that signs; without one, nothing is signed")
    parser.add_argument("--lock", action="store_true", help="only write the lock files anew")
    asked = parser.parse_args()
    if asked.key:
        must_be_signable(asked.key)
    get_tools()
    if asked.lock:
        lock()
        return 0
    check(build())
    components()
    path = sums()
    if asked.key:
        run("gpg", "--batch", "--yes", "--local-user", asked.key, "--armor", "--detach-sign", str(path))
    print(f"release: {OUT.relative_to(ROOT)}: " + ", ".join(sorted(file.name for file in OUT.iterdir())))
    if not asked.key:
        print("release: not signed; give KEY=<fingerprint> to sign")
    return 0


if __name__ == "__main__":
    sys.exit(main())

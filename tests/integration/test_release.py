# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A release from a clean clone with a key that lives as long as the test: signed, checked, and installed as a user does."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.integration.company import BIN, ROOT
from tests.integration.test_installed import python_of

pytestmark = pytest.mark.soak
#: A user's program of three lines, judged by mypy --strict: the package says that it is typed.
PROGRAM = """from lifecycle_bridge.config import Config
port: str = Config(listen="127.0.0.1:1").listen
reveal_type(Config().sources)
"""


@dataclass(frozen=True)
class Released:
    """A clone that was released: its files, whose key, and what the command said."""

    clone: Path
    fingerprint: str
    environment: dict[str, str]
    said: str

    @property
    def files(self) -> Path:
        return self.clone / "build" / "release"

    def one(self, pattern: str) -> Path:
        [found] = self.files.glob(pattern)
        return found


def typed(*words: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def done(*words: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    ended = typed(*words, cwd=cwd, **environment)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A key without a passphrase, in a keyring of its own: its fingerprint, and the environment that finds it."""
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)
    environment = {"GNUPGHOME": str(home)}
    made = ("--quick-generate-key", "Throw Away <nobody@corp.example>", "ed25519", "sign", "1d")
    done("gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", *made, **environment)
    listed = done("gpg", "--list-keys", "--with-colons", **environment)
    yield re.findall(r"^fpr:+([0-9A-F]{40}):", listed, re.M)[0], environment
    typed("gpgconf", "--kill", "all", **environment)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last commit, as `make` leaves a clone: this environment is its own; tools that were installed here are used again."""
    folder = tmp_path_factory.mktemp("clone") / "lifecycle"
    done("git", "clone", "--quiet", ROOT, folder)
    (folder / "build").mkdir()
    (ROOT / "build" / "release-tools").mkdir(parents=True, exist_ok=True)
    (folder / "build" / "release-tools").symlink_to(ROOT / "build" / "release-tools")
    return folder


@pytest.fixture(scope="module")
def released(clone: Path, key: tuple[str, dict[str, str]]) -> Released:
    fingerprint, environment = key
    said = done(sys.executable, "scripts/release.py", "--key", fingerprint, cwd=clone, **environment)
    return Released(clone, fingerprint, environment, said)


def test_a_key_that_is_not_here_and_a_file_that_is_in_no_commit_are_refused_before_anything_is_built(
    clone: Path, key: tuple[str, dict[str, str]]
) -> None:
    fingerprint, environment = key
    nobody = typed(sys.executable, "scripts/release.py", "--key", "F" * 40, cwd=clone, **environment)
    assert nobody.returncode and "nothing was signed" in nobody.stderr
    (clone / "plugins" / "extra.py").write_text("# mine\n")
    try:
        dirty = typed(sys.executable, "scripts/release.py", "--key", fingerprint, cwd=clone, **environment)
    finally:
        (clone / "plugins" / "extra.py").unlink()
    assert dirty.returncode and "plugins/extra.py" in dirty.stderr
    assert not (clone / "build" / "release").exists()


def test_a_stranger_with_the_public_key_verifies_every_file_and_sees_a_change(
    released: Released, tmp_path: Path
) -> None:
    public = done("gpg", "--armor", "--export", released.fingerprint, **released.environment)
    stranger = {"GNUPGHOME": str(tmp_path)}
    tmp_path.chmod(0o700)
    (tmp_path / "key.asc").write_text(public)
    done("gpg", "--batch", "--import", tmp_path / "key.asc", **stranger)
    signed = ("--verify", "SHA256SUMS.asc", "SHA256SUMS")
    status = done("gpg", "--batch", "--status-fd", "1", *signed, cwd=released.files, **stranger)
    assert f"VALIDSIG {released.fingerprint}" in status
    listed = dict(reversed(line.split()) for line in (released.files / "SHA256SUMS").read_text().splitlines())  # type: ignore[misc]
    assert set(listed) == {path.name for path in released.files.iterdir()} - {"SHA256SUMS", "SHA256SUMS.asc"}
    assert {path.rpartition(".")[2] for path in listed} == {"gz", "whl", "json"} and len(listed) == 5
    for name, digest in listed.items():
        assert hashlib.sha256((released.files / name).read_bytes()).hexdigest() == digest
    copy = tmp_path / "SHA256SUMS"
    copy.write_text((released.files / "SHA256SUMS").read_text().replace("a", "b", 1))
    assert typed("gpg", "--batch", "--verify", released.files / "SHA256SUMS.asc", copy, **stranger).returncode
    typed("gpgconf", "--kill", "all", **stranger)


@pytest.mark.parametrize(
    ("part", "lock"), [("collection", "requirements.lock"), ("bridge", "bridge/requirements.lock")]
)
def test_the_list_of_components_is_valid_and_has_every_version_that_is_locked(
    released: Released, part: str, lock: str
) -> None:
    path = released.files / f"{part}.cdx.json"
    judge = (
        "import sys; from cyclonedx.validation.json import JsonStrictValidator as V; from cyclonedx.schema import SchemaVersion as S;"
        "t = open(sys.argv[1]).read(); import json; v = S.from_version(json.loads(t)['specVersion']); print(V(v).validate_str(t) or 'valid')"
    )
    python = released.clone / "build" / "release-tools" / "bin" / "python"
    assert done(python, "-c", judge, path).strip() == "valid"
    data = json.loads(path.read_text())
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    us = {"collection": "workforce.lifecycle", "bridge": "workforce-lifecycle-bridge"}[part]
    assert (data["metadata"]["component"]["name"], data["metadata"]["component"]["version"]) == (us, version)
    locked = set(re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([\w.]+)", (released.clone / lock).read_text(), re.M))
    assert locked and {(one["name"], one["version"]) for one in data["components"]} == locked


def venv(python: str, folder: Path) -> tuple[str | Path, ...]:
    """Make an empty environment; gives pip for it, without the cache's own wheels."""
    done(python, "-m", "venv", "--without-pip", folder)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet", "--no-compile")
    return (*pip, "--disable-pip-version-check")


@pytest.mark.parametrize("version", ["3.10", "3.13"])
def test_the_collections_lock_is_installed_with_hashes_into_an_empty_environment(version: str, tmp_path: Path) -> None:
    python = python_of(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    done(
        *venv(python, tmp_path / "venv"), "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements.lock"
    )
    found = "import boto3, ldap3, pyasn1, msal, urllib3, cryptography, jsonschema, zstandard, jmespath"
    done(tmp_path / "venv" / "bin" / "python", "-c", found)


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_the_bridges_wheel_is_installed_beside_its_lock_is_typed_and_completes_its_words(
    released: Released, version: str, tmp_path: Path
) -> None:
    python = python_of(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    bin = tmp_path / "venv" / "bin"
    install = venv(python, tmp_path / "venv")
    done(*install, "--require-hashes", "-r", released.clone / "bridge" / "requirements.lock")
    done(*install, "--no-deps", "--no-index", released.one("*.whl"))
    version_said = done(bin / "lifecycle-bridge", "--version", cwd=tmp_path)
    assert version_said.strip() in released.one("*.whl").name
    done(sys.executable, "-m", "pip", "--python", bin / "python", "check")
    (tmp_path / "program.py").write_text(PROGRAM)
    judged = done(
        BIN / "mypy",
        "--strict",
        "--python-executable",
        bin / "python",
        "program.py",
        cwd=tmp_path,
        MYPYPATH="",
        PYTHONPATH="",
    )
    assert "dict[str, lifecycle_bridge.config.Source]" in judged and "Success" in judged
    said = done(
        "bash",
        "-c",
        f"PATH={bin}:$PATH; source <(lifecycle-bridge --print-completion bash); complete -p lifecycle-bridge",
    )
    assert "lifecycle-bridge" in said


def test_the_bridges_source_archive_builds_the_same_files_as_its_wheel(released: Released, tmp_path: Path) -> None:
    built = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path)
    done(*built, released.one("workforce_lifecycle_bridge-*.tar.gz"))
    [again] = tmp_path.glob("*.whl")
    names = [done(sys.executable, "-m", "zipfile", "-l", wheel).split() for wheel in (again, released.one("*.whl"))]
    files = [{word for word in words if "/" in word} for words in names]
    assert files[0] == files[1]
    assert {"lifecycle_bridge/py.typed", "lifecycle_bridge/console/templates/base.html"} <= files[0]

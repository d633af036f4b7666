# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Files and folders of ours are for their owner only whatever the umask, and nothing else is used in their place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.archive import Archive
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import private
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import MailMessage
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import files

JANE = {"email": "jane@corp.example"}


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o077, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(root: Path) -> set[tuple[str, int]]:
    return {("folder" if path.is_dir() else "file", stat.S_IMODE(path.stat().st_mode)) for path in root.rglob("*")}


def test_everything_that_is_kept_is_for_its_owner_only(tmp_path: Path, umask: int) -> None:
    ledger = Ledger.open(str(tmp_path / "a" / "b" / "ledger.db"))
    ledger.open_case("offboard", JANE, "run-1", {})
    files.write(tmp_path / "c" / "d" / "record.json", "{}")
    Archive(tmp_path / "e" / "f" / "g").append(
        lambda state: [MailMessage("Inbox", "1", "2026-01-01T00:00:00Z", b"x")], mailbox="jane@corp.example", system="x"
    )
    Ledger._opened.clear()
    assert modes(tmp_path) == {("folder", 0o700), ("file", 0o600)}


def linked(path: Path) -> None:
    real = path.rename(path.with_name(f"real-{path.name}"))
    path.symlink_to(real)


def open_to_others(path: Path) -> None:
    path.chmod(0o777 if path.is_dir() else 0o666)


def of_somebody_else(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives a file away")
    os.chown(path, 12345, 12345)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (linked, "is a link"),
        (open_to_others, "may be written by others"),
        (of_somebody_else, "belongs to another user"),
    ],
)
def test_a_ledger_or_a_folder_of_records_that_is_not_ours_alone_is_not_used(
    tmp_path: Path, change: object, said: str
) -> None:
    ledger, records = tmp_path / "ledger.db", tmp_path / "records"
    Ledger.open(str(ledger)).cases()
    Ledger._opened.clear()
    files.write(records / "one.json", "{}")
    change(ledger)  # type: ignore[operator]
    change(records)  # type: ignore[operator]
    with pytest.raises(InputError, match=said):
        Ledger.open(str(ledger)).cases()
    Ledger._opened.clear()
    with pytest.raises(InputError, match=said):
        files.write(records / "two.json", "{}")
    assert not (records / "two.json").exists()


def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("kept")
    (tmp_path / "ours").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError):
        private.opened(tmp_path / "ours", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    assert (tmp_path / "theirs").read_text() == "kept"


def test_a_folder_name_with_a_lone_surrogate_is_archived_and_found_again(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "jane")
    messages = [MailMessage(name, "1", "2026-01-01T00:00:00Z", b"x") for name in ("a\ud800b", "\udc80", "Büro")]
    archive.append(lambda state: messages, mailbox="jane@corp.example", system="x")
    archive.append(lambda state: [], mailbox="jane@corp.example", system="x")
    state = archive.state()
    assert state.complete and state.ids == {message.folder: {"1"} for message in messages}
    archive.verify()

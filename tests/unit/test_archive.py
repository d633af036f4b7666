# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The archive's promises: whole, provable, and nothing twice, wherever it was cut."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox import archive as module
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.archive import Archive
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.export import to_eml, to_mbox
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.manifest import State
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, Unavailable
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import MailMessage

MAIL = [
    MailMessage(
        "INBOX" if n < 6 else "Büro/../x",
        f"1.{n}",
        "2026-01-02T03:04:05.000000Z",
        b"Subject: %d\r\n\r\nFrom me\r\n" % n + bytes([n]) * 300,
    )
    for n in range(10)
]


def rest(state: State) -> Iterator[MailMessage]:
    return (m for m in MAIL if m.id not in state.ids.get(m.folder, ()))


def fill(path: Path, messages: Any = rest) -> State:
    return Archive(path).append(messages, mailbox="ann@x", system="mail")


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRAME", 700)


def assert_whole(path: Path) -> None:
    state = Archive(path).verify()
    assert state.messages == len(MAIL)
    assert sorted((e.folder, e.id, c) for e, c in Archive(path).messages()) == sorted(
        (m.folder, m.id, m.content) for m in MAIL
    )


def test_everything_is_there_and_only_for_its_owner(tmp_path: Path) -> None:
    fill(tmp_path / "a")
    assert_whole(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "a").iterdir()} == {0o600}


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "a")
    before = {f.name: f.read_bytes() for f in (tmp_path / "a").iterdir()}
    fill(tmp_path / "a")
    assert {f.name: f.read_bytes() for f in (tmp_path / "a").iterdir()} == before


@pytest.mark.parametrize("name", [module.MANIFEST, module.DATA])
def test_cut_at_every_byte_it_goes_on(tmp_path: Path, name: str) -> None:
    fill(tmp_path / "whole")
    files = {f.name: f.read_bytes() for f in (tmp_path / "whole").iterdir()}
    for number in range(0, len(files[name]), 7):
        here = tmp_path / f"cut{number}"
        here.mkdir()
        for file, content in files.items():
            (here / file).write_bytes(content[:number] if file == name else content)
        assert not Archive(here).state().complete
        fill(here)
        assert_whole(here)


def test_what_had_not_reached_the_disk_is_compared_before_more_is_added(tmp_path: Path) -> None:
    def drops(state: State) -> Iterator[MailMessage]:
        yield from MAIL[:8]
        raise Unavailable("gone")

    with pytest.raises(Unavailable):
        fill(tmp_path / "a", drops)
    assert Archive(tmp_path / "a").state().messages == 8  # what had come is kept
    data = tmp_path / "a" / module.DATA
    content = bytearray(data.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)  # a lost power supply leaves zeros
    data.write_bytes(content)
    fill(tmp_path / "a")
    assert_whole(tmp_path / "a")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_line_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    real, left = os.write, [1500]

    def write(descriptor: int, content: Any) -> int:
        if left[0] <= 0:
            raise OSError(code, "no")
        written = real(descriptor, bytes(content)[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(module.os, "write", write)
    with pytest.raises(InputError) as failure:
        fill(tmp_path / "a")
    assert "goes on where it stopped" in str(failure.value) and "\n" not in str(failure.value)
    monkeypatch.setattr(module.os, "write", real)
    kept = Archive(tmp_path / "a").state()
    assert 0 < kept.messages < len(MAIL) and not kept.complete
    fill(tmp_path / "a")
    assert_whole(tmp_path / "a")


def test_a_changed_byte_anywhere_is_found(tmp_path: Path) -> None:
    fill(tmp_path / "a")
    for name in (module.DATA, module.MANIFEST):
        file = tmp_path / "a" / name
        content = file.read_bytes()
        for number in range(3, len(content) - 1, 97):
            file.write_bytes(content[:number] + bytes([content[number] ^ 1]) + content[number + 1 :])
            with pytest.raises(InputError):
                Archive(tmp_path / "a").verify()
        file.write_bytes(content)
    Archive(tmp_path / "a").verify()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with pytest.raises(InputError, match="in the way"):
        fill(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "mine"


def test_somebody_elses_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / module.MANIFEST).write_text("not ours\n")
    with pytest.raises(InputError):
        fill(tmp_path)
    assert (tmp_path / module.MANIFEST).read_text() == "not ours\n"


def test_two_runs_at_once(tmp_path: Path) -> None:
    def meanwhile(state: State) -> Iterator[MailMessage]:
        with pytest.raises(InputError, match="another run"):
            fill(tmp_path / "a")
        yield from MAIL

    fill(tmp_path / "a", meanwhile)
    assert_whole(tmp_path / "a")


def test_a_person_can_read_it(tmp_path: Path) -> None:
    fill(tmp_path / "a")
    out = tmp_path / "out"
    assert to_eml(Archive(tmp_path / "a"), out) == len(MAIL)
    found = list(out.rglob("*.eml"))
    assert {hashlib.sha256(f.read_bytes()).digest() for f in found} == {
        hashlib.sha256(m.content).digest() for m in MAIL
    }
    assert all(out in f.resolve().parents for f in found)
    assert to_mbox(Archive(tmp_path / "a"), tmp_path / "m.mbox", "INBOX") == 6
    assert (tmp_path / "m.mbox").read_bytes().count(b"\n>From me\n") == 6

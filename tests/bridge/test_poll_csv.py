# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Exports dropped into a folder: only complete and credible ones are taken."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.poll_support import Bridge

HEAD = "Id;Mail;State"


class Folder:
    """Where HR drops files."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "drop"
        self.path.mkdir()
        self.path.chmod(0o755)
        self.into = folder / "hr.csv"
        self.now = datetime.now(UTC)

    def put(
        self,
        rows: Sequence[str],
        *,
        name: str = "export.csv",
        head: str = HEAD,
        age: float = 60,
        manifest: str | None = "",
    ) -> Path:
        path = self.path / name
        path.write_text("\n".join([head, *rows]) + "\n")
        when = (self.now - timedelta(seconds=age)).timestamp()
        os.utime(path, (when, when))
        if manifest is not None:
            beside = path.with_name(f"{name}.sha256")
            beside.write_text(
                manifest or f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\nrows: {len(rows)}\n"
            )
        return path

    def rejected(self) -> dict[str, str]:
        return {path.name[17:-4]: path.read_text() for path in (self.path / "rejected").glob("*.why")}

    def archived(self) -> list[str]:
        return sorted(path.name[17:] for path in (self.path / "archive").iterdir())


@pytest.fixture
def drop(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def bridge(drop: Folder, tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(tmp_path, drop.now, hr=source(drop))
    yield made
    made.close()


def source(drop: Folder, **options: Any) -> dict[str, Any]:
    return {
        "poll": {
            "kind": "csv",
            "every": 60,
            "options": {"folder": str(drop.path), "into": str(drop.into), "id_column": "Id", **options},
        },
        "silent_after": 48,
    }


def staff(number: int = 100, **changed: str) -> list[str]:
    return [f"{n};p{n}@corp.example;{changed.get(f'p{n}', 'active')}" for n in range(1, number + 1)]


def learn(bridge: Bridge, drop: Folder) -> None:
    drop.put(staff())
    bridge.look(0)
    assert bridge.found() == [("feed.changed", "")]


def test_a_complete_file_is_taken_put_in_place_and_archived(bridge: Bridge, drop: Folder) -> None:
    learn(bridge, drop)
    assert drop.into.read_text().count("\n") == 101 and drop.into.stat().st_mode & 0o777 == 0o600
    assert drop.archived() == ["export.csv", "export.csv.sha256"] and not list(drop.path.glob("*.csv*"))
    drop.put([*staff(99, p7="left"), "101;p101@corp.example;active"])
    bridge.look()
    assert bridge.found() == [("person.changed", "7"), ("person.created", "101"), ("person.deleted", "100")]
    drop.put([*staff(99, p7="left"), "101;p101@corp.example;active"])
    assert bridge.look().found == {"hr": 0}
    kept = json.dumps([list(row) for row in bridge.events()]) + bridge.row("hr").trouble
    assert "corp.example" not in kept


def test_an_upload_that_goes_on_is_not_read(bridge: Bridge, drop: Folder) -> None:
    learn(bridge, drop)
    before = drop.into.read_text()
    drop.put(staff(3), manifest=None)  # no manifest yet
    drop.put(staff(2), name="other.csv", manifest="0" * 64)  # the manifest came first
    drop.put(staff(1), name=".hidden.csv")
    drop.put(staff(1), name="export.csv.part")
    for _ in range(3):
        bridge.look(100)
    assert bridge.found() == [] and drop.into.read_text() == before and not bridge.open_alerts() and not drop.rejected()
    drop.put(staff(100, p5="left"))
    bridge.look(100)
    assert bridge.found() == [("person.changed", "5")]


def test_an_upload_that_never_ends_raises_an_alert(bridge: Bridge, drop: Folder) -> None:
    drop.put(staff(), manifest=None, age=25 * 3600)
    bridge.look(0)
    assert (
        "more than 24 hours without a manifest" in bridge.open_alerts()["poll:hr"]
        and (drop.path / "export.csv").exists()
    )


@pytest.mark.parametrize(
    ("rows", "how", "said"),
    [
        (staff(94), {}, "has 94 rows, 6 fewer than before (100; more than 5 %)"),
        ([], {}, "it has no rows"),
        ([*staff(99), "99;again@corp.example;active"], {}, "id 99 is there twice"),
        ([*staff(99), ";nobody@corp.example;active"], {}, "has no id"),
        (staff(), {"head": "Id;Mail"}, "record 2 has 3 cells, and the header 2"),
        ([row.rpartition(";")[0] for row in staff()], {"head": "Id;Mail"}, "column missing: State"),
        ([f"{row};x" for row in staff()], {"head": f"{HEAD};Salary"}, "column unknown: Salary"),
        (staff(), {"head": "Id;Mail;Mail"}, "column missing: State"),
        ([f"{row};x" for row in staff()], {"head": "Nr;Mail;State;Id2"}, "column missing: Id"),
        (staff(), {"manifest": "0" * 64, "age": 3600}, "checksum is not the manifest's"),
        (staff(), {"manifest": "rows: 100", "age": 3600}, "holds no SHA-256"),
        ([*staff(99), '100;"never closed;active'], {}, "not CSV"),
        ([*staff(99), "100;nul\0;active"], {}, "NUL"),
    ],
)
def test_what_is_not_credible_is_rejected_with_the_reason_and_changes_nothing(
    bridge: Bridge, drop: Folder, rows: list[str], how: dict[str, Any], said: str
) -> None:
    learn(bridge, drop)
    before, cursor = drop.into.read_text(), bridge.row("hr").cursor
    drop.put(rows, **how)
    bridge.look()
    assert said in bridge.open_alerts()["poll:hr"]
    assert said in drop.rejected()["export.csv"] and not list(drop.path.glob("*.csv*"))
    assert bridge.found() == [] and drop.into.read_text() == before and bridge.row("hr").cursor == cursor
    bridge.look()
    assert bridge.open_alerts(), "an empty folder settles nothing"
    drop.put(staff(100, p5="left"))
    bridge.look()
    assert bridge.found() == [("person.changed", "5")] and not bridge.open_alerts()


def test_the_manifest_counts_rows(bridge: Bridge, drop: Folder) -> None:
    learn(bridge, drop)
    path = drop.put(staff(98), manifest=None)
    (drop.path / "export.csv.manifest").write_text(
        json.dumps({"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "rows": 100})
    )
    bridge.look()
    assert "the manifest says 100 rows, and it has 98" in drop.rejected()["export.csv"]


def test_a_smaller_company_is_taken_when_a_human_says_so(bridge: Bridge, drop: Folder) -> None:
    learn(bridge, drop)
    drop.put(staff(40))
    bridge.look()
    bridge.polling.accept("hr", "ann")
    bridge.look(1)
    assert bridge.row("hr").accepted_by == "ann", "it holds until a file comes"
    drop.put(staff(40))
    bridge.look()
    assert len(bridge.found()) == 60 and bridge.row("hr").accepted_by == "" and not bridge.open_alerts()


def test_links_and_strangers_are_refused(bridge: Bridge, drop: Folder, tmp_path: Path) -> None:
    learn(bridge, drop)
    secret = tmp_path / "elsewhere.csv"
    secret.write_text("Id;Mail;State\n1;x@corp.example;active\n")
    (drop.path / "a.csv").symlink_to(secret)
    bridge.look()
    assert "symbolic link" in drop.rejected()["a.csv"] and secret.exists()
    drop.put(staff(), name="c.csv")
    os.link(drop.path / "c.csv", tmp_path / "hard.csv")
    bridge.look()
    assert "hard link" in drop.rejected()["c.csv"]
    drop.put(staff(), name="d.csv").chmod(0o666)
    bridge.look()
    assert "everybody may write" in drop.rejected()["d.csv"]
    os.mkfifo(drop.path / "e.csv")
    (drop.path / "e.csv.sha256").write_text("0" * 64)
    bridge.look(3600)
    assert "no plain file" in drop.rejected()["e.csv"]
    assert bridge.found() == []


def test_a_foreign_owner_is_refused(drop: Folder, tmp_path: Path) -> None:
    bridge = Bridge(tmp_path, drop.now, hr=source(drop, owners=["54321"]))
    drop.put(staff())
    bridge.look(0)
    assert "who is not in poll.options.owners" in drop.rejected()["export.csv"]
    bridge.close()


def test_a_folder_that_everybody_may_write_to_is_not_read(bridge: Bridge, drop: Folder) -> None:
    drop.put(staff())
    drop.path.chmod(0o777)
    bridge.look(0)
    assert "everybody may write to it" in bridge.open_alerts()["poll:hr"] and bridge.found() == []


def test_rename_on_complete(drop: Folder, tmp_path: Path) -> None:
    bridge = Bridge(tmp_path, drop.now, hr=source(drop, complete="rename"))
    uploading = drop.put(staff(), name="export.csv.part", manifest=None)
    bridge.look(0)
    assert bridge.found() == []
    uploading.rename(drop.path / "export.csv")
    bridge.look()
    assert bridge.found() == [("feed.changed", "")] and drop.archived() == ["export.csv"]
    bridge.close()


def test_several_files_are_read_oldest_first(bridge: Bridge, drop: Folder) -> None:
    learn(bridge, drop)
    drop.put(staff(100, p1="left"), name="b.csv", age=300)
    drop.put(staff(100, p1="left", p2="left"), name="a.csv", age=200)
    bridge.look()
    assert bridge.found() == [("person.changed", "1"), ("person.changed", "2")] and "p2" in drop.into.read_text()
    assert len(drop.archived()) == 6


def test_a_kill_before_the_file_is_archived_repeats_and_doubles_nothing(
    bridge: Bridge, drop: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(bridge, drop)
    from lifecycle_bridge.poll import csv_drop

    drop.put(staff(100, p5="left"))
    real = csv_drop._archive
    monkeypatch.setattr(csv_drop, "_archive", lambda *_: None)
    bridge.look()
    monkeypatch.setattr(csv_drop, "_archive", real)
    bridge.look()
    assert bridge.found() == [("person.changed", "5")] and not list(drop.path.glob("*.csv"))


def test_a_new_file_in_the_place_of_one_that_was_just_read_is_not_archived_unread(
    bridge: Bridge, drop: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(bridge, drop)
    from lifecycle_bridge.poll import csv_drop

    drop.put(staff(100, p5="left"))
    real = csv_drop._archive

    def late(*args: Any) -> None:
        drop.put(staff(100, p5="left", p6="left"))
        real(*args)

    monkeypatch.setattr(csv_drop, "_archive", late)
    bridge.look()
    monkeypatch.setattr(csv_drop, "_archive", real)
    bridge.look()
    assert bridge.found() == [("person.changed", "5"), ("person.changed", "6")]


def test_no_file_for_two_days_is_silence(bridge: Bridge, drop: Folder) -> None:
    learn(bridge, drop)
    bridge.look(47 * 3600)
    assert not bridge.open_alerts()
    bridge.look(2 * 3600)
    bridge.look()
    assert [alarm.key for alarm in bridge.said] == ["silent:hr"] and "49 hours" in bridge.said[0].detail
    drop.put(staff())
    bridge.look()
    assert [alarm.over for alarm in bridge.said] == [False, True]


def test_old_archives_go(bridge: Bridge, drop: Folder) -> None:
    learn(bridge, drop)
    for path in (drop.path / "archive").iterdir():
        os.utime(path, (0, 0))
    drop.put(staff())
    bridge.look()
    assert len(drop.archived()) == 2

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Witnesses: each kind keeps a head, one that cannot be reached stops no leaver, and what is accepted as lost is lost no more."""

from __future__ import annotations

import json
import shutil
import socketserver
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import LedgerError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.witness.give import give
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.witness.stamps import StampFolder
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.witness.statement import Statement, read, standing
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.proof_world import World, authority, build, openssl, three_runs


@pytest.fixture()
def world(tmp_path: Path) -> World:
    return build(tmp_path / "c")


def witnesses(world: World, *lines: str) -> None:
    head = (world.home / "policy.yml").read_text().partition("  witnesses:")[0]
    (world.home / "policy.yml").write_text(head + "  witnesses:\n" + "".join(f"    - {line}\n" for line in lines))


@pytest.fixture()
def mail_server() -> Iterator[tuple[str, list[str]]]:
    """A mail server that takes everything; its address, and the messages."""
    messages: list[str] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            text: list[str] | None = None
            for raw in self.rfile:
                line = raw.decode().rstrip("\r\n")
                if text is not None and line != ".":
                    text.append(line)
                    continue
                if text is not None:
                    messages.append("\n".join(text))
                    text = None
                word = line.upper()[:4]
                if word == "DATA":
                    text = []
                said = {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n")
                self.wfile.write(said)
                if word == "QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", messages
        server.shutdown()


def test_a_person_gets_the_head_by_mail_and_can_prove_a_cut_with_it(
    world: World, mail_server: tuple[str, list[str]]
) -> None:
    server, messages = mail_server
    witnesses(
        world, f'{{name: grace, kind: mail, to: grace@corp.example, sender: ledger@corp.example, server: "{server}"}}'
    )
    three_runs(world)
    assert len(messages) == 3 and "To: grace@corp.example" in messages[-1]
    [head] = [part for part in messages[-1].split() if part.startswith("expected_head=")]
    assert world.inspect(head.partition("=")[2]).ok
    with sqlite3.connect(world.db) as db:
        for table in ("ledger", "signed"):
            db.execute(f"DELETE FROM {table} WHERE n > 5")
        db.execute("UPDATE ledger_head SET n = 5, hash = (SELECT hash FROM ledger WHERE n = 5)")
    assert not world.inspect(head.partition("=")[2]).ok


def test_a_head_is_a_commit_that_is_pushed_and_the_remote_is_believed(world: World) -> None:
    remote, clone = world.home / "remote.git", world.home / "elsewhere" / "clone"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", remote], check=True)
    subprocess.run(["git", "clone", "-q", remote, clone], check=True, capture_output=True)
    subprocess.run(["git", "-C", clone, "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
    subprocess.run(["git", "-C", clone, "config", "push.autoSetupRemote", "true"], check=True)
    witnesses(world, "{name: repository, kind: git, path: elsewhere/clone}")
    three_runs(world)
    log = subprocess.run(["git", "-C", remote, "log", "--oneline", "main"], check=True, capture_output=True, text=True)
    assert len(log.stdout.splitlines()) == 3 and world.inspect().ok
    # Whoever may write here rewrites the clone too; the remote still has it.
    subprocess.run(["git", "-C", clone, "reset", "-q", "--hard", "HEAD~2"], check=True)
    with sqlite3.connect(world.db) as db:
        [(n,)] = db.execute("SELECT min(n) FROM ledger WHERE kind = 'witnessed'").fetchall()
        for table in ("ledger", "signed"):
            db.execute(f"DELETE FROM {table} WHERE n > {n}")
        db.execute(f"UPDATE ledger_head SET n = {n}, hash = (SELECT hash FROM ledger WHERE n = {n})")
    assert [one.kind for one in world.inspect().findings if one.kind == "older"] == ["older"]


def test_a_witness_that_cannot_be_reached_is_said_and_stops_nobody(world: World) -> None:
    three_runs(world)
    witnesses(
        world,
        "{name: office, kind: file, path: nowhere/heads.jsonl}",
        "{name: other, kind: file, path: elsewhere/o.jsonl}",
    )
    ledger = world.ledger()
    ledger.note("said", {"n": 1}, run="r")
    failed = give(ledger, world.policy, "r")
    assert len(failed) == 1 and "witness office was not given head" in failed[0]
    assert (world.home / "elsewhere" / "o.jsonl").read_text().count("\n") == 1


def test_a_head_is_given_only_when_there_is_a_new_one(world: World) -> None:
    three_runs(world)
    lines = (world.home / "elsewhere" / "heads.jsonl").read_text()
    assert give(world.ledger(), world.policy, "r") == []
    assert (world.home / "elsewhere" / "heads.jsonl").read_text() == lines and lines.count("\n") == 3


def test_a_witness_knows_no_name_of_a_person(world: World) -> None:
    three_runs(world)
    said = (world.home / "elsewhere" / "heads.jsonl").read_text()
    assert "leaver" not in said and all(json.loads(line)["cases"] for line in said.splitlines())


def test_an_accepted_loss_stops_no_run_and_is_still_reported(world: World) -> None:
    three_runs(world)
    early = world.home / "early.db"
    with sqlite3.connect(world.db) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(world.db, early)
    world.ledger().note("said", {"n": 1}, run="r")
    world.give(world.ledger())
    with sqlite3.connect(early) as copy, sqlite3.connect(world.db) as db:
        copy.backup(db)
    with pytest.raises(LedgerError, match="older copy"):
        world.ledger().note("said", {"n": 2}, run="r")
    ledger = world.ledger()
    ledger.seal.before = None
    last = int(ledger.head().partition(":")[0])
    ledger.note("accepted", {"lost_after": last, "by": "Grace", "reason": "the disk died"}, run="r")
    assert give(ledger, world.policy, "r", replaces=last) == []
    world.ledger().note("said", {"n": 3}, run="r")
    assert world.inspect().ok
    assert "the disk died" in "".join(entry.data.get("reason", "") for entry in ledger.noted("accepted"))


def test_a_time_stamp_is_verified_by_openssl(tmp_path: Path) -> None:
    with authority(tmp_path / "tsa") as url:
        world = build(tmp_path / "c", url, tmp_path / "tsa" / "ca.pem")
        three_runs(world)
    stamps = sorted((world.home / "elsewhere" / "stamps").glob("*.tsr"))
    assert len(stamps) == 3
    for stamp in stamps:
        told = ("-data", stamp.with_suffix(".json"), "-in", stamp, "-CAfile", world.home / "keys" / "ca.pem")
        assert b"Verification: OK" in openssl("ts", "-verify", *told)


def test_a_stamp_of_another_authority_than_the_policy_names_is_refused_and_not_kept(tmp_path: Path) -> None:
    with authority(tmp_path / "tsa") as url, authority(tmp_path / "other"):
        stamps = StampFolder(tmp_path / "stamps", url, str(tmp_path / "other" / "ca.pem"))
        with pytest.raises(LedgerError, match=r"does not verify.*is .*ca\.pem the authority's root certificate"):
            stamps.stamp("000000000001", b"{}")
    assert not (tmp_path / "stamps").exists()


def test_an_authority_that_answers_something_else_is_an_error_that_names_it(world: World) -> None:
    class Page(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>sign in</html>")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        witnesses(world, f'{{name: tsa, kind: rfc3161, url: "{url}", ca: keys/ledger.pub.pem, path: elsewhere/stamps}}')
        ledger = world.ledger()
        ledger.note("said", {"n": 1}, run="r")
        [failed] = give(ledger, world.policy, "r")
        server.shutdown()
    assert "its answer is no time stamp" in failed and url in failed


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_any_line_is_a_statement_or_none(line: str) -> None:
    found = read(line)
    assert found is None or read(found.line()) == found


def test_an_older_copy_is_found_although_its_own_head_was_given_again_in_place_of_later_ones(world: World) -> None:
    three_runs(world)
    early = world.home / "early.db"
    with sqlite3.connect(world.db) as db, sqlite3.connect(early) as copy:
        db.backup(copy)
    heads = world.home / "elsewhere" / "heads.jsonl"
    genuine = json.loads(heads.read_text().splitlines()[-1])
    world.ledger().note("said", {"n": 1}, run="r")
    world.give(world.ledger())
    with sqlite3.connect(early) as copy, sqlite3.connect(world.db) as db:
        copy.backup(db)
    n = int(genuine["head"].partition(":")[0])
    with heads.open("a") as file:
        file.write(json.dumps({**genuine, "replaces": n}) + "\n")
    with pytest.raises(LedgerError, match="older copy"):
        world.ledger().note("said", {"n": 2}, run="r")
    assert "older" in {one.kind for one in world.inspect().findings}


def test_a_witness_whose_file_is_gone_agrees_with_nothing(world: World) -> None:
    three_runs(world)
    assert world.inspect().witnesses
    [name] = world.inspect().witnesses
    (world.home / "elsewhere" / "heads.jsonl").unlink()
    found = world.inspect()
    assert not found.witnesses and found.ok
    assert [one.what for one in found.findings if name in one.what][0].startswith(f"witness {name} keeps nothing")


def test_a_statement_is_the_same_after_it_was_written() -> None:
    one = Statement("7:" + "a" * 64, "2026-01-01T00:00:00.000000Z", "k" * 16, "c2ln", ("ab",), 3)
    assert read(one.line()) == one


def test_what_was_said_of_what_is_accepted_as_lost_counts_no_more() -> None:
    heads = [Statement(f"{n}:{'a' * 64}", f"T{n}") for n in (1, 5, 9)]
    new = Statement(f"7:{'b' * 64}", "T10", replaces=5)
    assert standing([*heads, new], lambda one: True) == [heads[0], heads[1], new]
    assert standing([*heads, new], lambda one: False) == [*heads, new], "nobody accepted it"

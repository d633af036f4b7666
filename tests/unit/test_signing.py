# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The company's keys: what is signed can be checked with openssl alone, a key can be changed, and a key that cannot be used stops a run."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.company.policy import load_policy
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.signing import keyring_of, signer_of

from tests.unit.proof_world import World, build, new_key, openssl, three_runs


@pytest.fixture()
def world(tmp_path: Path) -> World:
    return build(tmp_path / "c")


def test_openssl_alone_verifies_an_entry_a_record_and_the_name_of_the_key(world: World, tmp_path: Path) -> None:
    cases = three_runs(world)
    public = world.home / "keys" / "ledger.pub.pem"
    with sqlite3.connect(world.db) as db:
        n, link, key, signature = db.execute(
            "SELECT l.n, l.hash, key, signature FROM ledger l JOIN signed USING (n)"
        ).fetchone()
    (tmp_path / "head").write_text(f"{n}:{link}")
    (tmp_path / "sig").write_bytes(base64.b64decode(signature))
    verify = ("pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin")
    assert b"Verified" in openssl(*verify, "-in", tmp_path / "head", "-sigfile", tmp_path / "sig")
    record = world.records / f"{cases[0]}.json"
    assert b"Verified" in openssl(*verify, "-in", record, "-sigfile", f"{record}.sig")
    der = openssl("pkey", "-pubin", "-in", public, "-outform", "DER")
    assert openssl("dgst", "-sha256", "-r", stdin=der).decode()[:16] == key


def test_every_entry_of_a_signed_ledger_is_signed(world: World) -> None:
    three_runs(world)
    seen = world.inspect()
    assert seen.ok and not seen.findings and seen.signed == seen.verdict.entries > 20


def test_a_company_changes_its_key_and_both_are_believed(world: World) -> None:
    three_runs(world)
    new_key(world.home / "keys" / "new.pem")
    policy = world.home / "policy.yml"
    with sqlite3.connect(world.db) as db:
        last = db.execute("SELECT at FROM ledger ORDER BY n DESC").fetchone()[0]
    text = policy.read_text().replace("key: keys/ledger.pem", "key: keys/new.pem")
    policy.write_text(f'{text}  keys: [{{file: keys/ledger.pub.pem, until: "{last}"}}]\n')
    world.ledger().note("said", {"n": 1}, run="r")
    seen = world.inspect()
    assert seen.ok and not seen.findings
    with sqlite3.connect(world.db) as db:
        assert len(db.execute("SELECT DISTINCT key FROM signed").fetchall()) == 2


def test_a_ledger_from_before_the_key_is_signed_from_then_on(world: World) -> None:
    policy = world.home / "policy.yml"
    signed = policy.read_text()
    policy.write_text("proof: {}\n")
    unsigned = World(world.home)
    unsigned.ledger().note("said", {"n": 1}, run="r")
    policy.write_text(signed)
    assert [one.kind for one in world.inspect().findings] == ["unproven"] and world.inspect().ok
    world.ledger().note("said", {"n": 2}, run="r")
    assert world.inspect().ok and world.inspect().signed == 1


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("gone", "No such file"),
        ("open", "others may read it"),
        ("rsa", "no Ed25519 key"),
        ("text", "no private key in PEM"),
    ],
)
def test_a_key_that_cannot_be_used_stops_the_run_with_the_fix(world: World, how: str, said: str) -> None:
    key = world.home / "keys" / "ledger.pem"
    key.unlink()
    if how == "open":
        new_key(key).chmod(0o644)
    elif how == "rsa":
        openssl("genpkey", "-algorithm", "rsa", "-out", key)
    elif how == "text":
        key.write_text("hello\n")
    if how in ("rsa", "text"):
        key.chmod(0o600)
    with pytest.raises(InputError, match=said) as e:
        signer_of(world.policy)
    assert str(key) in str(e.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("proof: {witnesses: [{name: a, kind: pigeon}]}", "no kind of witness"),
        ("proof: {witnesses: [{name: a, kind: file}]}", "needs path"),
        ("proof: {witnesses: [{name: a, kind: git, path: x}, {name: a, kind: git, path: y}]}", "two witnesses a"),
        ("proof: {keyy: x}", "did you mean key"),
    ],
)
def test_a_mistake_in_the_policy_names_file_line_and_fix(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.yml").write_text(text)
    with pytest.raises(InputError, match=said) as e:
        load_policy(str(tmp_path / "p.yml"))
    assert "p.yml:1" in str(e.value)


def test_a_public_key_that_is_no_key_is_an_error_that_names_it(world: World) -> None:
    (world.home / "keys" / "bad.pem").write_text("x")
    with (world.home / "policy.yml").open("a") as policy:
        policy.write("  keys: [{file: keys/bad.pem}]\n")
    with pytest.raises(InputError, match="bad.pem.*no public key"):
        keyring_of(world.policy)

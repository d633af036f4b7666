# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Writes the pack for an auditor: pages, tables, the sample's records with their evidence, and what is needed to verify
all of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...module_utils.company.policy import Policy
from ...module_utils.company.proof import beside
from ...module_utils.model.errors import InputError, LedgerError
from ...module_utils.model.system_facts import Systems
from ..ledger.ledger import Ledger
from ..ledger.signing import keyring_of, pem_of
from ..record import build as record
from ..record import files as record_files
from ..record import sealed
from ..witness.compare import asked
from .page import audit_page
from .report import Audit
from .tables import tables
from .verify_script import SCRIPT

SCHEMA = "workforce.lifecycle/audit/1"


def write(
    made: Audit,
    folder: Path,
    ledger: Ledger,
    policy: Policy,
    records: str,
    systems: Systems,
    run: str,
) -> Path:
    """Write the pack to a new folder, which gets its name only when everything is in it.

    :raises InputError: the folder is there already.
    :raises LedgerError: it cannot be written.
    """
    if folder.exists():
        raise InputError(
            f"{folder} is there already", act="write the pack", hint="name another with -e path=, or move it away"
        )
    unready = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        unready.mkdir(mode=0o700, parents=True)
        try:
            _fill(made, unready, ledger, policy, records, systems, run)
            for path in unready.rglob("*"):
                path.chmod(0o700 if path.is_dir() else 0o600)
            unready.rename(folder)
        finally:
            if unready.exists():
                shutil.rmtree(unready)
    except OSError as e:
        raise LedgerError(
            str(e), act=f"write the pack {folder}", hint="make room there, or give another -e path="
        ) from e
    return folder


def as_json(made: Audit) -> dict[str, Any]:
    """Return the audit as plain data: counts, exceptions, the sample, the numbers."""
    return {
        "schema": SCHEMA,
        "period": {"from": made.period.first.isoformat(), "to": made.period.last.isoformat()},
        "made": made.made,
        "company": made.company,
        "sources": list(made.sources),
        "head": made.head,
        "seed": made.seed,
        "population": {standing: made.count(standing) for standing in sorted({one.standing for one in made.members})},
        "sample": [
            {"key": one.key, "case": one.case.id if one.case else "", "standing": one.standing} for one in made.sampled
        ],
        "exceptions": [asdict(problem) for problem in made.problems],
        "unread": [asdict(one) for one in made.unread],
        "numbers": made.numbers.as_dict() if made.numbers else {},
    }


def _fill(
    made: Audit,
    where: Path,
    ledger: Ledger,
    policy: Policy,
    records: str,
    systems: Systems,
    run: str,
) -> None:
    keyring = keyring_of(policy)
    for name, text in tables(made).items():
        record_files.write(where / name, text)
    record_files.write(where / "audit.json", json.dumps(as_json(made), indent=2, sort_keys=True) + "\n")
    record_files.write(where / "index.html", audit_page(made, list(keyring.keys)))
    record_files.write(where / "verify.sh", SCRIPT)
    for name, known in keyring.keys.items():
        record_files.write(where / "keys" / f"{name}.pub.pem", pem_of(known.public))
    for member in made.sampled:
        if member.case is not None:
            _case(where / "cases" / member.case.id, member.case.id, ledger, records, systems, run)
    _witnesses(where, policy)
    listed = sorted(path.relative_to(where).as_posix() for path in where.rglob("*") if path.is_file())
    sums = "".join(f"{hashlib.sha256((where / name).read_bytes()).hexdigest()}  {name}\n" for name in listed)
    record_files.write(where / "SHA256SUMS", sums)
    if ledger.seal.signer is not None:
        (where / "SHA256SUMS.sig").write_bytes(ledger.seal.signer.sign(sums.encode()))


def _case(where: Path, case: str, ledger: Ledger, records: str, systems: Systems, run: str) -> None:
    """Write one case of the sample: its record, its page, and its ledger entries with what verifies each."""
    data, page = record_files.paths(records, case)
    if not data.exists() or not page.exists():
        made = record.build(ledger, case, systems)
        sealed.put(
            ledger, run, case, {data: json.dumps(made, indent=2, sort_keys=True) + "\n", page: record.render_html(made)}
        )
    where.mkdir(mode=0o700, parents=True)
    for path, name in ((data, "record.json"), (page, "record.html")):
        shutil.copyfile(path, where / name)
        signature = path.with_name(f"{path.name}.sig")
        if signature.exists():
            shutil.copyfile(signature, where / f"{name}.sig")
    record_files.write(where / "entries.jsonl", "".join(f"{json.dumps(row)}\n" for row in evidence(ledger, case)))


def evidence(ledger: Ledger, case: str) -> Sequence[Mapping[str, Any]]:
    """Return the entries of a case, each with the hash before it and the company's signature, so that each can be
    verified alone."""
    rows = ledger.storage.query(
        "SELECT l.n, p.hash, l.hash, s.key, s.signature, l.body FROM ledger l LEFT JOIN ledger p ON p.n = l.n - 1"
        " LEFT JOIN signed s ON s.n = l.n WHERE l.case_id = ? ORDER BY l.n",
        (case,),
    )
    return [
        {
            "n": n,
            "previous": previous or "0" * 64,
            "hash": link,
            "key": key or "",
            "signature": signature or "",
            "body": body,
        }
        for n, previous, link, key, signature, body in rows
    ]


def _witnesses(where: Path, policy: Policy) -> None:
    """Write the heads that the witnesses keep, and the stamps of each authority with its root certificate."""
    answers, _silent = asked(policy)
    for name, kept in answers.items():
        record_files.write(where / "heads" / f"{name}.jsonl", "".join(f"{one.line()}\n" for one in kept.statements))
    for witness in policy.proof.witnesses:
        if witness.kind != "rfc3161":
            continue
        folder = where / "stamps" / witness.name
        folder.mkdir(mode=0o700, parents=True)
        shutil.copyfile(beside(policy.file, witness.ca), folder / "ca.pem")
        for stamp in sorted(Path(beside(policy.file, witness.path)).glob("*.tsr")):
            if stamp.with_suffix(".json").exists():
                shutil.copyfile(stamp, folder / stamp.name)
                shutil.copyfile(stamp.with_suffix(".json"), folder / f"{stamp.stem}.json")

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Policy's section ``proof``: the key that signs the ledger, its witnesses, and how long it is kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ..model.marked_yaml import Document

#: How a witness keeps a head.
KINDS = ("file", "git", "rfc3161", "mail")
#: What each kind needs.
_NEEDS = {"file": ("path",), "git": ("path",), "rfc3161": ("url", "ca", "path"), "mail": ("to", "server", "sender")}


@dataclass(frozen=True)
class Witness:
    """Somebody or something elsewhere that keeps the ledger's head.

    :param name: What the witness is called.
    :param kind: ``file``: a file that is only appended to. ``git``: a commit in a clone, pushed where it has a remote.
        ``rfc3161``: a time-stamping authority. ``mail``: a message.
    :param path: Of ``file``: the file, on another machine or a bucket with object lock. Of ``git``: the clone. Of ``rfc3161``: the folder for the stamps.
    :param url: Of ``rfc3161``: the authority's address.
    :param ca: Of ``rfc3161``: its root certificate.
    :param to: Of ``mail``: the address of who keeps the message.
    :param server: Of ``mail``: the mail server (host, or host:port).
    :param sender: Of ``mail``: the sender's address.
    """

    name: str
    kind: str
    path: str = ""
    url: str = ""
    ca: str = ""
    to: str = ""
    server: str = ""
    sender: str = ""


@dataclass(frozen=True)
class KnownKey:
    """A public key that signed, or still signs.

    :param file: The key (PEM).
    :param until: What it signed after this (ISO 8601) is not believed.
    """

    file: str
    until: str = ""


@dataclass(frozen=True)
class Proof:
    """Who signs the ledger, who witnesses it, and how long it is kept. Paths are relative to the policy file.

    :param key: The private key (Ed25519, PEM) that signs every entry, record and plan.
    :param keys: The public keys from before.
    :param witnesses: Who keeps the ledger's head elsewhere.
    :param retain_years: No case is taken out of the ledger earlier.
    """

    key: str = ""
    keys: Sequence[KnownKey] = ()
    witnesses: Sequence[Witness] = ()
    retain_years: int = 7


def check_proof(document: Document, proof: Proof) -> None:
    """Check the section beyond its types.

    :raises InputError: names file, line and fix.
    """
    names = [witness.name for witness in proof.witnesses]
    for number, witness in enumerate(proof.witnesses):
        at = ("proof", "witnesses", number)
        if witness.kind not in KINDS:
            raise document.error(
                f"{witness.kind!r} is no kind of witness", *at, "kind", hint=f"one of {', '.join(KINDS)}"
            )
        if names.count(witness.name) > 1:
            raise document.error(f"there are two witnesses {witness.name}", *at, "name", hint="give each its own name")
        missing = [name for name in _NEEDS[witness.kind] if not getattr(witness, name)]
        if missing:
            raise document.error(f"a witness of kind {witness.kind} needs {' and '.join(missing)}", *at)


def beside(policy_file: str, path: str) -> str:
    """Return the absolute path of a file that policy names relative to the policy file; empty for an empty path."""
    path = os.path.expanduser(path)
    return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(policy_file)), path)) if path else ""

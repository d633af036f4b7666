# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Signs with the company's keys, and checks signatures: Ed25519 in PEM files, from ``openssl genpkey -algorithm
ed25519``.

An entry's signature is of the text ``n:hash``, a file's of its content, so that ``openssl pkeyutl -verify -rawin`` can
check it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from ...module_utils.company.policy import Policy
from ...module_utils.company.proof import beside
from ...module_utils.model import clock
from ...module_utils.model.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


@dataclass(frozen=True)
class Signer:
    """The private key with which a run signs; ``key`` is its short name: the first 16 hex digits of the public key's
    SHA-256."""

    key: str
    private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of a signature."""
        return self.private.sign(message)

    def sign_head(self, head: str) -> str:
        """Return the signature of an entry by its head ``n:hash``, in base64."""
        return base64.b64encode(self.sign(head.encode("ascii"))).decode("ascii")


@dataclass(frozen=True)
class Known:
    """A public key that policy names. ``until`` is the end of its validity (ISO 8601 UTC); empty while it is valid."""

    public: Ed25519PublicKey = field(repr=False)
    until: str = ""


@dataclass(frozen=True)
class Keyring:
    """Every key that policy names, by its short name."""

    keys: Mapping[str, Known]

    def doubt(self, key: str, message: bytes, signature: bytes, at: str) -> str:
        """Return why a signature is not valid; empty when it is.

        :param at: when it was made, as the entry says (ISO 8601 UTC).
        """
        from cryptography.exceptions import InvalidSignature

        known = self.keys.get(key)
        if known is None:
            return f"signed with the key {key}, which the policy does not name"
        try:
            known.public.verify(signature, message)
        except InvalidSignature:
            return f"its signature with the key {key} does not fit"
        if known.until and at > known.until:
            return f"signed with the key {key}, which is not believed after {known.until[:10]}"
        return ""

    def doubt_of_head(self, key: str, head: str, signature: str, at: str) -> str:
        """Return why an entry's signature (base64) is not valid, by its head ``n:hash``; empty when it is."""
        try:
            raw = base64.b64decode(signature, validate=True)
        except ValueError:
            return "its signature cannot be read"
        return self.doubt(key, head.encode("ascii", "replace"), raw, at)


def signer_of(policy: Policy) -> Signer | None:
    """Return the private key that policy names, or None.

    :raises InputError: it is not there, no Ed25519 key, or others may read it.
    """
    return _signer(beside(policy.file, policy.proof.key)) if policy.proof.key else None


def keyring_of(policy: Policy) -> Keyring:
    """Return every key that policy names: the signing key and the earlier ones.

    :raises InputError: one is not there, or no Ed25519 key.
    """
    signer = signer_of(policy)
    known = {signer.key: Known(signer.private.public_key())} if signer else {}
    for one in policy.proof.keys:
        public = _public(beside(policy.file, one.file))
        try:
            until = clock.stamp(clock.parse(one.until)) if one.until else ""
        except ValueError:
            raise InputError(
                f"until is {one.until!r}", act=f"read key {one.file}", hint="write a day: 2026-03-31"
            ) from None
        known[name_of(public)] = Known(public, until)
    return Keyring(known)


def name_of(public: Ed25519PublicKey) -> str:
    """Return the short name of a key: ``openssl pkey -pubin -in FILE -outform DER | sha256sum | cut -c -16``."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]


def pem_of(public: Ed25519PublicKey) -> str:
    """Return a public key in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


@cache
def _signer(path: str) -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    act = f"read signing key {path}"
    try:
        mode = os.stat(path).st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise InputError("others may read it", act=act, hint=f"chmod 600 {path}, and make a new one if they have")
        with open(path, "rb") as file:
            private = load_pem_private_key(file.read(), None)
    except OSError as e:
        raise InputError(
            e.strerror or str(e),
            act=act,
            hint="openssl genpkey -algorithm ed25519 -out FILE, named proof.key in the policy",
        ) from None
    except (ValueError, TypeError):
        raise InputError("it is no private key in PEM without a passphrase", act=act, hint=_MAKE) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError("it is no Ed25519 key", act=act, hint=_MAKE)
    return Signer(name_of(private.public_key()), private)


@cache
def _public(path: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    act = f"read public key {path}"
    try:
        with open(path, "rb") as file:
            public = load_pem_public_key(file.read())
    except OSError as e:
        raise InputError(e.strerror or str(e), act=act, hint="put it back, or take it out of proof.keys") from None
    except (ValueError, TypeError):
        raise InputError("it is no public key in PEM", act=act, hint=_MAKE) from None
    if not isinstance(public, Ed25519PublicKey):
        raise InputError("it is no Ed25519 key", act=act, hint=_MAKE)
    return public


_MAKE = "make one with openssl genpkey -algorithm ed25519, and its public half with openssl pkey -pubout"

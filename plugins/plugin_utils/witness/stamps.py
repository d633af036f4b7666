# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Keeps stamps of a time-stamping authority (RFC 3161): ``NAME.json`` is the stamped data, ``NAME.tsr`` the stamp.

``openssl ts -verify -data NAME.json -in NAME.tsr -CAfile CA`` checks one without this code.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...module_utils.model.errors import LedgerError
from ...module_utils.sdk.target import Target
from ...module_utils.sdk.transport import StaticAuth, Transport


@dataclass(frozen=True)
class StampFolder:
    """The folder of one authority's stamps. ``ca`` is a PEM file with its root certificate."""

    folder: Path
    url: str
    ca: str

    def stamp(self, name: str, data: bytes) -> None:
        """Have ``data`` stamped, check the stamp, and keep both.

        :raises LedgerError: the authority cannot be reached, or its stamp is not valid.
        """
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        act = f"have a head stamped by {self.url}"
        # It needs no credentials, and a second stamp of the same data does no harm.
        target = Target(name="time stamps", connector="rfc3161", url=self.url, timeout=20.0, max_wait=10.0)
        answer = Transport(target, StaticAuth({"Accept": "application/timestamp-reply"})).send(
            "POST",
            self.url,
            act=act,
            data=request.as_bytes(),
            headers={"Content-Type": "application/timestamp-query"},
            retry_safe=True,
            raw=True,
        )
        try:
            decode_timestamp_response(answer.content)
        except ValueError:
            raise LedgerError("its answer is no time stamp", act=act, hint="is url the authority's address?") from None
        doubt = self._doubt(answer.content, data)
        if doubt:
            raise LedgerError(doubt, act=act, hint=f"is {self.ca} the authority's root certificate?")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _put(self.folder / f"{name}.json", data)
            _put(self.folder / f"{name}.tsr", answer.content)
        except OSError as e:
            raise LedgerError(
                e.strerror or str(e), act=f"keep a stamp in {self.folder}", hint="make room there"
            ) from None

    def names(self) -> list[str]:
        """Return the names of all stamps, in order."""
        return sorted(path.stem for path in self.folder.glob("*.tsr"))

    def read(self, name: str, *, check: bool = True) -> tuple[bytes, str]:
        """Return the stamped data, and why the stamp is not valid; empty when it is."""
        try:
            data = (self.folder / f"{name}.json").read_bytes()
            token = (self.folder / f"{name}.tsr").read_bytes()
        except OSError as e:
            return b"", f"{e.strerror or e}"
        return data, self._doubt(token, data) if check else ""

    def _doubt(self, token: bytes, data: bytes) -> str:
        from cryptography.x509 import load_pem_x509_certificates
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

        try:
            roots: list[Any] = load_pem_x509_certificates(_bytes(self.ca))
            builder = VerifierBuilder(roots=roots)
            builder.build().verify_message(decode_timestamp_response(token), data)
        except OSError as e:
            raise LedgerError(
                e.strerror or str(e), act=f"read {self.ca}", hint="put the root certificate there"
            ) from None
        except (VerificationError, ValueError) as e:
            return f"the stamp does not verify ({e})"
        return ""

    def moment(self, name: str) -> str:
        """Return the authority's moment of a stamp, ISO 8601 UTC."""
        from rfc3161_client import decode_timestamp_response

        from ...module_utils.model import clock

        return clock.stamp(decode_timestamp_response((self.folder / f"{name}.tsr").read_bytes()).tst_info.gen_time)


@lru_cache(maxsize=8)
def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()


def _put(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(name, path)

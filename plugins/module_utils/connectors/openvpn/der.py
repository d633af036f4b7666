# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read certificates and revocation lists (X.509, RFC 5280) from DER: pure functions.

A VPN server seldom has Python's cryptography. The output of ``openssl -text`` can't be trusted: it has a name as it is, with line breaks
and commas, so a certificate could show somebody else's address there. So the bytes are read.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice

_PEM = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----(.+?)-----END \1-----", re.DOTALL)
_INTEGER, _OCTETS, _OID, _SEQUENCE, _SET, _UTC_TIME, _TIME = 0x02, 0x04, 0x06, 0x30, 0x31, 0x17, 0x18
_VERSION, _EXTENSIONS, _RFC822_NAME = 0xA0, 0xA3, 0x81
#: Object identifiers as they are encoded.
COMMON_NAME, EMAIL = bytes.fromhex("550403"), bytes.fromhex("2a864886f70d010901")
_ALTERNATIVE_NAME, _EXTENDED_USE = bytes.fromhex("551d11"), bytes.fromhex("551d25")
_SERVER = bytes.fromhex("2b06010505070301")
_UTF16 = 0x1E


@dataclass(frozen=True)
class Certificate:
    """The fields of a certificate that show its owner and its use."""

    serial: int
    name: str
    addresses: tuple[str, ...]
    begins: datetime
    ends: datetime
    server: bool


@dataclass(frozen=True)
class RevocationList:
    """The serials that a revocation list holds."""

    serials: frozenset[int]


@dataclass(frozen=True)
class _Value:
    tag: int
    content: bytes

    def parts(self) -> Sequence[_Value]:
        return list(_values(self.content))


def certificate_of(text: bytes) -> Certificate:
    """Return the first certificate of a PEM file.

    :raises ValueError: there is none, or it is incomplete.
    """
    fields = _signed(text, b"CERTIFICATE")
    if fields and fields[0].tag == _VERSION:
        fields = fields[1:]
    serial, _algorithm, _issuer, validity, subject, _key, *further = fields
    names = list(_attributes(subject))
    extensions = next((one for one in further if one.tag == _EXTENSIONS), None)
    found = dict(_extensions(extensions)) if extensions is not None else {}
    addresses = [value for oid, value in names if oid == EMAIL]
    for value in found.get(_ALTERNATIVE_NAME, ()):
        if value.tag == _RFC822_NAME:
            addresses.append(value.content.decode("ascii", "replace"))
    begins, ends = (_moment(one) for one in validity.parts())
    return Certificate(
        _number(serial),
        next((value for oid, value in reversed(names) if oid == COMMON_NAME), ""),
        tuple(dict.fromkeys(addresses)),
        begins,
        ends,
        any(one.content == _SERVER for one in found.get(_EXTENDED_USE, ())),
    )


def revoked_of(text: bytes) -> RevocationList:
    """Return the revocation list of a PEM file.

    :raises ValueError: there is none, or it is incomplete.
    """
    fields = _signed(text, b"X509 CRL")
    rows = next((one for one in fields[3:] if one.tag == _SEQUENCE and _is_list(one)), None)
    return RevocationList(frozenset(_number(row.parts()[0]) for row in (rows.parts() if rows is not None else ())))


def _is_list(value: _Value) -> bool:
    """Return whether a value is the list of revoked certificates: its first part is an entry, which begins with a number."""
    first = next(iter(value.parts()), None)
    return first is not None and first.tag == _SEQUENCE and first.parts()[0].tag == _INTEGER


def _signed(text: bytes, what: bytes) -> Sequence[_Value]:
    """Return the fields of the signed part."""
    found = next((one for one in _PEM.finditer(text) if one[1] == what), None)
    if found is None:
        raise ValueError(f"it holds no {what.decode().lower()}")
    whole = next(_values(base64.b64decode(found[2])))
    return whole.parts()[0].parts()


def _values(content: bytes) -> Iterator[_Value]:
    """Yield each value of an encoding (X.690, 8.1), which is a tag, a length and a content."""
    at = 0
    while at < len(content):
        if len(content) < at + 2:
            raise ValueError("it is cut")
        tag, length, at = content[at], content[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(content[at : at + octets], "big"), at + octets
        if len(content) < at + length:
            raise ValueError("it is cut")
        yield _Value(tag, content[at : at + length])
        at += length


def _attributes(name: _Value) -> Iterator[tuple[bytes, str]]:
    for group in name.parts():
        for pair in group.parts():
            oid, value = pair.parts()
            coding = "utf-16-be" if value.tag == _UTF16 else "utf-8"
            yield oid.content, value.content.decode(coding, "replace")


def _extensions(field: _Value) -> Iterator[tuple[bytes, Sequence[_Value]]]:
    for one in field.parts()[0].parts():
        oid, *_critical, content = one.parts()
        if oid.content in (_ALTERNATIVE_NAME, _EXTENDED_USE) and content.tag == _OCTETS:
            for value in islice(_values(content.content), 1):
                yield oid.content, value.parts()


def _number(value: _Value) -> int:
    if value.tag != _INTEGER:
        raise ValueError("it has no serial number")
    return int.from_bytes(value.content, "big", signed=True)


def _moment(value: _Value) -> datetime:
    form = "%y%m%d%H%M%SZ" if value.tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(value.content.decode("ascii"), form).replace(tzinfo=timezone.utc)

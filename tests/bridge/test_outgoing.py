# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The bridge's own requests: who drips, never ends or says too much holds up nobody."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator

import pytest
import requests
from lifecycle_bridge import outgoing
from lifecycle_bridge.config import Oidc, Secret
from lifecycle_bridge.console import oidc
from lifecycle_bridge.errors import Unreachable
from lifecycle_bridge.notify.web import post

from tests.unit.test_endless_answers import drip, server

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def packed(megabytes: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(1_000_000)) for _unused in range(megabytes)), packer.flush()])


def url_of(one: object) -> str:
    return f"http://127.0.0.1:{one.server_address[1]}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nX-A: ", HEAD + b"Content-Length: 100000\r\n\r\n", HEAD + b"\r\n"]
)
def test_who_drips_is_left_when_the_request_has_had_its_time(head: bytes) -> None:
    with server(lambda asked: drip(head)) as one:
        begun = time.monotonic()
        with pytest.raises(requests.ReadTimeout, match="no whole answer in 1 s"):
            outgoing.post(url_of(one), b"x", {}, seconds=1)
        assert time.monotonic() - begun < 15


def test_a_bomb_is_read_as_far_as_the_cap() -> None:
    body = packed(200)

    def bomb(asked: bytes) -> Iterator[bytes]:
        yield HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    with server(bomb) as one, pytest.raises(outgoing.TooLong), outgoing.session(10) as session:
        session.get(url_of(one), timeout=10)


def test_a_whole_answer_comes_through_and_so_does_the_next_on_the_same_connection() -> None:
    def well(asked: bytes) -> Iterator[bytes]:
        yield HEAD + b"Content-Length: 2\r\n\r\n{}"

    with server(well) as one, outgoing.session(5) as session:
        assert [session.get(url_of(one), timeout=5).json() for _unused in range(3)] == [{}, {}, {}]
        assert one.connections == 1


def test_a_receiver_of_notices_that_drips_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle_bridge.notify.web.SECONDS", 1)
    with server(lambda asked: drip(HEAD)) as one, pytest.raises(Unreachable, match="ReadTimeout"):
        post(url_of(one), b"{}", {}, "webhook")


def test_an_identity_provider_that_drips_holds_up_no_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_SECRET", "x")
    monkeypatch.setattr("lifecycle_bridge.console.oidc._SECONDS", 1)
    with server(lambda asked: drip(HEAD)) as one:
        provider = oidc.Provider(
            Oidc(issuer=url_of(one), client_id="x", client_secret=Secret(env="OIDC_SECRET")), "https://b/x"
        )
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="does not answer"):
            provider.begin()
        assert time.monotonic() - begun < 15


@pytest.mark.parametrize("content", [b"[" * 100_000, b"[" + b"{}," * 600_000 + b"{}]", b"nope"])
def test_json_that_nests_too_deep_or_holds_too_much_is_none(content: bytes) -> None:
    with pytest.raises(ValueError):
        outgoing.parsed(content)

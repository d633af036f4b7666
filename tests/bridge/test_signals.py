# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""CAEP session-revoked out: signed, pushed once every way in is closed, tried again until it is taken. The receiver is the test's own, and verifies."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import KeySet
from lifecycle_bridge import clock
from lifecycle_bridge.config import Config, Notify, Secret
from lifecycle_bridge.execute import Result
from lifecycle_bridge.notify import Notice, check, send
from lifecycle_bridge.notify.signal import REVOKED, public_key
from lifecycle_bridge.service import Bridge
from lifecycle_bridge.signal_keys import KEPT, OVERLAP, SignalKeys
from lifecycle_bridge.store import Database
from lifecycle_bridge.store.tables import cases
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.bridge.test_notices import Hr
from tests.bridge.test_work import NOW, World

AT = datetime(2026, 3, 27, 16, 0, tzinfo=UTC)
NOTICE = Notice("offboard-hr-42-1", "offboard", "cut", "42", at=AT, about="jane@corp.example")


def pem(folder: Path, kind: str = "ec", name: str = "") -> Path:
    made: Any = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    path = folder / f"{name or kind}.pem"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return path


@dataclass
class Receiver:
    """RFC 8935: takes a token that verifies. ``answers`` come first."""

    url: str = ""
    keys: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)

    def post(self, heads: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.heads.append(heads)
        if self.answers:
            return self.answers.pop(0), b'{"err": "invalid_request", "description": "x"}'
        token = jwt.decode(body.decode(), KeySet.import_key_set({"keys": self.keys}), algorithms=["ES256", "RS256"])
        self.taken.append((token.header, token.claims))
        return 202, b""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            code, body = made.post(dict(self.headers), self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}/events"
    yield made
    server.shutdown()


def way(receiver: Receiver, folder: Path, kind: str = "ec", **more: Any) -> Notify:
    told = {
        "issuer": "https://us.example",
        "audience": "https://them.example",
        "secret": Secret(file=pem(folder, kind)),
    }
    made = Notify(kind="ssf", url=receiver.url, **{**told, **more})
    receiver.keys.append(public_key(made))
    return made


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_the_receiver_verifies_who_says_it_of_whom_and_what(receiver: Receiver, tmp_path: Path, kind: str) -> None:
    assert [told.ok for told in send([way(receiver, tmp_path, kind)], NOTICE)] == [True]
    ((header, claims),) = receiver.taken
    assert header["typ"] == "secevent+jwt" and header["kid"] == receiver.keys[0]["kid"]
    assert (claims["iss"], claims["aud"]) == ("https://us.example", "https://them.example")
    assert claims["sub_id"] == {"format": "email", "email": "jane@corp.example"}
    assert claims["events"] == {REVOKED: {"event_timestamp": int(AT.timestamp()), "initiating_entity": "policy"}}
    assert not {"sub", "exp"} & claims.keys(), "RFC 8417: an event does not expire"
    assert "d" not in receiver.keys[0], "what is handed over is the public key"
    assert receiver.heads[0]["Content-Type"] == "application/secevent+jwt"


def test_the_same_news_is_the_same_event(receiver: Receiver, tmp_path: Path) -> None:
    channel = way(receiver, tmp_path)
    send([channel], NOTICE)
    send([channel], NOTICE)
    assert receiver.taken[0][1]["jti"] == receiver.taken[1][1]["jti"]


@pytest.mark.parametrize(("code", "temporary"), [(503, True), (429, True), (400, False), (200, False), (302, False)])
def test_what_was_not_taken_is_tried_again_only_when_that_may_help(
    receiver: Receiver, tmp_path: Path, code: int, temporary: bool
) -> None:
    channel = way(receiver, tmp_path)
    receiver.answers = [code]
    (told,) = send([channel], NOTICE)
    assert (told.ok, told.temporary) == (False, temporary)
    assert ("invalid_request" in told.detail) == (not temporary)


def test_nothing_is_sent_of_somebody_whom_hr_does_not_name(receiver: Receiver, tmp_path: Path) -> None:
    (told,) = send([way(receiver, tmp_path)], Notice("c", "offboard", "cut", "42", at=AT))
    assert not told.ok and not receiver.heads


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "http://gateway.example/x"}, "https"),
        ({"issuer": ""}, "issuer and audience"),
        ({"secret": None}, "needs its secret"),
    ],
)
def test_doctor_says_what_is_wrong_with_it(
    receiver: Receiver, tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    (line,) = check([way(receiver, tmp_path).model_copy(update=wrong)])
    assert said in line


def test_it_goes_out_when_every_way_in_is_closed_once_and_not_before(tmp_path: Path) -> None:
    world = World(tmp_path)
    channel = Notify(kind="ssf", url="https://gateway.example/x", issuer="a", audience="b", secret=Secret(env="KEY"))
    world.config.notify.append(channel)
    world.decided("42", ("offboard", NOW), silent=True)

    def run(access: str, *, complete: bool = False) -> list[str]:
        (ident,) = world.cases.claim(NOW, 9, "me") or [""]
        if not ident:
            with world.database.write() as c:
                c.execute(cases.update().values(next_at="", state="waiting"))
            (ident,) = world.cases.claim(NOW, 9, "me")
        world.cases.begin(ident, "me", NOW)
        left = [] if complete else [{"system": "badge", "step": "manual_step", "outcome": "needs_human"}]
        said = {"case": "c", "key": "42", "complete": complete, "open": left, "record": "", "access": access}
        told = world.settled(ident, Result("successful", stats={"cases": [said]}), NOW)
        return [one.news for one in told if one.route is not None and one.route.channel.kind == "ssf"]

    assert run("open") == []
    assert run("closed") == ["cut"], "though a badge is out, and though nobody hears of a silent departure"
    assert run("closed", complete=True) == []
    world.database.close()


def test_a_receiver_finds_the_keys_and_verifies_by_them_what_it_was_sent(tmp_path: Path, receiver: Receiver) -> None:
    ways = [
        Notify(
            kind="ssf",
            name=kind,
            url=receiver.url,
            issuer="https://b.example",
            audience="https://r.example",
            secret=Secret(file=pem(tmp_path, kind)),
        )
        for kind in ("ec", "rsa")
    ]
    database = Database(f"sqlite:///{tmp_path}/bridge.db")
    database.create()
    app = Starlette(routes=SignalKeys(database, Config(notify=ways, public_url="https://b.example")).routes())
    client = TestClient(app)
    about = client.get("/.well-known/ssf-configuration").json()
    assert about["issuer"] == "https://b.example" and about["delivery_methods_supported"] == ["urn:ietf:rfc:8935"]
    receiver.keys = client.get(about["jwks_uri"].removeprefix("https://b.example")).json()["keys"]
    assert [sorted({"d", "p", "q"} & set(key)) for key in receiver.keys] == [[], []], "nothing private is shown"
    assert all(heard.ok for heard in send(ways, NOTICE))
    assert [head["kid"] for head, _claims in receiver.taken] == [key["kid"] for key in receiver.keys]
    (tmp_path / "ec.pem").unlink()
    assert client.get("/.well-known/jwks.json").status_code == 503
    assert SignalKeys(database, Config()).routes() == []


# -- a new key ---------------------------------------------------------------------------------------------------------


class Keeps:
    """A receiver that verifies with PyJWT by the keys that it has kept. It reads them again when they have become too old, and never before."""

    def __init__(self) -> None:
        self.bridge: Bridge | None = None
        self.until = datetime.min.replace(tzinfo=UTC)
        self.keys = pyjwt.PyJWKSet([{"kty": "oct", "k": "AA", "alg": "HS256"}])
        self.taken: list[str] = []
        self.refused = 0

    def read(self) -> None:
        if clock.now() < self.until or self.bridge is None:
            return
        answer = TestClient(Starlette(routes=self.bridge.signal_keys.routes())).get("/.well-known/jwks.json")
        (age,) = re.findall(r"max-age=(\d+)", answer.headers["cache-control"])
        self.keys, self.until = pyjwt.PyJWKSet.from_dict(answer.json()), clock.now() + timedelta(seconds=int(age))

    def post(self, _heads: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.read()
        kid = pyjwt.get_unverified_header(body)["kid"]
        if kid not in {key.key_id for key in self.keys.keys}:
            self.refused += 1
            return 400, b'{"err": "invalid_key"}'
        them = {"audience": "https://them.example", "issuer": "https://us.example", "options": {"verify_iat": False}}
        pyjwt.decode(body, self.keys[kid], algorithms=["ES256"], **them)
        self.taken.append(kid)
        return 202, b""


class Rotating:
    """A bridge whose keys change with a restart, a receiver that keeps what it has read, and a clock that is set by hand."""

    def __init__(self, folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.keeps, self.now, self.leavers = folder, Keeps(), NOW, 0
        receiver.post = self.keeps.post  # type: ignore[method-assign]
        self.url = receiver.url
        monkeypatch.setattr(clock, "now", lambda: self.now)

    def starts(self, secret: Path, next_secret: Path | None = None) -> None:
        way: dict[str, Any] = {"kind": "ssf", "url": self.url, "secret": {"file": secret}}
        who = {"issuer": "https://us.example", "audience": "https://them.example"}
        keys = {"next_secret": {"file": next_secret}} if next_secret else {}
        config = Config.model_validate(
            {
                "database": f"sqlite:///{self.folder}/bridge.db",
                "sources": {"hr": {"scheme": "bamboohr", "secrets": [{"env": "KEY"}]}},
                "notify": [way | who | keys],
            }
        )
        self.hr = Hr()
        self.bridge = self.keeps.bridge = Bridge(config, self.hr)  # type: ignore[arg-type]
        self.bridge.database.create()
        self.bridge.signal_keys.shown()

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)

    def leaver(self) -> list[str]:
        """Somebody is cut; the keys by which the receiver has verified what it was sent of it."""
        self.leavers += 1
        person, before = f"{self.leavers}", len(self.keeps.taken)
        self.hr.cards = {person: {"address": "jane@corp.example"}}
        run = {"kind": "offboard", "stage": "", "at": self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        one = {"source": "hr", "id": person, "user": f"hr_id:{person}", "zone": "UTC", "why": "w", "runs": [run]}
        self.bridge.cases.apply(f"b{person}", [one], self.now)
        (ident,) = self.bridge.cases.claim(self.now, 1, "me")
        self.bridge.cases.begin(ident, "me", self.now)
        said = {"case": "c", "key": person, "complete": True, "open": [], "record": "", "access": "closed"}
        self.bridge.cases.settle(ident, Result("successful", stats={"cases": [said]}), self.now)
        self.sends()
        return self.keeps.taken[before:]

    def sends(self) -> None:
        self.bridge.outbox.scan(self.now)
        self.bridge.send_notices(self.now)


def kid(path: Path) -> str:
    return str(public_key(Notify(kind="ssf", secret=Secret(file=path)))["kid"])


def test_a_receiver_that_keeps_the_keys_verifies_everything_while_the_key_is_changed(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = pem(tmp_path, name="old"), pem(tmp_path, name="new")
    company = Rotating(tmp_path, receiver, monkeypatch)
    company.starts(old)
    assert company.leaver() == [kid(old)]
    company.starts(old, new)
    assert company.leaver() == [kid(old)], "the receiver has kept an answer that has the old key alone"
    company.passes(seconds=KEPT + 1)
    assert company.leaver() == [kid(old)] and len(company.keeps.keys.keys) == 2, (
        "the new one is shown, and signs nothing"
    )
    company.passes(hours=OVERLAP.total_seconds() / 3600)
    assert company.leaver() == [kid(new)]
    company.starts(new)
    assert company.leaver() == [kid(new)] and company.keeps.refused == 0


def test_a_key_that_took_the_place_of_another_at_once_signs_when_what_receivers_kept_is_too_old(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = pem(tmp_path, name="old"), pem(tmp_path, name="new")
    company = Rotating(tmp_path, receiver, monkeypatch)
    company.starts(old)
    assert company.leaver() == [kid(old)]
    company.starts(new)
    assert company.leaver() == [] and company.keeps.refused == 0, "it would not be verified, and is not sent"
    company.passes(minutes=20)
    company.sends()
    assert company.keeps.taken == [kid(old), kid(new)], "it is sent later, and not lost"

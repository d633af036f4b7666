# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Humans are told: asked of a mail server and a web server, not of ourselves."""

from __future__ import annotations

import base64
import email
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lifecycle_bridge import notify
from lifecycle_bridge.config import Notify, Secret
from lifecycle_bridge.notify import Notice, send
from lifecycle_bridge.notify import mail as notify_mail

from tests.bridge.door_support import KEY, NOW, standard

PASSWORD = "mail-pass-4711"
NOTICE = Notice(
    "leaver-hr-42-1",
    "leaver",
    "stuck",
    "42",
    ["okta: end sessions", "github: remove"],
    "lifecycle-bridge retry leaver-hr-42-1",
    "https://bridge.example/cases/leaver-hr-42-1",
    "okta <does> not answer & it is late",
    NOW,
)


class _Talk(socketserver.StreamRequestHandler):
    """RFC 5321 as far as a sender needs it; AUTH PLAIN (RFC 4954), STARTTLS (RFC 3207)."""

    server: MailServer

    def handle(self) -> None:
        if self.server.tls is not None and not self.server.starttls:
            self._wrap()
        self._say("220 mail.test")
        signed_in, secure = not self.server.wants_password, self.server.tls is not None and not self.server.starttls
        message: dict[str, Any] = {"to": [], "secure": secure}
        while line := self.rfile.readline().decode("ascii").strip():
            word = line.upper()
            if word.startswith("EHLO"):
                offers = [
                    "mail.test",
                    *(["STARTTLS"] if self.server.starttls and not secure else []),
                    *(["AUTH PLAIN"] if self.server.wants_password else []),
                ]
                self._say(
                    "\r\n".join(
                        f"250{'-' if place < len(offers) - 1 else ' '}{offer}" for place, offer in enumerate(offers)
                    )
                )
            elif word == "STARTTLS":
                self._say("220 go on")
                self._wrap()
                secure = message["secure"] = True
            elif word.startswith("AUTH PLAIN"):
                signed_in = base64.b64decode(line.split()[2]) == f"\0bridge\0{PASSWORD}".encode()
                self._say("235 well" if signed_in else "535 no")
            elif word.startswith("MAIL"):
                self._say(self.server.answer if signed_in else "530 who are you")
            elif word.startswith("RCPT"):
                if "nobody@" in line:
                    self._say("550 not here")
                else:
                    message["to"].append(line.partition("<")[2].rstrip(">"))
                    self._say("250 ok")
            elif word == "DATA":
                self._say("354 go on")
                lines = []
                while (data := self.rfile.readline()) != b".\r\n":
                    lines.append(data)
                self.server.got.append(
                    (message, cast(EmailMessage, email.message_from_bytes(b"".join(lines), policy=default)))
                )
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

    def _wrap(self) -> None:
        assert self.server.tls is not None
        self.connection = self.server.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(
        self, tls: ssl.SSLContext | None = None, *, starttls: bool = False, wants_password: bool = False
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.tls, self.starttls, self.wants_password = tls, starttls, wants_password
        self.got: list[tuple[dict[str, Any], EmailMessage]] = []
        self.answer = "250 ok"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def channel(self, scheme: str = "smtp", **changed: Any) -> Notify:
        return Notify(
            **{
                "kind": "mail",
                "to": ["it@corp.example"],
                "server": f"{scheme}://127.0.0.1:{self.server_address[1]}",
                "sender": "bridge@corp.example",
                **changed,
            }
        )


class _Drip(_Talk):
    """Sends one answer byte by byte until the other side has left, and for 20 s at most."""

    server: Dripping

    def handle(self) -> None:
        with suppress(OSError):  # the other side has left
            super().handle()

    def _say(self, words: str) -> None:
        answers = {"220 mail.test": "greeting", self.server.answer: "sender", "250 taken": "letter"}
        if answers.get(words) == self.server.where:
            self._drip(words[:3].encode() + b"-")
        super()._say(words)

    def _drip(self, head: bytes) -> None:
        with suppress(OSError):
            self.wfile.write(head)
            for _each in range(2000):
                self.connection.settimeout(0.01)
                with suppress(TimeoutError):
                    while self.connection.recv(4096):
                        pass
                    break
                self.wfile.write(b"a")
            else:
                self.connection.settimeout(None)
                self.wfile.write(b"\r\n")
                return
        self.server.left.set()


class Dripping(MailServer):
    """A mail server that is never silent, and whose answer never ends."""

    def __init__(self, where: str, tls: ssl.SSLContext | None, *, starttls: bool) -> None:
        super().__init__(tls, starttls=starttls)
        self.RequestHandlerClass = _Drip
        self.where, self.answer, self.left = where, "250 well", threading.Event()


class WebServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                web.got.append(
                    (
                        self.path,
                        {name.lower(): value for name, value in self.headers.items()},
                        self.rfile.read(int(self.headers["Content-Length"])),
                    )
                )
                self.send_response(web.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server
        server.shutdown()


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    place = tmp_path_factory.mktemp("tls") / "both.pem"
    place.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return place


@pytest.fixture
def tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    monkeypatch.setenv("NOTICE_KEY", KEY)


def webhook(url: str) -> Notify:
    return Notify(kind="webhook", url=url, secret=Secret(env="NOTICE_KEY"))


def slack(monkeypatch: pytest.MonkeyPatch, url: str) -> Notify:
    monkeypatch.setenv("SLACK_ADDRESS", url)
    return Notify(kind="slack", secret=Secret(env="SLACK_ADDRESS"))


def test_a_mail_says_what_is_open_and_what_to_type(mail: MailServer) -> None:
    (told,) = send([mail.channel(to=["it@corp.example", "hr@corp.example"])], NOTICE)
    assert told.ok, told.detail
    ((envelope, message),) = mail.got
    assert envelope["to"] == ["it@corp.example", "hr@corp.example"]
    assert (
        message["Subject"] == "[stuck] leaver leaver-hr-42-1, person 42"
        and message["Auto-Submitted"] == "auto-generated"
    )
    words = message.get_content()
    for part in (
        "okta: end sessions",
        "lifecycle-bridge retry leaver-hr-42-1",
        "https://bridge.example/cases/leaver-hr-42-1",
        NOTICE.why,
    ):
        assert part in words


def test_what_comes_from_elsewhere_makes_no_header_and_no_line(mail: MailServer) -> None:
    bad = Notice(
        "c\r\nBcc: all@corp.example",
        "leaver",
        "stuck",
        "4\n2",
        ["x\n\nTo go on:\n  rm -rf /"],
        "go",
        "",
        "why\r\n.\r\nMAIL FROM:<x>",
    )
    (told,) = send([mail.channel()], bad)
    assert told.ok, told.detail
    ((envelope, message),) = mail.got
    assert envelope["to"] == ["it@corp.example"] and message["Bcc"] is None
    assert message.get_content().count("\nTo go on:") == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_password_goes_over_tls_alone(
    scheme: str, tls: ssl.SSLContext, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = {"user": "bridge", "secret": Secret(env="MAIL_PASSWORD")}
    with MailServer(tls, starttls=scheme == "smtp", wants_password=True) as server:
        (told,) = send([server.channel(scheme, **signed_in)], NOTICE)
        assert told.ok, told.detail
        assert server.got[0][0]["secure"] is True
        monkeypatch.setenv("MAIL_PASSWORD", "not-the-right-one")
        (told,) = send([server.channel(scheme, **signed_in)], NOTICE)
        assert not told.ok and not told.temporary and "not-the-right-one" not in told.detail
        server.shutdown()
    monkeypatch.setattr(notify_mail, "LOOPBACK", ())
    (told,) = send([mail.channel(**signed_in)], NOTICE)
    assert not told.ok and "offers no TLS" in told.detail and mail.got == []


def test_a_certificate_that_does_not_hold_is_not_talked_to(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with MailServer(tls) as server:
        (told,) = send([server.channel("smtps")], NOTICE)
        assert not told.ok and server.got == []
        server.shutdown()


@pytest.mark.parametrize(("answer", "temporary"), [("451 greylisted", True), ("554 never", False)])
def test_a_temporary_refusal_is_distinguished_from_a_final_one(mail: MailServer, answer: str, temporary: bool) -> None:
    mail.answer = answer
    (told,) = send([mail.channel()], NOTICE)
    assert (told.ok, told.temporary) == (False, temporary)


@pytest.mark.parametrize(
    ("scheme", "where"),
    [("smtp", "greeting"), ("smtp", "sender"), ("smtp", "letter"), ("smtps", "greeting"), ("starttls", "letter")],
)
def test_a_mail_server_that_drips_is_left_when_the_letter_has_had_its_time(
    scheme: str, where: str, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer is late: a byte comes each hundredth of a second."""
    monkeypatch.setattr(notify_mail, "WHOLE", 0.5)
    with Dripping(where, None if scheme == "smtp" else tls, starttls=scheme == "starttls") as server:
        (told,) = send([server.channel(scheme.replace("starttls", "smtp"))], NOTICE)
        assert server.left.wait(60), "the connection was ended"
        server.shutdown()
    assert not told.ok and told.temporary and "the letter was not taken in 0.5 s" in told.detail, told.detail


def test_an_address_that_is_not_taken_is_reported_and_the_others_have_it(mail: MailServer) -> None:
    (told,) = send([mail.channel(to=["nobody@corp.example", "it@corp.example"])], NOTICE)
    assert not told.ok and "nobody@corp.example" in told.detail and len(mail.got) == 1


def test_slack_gets_one_text_with_entities(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = send([slack(monkeypatch, f"{web.url}/services/T0/B0/s3cret")], NOTICE)
    assert told.ok, told.detail
    ((path, _, body),) = web.got
    assert path == "/services/T0/B0/s3cret"
    assert "okta &lt;does&gt; not answer &amp; it is late" in json.loads(body)["text"]


def test_teams_gets_a_card_whose_text_is_no_markdown(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAMS_ADDRESS", f"{web.url}/workflows/s3cret")
    (told,) = send([Notify(kind="teams", secret=Secret(env="TEAMS_ADDRESS"))], NOTICE)
    assert told.ok, told.detail
    ((path, _, body),) = web.got
    (sent,) = json.loads(body)["attachments"]
    (text,) = sent["content"]["body"]
    assert path == "/workflows/s3cret" and sent["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert text["type"] == "RichTextBlock" and {run["type"] for run in text["inlines"]} == {"TextRun"}
    words = "".join(run["text"] for run in text["inlines"])
    assert NOTICE.command in words and words.count(NOTICE.title) == 1
    assert sent["content"]["actions"][0]["url"] == NOTICE.link


def test_apprise_reaches_what_it_knows_and_says_when_it_does_not(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("apprise", reason="needs the bridge's extra apprise")
    monkeypatch.setenv("SERVICE", web.url.replace("http://", "json://") + "/in")
    channel = Notify(kind="apprise", secret=Secret(env="SERVICE"))
    (told,) = send([channel], NOTICE)
    assert told.ok, told.detail
    said = json.loads(web.got[0][2])
    assert said["title"] == NOTICE.title and "<does> not answer & it" in said["message"], "plain text"
    monkeypatch.setenv("SERVICE", web.url.replace("http://", "ntfy://") + "/topic?format=markdown")
    (told,) = send([channel], NOTICE)
    assert told.ok, told.detail
    assert "x-markdown" not in {name.lower() for name in web.got[1][1]}, "words from elsewhere are no Markdown"
    web.status = 500
    (told,) = send([channel], NOTICE)
    assert (told.ok, told.temporary) == (False, True)
    monkeypatch.setenv("SERVICE", "nosuch://secret-word")
    (wrong,) = notify.check([channel])
    assert "does not know this address" in wrong and "secret-word" not in wrong


def test_a_webhook_is_signed_by_standard_webhooks_and_the_same_news_has_the_same_id(web: WebServer) -> None:
    assert [told.ok for told in send([webhook(web.url + "/in"), webhook(web.url + "/in")], NOTICE)] == [True, True]
    for _, headers, body in web.got:
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
        assert headers["webhook-signature"] == standard(body, KEY, at, headers["webhook-id"])["Webhook-Signature"]
    assert web.got[0][1]["webhook-id"] == web.got[1][1]["webhook-id"]
    said = json.loads(web.got[0][2])
    assert (
        said["type"] == "case.stuck"
        and said["data"]["open_steps"] == list(NOTICE.open_steps)
        and said["data"]["command"] == NOTICE.command
    )


def test_a_failure_of_one_is_reported_and_does_not_stop_the_others(
    mail: MailServer, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = WebServer()
    gone.shutdown()
    gone.server_close()
    monkeypatch.setitem(cast(dict, notify._SENDERS), "slack", lambda channel, notice: 1 / 0)
    channels = [
        webhook(gone.url),
        slack(monkeypatch, web.url),
        Notify(kind="mail"),
        Notify(kind="webhook", url=web.url, secret=Secret(env="NOT_SET")),
        webhook(web.url),
        mail.channel(),
    ]
    told = send(channels, NOTICE)
    assert [each.ok for each in told] == [False, False, False, False, True, True]
    assert (
        told[0].temporary
        and "ConnectionError" in told[0].detail
        and "ZeroDivisionError" in told[1].detail
        and "NOT_SET" in told[3].detail
    )
    assert len(web.got) == len(mail.got) == 1


@pytest.mark.parametrize(("status", "temporary"), [(500, True), (429, True), (302, False), (404, False), (410, False)])
def test_a_redirect_is_not_followed_and_a_secret_address_is_not_logged(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, status: int, temporary: bool
) -> None:
    web.status = status
    (told,) = send([slack(monkeypatch, f"{web.url}/services/s3cret")], NOTICE)
    assert (told.ok, told.temporary) == (False, temporary) and "s3cret" not in told.detail
    assert len(web.got) == 1


def test_what_is_wrong_with_a_channel_is_said_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEAK", "whsec_QUFB")
    wrong = notify.check(
        [
            Notify(kind="mail"),
            Notify(kind="mail", to=["a@b"], server="http://x", sender="c@d"),
            Notify(kind="slack"),
            Notify(kind="webhook", url="http://evil.example"),
            Notify(kind="webhook", url="https://x.example", secret=Secret(env="WEAK")),
            slack(monkeypatch, "http://hooks.example/x"),
        ]
    )
    assert [words.partition(":")[0] for words in wrong] == [f"notify[{n}]" for n in range(6)]
    assert notify.check([Notify(kind="webhook", url="https://x.example", secret=Secret(env="NOTICE_KEY"))]) == []

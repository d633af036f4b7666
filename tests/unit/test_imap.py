# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The imap connector against answers that IMAP allows and ordinary servers do not give: a server that says what it is told."""

from __future__ import annotations

import base64
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.imap import text as imap_text
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.imap.connector import Imap
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import (
    AuthenticationFailed,
    LifecycleError,
    PermissionDenied,
    ProtocolError,
    Rejected,
    Throttled,
    Unavailable,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import Target, checked_options
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.values import MailFolder

from sandbox.certs import Authority

ANN = Person.of({"email": "ann@x.example"})
INBOX = MailFolder("INBOX", "INBOX", 3)
MASTER = {"user": "archiver", "password": 'pa"ss\\wörd'}


class Script:
    """An IMAP server. ``says`` maps a command's words to its untagged lines, or to a complete tagged answer when it begins with NO, BAD or OK."""

    def __init__(
        self, says: dict[str, bytes], capabilities: str = "IMAP4rev1 AUTH=PLAIN", authority: Authority | None = None
    ) -> None:
        self.says = {
            "SELECT": b"* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n",
            "EXAMINE": b"* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n",
            **says,
        }
        self.capabilities = capabilities
        self.heard: list[str] = []
        #: Commands that came before the connection was encrypted.
        self.in_the_clear: list[str] = []
        self.refuse_sign_in: tuple[bytes, bytes] | None = None
        self.drop_at = ""
        #: Who signs in with one of these is hung up on, as by a Dovecot whose master users are let in before the login is looked up.
        self.hangs_up_on: set[str] = set()
        #: What somebody on the way puts behind the answer to STARTTLS.
        self.behind_starttls = b""
        script = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):  # the client hung up
                    script.talk(self.request, authority)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"imap://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sign_in(self, tag: str, file: Any, send: Callable[[bytes], None]) -> bool:
        """Whether the connection goes on."""
        send(b"+ \r\n")
        self.heard.append(base64.b64decode(file.readline()).decode())
        if self.heard[-1].strip("\0").partition("*")[0] in self.hangs_up_on:
            return False
        if self.refuse_sign_in:
            challenge, refusal = self.refuse_sign_in
            if challenge:
                send(b"+ " + base64.b64encode(challenge) + b"\r\n")
                self.heard.append(base64.b64decode(file.readline()).decode())
            send(tag.encode() + b" NO " + refusal + b"\r\n")
        else:
            send(f"{tag} OK in\r\n".encode())
        return True

    def talk(self, connection: socket.socket, authority: Authority | None) -> None:
        file = connection.makefile("rwb")

        def send(content: bytes) -> None:
            file.write(content)
            file.flush()

        send(b"* OK hello\r\n")
        while line := file.readline():
            tag, _, command = line.decode().strip().partition(" ")
            words = command.upper()
            self.heard.append(command)
            if not isinstance(connection, ssl.SSLSocket):
                self.in_the_clear.append(words)
            if self.drop_at and words.startswith(self.drop_at):
                self.drop_at = ""
                connection.shutdown(socket.SHUT_RDWR)
                return
            if words == "CAPABILITY":
                send(f"* CAPABILITY {self.capabilities}\r\n{tag} OK done\r\n".encode())
            elif words == "STARTTLS" and authority is not None:
                send(f"{tag} OK begin\r\n".encode() + self.behind_starttls)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(authority.cert_file, authority.key_file)
                connection = context.wrap_socket(connection, server_side=True)
                file = connection.makefile("rwb")
            elif words.startswith("AUTHENTICATE"):
                if not self.sign_in(tag, file, send):
                    connection.shutdown(socket.SHUT_RDWR)
                    return
            elif words.startswith("LOGOUT"):
                send(f"* BYE\r\n{tag} OK bye\r\n".encode())
                return
            else:
                answer = next(
                    (said for start, said in self.says.items() if words.startswith(start.upper())), b"BAD unknown"
                )
                if answer[:2] in (b"NO", b"BA", b"OK"):
                    send(tag.encode() + b" " + answer + b"\r\n")
                else:
                    send(answer + f"{tag} OK done\r\n".encode())


@pytest.fixture
def serve() -> Iterator[Callable[..., Script]]:
    running: list[Script] = []

    def start(says: dict[str, bytes] | None = None, **how: Any) -> Script:
        running.append(Script(says or {}, **how))
        return running[-1]

    yield start
    for script in running:
        script.close()


def mail(script: Script, credentials: dict[str, str] | None = None, ca_file: str = "", **options: Any) -> Imap:
    return Imap(
        Target(
            "mail",
            "imap",
            script.url,
            credentials or MASTER,
            checked_options("mail", Imap, {"tls": "none", "login": "{local_part}", **options}),
            ca_file=ca_file,
            timeout=5,
        )
    )


def contents(script: Script) -> list[tuple[str, bytes]]:
    return [(message.id, message.content) for message in mail(script).mail_messages(ANN, INBOX, frozenset())]


LISTED = b"".join(
    b'* %d FETCH (UID %d RFC822.SIZE 5 INTERNALDATE "17-Jul-1996 02:44:25 -0700")\r\n' % (n, n) for n in (1, 2, 3)
)


# -- what FETCH may look like ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bodies",
    [
        b"* 1 FETCH (UID 1 BODY[] {5}\r\na)b\r\n)\r\n* 2 FETCH (UID 2 BODY[] {5}\r\nUID 9)\r\n* 3 FETCH (UID 3 BODY[] {0}\r\n)\r\n",
        b"* 1 FETCH (BODY[] {5}\r\na)b\r\n UID 1)\r\n* 2 FETCH (BODY[] {5}\r\nUID 9 UID 2)\r\n* 3 FETCH (BODY[] NIL UID 3)\r\n",
        b'* 3 FETCH (UID 3 BODY[] "")\r\n* 2 FETCH (UID 2 BODY[] "UID 9")\r\n* 4 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (FLAGS () UID 1 BODY[] {5}\r\na)b\r\n)\r\n',
    ],
    ids=["uid first", "uid behind", "quoted, out of order, unsolicited"],
)
def test_every_shape_of_a_content(serve: Callable[..., Script], bodies: bytes) -> None:
    script = serve({"UID FETCH 1:3 (UID RFC822": LISTED, "UID FETCH 1:3 (UID BODY": bodies})
    assert sorted(contents(script)) == [("7.1", b"a)b\r\n"), ("7.2", b"UID 9"), ("7.3", b"")]
    assert any(line.upper().startswith("EXAMINE") for line in script.heard) and not any(
        line.upper().startswith("SELECT") for line in script.heard
    )
    assert not any("BODY[]" in line.replace("BODY.PEEK[]", "") for line in script.heard), (
        "reading must not mark as read"
    )


def test_the_date_is_in_utc(serve: Callable[..., Script]) -> None:
    script = serve(
        {"UID FETCH 1:3 (UID RFC822": LISTED, "UID FETCH 1:3 (UID BODY": b"* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n"}
    )
    [message] = mail(script).mail_messages(ANN, INBOX, frozenset())
    assert message.date.startswith("1996-07-17T09:44:25")


def test_a_server_that_names_no_next_uid_is_searched(serve: Callable[..., Script]) -> None:
    script = serve(
        {
            "EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n",
            "UID SEARCH ALL": b"* SEARCH 1 3\r\n",
            "UID FETCH 1:3 (UID RFC822": LISTED,
            "UID FETCH 1:3 (UID BODY": b"* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n",
        }
    )
    assert contents(script) == [("7.1", b"x")]


def test_an_empty_folder_without_a_next_uid(serve: Callable[..., Script]) -> None:
    assert (
        contents(serve({"EXAMINE": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n", "UID SEARCH ALL": b"* SEARCH\r\n"}))
        == []
    )


def test_one_message_that_cannot_be_read_does_not_hide_the_others(serve: Callable[..., Script]) -> None:
    one = {f"UID FETCH {n} (UID BODY": b"* %d FETCH (UID %d BODY[] {1}\r\nx)\r\n" % (n, n) for n in (1, 3)}
    script = serve(
        {
            "UID FETCH 1:3 (UID RFC822": LISTED,
            "UID FETCH 1:3 (UID BODY": b"NO [SERVERBUG] broken",
            "UID FETCH 2 (UID BODY": b"NO broken",
            **one,
        }
    )
    got = []
    with pytest.raises(Rejected, match=r"UID 2\b"):
        for message in mail(script).mail_messages(ANN, INBOX, frozenset()):
            got.append(message.id)
    assert got == ["7.1", "7.3"]


def test_what_is_archived_is_not_asked_for(serve: Callable[..., Script]) -> None:
    script = serve(
        {"UID FETCH 1:3 (UID RFC822": LISTED, "UID FETCH 3 (UID BODY": b"* 3 FETCH (UID 3 BODY[] {1}\r\nx)\r\n"}
    )
    assert [m.id for m in mail(script).mail_messages(ANN, INBOX, frozenset({"7.1", "7.2"}))] == ["7.3"]


def test_a_dropped_connection_goes_on(serve: Callable[..., Script]) -> None:
    script = serve(
        {"UID FETCH 1:3 (UID RFC822": LISTED, "UID FETCH 1:3 (UID BODY": b"* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n"}
    )
    script.drop_at = "UID FETCH 1:3 (UID BODY"
    assert contents(script) == [("7.1", b"x")]


# -- folders -----------------------------------------------------------------------------------------------------------


def test_only_the_persons_own_folders(serve: Callable[..., Script]) -> None:
    rows = (
        b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST () "/" {5}\r\nB&-ro\r\n* LIST (\\Noselect) "/" top\r\n* LIST () "/" "Other Users/bob/INBOX"\r\n'
        b'* LIST () "/" "Shared/all"\r\n* LIST () "/" "say \\"hi\\""\r\n* LIST () "/" "[Gmail]/All Mail"\r\n'
    )
    script = serve(
        {
            "NAMESPACE": b'* NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/" "X-PARAM" ("F1" "F2")))\r\n',
            "LIST": rows,
            "STATUS": b"* STATUS x (MESSAGES 2)\r\n",
        },
        capabilities="IMAP4rev1 NAMESPACE AUTH=PLAIN",
    )
    found = mail(script, exclude=["[Gmail]/All Mail"]).mail_folders(ANN)
    assert found is not None and [folder.name for folder in found] == ["INBOX", "B&ro", 'say "hi"']
    assert any('STATUS "say \\"hi\\""' in line for line in script.heard)


@pytest.mark.parametrize(
    "namespaces",
    [
        b'* NAMESPACE (("" "/")) NIL NIL\r\n',
        b"* NAMESPACE NIL NIL NIL\r\n",
        b"NO not for you",
        b'* NAMESPACE (("" "/")) NIL (("" "/"))\r\n',
    ],
)
def test_without_foreign_namespaces_all_is_theirs(serve: Callable[..., Script], namespaces: bytes) -> None:
    script = serve(
        {
            "NAMESPACE": namespaces,
            "LIST": b'* LIST () "." INBOX.a/b\r\n* LIST () NIL flat\r\n',
            "STATUS": b"* STATUS x (MESSAGES 1)\r\n",
        },
        capabilities="IMAP4rev1 NAMESPACE AUTH=PLAIN",
    )
    found = mail(script).mail_folders(ANN)
    assert found is not None and [folder.name for folder in found] == ["INBOX/a_b", "flat"]


def test_a_list_that_is_none_is_a_protocol_error(serve: Callable[..., Script]) -> None:
    with pytest.raises(ProtocolError):
        mail(serve({"LIST": b"* LIST what is this\r\n"})).mail_folders(ANN)


# -- sign-in -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "credentials", "sends"),
    [
        ({"sign_in": "master"}, MASTER, '\0ann*archiver\0pa"ss\\wörd'),
        ({"sign_in": "master", "separator": "%"}, MASTER, '\0ann%archiver\0pa"ss\\wörd'),
        ({"sign_in": "proxy"}, MASTER, 'ann\0archiver\0pa"ss\\wörd'),
        ({"sign_in": "xoauth2"}, {"token": "to.ken"}, "user=ann\1auth=Bearer to.ken\1\1"),
        ({"sign_in": "oauthbearer"}, {"token": "to.ken"}, "n,a=ann,\1auth=Bearer to.ken\1\1"),
        (
            {"sign_in": "oauthbearer", "login": "a=n,{local_part}"},
            {"token": "to.ken"},
            "n,a=a=3Dn=2Cann,\1auth=Bearer to.ken\1\1",
        ),
    ],
)
def test_each_way_in(
    serve: Callable[..., Script], options: dict[str, Any], credentials: dict[str, str], sends: str
) -> None:
    script = serve(
        {"LIST": b'* LIST () "/" INBOX\r\n', "STATUS": b"* STATUS INBOX (MESSAGES 1)\r\n"},
        capabilities="IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER",
    )
    assert mail(script, credentials, **options).mail_folders(ANN) == [MailFolder("INBOX", "INBOX", 1)]
    assert sends in script.heard


@pytest.mark.parametrize(("sign_in", "answers"), [("xoauth2", ""), ("oauthbearer", "\1")])
def test_a_refused_token_ends_the_exchange_and_is_not_logged(
    serve: Callable[..., Script], sign_in: str, answers: str
) -> None:
    script = serve(capabilities=f"IMAP4rev1 AUTH={sign_in.upper()}")
    script.refuse_sign_in = (b'{"status":"401"}', b"[AUTHENTICATIONFAILED] bad token")
    with pytest.raises(AuthenticationFailed) as failure:
        mail(script, {"token": "to.ken"}, sign_in=sign_in).mail_folders(ANN)
    at = next(n for n, line in enumerate(script.heard) if "to.ken" in line)
    assert script.heard[at + 1] == answers, "the refusal must be answered, or the server waits"
    assert "to.ken" not in str(failure.value)


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (b"[UNAVAILABLE] later", Unavailable),
        (b"[LIMIT] too many", Throttled),
        (b"[AUTHORIZATIONFAILED] not yours", PermissionDenied),
        (b"[AUTHENTICATIONFAILED] no", AuthenticationFailed),
    ],
)
def test_what_a_refusal_means(serve: Callable[..., Script], says: bytes, error: type[LifecycleError]) -> None:
    script = serve()
    script.refuse_sign_in = (b"", says)
    with pytest.raises(error) as failure:
        mail(script).mail_folders(ANN)
    assert MASTER["password"] not in str(failure.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "option probe_login"),
        ({"probe_login": "postmaster"}, "closes the connection on ann and opens postmaster"),
        ({"probe_login": "postmaster"}, "result_success = continue"),
    ],
)
def test_a_login_that_the_server_hangs_up_on_is_no_missing_mailbox_and_what_to_do_is_said(
    serve: Callable[..., Script], options: dict[str, Any], says: str
) -> None:
    script = serve()
    script.hangs_up_on = {"ann"}
    with pytest.raises(LifecycleError) as failure:
        mail(script, **options).mail_folders(ANN)
    assert says in str(failure.value)


def test_a_server_that_hangs_up_on_everybody_is_in_trouble(serve: Callable[..., Script]) -> None:
    script = serve()
    script.hangs_up_on = {"ann", "postmaster"}
    with pytest.raises(Unavailable, match="closed the connection during the sign-in to ann"):
        mail(script, probe_login="postmaster").mail_folders(ANN)


def test_starttls_comes_before_the_password(serve: Callable[..., Script], tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    script = serve({"LIST": b""}, capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN", authority=authority)
    assert mail(script, ca_file=str(authority.ca_file), tls="starttls").mail_folders(ANN) == []
    assert set(script.in_the_clear) == {"CAPABILITY", "STARTTLS"}
    assert any(line.startswith("AUTHENTICATE") for line in script.heard)


def test_what_stands_behind_the_answer_to_starttls_is_not_the_servers(
    serve: Callable[..., Script], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    script = serve({"LIST": b""}, capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN", authority=authority)
    script.behind_starttls = b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n"
    with pytest.raises(LifecycleError, match="before TLS began"):
        mail(script, ca_file=str(authority.ca_file), tls="starttls").mail_folders(ANN)
    assert not [one for one in script.heard if "archiver" in one]


def test_without_starttls_nothing_secret_is_sent(serve: Callable[..., Script]) -> None:
    script = serve()
    with pytest.raises(Unavailable, match="STARTTLS"):
        mail(script, tls="starttls").mail_folders(ANN)
    assert not any(line.upper().startswith(("AUTHENTICATE", "LOGIN")) for line in script.heard)


def test_starttls_with_a_foreign_certificate(serve: Callable[..., Script], tmp_path: Path) -> None:
    script = serve(capabilities="IMAP4rev1 STARTTLS AUTH=PLAIN", authority=Authority(tmp_path))
    with pytest.raises(LifecycleError) as failure:
        mail(script, tls="starttls").mail_folders(ANN)
    assert failure.value.code == "certificate" and "ca_file" in str(failure.value)


def test_names_in_modified_utf_7() -> None:
    assert [imap_text.decode_name(n) for n in ("B&APw-ro", "A&-B", "&broken", "&!-", "&2D3cCw-")] == [
        "Büro",
        "A&B",
        "&broken",
        "&!-",
        "\U0001f40b",
    ]
    assert imap_text.internal_date(b"no date") == ""

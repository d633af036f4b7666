# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The mailbox archive from real IMAP servers: pymap everywhere, Dovecot where it is installed."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox.archive import Archive
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import LifecycleError
from ansible_collections.workforce.lifecycle.plugins.modules import existing_info, mailbox_archive

from sandbox.box import Box
from sandbox.servers.dovecot import Dovecot
from sandbox.servers.mail import messages
from sandbox.servers.pymap import Pymap
from tests.support import connect, person_of, run

_DOVECOT = pytest.param(
    "dovecot",
    marks=[pytest.mark.debian, pytest.mark.skipif(bool(Dovecot.missing()), reason=Dovecot.missing() or "dovecot")],
)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([Pymap] if Dovecot.missing() else [Pymap, Dovecot]) as running:
        yield running


@pytest.fixture(params=["imap", _DOVECOT])
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def expected(box: Box) -> list[tuple[str, bytes]]:
    return sorted(
        (folder.replace("&APw-", "ü"), content)
        for folder, _, content in messages("jane", box.company.people["jane"], box.company.domain)
    )


def archive(box: Box, system: str, path: Path, **want: Any) -> dict[str, Any]:
    return run(mailbox_archive.TASK, box, system, person=person_of(box, "jane"), path=str(path), **want)


def test_every_byte_then_already(box: Box, system: str, tmp_path: Path) -> None:
    assert archive(box, system, tmp_path / "a", check_mode=True)["changed"] and not (tmp_path / "a").exists()
    assert archive(box, system, tmp_path / "a")["outcome"] == "done"
    assert sorted((e.folder, c) for e, c in Archive(tmp_path / "a").messages()) == expected(box)
    assert archive(box, system, tmp_path / "a")["outcome"] == "already"


def test_a_dropped_connection_is_opened_again(box: Box, system: str, tmp_path: Path) -> None:
    mail = connect(box, system)
    person = mailbox_archive.Person.of(person_of(box, "jane"))
    got = []
    for folder in mail.mail_folders(person):
        for number, message in enumerate(mail.mail_messages(person, folder, frozenset())):
            got.append((message.folder, message.content))
            if number == 1:
                box["imap"].drop_connections() if system == "imap" else box["dovecot"].kick("jane")
    assert sorted(got) == expected(box)


def test_no_mailbox_is_absent_and_a_wrong_credential_is_an_error(box: Box, system: str, tmp_path: Path) -> None:
    assert (
        run(mailbox_archive.TASK, box, system, person=person_of(box, "ada"), path=str(tmp_path / "a"))["outcome"]
        == "absent"
    )
    bad = archive(box, system, tmp_path / "a", changes={"credentials": {"user": "archiver", "password": "wrong"}})
    assert bad["code"] in ("authentication", "permission") and "\n" not in bad["msg"]


def test_a_login_of_another_form_than_the_mailboxes_have_is_an_error_and_not_a_missing_mailbox(
    box: Box, system: str, tmp_path: Path
) -> None:
    options = {**box.systems()[system]["options"], "login": "{email}"}
    answer = archive(box, system, tmp_path / "a", changes={"options": options})
    assert answer["code"] == "input" and "login: '{local_part}'" in answer["msg"]


def test_an_unknown_certificate_is_refused(box: Box, system: str, tmp_path: Path) -> None:
    assert archive(box, system, tmp_path / "a", changes={"ca_file": ""})["code"] == "certificate"


def test_nothing_is_marked_as_read(box: Box, system: str, tmp_path: Path) -> None:
    server = box[system]

    def seen() -> bytes:
        connection = imaplib.IMAP4_SSL(
            "localhost", int(server.url.rpartition(":")[2]), ssl_context=ssl.create_default_context(cafile=box.ca_file)
        )
        connection.login("jane", server.secret("of-jane"))
        connection.select("INBOX", readonly=True)
        unread: bytes = connection.search(None, "UNSEEN")[1][0]
        connection.logout()
        return unread

    before = seen()
    archive(box, system, tmp_path / "a")
    assert seen() == before


def test_the_archive_of_another_mailbox_is_refused(box: Box, system: str, tmp_path: Path) -> None:
    archive(box, system, tmp_path / "a")
    other = run(mailbox_archive.TASK, box, system, person=person_of(box, "mark"), path=str(tmp_path / "a"))
    assert other["failed"] and "jane@corp.example" in other["msg"]


def test_errors_are_ours(box: Box, system: str) -> None:
    with pytest.raises(LifecycleError):
        connect(box, system, url="imaps://localhost:1").mail_folders(mailbox_archive.Person.of(person_of(box, "jane")))


def test_a_mailbox_that_a_joiners_profile_names_is_looked_for(box: Box, system: str) -> None:
    def look(key: str) -> tuple[str, str]:
        result = run(existing_info.TASK, box, system, person=person_of(box, key), expected=True)
        [row] = result["changes"]
        return result["outcome"], row["before"]

    assert look("jane") == ("already", "there")
    assert look("ada") == ("needs_human", "not there")

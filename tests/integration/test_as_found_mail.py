# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Leavers whose mail password lives in the directory: they are cut in the directory, and the mail server itself is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff, mailbox_archive

from sandbox.box import Box
from sandbox.servers.slapd import Slapd
from tests.as_found.directory import FoundDirectory
from tests.as_found.mail import FoundMail
from tests.as_found.people import HUMANS
from tests.integration.test_as_found_directory import KNOWN
from tests.support import run

_MISSING = Slapd.missing() or FoundMail.missing()
pytestmark = [pytest.mark.debian, pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "dovecot and slapd")]
#: Who signs in to mail with a login of plain letters.
READERS = {
    seat.login: seat
    for human in HUMANS.values()
    for seat in human.seats
    if seat.login.isascii() and seat.login.islower()
}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([FoundDirectory, FoundMail]) as running:
        yield running


@pytest.mark.parametrize("who", ["married", "admin", "alias"])
def test_who_is_cut_in_the_directory_signs_in_to_mail_no_more_and_everybody_else_does(box: Box, who: str) -> None:
    box["found"].reset()
    mail, own = box["found_mail"], {seat.login for seat in HUMANS[who].seats}
    before = {login for login, seat in READERS.items() if mail.signs_in(seat)}
    assert own <= before and len(before) > 5
    assert run(cutoff.TASK, box, "found", person=HUMANS[who].hr, known=KNOWN)["outcome"] == "done"
    assert before - {login for login, seat in READERS.items() if mail.signs_in(seat)} == own


def test_the_mailbox_is_archived_after_the_password_is_dead(box: Box, tmp_path: Path) -> None:
    """HR's address has another local part than the login, so HR names it."""
    box["found"].reset()
    person = {**HUMANS["married"].hr, "logins": {"found_mail": "mvogel"}}
    assert run(cutoff.TASK, box, "found", person=person, known=KNOWN)["outcome"] == "done"
    kept = run(mailbox_archive.TASK, box, "found_mail", person=person, path=str(tmp_path / "archive"))
    assert kept["outcome"] == "done" and not box["found_mail"].signs_in(HUMANS["married"].seats[0])

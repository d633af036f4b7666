# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A connection that was open before the cut is tried after it: it is dead, or the record names it. Mail servers and directories."""

from __future__ import annotations

import imaplib
import json
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ldap3
import pytest
from ansible_collections.workforce.lifecycle.plugins.modules import cutoff, mailbox_archive
from ansible_collections.workforce.lifecycle.plugins.modules.attest import TASK as ATTEST
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.ledger.ledger import Ledger
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.record import build as record
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.acts import perform
from ansible_collections.workforce.lifecycle.plugins.plugin_utils.shell.step import Step

from sandbox.box import Box
from sandbox.servers.directory import BASE
from sandbox.servers.dovecot import Dovecot
from sandbox.servers.pymap import Pymap
from sandbox.servers.slapd import Slapd
from sandbox.vendors.ldap import Ldap
from tests.support import person_of, run
from tests.unit.ledger_run import ledger_run


def _or_skipped(name: str, server: Any) -> Any:
    return pytest.param(
        name, marks=[pytest.mark.debian, pytest.mark.skipif(bool(server.missing()), reason=server.missing() or name)]
    )


_DEFAULTS = {**{name: spec.get("default") for name, spec in ATTEST.spec.items()}, "by": "Grace Okoye"}


class OwnPasswords(Pymap):
    """A mail server that keeps the mailboxes' passwords itself."""

    name = "own_mail"
    DIRECTORY = ""

    def systems(self) -> Mapping[str, Mapping[str, Any]]:
        return {"own_mail": super().systems()["imap"]}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([OwnPasswords, Pymap, Ldap, *(server for server in (Dovecot, Slapd) if not server.missing())]) as running:
        yield running


def _bound(box: Box, system: str) -> ldap3.Connection:
    server = ldap3.Server(box[system].url, tls=ldap3.Tls(ca_certs_file=box.ca_file, validate=ssl.CERT_REQUIRED))
    return ldap3.Connection(
        server, f"uid=jane,ou=people,{BASE}", box[system].password_of("jane"), raise_exceptions=False
    )


def _reads(connection: ldap3.Connection) -> bool:
    try:
        return bool(connection.search(BASE, "(uid=mark)"))
    except ldap3.core.exceptions.LDAPCommunicationError:
        return False


@pytest.mark.parametrize("system", ["ldap", _or_skipped("slapd", Slapd)])
def test_a_bound_directory_connection_is_dead_or_named(box: Box, system: str) -> None:
    before = _bound(box, system)
    assert before.bind() and _reads(before)
    result = run(cutoff.TASK, box, system, person=person_of(box, "jane"))
    assert result["outcome"] == "done", result
    assert not _bound(box, system).bind(), "nobody signs in any more"
    assert _reads(before), "it lives on; were it dead, the record would name what is not so"
    again = run(cutoff.TASK, box, system, person=person_of(box, "jane"))
    for told in (result, again):
        [residual] = told["residual"]
        assert (
            residual["what"] == "LDAP connections that were bound before"
            and residual["until"] == "unknown"
            and "idle timeout" in residual["why"]
        )
    before.unbind()


def _signed_in(box: Box, system: str, key: str = "jane") -> imaplib.IMAP4_SSL:
    connection = imaplib.IMAP4_SSL(
        "localhost", int(box[system].url.rpartition(":")[2]), ssl_context=ssl.create_default_context(cafile=box.ca_file)
    )
    server: Any = box[system]
    connection.login(key, server.password_of(key) if system == "imap" else server.secret(f"of-{key}"))
    return connection


@pytest.mark.parametrize("system", ["own_mail", _or_skipped("dovecot", Dovecot)])
def test_an_imap_session_lives_on_and_the_record_names_it(box: Box, system: str, tmp_path: Path) -> None:
    person = person_of(box, "jane")
    before = _signed_in(box, system)
    assert run(cutoff.TASK, box, system, person=person)["outcome"] == "unsupported", "IMAP has nothing to cut with"

    ledger = Ledger.open(str(tmp_path / "ledger.db"))
    case = ledger.open_case("offboard", person, "test", {"key": "test"}).id
    for run_id in ("first", "second"):
        step = Step.of(
            ledger,
            case=case,
            run=run_id,
            phase="mailbox",
            system=system,
            name="mailbox_archive",
            person=person["email"],
            silent=False,
        )
        result = step.finished(run(mailbox_archive.TASK, box, system, person=person, path=str(tmp_path / "archive")))
        assert result["outcome"] == {"first": "done", "second": "already"}[run_id], result
        assert before.select("INBOX", readonly=True)[0] == "OK", "it lives on"
        _signed_in(box, system).logout()
        [residual] = result["residual"]
        assert (
            residual["until"] == "unknown"
            and "IMAP sessions" in residual["what"]
            and "password" in residual["what"]
            and "Sieve" in residual["what"]
            and "end its sessions on the server" in residual["why"]
        )
        told = json.loads(json.dumps(record.build(ledger, case, {})))
        assert told["residual_access"] == [{"system": system, **residual}]
        # She can still sign in: no word of the record says that every way in is closed.
        [item] = [item for item in told["open_items"] if item["what"] == "mailbox password"]
        assert item["system"] == system and told["verdict"]["access"] == "open" and not told["summary"]["complete"]
        assert "Every way in" not in told["verdict"]["sentence"]
    before.logout()
    attested = perform(ATTEST, ledger_run(ledger, {}), {**_DEFAULTS, "person": person["email"], "system": system})
    assert [row["what"] for row in attested["changes"]] == ["mailbox password"], attested
    assert not [i for i in record.build(ledger, case, {})["open_items"] if i["what"] == "mailbox password"]


def test_a_mailbox_whose_password_is_the_directorys_is_closed_by_its_cut(box: Box, tmp_path: Path) -> None:
    person, ledger = person_of(box, "mark"), Ledger.open(str(tmp_path / "ledger.db"))
    case = ledger.open_case("offboard", person, "test", {"key": "test"}).id
    archived = run(mailbox_archive.TASK, box, "imap", person=person, path=str(tmp_path / "archive"))
    _noted(ledger, case, person, "imap", "mailbox_archive", archived)
    told = record.build(ledger, case, {})
    assert told["verdict"]["access"] == "open" and "ldap checks it" in told["open_items"][0]["why"]
    _signed_in(box, "imap", "mark").logout()
    _noted(ledger, case, person, "ldap", "cutoff", run(cutoff.TASK, box, "ldap", person=person))
    told = record.build(ledger, case, {})
    assert told["verdict"]["access"] == "closed" and told["open_items"] == []
    with pytest.raises(imaplib.IMAP4.error):
        _signed_in(box, "imap", "mark")


def _noted(ledger: Ledger, case: str, person: Any, system: str, name: str, result: dict[str, Any]) -> None:
    phase = "cutoff" if name == "cutoff" else "preserve"
    Step.of(
        ledger, case=case, run="r", phase=phase, system=system, name=name, person=person["email"], silent=False
    ).finished(result)


def test_no_mailbox_nothing_lingers(box: Box, tmp_path: Path) -> None:
    result = run(mailbox_archive.TASK, box, "imap", person=person_of(box, "ada"), path=str(tmp_path / "archive"))
    assert result["outcome"] == "absent" and result["residual"] == []

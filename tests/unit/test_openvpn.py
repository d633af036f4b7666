# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.openvpn.der import (
    certificate_of,
    revoked_of,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError, ProtocolError
from ansible_collections.workforce.lifecycle.plugins.modules import account, cutoff
from cryptography import x509

from sandbox.box import Box
from sandbox.vendors.openvpn import OpenVpnHost
from tests import virtual_time
from tests.support import connect, person_of, run


@pytest.fixture(scope="module")
def shared() -> Iterator[Box]:
    with Box([OpenVpnHost]) as box:
        yield box


@pytest.fixture
def box(shared: Box) -> Box:
    shared["openvpn"].reset()
    return shared


def cut(box: Box, key: str = "jane", **changes: Any) -> dict[str, Any]:
    return run(cutoff.TASK, box, "openvpn", person=person_of(box, key), changes=changes)


def options(box: Box, **changed: Any) -> dict[str, Any]:
    return {**box.systems()["openvpn"]["options"], **changed}


def connected(box: Box) -> list[str]:
    return [one.name for one in box["openvpn"].clients]


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    return {change["what"]: change["outcome"] for change in result["changes"]}


# -- whose a certificate is ----------------------------------------------------------------------------------------------


def test_a_person_is_found_by_the_address_in_their_certificate(box: Box) -> None:
    (jane,) = connect(box, "openvpn").candidates(
        connect(box, "openvpn").keys_of(_person(email="j.ortiz@corp.example", aliases=("jane@corp.example",)))
    )
    assert (jane.login, jane.email, jane.active) == ("jane", "jane@corp.example", True)


def test_a_person_is_found_by_the_login_that_the_pattern_makes(box: Box) -> None:
    box["openvpn"].authority_.issue("E1011")
    result = cut(box, "tom", options=options(box, login="{employee_id}"))
    assert result["outcome"] == "done" and len(box["openvpn"].revoked()) == 1


def test_a_common_name_that_may_be_a_strangers_is_asked_about(box: Box) -> None:
    box["openvpn"].authority_.issue("tom")
    result = cut(box, "tom", options=options(box, login="{local_part}"))
    assert result["outcome"] == "needs_human" and box["openvpn"].revoked() == set()


def test_another_address_in_a_certificates_text_is_nobodys(box: Box) -> None:
    """What ``openssl -text`` would print on lines of their own, or after a comma."""
    for name in (
        "x\nX509v3 Subject Alternative Name:\nemail:tom@corp.example",
        "x, email:tom@corp.example",
    ):
        box["openvpn"].authority_.issue(name, file=f"file{len(name)}")
    assert not list(connect(box, "openvpn").candidates(connect(box, "openvpn").keys_of(_person("tom@corp.example"))))


def test_the_servers_own_certificate_is_a_services(box: Box) -> None:
    listed = {one.account.login: one for one in connect(box, "openvpn").all_accounts()}
    assert listed["vpn.corp.example"].kind == "service" and listed["jane"].kind == "person"
    assert listed["vpn.corp.example"].account.no_person and not listed["jane"].account.no_person
    assert listed["jane"].created and set(listed) == {"vpn.corp.example", "jane", "mark@corp.example"}


# -- cut off -------------------------------------------------------------------------------------------------------------


def test_certificates_go_before_sessions_which_would_come_back(box: Box) -> None:
    cut(box)
    acts = [entry["method"] for entry in box["openvpn"].writes()]
    assert acts == ["easyrsa"] * 4 + ["kill"]
    assert connected(box) == ["mark@corp.example"]


def test_a_session_that_came_back_meanwhile_is_ended_too(box: Box) -> None:
    """The plan was made while nobody was connected."""
    host = box["openvpn"]
    jane = next(one for one in host.clients if one.name == "jane")
    connector = connect(box, "openvpn")
    (account_,) = connector.candidates(connector.keys_of(_person("jane@corp.example")))
    paths = connector.access_paths(account_, "")
    host.clients = [one for one in host.clients if one.name != "jane"]
    host.connect("jane", jane.serial)
    for path in paths:
        path.close()
    assert connected(box) == ["mark@corp.example"]


def test_a_certificate_that_is_revoked_in_the_index_alone_is_still_a_way_in(box: Box) -> None:
    """Somebody ran ``easyrsa revoke`` and forgot ``gen-crl``."""
    host = box["openvpn"]
    for name in ("jane", "jane-phone"):
        host.authority_.revoke(name, "cessationOfOperation")
    assert cut(box)["outcome"] == "done" and len(host.revoked()) == 2
    assert {entry["path"] for entry in host.writes() if entry["method"] == "easyrsa"} == {"gen-crl"}


def test_the_list_is_put_where_the_server_reads_it(box: Box, tmp_path: Path) -> None:
    read = tmp_path / "crl.pem"
    read.write_bytes((box["openvpn"].folder / "pki" / "crl.pem").read_bytes())
    read.chmod(0o640)
    assert cut(box, options=options(box, crl=str(read)))["outcome"] == "done"
    assert read.read_bytes() == (box["openvpn"].folder / "pki" / "crl.pem").read_bytes()
    assert read.stat().st_mode & 0o777 == 0o640, "its mode stays"


def test_a_list_that_is_elsewhere_and_old_lets_them_in(box: Box, tmp_path: Path) -> None:
    """easy-rsa's own list says revoked; the server reads another."""
    read = tmp_path / "crl.pem"
    read.write_bytes((box["openvpn"].folder / "pki" / "crl.pem").read_bytes())
    assert cut(box)["outcome"] == "done"
    result = run(
        cutoff.TASK, box, "openvpn", check_mode=True, person=person_of(box, "jane"),
        changes={"options": options(box, crl=str(read))},
    )  # fmt: skip
    assert [what for what, outcome in outcomes(result).items() if outcome == "planned"] == [
        what for what in outcomes(result) if what.startswith("certificate")
    ]


def test_an_expired_certificate_is_no_way_in(box: Box) -> None:
    box["openvpn"].authority_.issue("tom@corp.example", days=-1)
    assert cut(box, "tom")["outcome"] in ("absent", "unknown", "needs_human") and not box["openvpn"].writes()


def test_a_certificate_whose_file_is_gone_is_left_to_a_person(box: Box) -> None:
    (box["openvpn"].folder / "pki" / "issued" / "jane-phone.crt").unlink()
    result = cut(box)
    assert result["outcome"] == "needs_human" and "openssl ca" in str(result["changes"])
    assert len(box["openvpn"].revoked()) == 1


def test_a_client_without_a_certificate_of_ours_is_ended_and_how_it_signed_in_stays_open(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    virtual_time.install(monkeypatch)
    host = box["openvpn"]
    host.connect("UNDEF", 0, user="tom@corp.example")
    assert outcomes(cut(box, "tom")) == {"live sessions": "failed"}, "it came back: its password is still good"
    host.refused.add("tom@corp.example")
    result = cut(box, "tom")
    assert outcomes(result) == {"live sessions": "done"} and "UNDEF" not in connected(box)
    assert result["residual"][0]["way"] == "sign-in of another kind"


def test_users_of_one_shared_certificate_are_ended_alone(box: Box) -> None:
    host = box["openvpn"]
    shared = host.authority_.issue("everybody")
    for user in ("tom@corp.example", "lena@corp.example"):
        host.connect("everybody", shared, user=user)
    host.refused.add("tom@corp.example")
    cut(box, "tom")
    assert [e["method"] for e in host.writes()] == ["client-kill"], "nothing of the others is revoked or disabled"
    assert [one.user for one in host.clients if one.name == "everybody"] == ["lena@corp.example"]
    assert host.revoked() == set() and not (host.folder / "ccd" / "tom@corp.example").exists()


def test_a_quote_in_a_common_name_ends_no_word_of_a_command(box: Box) -> None:
    name = 'tom" mark@corp.example'
    box["openvpn"].connect(name, box["openvpn"].authority_.issue(name, "tom@corp.example", file="tom"))
    cut(box, "tom")
    assert [e["path"] for e in box["openvpn"].writes() if e["method"] == "kill"] == [name]


def test_a_common_name_that_was_issued_to_the_next_person_is_not_the_first_ones_by_their_link(box: Box) -> None:
    host = box["openvpn"]
    connector = connect(box, "openvpn")
    (before,) = connector.candidates(connector.keys_of(_person("jane@corp.example")))
    cut(box)
    (after,) = connector.candidates(connector.keys_of(_person("jane@corp.example")))
    assert before.id == after.id, "a look at what was cut finds it by its link"
    host.authority_.issue("jane", "jane.next@corp.example")
    (next_,) = connector.candidates(connector.keys_of(_person("jane.next@corp.example")))
    assert next_.id not in (before.id, after.id)


# -- suspend, resume -----------------------------------------------------------------------------------------------------


def test_who_is_suspended_is_let_in_again_and_their_file_is_as_it_was(box: Box) -> None:
    file = box["openvpn"].folder / "ccd" / "jane"
    before = file.read_text()
    jane = person_of(box, "jane")
    assert run(account.TASK, box, "openvpn", person=jane, state="suspended")["outcome"] == "done"
    assert run(account.TASK, box, "openvpn", person=jane, state="active")["outcome"] == "done"
    assert file.read_text() == before


def test_without_a_folder_for_clients_nobody_can_be_suspended(box: Box) -> None:
    changes = {"options": options(box, client_config_dir=None)}
    result = run(account.TASK, box, "openvpn", person=person_of(box, "jane"), state="suspended", changes=changes)
    assert "client_config_dir" in str(result) and box["openvpn"].writes() == [] and len(connected(box)) == 3


def test_what_was_revoked_does_not_open_again(box: Box) -> None:
    connector = connect(box, "openvpn")
    (jane,) = connector.candidates(connector.keys_of(_person("jane@corp.example")))
    backs = {
        back.name: back
        for back in connector.ways_back(jane, {"sign-in": "open", "certificate 1": "open", "live sessions": "open"})
    }
    assert backs["certificate 1"].lost and not backs["sign-in"].lost and backs["live sessions"].anew


# -- the management interface --------------------------------------------------------------------------------------------


def test_the_password_of_the_interface_is_given_and_a_wrong_one_is_said(box: Box) -> None:
    box["openvpn"].password = "swordfish"
    good = cut(box, credentials={"management_password": "swordfish"})
    assert good["outcome"] == "done" and "swordfish" not in str(good)
    for given in ({}, {"management_password": "wrong-one"}):
        result = cut(box, credentials=given)
        assert result["failed"] and result["code"] == "credential" and "wrong-one" not in result["msg"]


def test_an_interface_that_another_program_holds_open_is_said(box: Box) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(str(box["openvpn"].folder / "management.sock"))
        assert other.recv(100)
        result = run(cutoff.TASK, box, "openvpn", person=person_of(box, "jane"), changes={"timeout": 0.2})
    assert result["failed"] and result["code"] == "unavailable" and "one program at a time" in result["msg"]
    assert box["openvpn"].writes() == []


@pytest.mark.parametrize("address", ["vpn.corp.example:7505", "10.0.0.1:7505", "127.0.0.1", "run/openvpn.sock"])
def test_an_interface_of_another_machine_is_refused(box: Box, address: str) -> None:
    with pytest.raises(InputError, match="management"):
        connect(box, "openvpn", options=options(box, management=[address]))


def test_a_wrong_machine_is_said(box: Box) -> None:
    result = cut(box, options=options(box, pki="/nowhere/pki"))
    assert result["failed"] and "ansible_connection" in result["msg"] and "/nowhere/pki" in result["msg"]


# -- certificates --------------------------------------------------------------------------------------------------------


def test_certificates_and_lists_read_as_the_library_reads_them(box: Box) -> None:
    folder = box["openvpn"].folder / "pki"
    cut(box)
    for file in folder.rglob("*.crt"):
        text = file.read_bytes()
        ours, known = certificate_of(text), x509.load_pem_x509_certificate(text[text.index(b"-----") :])
        assert ours.serial == known.serial_number and ours.ends == known.not_valid_after_utc
        assert f"CN={ours.name}" == known.subject.rfc4514_string()
    crl = (folder / "crl.pem").read_bytes()
    assert revoked_of(crl).serials == {one.serial_number for one in x509.load_pem_x509_crl(crl)}


def test_a_cut_certificate_or_list_is_an_error_and_no_empty_answer(box: Box) -> None:
    folder = box["openvpn"].folder / "pki"
    for path, text in ((folder / "crl.pem", b"<html>"), (folder / "index.txt", b"nothing\n")):
        before = path.read_bytes()
        path.write_bytes(text)
        with pytest.raises(ProtocolError, match=path.name):
            list(connect(box, "openvpn").all_accounts())
        path.write_bytes(before)


def _person(email: str, **more: Any) -> Any:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.model.person import Person

    return Person(email=email, **more)


def test_the_years_of_both_forms_of_a_moment_are_read() -> None:
    from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.openvpn.pki import _moment

    assert _moment("290303040840Z") == datetime(2029, 3, 3, 4, 8, 40, tzinfo=timezone.utc)
    assert _moment("20510303040840Z").year == 2051

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Each vendor's requests: what proves them, what they say, which id they get. Signatures are made here with hashlib, or are published vectors."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lifecycle_bridge.config import Secret, Source
from lifecycle_bridge.errors import ConfigError, Forged, Malformed
from lifecycle_bridge.events import TYPES, Raw
from lifecycle_bridge.receive import SCHEMES, Unsupported, check, receive
from lifecycle_bridge.receive import standard_webhooks as sw

from tests.bridge.door_support import (
    KEY,
    NOW,
    OTHER,
    VENDORS,
    bamboohr,
    bearer,
    cloudevents,
    dumped,
    genuine,
    gusto,
    hibob,
    personio,
    raw,
    source,
    standard,
)

ALL = sorted(VENDORS)


def said(request: Raw, using: Source) -> list[tuple[str, str]]:
    return [(event.type, event.person) for event in receive(request, "hr", using, NOW).events]


@pytest.mark.parametrize("scheme", ALL)
def test_a_genuine_request_is_read_for_ids_alone(scheme: str) -> None:
    received = receive(genuine(scheme), "hr", source(scheme), NOW)
    (event,) = received.events
    assert (event.type, event.person) == VENDORS[scheme][2]
    assert event.source == "hr" and event.received_at == NOW and len(event.raw_sha256) == 64
    assert event.urgent == (event.type == "jml.access.revoked")
    assert 200 <= received.answer.status < 300


@pytest.mark.parametrize("scheme", ALL)
def test_each_key_of_a_rotation_is_right_and_no_other(scheme: str) -> None:
    assert said(genuine(scheme), source(scheme, OTHER, KEY)) == [VENDORS[scheme][2]]
    assert said(genuine(scheme), source(scheme, KEY, OTHER)) == [VENDORS[scheme][2]]
    with pytest.raises(Forged):
        receive(genuine(scheme), "hr", source(scheme, OTHER), NOW)


@pytest.mark.parametrize("scheme", ALL)
def test_without_a_key_nothing_is_genuine_and_the_door_does_not_open(scheme: str) -> None:
    bare = Source(scheme=scheme)
    with pytest.raises(Forged):
        receive(genuine(scheme), "hr", bare, NOW)
    assert any("anybody could call" in words for words in check("hr", bare))


@pytest.mark.parametrize("scheme", ALL)
def test_a_key_that_cannot_be_read_is_our_trouble_and_not_the_senders(scheme: str, tmp_path: object) -> None:
    lost = Source(scheme=scheme, secrets=[Secret(env="DOOR_IS_NOT_SET")])
    with pytest.raises(ConfigError):
        receive(genuine(scheme), "hr", lost, NOW)
    both = Source(scheme=scheme, secrets=[*lost.secrets, *source(scheme).secrets])
    assert said(genuine(scheme), both) == [VENDORS[scheme][2]], "a key that is still there goes on being right"


@pytest.mark.parametrize("scheme", ALL)
def test_the_same_bytes_have_the_same_id_and_what_the_door_makes_itself_is_genuine(scheme: str) -> None:
    first, second = (receive(genuine(scheme), "hr", source(scheme), NOW).events[0].id for _ in range(2))
    assert first == second
    for kind in TYPES:
        if kind == "jml.feed.changed" or (kind not in SCHEMES[scheme].types.values() and scheme != "bamboohr"):
            continue
        made = SCHEMES[scheme].make(kind, "42", KEY, source(scheme), NOW)
        (event,) = receive(raw(made.body, made.headers), "hr", source(scheme), NOW).events
        assert event.person == "42" and (event.type == kind or scheme == "bamboohr")


# -- BambooHR


def test_bamboohr_signs_body_then_timestamp_and_a_published_sample_shows_the_header() -> None:
    body = VENDORS["bamboohr"][1]
    stamped = bamboohr(body)
    assert said(raw(body, stamped), source("bamboohr"))
    later = {**stamped, "X-BambooHR-Timestamp": str(int(NOW.timestamp()) + 1)}
    with pytest.raises(Forged):
        receive(raw(body, later), "hr", source("bamboohr"), NOW)
    iso = NOW.isoformat()
    import hashlib
    import hmac

    signed = {
        "X-BambooHR-Timestamp": iso,
        "X-BambooHR-Signature": hmac.new(KEY.encode(), body + iso.encode(), hashlib.sha256).hexdigest(),
    }
    assert said(raw(body, signed), source("bamboohr")), "a timestamp of ISO 8601 is taken too"


def test_bamboohr_window_is_longer_than_its_retries_and_no_longer() -> None:
    body = VENDORS["bamboohr"][1]
    for age, right in ((timedelta(minutes=76), True), (timedelta(minutes=91), False), (timedelta(minutes=-6), False)):
        request = raw(body, bamboohr(body, at=NOW - age))
        if right:
            assert said(request, source("bamboohr"))
        else:
            with pytest.raises(Forged, match="timestamp"):
                receive(request, "hr", source("bamboohr"), NOW)
    narrow = source("bamboohr", window=300)
    with pytest.raises(Forged):
        receive(raw(body, bamboohr(body, at=NOW - timedelta(minutes=6))), "hr", narrow, NOW)


def test_bamboohr_field_based_brings_many_people_and_no_value_of_a_field_goes_on() -> None:
    body = dumped(
        {
            "employees": [
                {
                    "id": "1",
                    "action": "Created",
                    "timestamp": "2026-03-02T09:00:00+00:00",
                    "changedFields": [],
                    "fields": {"First Name": "Jane", "Pay rate": "90000"},
                },
                {"id": 2, "action": "Updated", "changedFields": ["Status"], "fields": {"Status": "Inactive"}},
                {"id": "3", "action": "Deleted", "fields": {}},
            ]
        }
    )
    events = receive(raw(body, bamboohr(body)), "hr", source("bamboohr"), NOW).events
    assert [(event.type, event.person) for event in events] == [
        ("jml.person.created", "1"),
        ("jml.person.changed", "2"),
        ("jml.person.deleted", "3"),
    ]
    assert len({event.id for event in events}) == 3
    assert "Jane" not in repr(events) and "90000" not in repr(events)


def test_bamboohr_forms_are_read_and_the_same_form_signed_later_is_another_event() -> None:
    body = b"type=employee.updated&data[companyId]=12345&data%5BemployeeId%5D=67890&data[changedFields][0]=firstName"
    ids = []
    for at in (NOW, NOW + timedelta(days=30)):
        request = raw(body, {**bamboohr(body, at=at), "Content-Type": "application/x-www-form-urlencoded"}, at=at)
        (event,) = receive(request, "hr", source("bamboohr"), at).events
        assert (event.type, event.person) == ("jml.person.changed", "67890")
        ids.append(event.id)
    assert ids[0] != ids[1], (
        "a form has no time in it: without the header's, a change a month later would be taken for a duplicate"
    )
    many = b"employees[0][id]=1&employees[0][action]=Updated&employees[1][id]=2&employees[1][action]=Created"
    request = raw(many, {**bamboohr(many), "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
    assert said(request, source("bamboohr")) == [("jml.person.changed", "1"), ("jml.person.created", "2")]


# -- HiBob


@pytest.mark.parametrize("body", [b'"Ping test"', b'{"text":"Ping test"}', b'{ "text": "Ping test" }', b"Ping test"])
def test_hibob_pings_are_answered_200_and_are_no_event(body: bytes) -> None:
    for media in ("application/json", "text/plain"):
        received = receive(raw(body, {"Content-Type": media}), "hr", source("hibob"), NOW)
        assert received.events == () and received.answer.status == 200


def test_hibob_a_ping_with_more_in_it_is_no_ping() -> None:
    for body in (b'{"text":"Ping test","type":"employee.left"}', b'{"text":"Ping test"', b'["Ping test"]'):
        with pytest.raises(Forged):
            receive(raw(body, {}), "hr", source("hibob"), NOW)


@pytest.mark.parametrize(
    ("word", "kind", "urgent"),
    [
        ("employee.left", "jml.employment.terminated", False),
        ("employee.inactivated", "jml.person.changed", False),
        ("employee.access.revoked.immediately", "jml.access.revoked", True),
        ("table.entry.created", "jml.person.changed", False),
        ("employee.somethingNew", "jml.person.changed", False),
    ],
)
def test_hibob_words(word: str, kind: str, urgent: bool) -> None:
    body = dumped(
        {
            "companyId": 1,
            "type": word,
            "triggeredAt": "2025-01-08T13:06:26.915906",
            "version": "v2",
            "data": {"employeeId": "9", "tableId": "lifecycle"},
        }
    )
    (event,) = receive(raw(body, hibob(body)), "hr", source("hibob"), NOW).events
    assert (event.type, event.urgent) == (kind, urgent)


def test_hibob_what_is_about_nobodys_employment_is_taken_and_left() -> None:
    body = dumped(
        {
            "companyId": 1,
            "type": "timeoff.request.approved",
            "triggeredAt": "2025-01-08T13:06:26",
            "data": {"getApi": "x"},
        }
    )
    received = receive(raw(body, hibob(body)), "hr", source("hibob"), NOW)
    assert (received.events, received.ignored, received.answer.status) == ((), 1, 200)


# -- Personio


def test_personio_takes_its_token_or_its_signature_and_a_wrong_signature_spoils_a_right_token() -> None:
    body = VENDORS["personio"][1]
    for headers in (
        bearer(body),
        personio(body),
        {"X-Personio-Signature": "sha256=" + personio(body)["X-Personio-Signature"]},
    ):
        assert said(raw(body, headers), source("personio")) == [("jml.employment.terminated", "77")]
    with pytest.raises(Forged):
        receive(raw(body, {**bearer(body), **personio(body, OTHER)}), "hr", source("personio"), NOW)


def test_personio_never_gets_a_4xx_for_our_trouble() -> None:
    personio_scheme = SCHEMES["personio"]
    assert (
        personio_scheme.busy >= 500
        and personio_scheme.unreadable >= 500
        and 501 not in (personio_scheme.busy, personio_scheme.unreadable)
    )


def test_personio_absences_are_nothing_for_us() -> None:
    body = dumped(
        {
            "company_id": "9",
            "event_name": "absence-period.created",
            "occurred_at": "2026-03-02T09:30:00Z",
            "payload": {"id": "1"},
        }
    )
    assert receive(raw(body, personio(body)), "hr", source("personio"), NOW).ignored == 1


# -- Gusto


def test_gusto_hands_over_a_token_which_is_never_taken_as_a_key() -> None:
    body = dumped({"verification_token": "t0ken-of-gusto", "webhook_subscription_uuid": "u"})
    received = receive(raw(body, {}), "hr", source("gusto"), NOW)
    assert (received.token, received.events) == ("t0ken-of-gusto", ())
    assert "t0ken" not in repr(received)
    event = VENDORS["gusto"][1]
    with pytest.raises(Forged):
        receive(raw(event, gusto(event, "t0ken-of-gusto")), "hr", source("gusto"), NOW)


def test_gusto_spells_it_in_two_ways_and_payrolls_are_nothing_for_us() -> None:
    for word in ("employee.terminated_effective", "employee.termination_effective"):
        body = dumped({"uuid": "1", "event_type": word, "entity_type": "Employee", "entity_uuid": "e", "timestamp": 1})
        assert said(raw(body, gusto(body)), source("gusto")) == [("jml.employment.terminated", "e")]
    body = dumped(
        {"uuid": "1", "event_type": "payroll.paid", "entity_type": "Payroll", "entity_uuid": "p", "timestamp": 1}
    )
    assert receive(raw(body, gusto(body)), "hr", source("gusto"), NOW).ignored == 1


# -- without signature


@pytest.mark.parametrize("scheme", ["rippling", "workday"])
def test_unsigned_vendors_need_a_token_that_cannot_be_guessed(scheme: str) -> None:
    assert any("guessed" in words for words in check("hr", source(scheme, "short")))
    body = VENDORS[scheme][1]
    basic = source(scheme, user="workday")
    right = {"Authorization": "Basic " + base64.b64encode(f"workday:{KEY}".encode()).decode()}
    assert said(raw(body, right), basic) == [VENDORS[scheme][2]]
    for wrong in (
        {"Authorization": "Basic " + base64.b64encode(f"someone:{KEY}".encode()).decode()},
        bearer(body),
        {},
        {"Authorization": "Bearer"},
        {"Authorization": KEY},
    ):
        with pytest.raises(Forged):
            receive(raw(body, wrong), "hr", basic, NOW)


def test_rippling_partner_form_is_the_same_for_ten_minutes_and_another_event_later() -> None:
    body = urlencode(
        {
            "event_name": "employee.terminated",
            "company_id": "1",
            "company_primary_email": "boss@corp.example",
            "id": "42",
        }
    ).encode()
    base = datetime.fromtimestamp(NOW.timestamp() // 600 * 600, UTC)
    ids = []
    for at in (base, base + timedelta(minutes=9), base + timedelta(days=200)):
        request = raw(body, {**bearer(body), "Content-Type": "application/x-www-form-urlencoded"}, at=at)
        (event,) = receive(request, "hr", source("rippling"), at).events
        assert (event.type, event.person) == ("jml.employment.terminated", "42") and "boss" not in repr(event)
        ids.append(event.id)
    assert ids[0] == ids[1] != ids[2]


def test_workday_xml_is_read_by_local_names_and_a_document_type_is_refused() -> None:
    document = b"""<?xml version="1.0"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wd="urn:com.workday/bsvc"><env:Body><wd:Event>
      <wd:Business_Process>End Contingent Worker Contract</wd:Business_Process>
      <wd:Worker><wd:Worker_ID>C-7</wd:Worker_ID><wd:Legal_Name>Jane Roe</wd:Legal_Name></wd:Worker>
      <wd:Event_WID>77aa</wd:Event_WID></wd:Event></env:Body></env:Envelope>"""
    (event,) = receive(
        raw(document, {**bearer(document), "Content-Type": "text/xml; charset=utf-8"}), "hr", source("workday"), NOW
    ).events
    assert (event.type, event.person, event.id) == ("jml.employment.terminated", "C-7", "77aa")
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x><Worker_ID>&b;</Worker_ID><event>Hire</event></x>'
    for body in (bomb, b"<x><y></x>", b"", b"\xff\xfe<", b"<a>" * 50_000):
        with pytest.raises(Malformed):
            receive(raw(body, {**bearer(body), "Content-Type": "application/xml"}), "hr", source("workday"), NOW)


def test_options_map_own_field_names_and_event_words() -> None:
    using = source(
        "workday",
        person="worker.ref",
        type="what",
        types={"OFF": "jml.employment.terminated", "NOISE": ""},
        urgent="now",
    )
    assert check("hr", using) == []
    for what, expected in (
        ("OFF", [("jml.employment.terminated", "W1")]),
        ("NOISE", []),
        ("?", [("jml.person.changed", "W1")]),
    ):
        body = dumped({"what": what, "worker": {"ref": "W1"}, "now": True})
        received = receive(raw(body, bearer(body)), "hr", using, NOW)
        assert [(event.type, event.person) for event in received.events] == expected
        assert all(event.urgent for event in received.events)
    assert check("hr", source("workday", type=7, colour="red", types={"x": "y"})) != []


# -- Standard Webhooks


def test_standard_webhooks_published_vectors() -> None:
    """Those of the reference libraries: libraries/go/webhook_symmetric_test.go and webhook_asymmetric_test.go."""
    at, ident, body = datetime.fromtimestamp(1614265330, UTC), "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
    shared, private = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
    assert sw.sign(shared, ident, at, body)["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    expected = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
    assert sw.sign(private, ident, at, body)["Webhook-Signature"] == expected
    for key in (shared, private):
        headers = {name.lower(): value for name, value in sw.sign(key, ident, at, body).items()}
        assert sw.prove(Raw("POST", "/", headers, body, at), [key], at) == ident
        with pytest.raises(Forged):
            sw.prove(Raw("POST", "/", headers, body + b" ", at), [key], at)


def test_standard_webhooks_by_a_public_key_among_other_signatures() -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
    public = "whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode()
    body = VENDORS["standard_webhooks"][1]
    signed = sw.sign("whsk_" + base64.b64encode(b"p" * 32).decode(), "msg_9", NOW, body)
    mixed = {**signed, "Webhook-Signature": f"v1,AAAA v2,what v1a,!! v1a, {signed['Webhook-Signature']}"}
    assert said(raw(body, mixed), source("standard_webhooks", public)) == [("jml.employment.terminated", "5")]
    assert check("hr", source("standard_webhooks", public)) == []
    with pytest.raises(Forged):  # a public key is public: it must not do as a shared one
        receive(
            raw(body, standard(body, "whsec_" + public.removeprefix("whpk_"))),
            "hr",
            source("standard_webhooks", public),
            NOW,
        )


@pytest.mark.parametrize("seconds", [-301, 301])
def test_standard_webhooks_window(seconds: int) -> None:
    body = VENDORS["standard_webhooks"][1]
    with pytest.raises(Forged, match="timestamp"):
        receive(raw(body, standard(body, at=NOW + timedelta(seconds=seconds))), "hr", source("standard_webhooks"), NOW)
    near = NOW + timedelta(seconds=299 if seconds > 0 else -299)
    assert said(raw(body, standard(body, at=near)), source("standard_webhooks"))


def test_standard_webhooks_id_and_timestamp_are_signed() -> None:
    body = VENDORS["standard_webhooks"][1]
    for change in (
        {"Webhook-Id": "msg_2"},
        {"Webhook-Timestamp": str(int(NOW.timestamp()) + 1)},
        {"Webhook-Id": ""},
        {"Webhook-Timestamp": ""},
    ):
        with pytest.raises(Forged):
            receive(raw(body, {**standard(body), **change}), "hr", source("standard_webhooks"), NOW)


@pytest.mark.parametrize("key", ["whsec_", "whsec_c2hvcnQ=", "not base64!", "whpk_AAAA", "whsk_AAAA"])
def test_standard_webhooks_keys_that_are_none(key: str) -> None:
    assert check("hr", source("standard_webhooks", key)) != []


# -- CloudEvents


def test_cloudevents_batch_and_its_ids() -> None:
    events = [
        {"specversion": "1.0", "id": str(n), "source": "/a", "type": "jml.person.changed", "subject": f"person/{n}"}
        for n in range(3)
    ]
    body = dumped(events)
    received = receive(
        raw(body, {**standard(body), "Content-Type": "application/cloudevents-batch+json"}),
        "hr",
        source("cloudevents"),
        NOW,
    )
    assert [event.id for event in received.events] == ["/a#0", "/a#1", "/a#2"] and received.answer.status == 202
    empty = receive(
        raw(b"[]", {**standard(b"[]"), "Content-Type": "application/cloudevents-batch+json"}),
        "hr",
        source("cloudevents"),
        NOW,
    )
    assert empty.events == ()


def test_cloudevents_binary_by_bearer_takes_the_headers() -> None:
    body = dumped({"note": "x"})
    ce = {
        "ce-specversion": "1.0",
        "ce-id": "a%20b",
        "ce-source": "/s",
        "ce-type": "jml.employment.terminated",
        "ce-subject": '"person/7"',
        "ce-time": "2026-03-02T09:00:00Z",
    }
    token = "a token that is long enough"
    (event,) = receive(
        raw(body, {**ce, "Authorization": f"Bearer {token}"}), "hr", source("cloudevents", token), NOW
    ).events
    assert (event.type, event.person) == ("jml.employment.terminated", "7") and event.id.startswith("sha256:")
    with pytest.raises(Malformed):
        receive(
            raw(body, {**ce, "ce-id": "%C0%A0", "Authorization": f"Bearer {token}"}),
            "hr",
            source("cloudevents", token),
            NOW,
        )


def test_cloudevents_binary_does_not_believe_what_is_not_signed() -> None:
    body = dumped({"person_id": "7", "type": "jml.person.changed"})
    ce = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/s",
        "ce-type": "jml.person.changed",
        "ce-subject": "person/7",
    }
    honest = receive(raw(body, {**ce, **standard(body)}), "hr", source("cloudevents"), NOW).events
    for change in ({"ce-type": "jml.access.revoked"}, {"ce-subject": "person/8"}, {"ce-id": "2"}, {"ce-source": "/t"}):
        assert receive(raw(body, {**ce, **change, **standard(body)}), "hr", source("cloudevents"), NOW).events == honest
    import hashlib
    import hmac

    using = source("cloudevents", auth="hmac", header="X-Sig", algorithm="sha512", encoding="base64", prefix="v1=")
    signed = {"X-Sig": "v1=" + base64.b64encode(hmac.new(KEY.encode(), body, hashlib.sha512).digest()).decode()}
    one, two = (
        receive(raw(body, {**ce, **change, **signed}), "hr", using, NOW).events
        for change in ({}, {"ce-id": "9", "ce-type": "jml.access.revoked"})
    )
    assert one == two and one[0].person == "7"


def test_cloudevents_handshake() -> None:
    asked = raw(
        b"", {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}, method="OPTIONS"
    )
    headers = receive(asked, "hr", source("cloudevents"), NOW).answer.headers
    assert headers == {
        "Allow": "POST",
        "WebHook-Allowed-Origin": "eventemitter.example.com",
        "WebHook-Allowed-Rate": "120",
    }
    stranger = receive(asked, "hr", source("cloudevents", origins=["eventgrid.azure.net"]), NOW).answer
    assert "WebHook-Allowed-Origin" not in stranger.headers
    assert receive(asked, "hr", source("gusto"), NOW).answer.status == 405
    assert receive(
        raw(b"", {"WebHook-Request-Origin": "a\r\nSet-Cookie: x"}, method="OPTIONS"), "hr", source("cloudevents"), NOW
    ).answer.headers == {"Allow": "POST"}


def test_cloudevents_of_the_bridge_itself_are_understood() -> None:
    (event,) = receive(genuine("hibob"), "hr", source("hibob"), NOW).events
    body = dumped(event.cloudevent())
    (again,) = receive(raw(body, cloudevents(body)), "other", source("cloudevents"), NOW).events
    assert (again.type, again.person, again.occurred_at) == (event.type, event.person, event.occurred_at)


# -- all


@pytest.mark.parametrize("scheme", ALL)
def test_what_is_proven_and_cannot_be_read_says_so_and_breaks_nothing(scheme: str) -> None:
    sign = VENDORS[scheme][0]
    deep = b"[" * 100_000 + b"]" * 100_000
    for body in (
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'{"a":' * 50_000,
        deep,
        b"\xff\xfe\x00",
        b'{"type":"\\ud800","data":{"employeeId":"\\u0000"}}',
        dumped({"type": {"a": 1}}),
        b'{"x":' + b"9" * 6000 + b"}",
    ):
        with pytest.raises(Malformed):
            receive(raw(body, sign(body)), "hr", source(scheme), NOW)
    body = VENDORS[scheme][1]
    for headers in ({"Content-Type": "image/png"}, {"Content-Encoding": "gzip"}):
        with pytest.raises(Unsupported):
            receive(raw(body, {**sign(body), **headers}), "hr", source(scheme), NOW)


def test_ids_that_may_hold_anything_are_kept_as_digests() -> None:
    body = dumped({"type": "employee.terminated", "data": {"employee_id": "5"}})
    (event,) = receive(
        raw(body, standard(body, ident="Jane Roe <jane@x>")), "hr", source("standard_webhooks"), NOW
    ).events
    assert event.id.startswith("sha256:") and "Jane" not in event.id
    (event,) = receive(raw(body, standard(body, ident="m" * 300)), "hr", source("standard_webhooks"), NOW).events
    assert len(event.id) <= 200


def test_unknown_scheme_is_said() -> None:
    assert "nosuch" in check("hr", Source(scheme="nosuch"))[0]
    assert check("hr", source("gusto", handshake="/tmp/x")) == []
    assert check("hr", Source(scheme="gusto", options={"handshake": "/tmp/x"})) == [], (
        "Gusto hands its key over: it begins without"
    )


def test_a_token_that_anybody_can_hand_over_is_no_secret_by_itself() -> None:
    for kept, secrets in (("gusto.token", []), ("/run/gusto.token", [Secret(file=Path("/run/gusto.token"))])):
        assert any(
            "a person has to confirm" in words
            for words in check("hr", Source(scheme="gusto", secrets=secrets, options={"handshake": kept}))
        )

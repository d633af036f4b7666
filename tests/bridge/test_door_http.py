# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The door: what is refused, with which words, and that nothing of it is stored, breaks it or is logged."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st
from lifecycle_bridge import clock
from lifecycle_bridge.config import Secret, Source
from lifecycle_bridge.errors import ConfigError, Unreachable
from lifecycle_bridge.receive import SCHEMES
from lifecycle_bridge.receive import endpoint as door_module
from lifecycle_bridge.receive.endpoint import Endpoint, Passed

from tests.bridge.door_support import (
    KEY,
    NOW,
    OTHER,
    VENDORS,
    Kept,
    Reply,
    ask,
    bamboohr,
    dumped,
    gusto,
    personio,
    source,
    standard,
)

ALL = sorted(VENDORS)
SIGNED = [scheme for scheme in ALL if scheme not in ("rippling", "workday")]
#: Stands in every body and key of these tests: it must be in no line of any log, and in no answer.
MARK = "Zebedee-Salary-90210"
FORGED = b'{"error":"not accepted"}'


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


class Logged(logging.Handler):
    """Everything that any logger says, with all of its fields."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.__dict__} {record.exc_info}")


@pytest.fixture
def logged() -> Any:
    handler, root = Logged(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def marked(scheme: str) -> bytes:
    """The vendor's body with a name in it that is nobody's business."""
    body = json.loads(VENDORS[scheme][1])
    return dumped({**body, "displayName": MARK})


def headers(scheme: str, body: bytes, key: str = KEY, **more: Any) -> dict[str, str]:
    return {"Content-Type": "application/json", **VENDORS[scheme][0](body, key, **more)}


def every(kept: Kept, **options: Any) -> Endpoint:
    return Endpoint({scheme: source(scheme) for scheme in ALL}, kept, **options)


@pytest.mark.parametrize("scheme", ALL)
def test_2xx_is_said_after_the_event_is_kept_and_a_replay_is_known(scheme: str, logged: Logged) -> None:
    kept, body = Kept(), marked(scheme)
    passed: list[Passed] = []
    door = every(kept, seen=passed.append)
    replies = [ask(door, f"/hr/{scheme}", headers(scheme, body), body) for _ in range(3)]
    assert [reply.status for reply in replies] == [SCHEMES[scheme].received] * 3
    assert [event.person for event in kept.events] == [VENDORS[scheme][2][1]]
    assert [(each.outcome, each.new, each.known) for each in passed] == [
        ("received", 1, 0),
        ("known", 0, 1),
        ("known", 0, 1),
    ]
    assert MARK not in "".join(logged.lines) and KEY not in "".join(logged.lines)


def forgeries(scheme: str) -> dict[str, tuple[Mapping[str, str], bytes]]:
    """What a forger may try; ``altered`` and ``re-serialised`` only where the vendor signs."""
    body = marked(scheme)
    right = headers(scheme, body)
    other = next(name for name in ALL if name != scheme and VENDORS[name][0] is not VENDORS[scheme][0])
    tries = {
        "wrong key": (headers(scheme, body, OTHER), body),
        "no proof": ({"Content-Type": "application/json"}, body),
        "empty proof": ({name: value if name == "Content-Type" else "" for name, value in right.items()}, body),
        "wrong vendor": (headers(other, body), body),
        "key as proof": ({name: value if name == "Content-Type" else KEY for name, value in right.items()}, body),
        "proof twice": (
            {name: value if name == "Content-Type" else f"{value}, {value}" for name, value in right.items()},
            body,
        ),
    }
    if scheme in SIGNED:
        again = json.dumps(json.loads(body), separators=(",", ":"), sort_keys=True).encode()
        tries |= {
            "altered byte": (right, body.replace(b"9", b"8", 1) if b"9" in body else body[:-2] + b" }"),
            "re-serialised": (right, again),
            "cut": (right, body[:-1]),
            "longer": (right, body + b" "),
            "empty body": (right, b""),
        }
    if scheme in ("bamboohr", "standard_webhooks", "cloudevents"):
        tries["old timestamp"] = (headers(scheme, body, at=NOW - timedelta(hours=2)), body)
        tries["future timestamp"] = (headers(scheme, body, at=NOW + timedelta(hours=2)), body)
    return tries


@pytest.mark.parametrize(("scheme", "how"), [(scheme, how) for scheme in ALL for how in forgeries(scheme)])
def test_forgeries_are_all_refused_with_the_same_words(scheme: str, how: str, logged: Logged) -> None:
    kept = Kept()
    given_headers, body = forgeries(scheme)[how]
    reply = ask(every(kept), f"/hr/{scheme}", given_headers, body)
    assert (reply.status, reply.body) == (401, FORGED)
    assert kept.events == []
    assert MARK not in "".join(logged.lines) and KEY not in "".join(logged.lines) and OTHER not in "".join(logged.lines)


def test_an_unknown_source_is_not_found_and_none_is_named() -> None:
    door = Endpoint({"acme": source("gusto"), "polled": Source.model_validate({"poll": {"kind": "csv"}})}, Kept())
    replies = [ask(door, path, {}, b"{}") for path in ("/hr/nosuch", "/hr/polled")]
    assert {(reply.status, reply.body) for reply in replies} == {(404, b'{"error":"not found"}')}


def test_the_door_does_not_open_with_a_source_that_proves_nothing() -> None:
    with pytest.raises(ConfigError, match="anybody could call"):
        Endpoint({"open": Source(scheme="rippling")}, Kept())


@pytest.mark.parametrize("announced", [True, False])
def test_an_oversized_body_is_not_read_to_its_end(announced: bool) -> None:
    kept = Kept()
    door = Endpoint({"bob": source("hibob").model_copy(update={"max_bytes": 1000})}, kept)
    # it never ends: had it been read on, this would not return before it is too slow
    reply = ask(door, "/hr/bob", {"Content-Length": "40000"} if announced else {}, [b"x" * 400] * 3, stalls=True)
    assert reply.status == 413 and reply.headers["connection"] == "close" and kept.events == []
    assert ask(door, "/hr/bob", {"Content-Length": "9" * 5000}, b"").status == 413


@pytest.mark.parametrize(("scheme", "status"), [("hibob", 408), ("personio", 503)])
def test_a_slow_body_is_given_up(scheme: str, status: int) -> None:
    kept = Kept()
    door = Endpoint({"hr": source(scheme)}, kept, body_seconds=0.05)
    reply = ask(door, "/hr/hr", {"Content-Length": "100"}, b"{", stalls=True)
    assert (reply.status, reply.headers["connection"]) == (status, "close") and kept.events == []


@pytest.mark.parametrize(("scheme", "status"), [("gusto", 429), ("personio", 503)])
def test_more_than_a_minute_allows_is_asked_to_come_later(scheme: str, status: int) -> None:
    """429 is a 4xx: Personio would never come again."""
    clock_now = [0.0]
    using = source(scheme).model_copy(update={"per_minute": 2})
    kept = Kept()
    door = Endpoint({"hr": using}, kept, monotonic=lambda: clock_now[0])

    def one(number: int) -> Reply:
        body = json.loads(VENDORS[scheme][1])
        changed = dumped({**body, "uuid": f"u{number}", "meta": number})
        return ask(door, "/hr/hr", headers(scheme, changed), changed)

    assert [one(n).status for n in range(3)] == [200, 200, status]
    refused = one(3)
    assert refused.status == status and refused.headers["retry-after"] == "30"
    clock_now[0] += 30
    assert one(3).status == 200 and len(kept.events) == 3


def test_forgeries_of_one_address_do_not_keep_hr_out() -> None:
    kept, body = Kept(), VENDORS["gusto"][1]
    door = Endpoint({"hr": source("gusto")}, kept, monotonic=lambda: 0.0)
    statuses = [
        ask(door, "/hr/hr", headers("gusto", body, OTHER), body, host="198.51.100.66").status
        for _ in range(door_module.FORGED_PER_MINUTE + 1)
    ]
    assert set(statuses[:-1]) == {401} and statuses[-1] == 429
    assert ask(door, "/hr/hr", headers("gusto", body), body, host="198.51.100.66").status == 200, (
        "what is genuine is taken, also from that very address: vendors and proxies share theirs"
    )
    assert len(kept.events) == 1


def test_a_database_that_cannot_write_is_503_and_never_2xx() -> None:
    for scheme in ALL:
        body = VENDORS[scheme][1]
        reply = ask(every(Kept(failure=Unreachable("no space left"))), f"/hr/{scheme}", {**headers(scheme, body)}, body)
        assert reply.status == 503 and int(reply.headers["retry-after"]) > 0 and b"space" not in reply.body


def test_a_fault_of_our_own_is_a_5xx_whose_text_is_not_logged(logged: Logged) -> None:
    body = marked("hibob")
    reply = ask(every(Kept(failure=RuntimeError(f"cannot {MARK}"))), "/hr/hibob", headers("hibob", body), body)
    assert reply.status == 500
    assert "RuntimeError" in "".join(logged.lines) and MARK not in "".join(logged.lines)


def test_a_key_that_is_gone_is_503_so_that_the_vendor_comes_again(tmp_path: Path) -> None:
    place = tmp_path / "key"
    place.write_text(KEY)
    kept, body = Kept(), VENDORS["personio"][1]
    door = Endpoint({"hr": Source(scheme="personio", secrets=[Secret(file=place)])}, kept)
    assert ask(door, "/hr/hr", headers("personio", body), body).status == 200
    place.unlink()
    assert ask(door, "/hr/hr", headers("personio", body), body).status == 503
    place.write_text(OTHER)
    assert ask(door, "/hr/hr", headers("personio", body, OTHER), body).status == 200, (
        "a key that was changed holds without a restart"
    )


@pytest.mark.parametrize(("scheme", "status"), [("hibob", 400), ("personio", 500)])
def test_what_is_genuine_and_unreadable_is_answered_as_the_vendor_needs(scheme: str, status: int) -> None:
    body = b'{"type":'
    assert ask(every(Kept()), f"/hr/{scheme}", headers(scheme, body), body).status == status


def test_a_header_that_came_twice_is_not_half_believed() -> None:
    body = VENDORS["hibob"][1]
    right = list(headers("hibob", body).items())
    assert ask(every(Kept()), "/hr/hibob", right, body).status == 200
    assert ask(every(Kept()), "/hr/hibob", [*right, ("Bob-Signature", "AAAA")], body).status == 401
    assert ask(every(Kept()), "/hr/hibob", [("Bob-Signature", "AAAA"), *right], body).status == 401


def test_handshakes_over_http() -> None:
    door = every(Kept())
    assert ask(door, "/hr/hibob", {"Content-Type": "text/plain"}, b'"Ping test"').status == 200
    options = ask(door, "/hr/cloudevents", {"WebHook-Request-Origin": "hr.example"}, method="OPTIONS")
    assert (options.status, options.headers["webhook-allowed-origin"], options.headers["webhook-allowed-rate"]) == (
        200,
        "hr.example",
        "30000",
    )
    assert ask(door, "/hr/gusto", {}, method="OPTIONS").status == 405
    assert ask(door, "/hr/gusto", {}, method="GET").status == 405


def test_gustos_token_is_kept_once_for_the_operator_alone(tmp_path: Path, logged: Logged) -> None:
    place = tmp_path / "gusto.token"
    kept = Kept()
    door = Endpoint({"hr": Source(scheme="gusto", options={"handshake": str(place)})}, kept)
    body = dumped({"verification_token": MARK, "webhook_subscription_uuid": "u"})
    assert ask(door, "/hr/hr", {"Content-Type": "application/json"}, body).status == 200
    assert place.read_text() == MARK + "\n" and stat.S_IMODE(place.stat().st_mode) == 0o600
    other = dumped({"verification_token": "another", "webhook_subscription_uuid": "u"})
    assert ask(door, "/hr/hr", {}, other).status == 200 and place.read_text() == MARK + "\n"
    assert MARK not in "".join(logged.lines) and kept.events == []
    event = VENDORS["gusto"][1]
    assert ask(door, "/hr/hr", headers("gusto", event, MARK), event).status == 401, "not a key before a human named it"
    confirmed = Endpoint({"hr": Source(scheme="gusto", secrets=[Secret(file=place)])}, kept)
    assert ask(confirmed, "/hr/hr", gusto(event, MARK), event).status == 200


def test_a_token_without_a_file_for_it_is_refused() -> None:
    assert ask(every(Kept()), "/hr/gusto", {}, dumped({"verification_token": "x"})).status == 401


def test_answers_may_not_be_kept_by_a_cache() -> None:
    body = VENDORS["gusto"][1]
    assert ask(every(Kept()), "/hr/gusto", headers("gusto", body), body).headers["cache-control"] == "no-store"


# -- any bytes

WORDS = st.sampled_from(
    [
        "content-type",
        "content-encoding",
        "x-bamboohr-signature",
        "x-bamboohr-timestamp",
        "bob-signature",
        "x-personio-signature",
        "x-gusto-signature",
        "authorization",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "ce-id",
        "ce-type",
        "ce-source",
        "ce-specversion",
        "content-length",
        "cookie",
    ]
)
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
    st.sampled_from(
        [
            "Bearer",
            "Bearer ",
            "Basic Og==",
            "v1,",
            "v1a,AAAA",
            "v1,AAAA v1,BBBB",
            "sha256=",
            "0",
            "-1",
            "1e308",
            "9" * 40,
            "NaN",
            "application/json",
            "text/xml",
            "application/cloudevents-batch+json",
            "application/x-www-form-urlencoded",
            "\u00e9" * 20,
            str(int(NOW.timestamp())),
        ]
    ),
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([body for _, body, _ in VENDORS.values()]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda deeper: (
            st.lists(deeper, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "data",
                        "employeeId",
                        "employees",
                        "event_name",
                        "payload",
                        "person_id",
                        "uuid",
                        "id",
                        "specversion",
                        "source",
                        "subject",
                    ]
                ),
                deeper,
                max_size=4,
            )
        ),
        max_leaves=8,
    ).map(dumped),
)


@st.composite
def forged(draw: st.DrawFn) -> tuple[str, dict[str, str], bytes]:
    """A request that nobody who has the key has made."""
    scheme = draw(st.sampled_from(ALL))
    body = marked(scheme)
    right = headers(scheme, body)
    how = draw(st.sampled_from(["anything", "byte", "proof", "key", "vendor", "swap"]))
    if how == "anything":
        anything = draw(BODIES)
        assume(b"Ping test" not in anything)  # HiBob's ping is answered, and is no event: see the handshakes
        return scheme, draw(st.dictionaries(WORDS, VALUES, max_size=8)), anything
    if how == "key":
        return (
            scheme,
            headers(scheme, body, "whsec_" + draw(st.sampled_from(["QUFB" * 8, "QkJC" * 8, "Q0ND" * 9]))),
            body,
        )
    if how == "vendor":
        other = draw(
            st.sampled_from(
                [
                    name
                    for name in ALL
                    if VENDORS[name][0]
                    not in (
                        VENDORS[scheme][0],
                        *(
                            {VENDORS["standard_webhooks"][0], VENDORS["cloudevents"][0]}
                            if scheme in ("standard_webhooks", "cloudevents")
                            else ()
                        ),
                    )
                    and not (scheme == "personio" and name in ("rippling", "workday"))
                ]
            )
        )
        return scheme, headers(other, body), body
    if how == "proof":
        name = draw(st.sampled_from([each for each in right if each != "Content-Type"]))
        place = draw(st.integers(0, len(right[name]) - 1))
        char = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789"))
        assume(char != right[name][place].lower())
        return scheme, {**right, name: right[name][:place] + char + right[name][place + 1 :]}, body
    assume(scheme in SIGNED)
    if how == "swap":
        changed = draw(BODIES)
        assume(changed != body and b"Ping test" not in changed)
        return scheme, right, changed
    place, value = draw(st.integers(0, len(body) - 1)), draw(st.integers(0, 255))
    assume(body[place] != value)
    return scheme, right, body[:place] + bytes([value]) + body[place + 1 :]


def _refused(request: tuple[str, dict[str, str], bytes]) -> None:
    scheme, given_headers, body = request
    handler, root = Logged(), logging.getLogger()
    root.addHandler(handler)
    try:
        kept = Kept()
        reply = ask(every(kept), f"/hr/{scheme}", given_headers, body)
    finally:
        root.removeHandler(handler)
    assert reply.status in (401, 413) and kept.events == []
    assert MARK not in "".join(handler.lines) and MARK.encode() not in reply.body


FEW = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@seed(20260302)
@FEW
@given(forged())
def test_no_forged_request_is_accepted_breaks_it_or_is_logged(request: tuple[str, dict[str, str], bytes]) -> None:
    _refused(request)


@pytest.mark.soak
@settings(FEW, max_examples=10_000)
@given(forged())
def test_ten_thousand_forged_requests(request: tuple[str, dict[str, str], bytes]) -> None:
    _refused(request)


@seed(20260302)
@FEW
@given(
    st.sampled_from(ALL),
    BODIES,
    st.dictionaries(
        st.sampled_from(["ce-id", "ce-type", "ce-source", "ce-specversion", "ce-subject", "ce-time", "Content-Type"]),
        VALUES,
        max_size=5,
    ),
)
def test_whatever_is_genuinely_signed_never_breaks_it(scheme: str, body: bytes, more: dict[str, str]) -> None:
    passed: list[Passed] = []
    kept = Kept()
    reply = ask(every(kept, seen=passed.append), f"/hr/{scheme}", {**headers(scheme, body), **more}, body)
    assert "fault" not in [each.outcome for each in passed]
    assert bool(kept.events) <= (200 <= reply.status < 300)
    assert all(event.person or event.type == "jml.feed.changed" for event in kept.events)


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison of a proof goes through ``hmac.compare_digest``, for each of the keys, whichever is right."""
    import hmac

    compared: list[int] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append(1) or real(one, other))
    for scheme, sign in (("bamboohr", bamboohr), ("personio", personio), ("standard_webhooks", standard)):
        compared.clear()
        body = VENDORS[scheme][1]
        door = Endpoint({"hr": source(scheme, KEY, OTHER)}, Kept())
        assert ask(door, "/hr/hr", {"Content-Type": "application/json", **sign(body)}, body).status == 200
        assert len(compared) == 2
        compared.clear()
        assert (
            ask(door, "/hr/hr", {"Content-Type": "application/json", **sign(body, "whsec_" + "QUFB" * 8)}, body).status
            == 401
        )
        assert len(compared) == 2

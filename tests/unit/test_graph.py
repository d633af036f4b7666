# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Signing in to Microsoft with msal as it is, against the sandbox's token service; paging."""

from __future__ import annotations

import pytest
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.microsoft.directory import DirectoryUsers
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.microsoft.graph import (
    graph_pages,
    graph_transport,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.registry import CONNECTORS, connector_class
from ansible_collections.workforce.lifecycle.plugins.module_utils.model import errors
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.target import MemoryTokens, Target

from sandbox.box import Box
from sandbox.vendors.microsoft import Microsoft, _app_certificate


@pytest.fixture(scope="module")
def running():
    with Box([Microsoft]) as box:
        yield box


@pytest.fixture
def box(running):
    running["microsoft"].reset()
    return running


def target(box, *, authority="", ca_file="", **credentials):
    cloud = box["microsoft"]
    return Target(
        name="entra",
        connector="entra",
        url=f"{cloud.url}/v1.0",
        credentials={**cloud.credentials(), **credentials},
        options={"authority": authority or cloud.url},
        ca_file=ca_file or box.ca_file,
        timeout=5,
        max_wait=5,
        tokens=MemoryTokens(),
    )


def users(to):
    return list(graph_pages(graph_transport(to), "/users", act="list users"))


def token_requests(box):
    return [e for e in box["microsoft"].journal if e["path"].endswith("/token")]


def test_a_secret_signs_in_and_the_token_is_fetched_once(box):
    to = target(box)
    assert len(users(to)) == len(box["microsoft"].users())
    users(to)
    assert len(token_requests(box)) == 1
    assert "client_secret=" in token_requests(box)[0]["body"]


def test_a_certificate_signs_in(box):
    assert users(target(box, client_secret="", certificate=box["microsoft"].certificate))
    assert (
        "client_assertion=" in token_requests(box)[0]["body"] and "client_secret" not in token_requests(box)[0]["body"]
    )


def test_an_expired_token_is_fetched_anew(box):
    to = target(box)
    users(to)
    for token, held in list(box["microsoft"].tokens.items()):
        box["microsoft"].tokens[token] = type(held)(held.audience, 0.0, held.appidacr)
    assert users(to)
    assert len(token_requests(box)) == 2


@pytest.mark.parametrize(
    ("wrong", "said", "remedy"),
    [
        ({"client_secret": "nonsense"}, "AADSTS7000215", "not its id"),
        ({"client_secret": "EXPIRED"}, "AADSTS7000222", "expired"),
        ({"client_id": "2e0b5e9a-0000-4000-8000-000000000000"}, "AADSTS700016", "client_id"),
        ({"tenant_id": "2e0b5e9a-0000-4000-8000-000000000000"}, "AADSTS90002", "tenant_id"),
        ({"certificate": "OTHER"}, "AADSTS700027", "upload it"),
    ],
)
def test_a_refusal_says_what_to_do(box, wrong, said, remedy):
    wrong = {
        k: {"EXPIRED": box["microsoft"].secret("expired_secret"), "OTHER": _app_certificate()[1]}.get(v, v)
        for k, v in wrong.items()
    }
    with pytest.raises(errors.AuthenticationFailed) as caught:
        users(target(box, **wrong))
    assert said in str(caught.value) and remedy in str(caught.value) and "entra" in str(caught.value)
    assert "Trace ID" not in str(caught.value) and "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "pem",
    [
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----",
    ],
)
def test_a_certificate_that_cannot_be_used_is_said_before_anything_is_sent(box, pem):
    with pytest.raises(errors.CredentialError):
        users(target(box, certificate=pem))
    assert not token_requests(box)


def test_an_authority_that_is_not_there(box):
    with pytest.raises(errors.Unavailable, match="127.0.0.1:9|localhost:9"):
        users(target(box, authority="https://localhost:9"))


def test_an_authority_whose_certificate_is_not_trusted(box, monkeypatch):
    import certifi

    with pytest.raises(errors.CertificateError, match="ca_file"):
        users(target(box, ca_file=certifi.where()))


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "html", "path": "openid-configuration"},
        {"fault": "html", "path": "/token"},
        {"fault": "cut", "path": "/token"},
        {"fault": "cut", "path": "openid-configuration"},
    ],
)
def test_an_authority_that_answers_something_else(box, fault):
    box["microsoft"].fault(**fault)
    with pytest.raises(errors.ProtocolError):
        users(target(box))


def test_a_throttled_token_request_is_sent_again(box):
    box["microsoft"].fault("status", path="/token", status=429, headers={"Retry-After": "0"})
    box["microsoft"].fault("status", path="/token", status=503)
    assert users(target(box))


def test_another_service_refuses_graphs_token(box):
    http = graph_transport(target(box), scope="https://outlook.office365.com/.default")
    with pytest.raises(errors.AuthenticationFailed, match="Invalid audience"):
        http.get("/users", act="list users")


def test_pages_are_followed_to_the_end(box):
    to = target(box)
    lena = box["microsoft"].user("lena@corp.example")["id"]
    rows = list(graph_pages(graph_transport(to), f"/users/{lena}/memberOf/microsoft.graph.group", act="groups"))
    assert len({row["id"] for row in rows}) == len(rows) > 100
    assert len([e for e in box["microsoft"].journal if "memberOf" in e["path"]]) == 2


def test_graphs_error_text_is_kept(box):
    with pytest.raises(errors.Rejected, match=r"Request_UnsupportedQuery: .*request-id"):
        list(
            graph_pages(
                graph_transport(target(box)), "/users", act="list users", params={"$filter": "displayName ne 'x'"}
            )
        )


def test_whoever_looks_people_up_in_the_directory_says_that_it_needs_the_right_to_read_them():
    """The page and doctor name what the connector says: without the right, every look-up ends in 403."""
    classes = [cls for cls in map(connector_class, CONNECTORS) if issubclass(cls, DirectoryUsers)]
    assert len(classes) == 5
    for cls in classes:
        assert "User.Read.All" in {one for named in cls.PERMISSIONS.values() for one in named}, cls.TITLE

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Signing in: the local token, and an OpenID provider that tells the truth and every lie that the standard names."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from joserfc.jwk import RSAKey
from lifecycle_bridge import clock
from lifecycle_bridge.console.frame import local
from lifecycle_bridge.errors import ConfigError
from lifecycle_bridge.store import Database, stamp
from lifecycle_bridge.store.cancelling import marks_of
from lifecycle_bridge.store.tables import cases
from starlette.testclient import TestClient

from tests.bridge.console_support import NOW, TOKEN, case, made, served
from tests.bridge.oidc_provider import CLIENT, SECRET, OpenIdProvider

HERE = "https://bridge.corp.example"


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def browser(app: Any, url: str = HERE) -> TestClient:
    return TestClient(app, base_url=url, follow_redirects=False)


# -- the local token


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def by_token(tmp_path: Path, token_file: Path, **more: Any) -> Any:
    return made(tmp_path, seeded=False, console={"token_file": token_file, **more}, public_url=HERE)[0]


def signed_in(client: TestClient, secret: str = TOKEN, next: str = "/") -> Any:
    return client.post("/sign-in", data={"secret": secret, "next": next})


def test_the_token_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "token"
    before = os.umask(0)
    try:
        by_token(tmp_path, path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    first = path.read_text()
    assert len(first.strip()) >= 40
    client = browser(by_token(tmp_path, path))
    assert path.read_text() == first
    assert signed_in(client, first.strip()).status_code == 303


def test_it_lets_in_and_everything_else_does_not(tmp_path: Path, token_file: Path) -> None:
    client = browser(by_token(tmp_path, token_file))
    assert client.get("/").headers["location"] == "/sign-in"
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", "é"):
        assert signed_in(client, wrong).status_code == 401
    assert client.get("/").status_code == 303
    assert signed_in(client).status_code == 303
    assert client.get("/").status_code == 200


def test_the_cookie_is_for_no_script_and_https_alone_and_ends(
    tmp_path: Path, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(by_token(tmp_path, token_file, session_hours=2))
    cookie = signed_in(client).headers["set-cookie"]
    assert cookie.startswith("__Host-lifecycle=") and all(
        word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=7200")
    )
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=1, minutes=59))
    assert client.get("/").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=2, seconds=1))
    assert client.get("/").status_code == 303
    plain = made(tmp_path, seeded=False, console={"token_file": token_file}, public_url="http://127.0.0.1:8650")[0]
    assert "Secure" not in signed_in(browser(plain, "http://127.0.0.1:8650")).headers["set-cookie"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-2] + ("AA" if not text.endswith("AA") else "BB"),
        lambda text: text.replace("token.", "oidc.", 1),
        lambda text: "token." + text,
        lambda text: "",
    ],
)
def test_an_altered_cookie_is_nobody(tmp_path: Path, token_file: Path, change: Any) -> None:
    client = browser(by_token(tmp_path, token_file))
    cookie = signed_in(client).cookies["__Host-lifecycle"]
    assert httpx_get(client, cookie).status_code == 200
    assert httpx_get(client, change(cookie)).status_code == 303


def httpx_get(client: TestClient, cookie: str) -> Any:
    client.cookies.clear()
    return client.get("/", headers={"cookie": f"__Host-lifecycle={cookie}"})


def test_signed_out_means_that_a_copy_of_the_cookie_is_worth_nothing(tmp_path: Path, token_file: Path) -> None:
    app = by_token(tmp_path, token_file)
    client = browser(app)
    cookie = signed_in(client).cookies["__Host-lifecycle"]
    form = client.get("/").text.split('name="token" value="')[1].split('"')[0]
    assert client.post("/sign-out", data={"token": "0" * 64}).status_code == 403
    assert client.post("/sign-out", data={"token": form}).status_code == 303
    assert httpx_get(client, cookie).status_code == 303
    assert httpx_get(browser(by_token(tmp_path, token_file)), cookie).status_code == 303, "not after a restart either"


def test_a_changed_or_removed_token_ends_its_sessions(tmp_path: Path, token_file: Path) -> None:
    client = browser(by_token(tmp_path, token_file))
    cookie = signed_in(client).cookies["__Host-lifecycle"]
    token_file.write_text(TOKEN + "-another")
    assert httpx_get(client, cookie).status_code == 303
    token_file.write_text(TOKEN)
    assert httpx_get(client, cookie).status_code == 200
    token_file.unlink()
    assert httpx_get(client, cookie).status_code == 303
    assert signed_in(client).status_code == 403


def test_a_file_that_others_may_read_or_a_short_one_opens_nothing(tmp_path: Path, token_file: Path) -> None:
    client = browser(by_token(tmp_path, token_file))
    token_file.chmod(0o640)
    assert signed_in(client).status_code == 503
    token_file.chmod(0o600)
    token_file.write_text("short")
    assert signed_in(client, "short").status_code == 503
    with pytest.raises(ConfigError, match="token_file"):
        by_token(tmp_path, Path("/proc/nowhere/token"))


def test_who_guesses_is_slowed(tmp_path: Path, token_file: Path) -> None:
    client = browser(by_token(tmp_path, token_file))
    codes = [signed_in(client, f"guess {n}").status_code for n in range(11)]
    assert codes[:10] == [401] * 10 and codes[10] == 429
    answer = signed_in(client)
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0, "not even the right one"


def test_nothing_of_it_is_logged(tmp_path: Path, token_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = browser(by_token(tmp_path, token_file))
    signed_in(client, "a wrong guess of mine")
    signed_in(client)
    assert "a wrong guess" not in caplog.text and TOKEN not in caplog.text


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/ok\r\nSet-Cookie: x=1",
        "",
        "/\t/evil.example",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(tmp_path: Path, token_file: Path, where: str) -> None:
    assert local(where) == "/"
    assert signed_in(browser(by_token(tmp_path, token_file)), next=where).headers["location"] == "/"


def test_one_comes_back_to_where_one_was(tmp_path: Path, token_file: Path) -> None:
    client = browser(by_token(tmp_path, token_file))
    there = client.get("/cases?state=held&page=2").headers["location"]
    assert there == "/sign-in?next=%2Fcases%3Fstate%3Dheld%26page%3D2"
    assert 'value="/cases?state=held&amp;page=2"' in client.get(there).text
    assert signed_in(client, next="/cases?state=held").headers["location"] == "/cases?state=held"


# -- OpenID Connect


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[OpenIdProvider, str]]:
    provider = OpenIdProvider()
    with served(provider.app) as url:
        yield provider, url


@pytest.fixture
def provider(shared: tuple[OpenIdProvider, str], monkeypatch: pytest.MonkeyPatch) -> OpenIdProvider:
    known, url = shared
    known.issuer = url
    known.honest()
    monkeypatch.setenv("OIDC_SECRET", SECRET)
    return known


def with_oidc(tmp_path: Path, provider: OpenIdProvider, token_file: Path | None = None, **more: Any) -> TestClient:
    oidc = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": {"env": "OIDC_SECRET"},
        "operators": ["hr-operators"],
        "viewers": ["hr-viewers"],
        **more,
    }
    return browser(made(tmp_path, console={"oidc": oidc, "token_file": token_file}, public_url=HERE)[0])


def came_back(client: TestClient, begin: str = "/sign-in/oidc") -> str:
    """The address that the provider sends the browser back to."""
    return httpx.get(client.get(begin).headers["location"]).headers["location"]


def test_whoever_the_provider_proves_is_in(tmp_path: Path, provider: OpenIdProvider) -> None:
    client = with_oidc(tmp_path, provider)
    back = came_back(client, "/sign-in/oidc?next=/cases")
    assert back.startswith(f"{HERE}/sign-in/callback?"), "whatever Host the browser names"
    answer = client.get(back)
    assert answer.status_code == 303 and answer.headers["location"] == "/cases"
    page = client.get("/").text
    assert "grace@corp.example" in page and "local token" not in page
    assert "code_verifier" in provider.asked[0], "PKCE"


@pytest.mark.parametrize(
    ("groups", "looks", "acts"),
    [
        (["hr-operators"], True, True),
        (["hr-viewers"], True, False),
        (["others"], False, False),
        ([], False, False),
        (None, False, False),
        ("hr-operators", True, True),
    ],
)
def test_groups_say_who_may_what(
    tmp_path: Path, provider: OpenIdProvider, groups: Any, looks: bool, acts: bool
) -> None:
    provider.person["groups"] = groups
    client = with_oidc(tmp_path, provider)
    assert client.get(came_back(client)).status_code == (303 if looks else 403)
    assert client.get("/").status_code == (200 if looks else 303)
    assert client.get("/act/settle?key=webhook:hibob").status_code == (200 if acts else 403 if looks else 303)


def test_without_named_viewers_nobody_but_operators_may_look(tmp_path: Path, provider: OpenIdProvider) -> None:
    provider.person["groups"] = ["everybody"]
    client = with_oidc(tmp_path, provider, viewers=[])
    assert client.get(came_back(client)).status_code == 403
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("claim", [None, False, "true"])
def test_an_address_counts_only_when_the_provider_says_that_it_is_verified(
    tmp_path: Path, provider: OpenIdProvider, claim: Any
) -> None:
    provider.lie = {"email": "ceo@corp.example", "preferred_username": "ceo@corp.example", "email_verified": claim}
    client = with_oidc(tmp_path, provider)
    client.get(came_back(client))
    page = client.get("/").text
    assert "ceo@" not in page and provider.person["sub"] in page


def test_the_console_s_session_of_a_leaver_ends_with_their_cut(
    tmp_path: Path, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.lie = {"email": "ann@corp.example", "email_verified": True}
    client = with_oidc(tmp_path, provider)
    assert client.get(came_back(client)).status_code == 303
    assert client.get("/").status_code == 200
    database = Database(f"sqlite:///{tmp_path}/bridge.db")
    for started in ("", stamp(NOW - timedelta(days=3)), stamp(NOW + timedelta(minutes=1))):
        row = case("offboard", "7", "running", 0, started_at=started, id=f"x{started}", marks="[]")
        row["marks"] = json.dumps(sorted(marks_of("ann@corp.example")))
        with database.write() as c:
            c.execute(sa.insert(cases).values(row))
        # Before the cut begins, and when it began before the sign-in, the session holds.
        assert client.get("/").status_code == (303 if started > stamp(NOW) else 200)
    database.close()


def test_who_is_taken_out_of_the_configuration_is_out_at_once(tmp_path: Path, provider: OpenIdProvider) -> None:
    client = with_oidc(tmp_path, provider)
    cookie = client.get(came_back(client)).cookies["__Host-lifecycle"]
    stricter = with_oidc(tmp_path, provider, operators=["others"])
    assert httpx_get(stricter, cookie).status_code == 403


def test_groups_are_read_from_userinfo_and_from_nested_claims(tmp_path: Path, provider: OpenIdProvider) -> None:
    provider.userinfo = {"sub": provider.person["sub"], "groups": ["hr-operators"]}
    provider.person["groups"] = None
    client = with_oidc(tmp_path, provider)
    assert client.get(came_back(client)).status_code == 303
    provider.userinfo["sub"] = "somebody else"
    assert client.get(came_back(client)).status_code == 401
    provider.lie = {"realm_access": {"roles": ["hr-operators"]}}
    client = with_oidc(tmp_path, provider, claim="realm_access.roles")
    provider.userinfo["sub"] = provider.person["sub"]
    assert client.get(came_back(client)).status_code == 303


LIES: dict[str, dict[str, Any]] = {
    "wrong nonce": {"lie": {"nonce": "another"}},
    "no nonce": {"lie": {"nonce": None}},
    "wrong audience": {"lie": {"aud": "another"}},
    "several audiences": {"lie": {"aud": [CLIENT, "another"]}},
    "another's by azp": {"lie": {"aud": [CLIENT, "another"], "azp": "another"}},
    "no audience": {"lie": {"aud": None}},
    "expired": {"lie": {"exp": int(NOW.timestamp()) - 61}},
    "no end": {"lie": {"exp": None}},
    "not yet": {"lie": {"nbf": int(NOW.timestamp()) + 600}},
    "wrong issuer": {"lie": {"iss": "https://evil.example"}},
    "no issuer": {"lie": {"iss": None}},
    "no subject": {"lie": {"sub": None}},
    "unsigned": {"sign": "none"},
    "signed by the public key": {"sign": "HS256"},
    "signed by a stranger": {"sign": "stranger"},
    "unsigned, and said to be right": {
        "sign": "none",
        "metadata": {"id_token_signing_alg_values_supported": ["none", "RS256"]},
    },
    "HMAC, and said to be right": {
        "sign": "HS256",
        "metadata": {"id_token_signing_alg_values_supported": ["HS256", "RS256"]},
    },
    "another provider's answer": {"answer": {"iss": "https://evil.example"}},
    "forged state": {"answer": {"state": "forged"}},
    "no state": {"answer": {"state": ""}},
    "refused": {"answer": {"error": "access_denied"}},
    "no code": {"answer": {"code": ""}},
    "wrong code": {"answer": {"code": "guessed"}},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_what_does_not_prove_who_it_is_lets_nobody_in(
    tmp_path: Path, provider: OpenIdProvider, lie: dict[str, Any]
) -> None:
    for name, value in lie.items():
        setattr(provider, name, value)
    client = with_oidc(tmp_path, provider)
    answer = client.get(came_back(client))
    assert answer.status_code == 401 and "begin again" in answer.text
    assert "__Host-lifecycle=token" not in str(answer.headers) and client.get("/").status_code == 303


def test_an_answer_is_of_the_browser_that_asked_and_good_once(
    tmp_path: Path, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = with_oidc(tmp_path, provider)
    back = came_back(client)
    assert with_oidc(tmp_path, provider).get(back).status_code == 401, "another browser: login CSRF"
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 401, "again"
    back = came_back(client)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=11))
    assert client.get(back).status_code == 401, "too late"


def test_the_question_is_signed_with_its_own_key(tmp_path: Path, provider: OpenIdProvider) -> None:
    """The cookie of a question must not pass for a session."""
    client = with_oidc(tmp_path, provider)
    begun = client.get("/sign-in/oidc")
    assert httpx_get(client, "oidc." + begun.cookies["__Host-lifecycle-begun"]).status_code == 303
    query = parse_qs(urlsplit(begun.headers["location"]).query)
    assert len(query["state"][0]) >= 32 and len(query["nonce"][0]) >= 32 and query["code_challenge_method"] == ["S256"]
    assert SECRET not in begun.headers["location"]


def test_a_provider_may_change_its_keys(tmp_path: Path, provider: OpenIdProvider) -> None:
    client = with_oidc(tmp_path, provider)
    assert client.get(came_back(client)).status_code == 303
    before, provider.key = provider.key, RSAKey.generate_key(2048, parameters={"kid": "two"}, private=True)
    try:
        assert client.get(came_back(client)).status_code == 303
    finally:
        provider.key = before


def test_a_wrong_secret_and_a_wrong_address_are_said_in_words(
    tmp_path: Path, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = with_oidc(tmp_path, provider)
    back = came_back(client)
    assert "client_secret" not in client.get("/sign-in/callback?state=x").text
    assert with_oidc(tmp_path, provider, issuer=f"{provider.issuer}/").get("/sign-in/oidc").status_code == 409, (
        "the issuer is compared exactly"
    )
    assert with_oidc(tmp_path, provider, issuer="http://evil.example").get("/sign-in/oidc").status_code == 409, (
        "never in the clear"
    )
    dead = with_oidc(tmp_path, provider, issuer="http://127.0.0.1:9").get("/sign-in/oidc")
    assert dead.status_code == 503 and "does not answer" in dead.text
    monkeypatch.setenv("OIDC_SECRET", "another secret")
    assert client.get(back).status_code == 401


def test_the_local_token_is_off_once_its_file_is_gone(
    tmp_path: Path, provider: OpenIdProvider, token_file: Path
) -> None:
    client = with_oidc(tmp_path, provider, token_file)
    assert "Local token" in client.get("/sign-in").text
    assert signed_in(client).status_code == 303
    token_file.unlink()
    client = with_oidc(tmp_path, provider, token_file)
    assert not token_file.exists(), "it is not made anew"
    page = client.get("/sign-in").text
    assert "Local token" not in page and "Continue with" in page
    assert signed_in(client).status_code == 403

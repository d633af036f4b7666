# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""What is refused when a connector's file is read: one line, with file, line, key and fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.compiler import compiled
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.expressions import (
    Mistake,
    expression,
    moment,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.holes import (
    Missing,
    Unsafe,
    filled,
    filled_address,
    filled_path,
)
from ansible_collections.workforce.lifecycle.plugins.module_utils.connectors.declared.reading import read_manifest
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.errors import InputError
from ansible_collections.workforce.lifecycle.plugins.module_utils.model.marked_yaml import parse_document
from ansible_collections.workforce.lifecycle.plugins.module_utils.sdk.capabilities import capabilities_of
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Draft202012Validator(json.loads((ROOT / "meta" / "schemas" / "connector.json").read_text()))
FILES = [
    *sorted((ROOT / "plugins/module_utils/connectors/declared/files").glob("*.yml")),
    *sorted((ROOT / "tests" / "declared").glob("*.yml")),
]
GOOD = """\
declares: 1
title: Assets
docs: [https://assets.example/docs]
needs_url: https://assets.corp.example/api
credentials:
  token: A token.
auth: {bearer: "{credentials.token}"}
accounts:
  attributes: {title: {read: title, write: title}}
  sources:
    - name: user
      find: {by: email, get: /users, query: {email: "{value}"}, items: rows}
      match: {email: email}
      fields: {id: id, login: login, active: activated}
      suspend: {patch: "/users/{account.id}", json: {activated: false}}
      resume: {patch: "/users/{account.id}", json: {activated: true}}
cutoff:
  - way: sign-in
    close: suspend
  - way: "token {item.id}"
    each: {get: "/users/{account.id}/tokens", items: tokens, where: item.user == account.id}
    close: {delete: "/tokens/{item.id}", gone: [404]}
"""


def read(text: str) -> Any:
    return read_manifest(parse_document(text, "ours.yml"))


def test_a_file_has_the_capabilities_that_it_declares_and_no_more() -> None:
    assert capabilities_of(compiled(read(GOOD))) == ("accounts", "cutoff")
    more = GOOD + "keys:\n  - {kind: token, each: {get: /tokens, items: tokens}, fields: {id: id}}\n"
    assert capabilities_of(compiled(read(more))) == ("accounts", "cutoff", "credential_listing")


MISTAKES = [
    # what is written, what is written instead, the line that is said of it; whether the JSON Schema sees it too
    ("suspend:", "suspent:", "ours.yml:15: accounts.sources.0.suspent: unknown key: did you mean suspend?", True),
    ("docs: [https://assets.example/docs]", "docs: []", ":3: docs: must name the vendor's pages", True),
    ("declares: 1", "declares: 2", ":1: declares: must be 1", True),
    ("needs_url: https://assets.corp.example/api\n", "", "must have url or needs_url", True),
    ('auth: {bearer: "{credentials.token}"}', "auth: {bearer: hunter2}", ":7: auth.bearer: names no credential", True),
    (
        '{bearer: "{credentials.token}"}',
        '{bearer: "{credentials.tokn}"}',
        "names the credential tokn, which is not described",
        False,
    ),
    (
        'email: "{value}"',
        'email: "{credentials.token}"',
        ":12: accounts.sources.0.find.query: a credential may be in auth only",
        False,
    ),
    ("      match: {email: email}\n", "", "has no match: the first that a search finds may be somebody else", True),
    ("match: {email: email}", "match: {login: login}", "does not say where an account has its email", False),
    (
        'patch: "/users/{account.id}", json: {activated: false}',
        'get: "/users/{account.id}"',
        "a GET changes nothing",
        True,
    ),
    (
        '      resume: {patch: "/users/{account.id}", json: {activated: true}}\n',
        "",
        "suspend and resume go together",
        True,
    ),
    (", active: activated", "", "nothing shows whether suspend worked: add fields.active", False),
    ("{account.id}/tokens", "{acount.id}/tokens", "{acount.id} is not known here: did you mean account?", False),
    ("{account.id}/tokens", "{account.ids}/tokens", "{account.ids} is not known here: did you mean id?", False),
    ("{account.id}/tokens", "{Account.id}/tokens", "{Account.id} is no hole", False),
    (
        "item.user == account.id",
        "items.user == account.id",
        "names items, which is not known here: did you mean item?",
        False,
    ),
    ("item.user == account.id", '"!item.revoked"', "'!item.revoked' means (!a).b: write !(a.b)", False),
    ("item.user == account.id", "item.user ==", "is no JMESPath", False),
    ("item.user == account.id", "upper(item.user)", "calls upper(), which does not exist", False),
    ('way: "token {item.id}"', "way: token", "two of them would have the same name", False),
    (
        GOOD[GOOD.index('  - way: "token') :],
        '  - way: token\n    close: {delete: "/tokens"}\n',
        "nothing shows whether it was closed",
        True,
    ),
    (
        "get: /users, query",
        "post: /users, query",
        "only a read may be here, and this is a POST: add reads: true",
        False,
    ),
    ("get: /users, query", "get: users, query", "'users' is no path: begin with /", True),
    ("gone: [404]", "gone: [401]", "without 401 and 429", False),
    ("gone: [404]", "ignore: [404]", "unknown key", True),
    ("by: email,", "by: mail,", "must name the keys: one or several of email", True),
    ("close: suspend", "close: suspend\n    of: [guest]", "there is no source guest: known: user", False),
    ("title: Assets", "title: 2026-01-01", "is a date, or has a tag: put it in quotes", True),
    ("  token: A token.", "  token: A token.\n  other: Another.", "credentials.other: is used nowhere", False),
    ("get: /users, query", "get: /users, pages: {by: page}, query", "has no name", True),
    ("accounts:\n", "http: {parallel: 100}\naccounts:\n", "must be a number from 1 to 32", True),
    (
        "get: /users, query",
        "get: /users, pages: {by: page, name: p, in: path}, query",
        "the path has no hole for it",
        False,
    ),
]


@pytest.mark.parametrize(("old", "new", "said", "seen"), MISTAKES, ids=[said[:40] for _, _, said, _ in MISTAKES])
def test_a_mistake_is_one_line_that_says_what_to_write(old: str, new: str, said: str, seen: bool) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(InputError) as refused:
        read(text)
    assert said in str(refused.value) and str(refused.value).startswith("ours.yml:") and "\n" not in str(refused.value)
    assert SCHEMA.is_valid(yaml.safe_load(text)) is not seen, "the JSON Schema for editors sees what a schema can see"


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_the_schema_for_editors_accepts_what_the_collection_accepts(file: Path) -> None:
    read_manifest(parse_document(file.read_text(), file.name))
    assert [
        f"{list(e.absolute_path)}: {e.message[:200]}" for e in SCHEMA.iter_errors(yaml.safe_load(file.read_text()))
    ] == []


def test_a_file_says_how_many_people_its_system_takes_at_once() -> None:
    assert compiled(read(GOOD)).PARALLEL == 4
    assert compiled(read(GOOD.replace("accounts:\n", "http: {parallel: 9}\naccounts:\n", 1))).PARALLEL == 9


def test_the_example_of_the_documentation_is_a_connector() -> None:
    page = (ROOT / "docs" / "declared-connectors.md").read_text()
    example = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert capabilities_of(compiled(read(example))) == ("accounts", "cutoff", "account_listing")
    assert len(example.splitlines()) <= 30 and SCHEMA.is_valid(yaml.safe_load(example))


# -- holes and expressions ---------------------------------------------------------------------------------------------


def test_a_value_can_not_leave_its_place() -> None:
    hostile = {"account": {"id": 'x/../admin?"&', "login": 'a" or userName pr "'}}
    assert filled_path("/users/{account.id}x", {"account": {"id": "a/b"}}) == "/users/a%2Fbx"
    for step in ("..", ".", "", "a/../b"):
        with pytest.raises(InputError):
            filled_path("/users/{account.id}", {"account": {"id": step}})
    assert filled({"filter": 'userName eq "{account.login}"'}, hostile) == {
        "filter": 'userName eq "a\\" or userName pr \\""'
    }
    assert filled("assignedTo('{a.b}')", {"a": {"b": "x' or 'y"}}) == "assignedTo('x'' or ''y')"
    assert filled({"name": "{account.id}"}, hostile) == {"name": 'x/../admin?"&'}, "a body is a value, and no text"
    assert (
        filled_address("https://{options.sub}.example/api", {"options": {"sub": "corp"}}) == "https://corp.example/api"
    )
    for sub in ("evil.example/", "a@b", "x:1", ""):
        with pytest.raises(Unsafe):
            filled_address("https://{options.sub}.example/api", {"options": {"sub": sub}})


def test_a_hole_keeps_the_type_and_drops_its_key_when_there_is_nothing() -> None:
    scope = {"a": {"n": 7, "t": True, "none": None}}
    assert filled({"n": "{a.n}", "t": "{a.t}", "gone": "{a.none?}", "text": "n={a.n}"}, scope) == {
        "n": 7,
        "t": True,
        "text": "n=7",
    }
    with pytest.raises(Missing):
        filled({"gone": "{a.none}"}, scope)


def test_moments_are_read_as_vendors_write_them() -> None:
    assert moment(1767225600) == moment(1767225600000) == "2026-01-01T00:00:00.000000Z"
    assert moment("0001-01-01T00:00:00Z") == moment(None) == moment("") == moment(0) == ""
    assert moment("2026-01-01T00:00:00Z") == "2026-01-01T00:00:00Z"


def test_an_expression_that_would_never_be_true_is_refused() -> None:
    for text in ("!a.b", "!a.b == c", "a && !b.c", "a.*.b.c"):
        with pytest.raises(Mistake):
            expression(text)
    assert expression("!(a.b)").of({"a": {"b": False}}) is True

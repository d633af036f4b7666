# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Cuts people off as a short script does, to compare with: ``bench_bare.py bare.json jane@corp.example ...``.

It sends the same calls to each system, with requests and in twelve threads. It has no ledger, tries nothing again, and
reads back only the block itself."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests


def cut(system: dict[str, Any], ca_file: str, people: list[str]) -> None:
    with requests.Session() as session:
        session.verify = ca_file
        session.headers["Authorization"] = f"Bearer {system['token']}"
        for email in people:
            found = None
            for attribute, value in (
                ("userName", email),
                ("userName", email.partition("@")[0]),
                ("externalId", email),
                ("emails.value", email),
            ):
                params = {"filter": f'{attribute} eq "{value}"', "startIndex": "1", "count": "100"}
                answer = session.get(f"{system['url']}/Users", params=params, timeout=30)
                answer.raise_for_status()
                found = next(iter(answer.json()["Resources"]), found)
            assert found is not None, f"{email} is not known on {system['url']}"
            address = f"{system['url']}/Users/{found['id']}"
            session.patch(
                address,
                timeout=30,
                json={
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{"op": "replace", "value": {"active": False}}],
                },
            ).raise_for_status()
            seen = session.get(address, timeout=30)
            seen.raise_for_status()
            assert seen.json()["active"] is False, f"{email} is not blocked on {system['url']}"


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        given = json.load(file)
    with ThreadPoolExecutor(len(given["systems"])) as threads:
        list(threads.map(lambda system: cut(system, given["ca_file"], sys.argv[2:]), given["systems"]))

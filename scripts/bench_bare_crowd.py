# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Cuts a thousand leavers off as a short script does, to compare with: ``bench_bare_crowd.py bare_crowd.json
CONNECTIONS``.

It sends the same three calls for each person and system, with requests and over as many connections as ours. It has no
ledger and no screen, and reads nothing back at the end."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import requests


def cut(url: str, ca_file: str, token: str, people: list[str]) -> None:
    with requests.Session() as session:
        session.verify = ca_file
        session.headers["Authorization"] = f"Bearer {token}"
        for email in people:
            found = session.get(f"{url}/users", params={"email": email}, timeout=30)
            found.raise_for_status()
            user = found.json()["users"][0]
            session.patch(f"{url}/users/{user['id']}", timeout=30, json={"active": False}).raise_for_status()
            seen = session.get(f"{url}/users", params={"email": email}, timeout=30)
            seen.raise_for_status()
            assert seen.json()["users"][0]["active"] is False, f"{email} is not blocked on {url}"


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        given = json.load(file)
    each = int(sys.argv[2])
    work = [(url, given["people"][n::each]) for url in given["systems"] for n in range(each)]
    with ThreadPoolExecutor(len(work)) as threads:
        list(threads.map(lambda one: cut(one[0], given["ca_file"], given["token"], one[1]), work))

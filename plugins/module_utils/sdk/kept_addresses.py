# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Addresses made by a rule for people to whom HR has given none: made once, kept in a file that HR takes over, never given to another."""

from __future__ import annotations

import csv
import fcntl
import os
from collections.abc import Collection, Mapping

from ..model import private
from ..model.addresses import generated
from ..model.errors import InputError


class KeptAddresses:
    """The rule and the file: a row each, key and address.

    :param read_only: nothing is kept; the same is made again.
    """

    def __init__(self, system: str, rule: str, path: str, *, read_only: bool) -> None:
        self._system, self._rule, self._path, self._read_only = system, rule, os.path.expanduser(path), read_only

    def fill(self, people: Mapping[str, Mapping[str, str]], taken: Collection[str]) -> dict[str, str]:
        """Return an address for each of these people.

        :param people: by key, the fields that the rule may name.
        :param taken: every address that HR knows, in lower case.
        :raises InputError: the file cannot be used.
        """
        try:
            if self._read_only and not os.path.exists(self._path):
                return self._made(people, {}, taken)
            mode = os.O_RDONLY if self._read_only else os.O_RDWR | os.O_CREAT
            with open(
                private.opened(self._path, mode), "r" if self._read_only else "r+", encoding="utf-8", newline=""
            ) as file:
                if not self._read_only:
                    fcntl.flock(file, fcntl.LOCK_EX)  # two runs at once must not give one address twice
                kept = {row[0]: row[1] for row in csv.reader(file) if len(row) == 2}
                made = self._made(people, kept, taken)
                fresh = {key: address for key, address in made.items() if key not in kept}
                if fresh and not self._read_only:
                    csv.writer(file).writerows(fresh.items())
                    file.flush()
                    os.fsync(file.fileno())
                return made
        except OSError as e:
            raise InputError(
                f"{self._path}: {e.strerror or e}",
                act="keep the addresses that were made",
                system=self._system,
                hint="check the option addresses: a file that this user may write",
            ) from None

    def _made(
        self, people: Mapping[str, Mapping[str, str]], kept: Mapping[str, str], taken: Collection[str]
    ) -> dict[str, str]:
        used = {*taken, *kept.values()}
        found: dict[str, str] = {}
        for key, facts in people.items():
            try:
                found[key] = kept.get(key) or generated(self._rule, facts, used)
            except InputError as e:
                if "no address can be made" not in e.what:
                    raise
                continue  # that record is refused for its missing address, and stops no other
            used.add(found[key])
        return found

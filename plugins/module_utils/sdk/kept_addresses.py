# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Makes work addresses by a rule for people without one in HR. Each is made once, and kept in a file that HR takes
over."""

from __future__ import annotations

import csv
import fcntl
import os
from collections.abc import Collection, Mapping, Sequence

from ..model import private
from ..model.addresses import generated
from ..model.errors import InputError
from ..model.person import LEFT
from .target import Option, Target

#: The options of a connector that makes addresses.
ADDRESS_OPTIONS: Mapping[str, Option] = {
    "address": Option(
        "Rule for the work address of people who have none: '{first_name}.{last_name}@corp.example'. In ASCII letters, and nobody else's."
    ),
    "addresses": Option(
        "File (mode 0600) that keeps the addresses made by the rule, for HR to take over: a row each of key and address. Needed with it.",
        "path",
    ),
}


class AddressRule:
    """The rule of one HR system, and its file: a CSV row for each person, with key and address. Without a rule it makes
    none.

    :raises InputError: there is a rule, and no file in which the addresses are kept.
    """

    def __init__(self, target: Target) -> None:
        self._target, self.rule = target, str(target.options["address"] or "")
        self._path = os.path.expanduser(str(target.options["addresses"] or ""))
        if self.rule and not self._path:
            raise InputError(
                "address makes addresses, and they must be kept by an id that stays",
                act="read options",
                system=target.name,
                hint="give addresses: a file to keep them in",
            )

    def given(self, people: Sequence[tuple[str, Mapping[str, str]]]) -> dict[str, str]:
        """Return an address, by key, for each person who has none in HR and has not left. People without a key get
        none.

        :param people: everybody, in HR's order: the key, and the fields that the rule may name; ``aliases`` are divided
            by spaces.
        :raises InputError: the file cannot be used.
        """
        if not self.rule:
            return {}
        without = {key: facts for key, facts in people if key and not facts["email"] and facts.get("status") != LEFT}
        taken = {
            word.lower() for _key, facts in people for word in f"{facts['email']} {facts.get('aliases', '')}".split()
        }
        return self._fill(without, taken) if without else {}

    def _fill(self, people: Mapping[str, Mapping[str, str]], taken: Collection[str]) -> dict[str, str]:
        looks = self._target.rehearsal
        try:
            if looks and not os.path.exists(self._path):
                return self._made(people, {}, taken)
            mode = os.O_RDONLY if looks else os.O_RDWR | os.O_CREAT
            with open(private.opened(self._path, mode), "r" if looks else "r+", encoding="utf-8", newline="") as file:
                if not looks:
                    fcntl.flock(file, fcntl.LOCK_EX)  # two runs side by side must not give one address to two people
                kept = {row[0]: row[1] for row in csv.reader(file) if len(row) == 2}
                made = self._made(people, kept, taken)
                fresh = {key: address for key, address in made.items() if key not in kept}
                if fresh and not looks:
                    csv.writer(file).writerows(fresh.items())
                    file.flush()
                    os.fsync(file.fileno())
                return made
        except OSError as e:
            raise InputError(
                f"{self._path}: {e.strerror or e}",
                act="keep the addresses that were made",
                system=self._target.name,
                hint="check the option addresses: a file that this user may write",
            ) from None

    def _made(
        self, people: Mapping[str, Mapping[str, str]], kept: Mapping[str, str], taken: Collection[str]
    ) -> dict[str, str]:
        used = {*taken, *kept.values()}
        found: dict[str, str] = {}
        for key, facts in people.items():
            try:
                found[key] = kept.get(key) or generated(self.rule, facts, used)
            except InputError as e:
                if "no address can be made" not in e.what:
                    raise
                continue  # this record alone is refused, because it has no address
            used.add(found[key])
        return found

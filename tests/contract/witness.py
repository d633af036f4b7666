# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every exchange that any test has with a box of its own process is judged by the vendors' contracts when its module ends."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.emulator import Emulator
from tests.contract.judge import JUDGED, Judge

JUDGE = Judge()


class Witness:
    """Collects entries as they are completed: a journal may be emptied before anybody reads it."""

    def __init__(self) -> None:
        self.entries: deque[tuple[str, dict[str, Any]]] = deque()

    def __call__(self, emulator: Emulator, entry: dict[str, Any]) -> None:
        look = (entry["method"], entry["path"]) == (
            "HEAD",
            "/",
        )  # at the address, without a credential: no call of the API
        if emulator.name in JUDGED and not entry["fault"] and not look:
            # Its own copy: a test may change the journal's.
            self.entries.append((emulator.name, dict(entry)))

    def verdict(self) -> list[str]:
        """The violations of all entries so far, each once."""
        found: dict[str, None] = {}
        while self.entries:
            for said in JUDGE.violations(*self.entries.popleft()):
                found.setdefault(re.sub(r"/\d+/", "/0/", said))
        return list(found)


@pytest.fixture(scope="module", autouse=True)
def contracts_kept() -> Iterator[None]:
    """Fails the module whose tests' requests or answers violate a contract."""
    witness = Witness()
    Emulator.WITNESSES.append(witness)
    yield
    Emulator.WITNESSES.remove(witness)
    violations = witness.verdict()
    if violations:
        pytest.fail(
            f"{len(violations)} violations of the vendors' contracts:\n" + "\n".join(violations[:40]), pytrace=False
        )

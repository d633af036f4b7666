# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""A system without an API: the steps that a person must do there, by kind of case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ..model.person import Person
from ..sdk.target import Connector, Option, Target
from .tickets.steps import STEPS, Steps


class Manual(Connector):
    """Returns the steps; it does none of them."""

    TITLE: ClassVar[str] = "Steps by hand"
    NEEDS_URL: ClassVar[bool] = False
    OPTIONS: ClassVar[Mapping[str, Option]] = {"steps": STEPS}
    PERMISSIONS: ClassVar[Mapping[str, Sequence[str]]] = {"manual_steps": ()}

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.steps = Steps(target)

    def manual_steps(self, kind: str, person: Person) -> Sequence[str]:
        """Return the steps for one person, with the person's fields filled in; an empty field becomes ``(unknown)``."""
        return self.steps.of(kind, person)

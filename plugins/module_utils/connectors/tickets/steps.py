# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The steps that people do by hand, from the systems file."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ...model.errors import InputError
from ...model.kinds import KINDS
from ...model.person import Person
from ...sdk.target import Option, Target

FIELDS = frozenset({f.name for f in fields(Person)} - {"logins", "attributes", "aliases", "former_names"}) | {
    "name",
    "local_part",
}
STEPS = Option(
    'What to do, by kind of case: {offboard: ["Collect the badge of {name}"]}. A step may name fields of the person in braces.',
    "dict",
    required=True,
    names=tuple(KINDS),
    example={"offboard": ["Collect the badge of {name}"]},
)


WAITING = Option("Whether steps of other systems that wait for a person become tickets too.", "bool", default=True)


@dataclass(frozen=True)
class Steps:
    """The option ``steps`` of a system, checked.

    :raises InputError: it has an unknown kind of case, a step twice, or a field that a person does not have.
    """

    target: Target

    def __post_init__(self) -> None:
        for kind, steps in self.target.options["steps"].items():
            if kind not in KINDS:
                raise self._wrong(f"steps has an unknown kind of case {kind!r}", f"one of {', '.join(KINDS)}")
            if not isinstance(steps, (list, tuple)) or not all(
                isinstance(step, str) and step.strip() for step in steps
            ):
                raise self._wrong(f"steps.{kind} must be a list of texts", '["Collect the badge of {name}"]')
            for step in steps:
                self._checked(kind, step)
            if len(set(steps)) != len(steps):
                raise self._wrong(f"steps.{kind} has a step twice", "keep one, or write the difference")

    def of(self, kind: str, person: Person) -> Sequence[str]:
        """Return the steps for one person, with the person's fields filled in; an empty field becomes ``(unknown)``."""
        return [step.format_map(_Facts(person)) for step in self.target.options["steps"].get(kind, ())]

    def _checked(self, kind: str, step: str) -> None:
        try:
            named = [field[1] for field in string.Formatter().parse(step) if field[1] is not None]
        except ValueError as e:
            raise self._wrong(f"steps.{kind}: {step!r}: {e}", "write {name}, or {{ for a brace") from None
        for name in named:
            if name not in FIELDS:
                raise self._wrong(
                    f"steps.{kind}: {step!r}: a person has no {name!r}", f"one of {', '.join(sorted(FIELDS))}"
                )

    def _wrong(self, what: str, hint: str) -> InputError:
        return InputError(what, act="read systems file", system=self.target.name, hint=hint)


class _Facts(dict[str, Any]):
    def __init__(self, person: Person) -> None:
        super().__init__({name: getattr(person, name) or "(unknown)" for name in FIELDS})

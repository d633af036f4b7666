# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds options of a run that are written wrong: Ansible takes any ``-e``, and what nobody reads changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...module_utils.model.near import closest

#: What a run about people takes with ``-e`` beside what the module ``case`` takes itself.
OF_A_RUN = ("user", "case", "confirm", "device_serial", "adopt", "by", "note")
#: How like a word must be to be meant by another: ``sucessor``, and not ``owner``.
_ALIKE = 0.85


def misspelt(given: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each variable that is none of a run's and is written almost like one."""
    options = {*OF_A_RUN, *known}
    for name in given:
        near = closest(name, options, alike=_ALIKE) if name not in options else ""
        if near:
            yield f"nobody reads the variable {name}: did you mean {near}?"

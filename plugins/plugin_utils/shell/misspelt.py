# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Finds misspelt options of a run: Ansible accepts any ``-e``, and a misspelt one has no effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...module_utils.model.near import closest

#: The options of a run about people, beside those of the module ``case``.
OF_A_RUN = ("user", "case", "confirm", "device_serial", "adopt", "by", "note")
#: The acts that begin a playbook, whose options are checked.
ASKED_BY = frozenset({"case", "audit", "numbers", "custody"})
#: How similar (0 to 1) a variable must be to an option: ``sucessor`` is, ``owner`` is not.
_ALIKE = 0.8


def misspelt(given: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each unknown variable that is similar to an option."""
    options = {*OF_A_RUN, *known}
    for name in given:
        near = closest(name, options, alike=_ALIKE) if name not in options else ""
        if near:
            yield f"nobody reads the variable {name}: did you mean {near}?"

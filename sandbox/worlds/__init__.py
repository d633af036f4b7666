# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""The worlds of the connectors that are data: a file each, found by its name."""

from __future__ import annotations

import importlib
import pkgutil

from sandbox.world import World


def worlds() -> dict[str, type[World]]:
    """Return every world, by its connector's name."""
    found: dict[str, type[World]] = {}
    for _, name, _ in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{name}")
        [world] = [
            one
            for one in vars(module).values()
            if isinstance(one, type) and issubclass(one, World) and one.__module__ == module.__name__
        ]
        found[name] = world
    return found

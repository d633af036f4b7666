# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Every module's TASK by the module's name, imported once in the parent, before Ansible forks its workers."""
from __future__ import annotations

import importlib
import pkgutil

from ansible_collections.workforce.lifecycle.plugins import modules
from ansible_collections.workforce.lifecycle.plugins.module_utils.task import Task

TASKS: dict[str, Task] = {
    name: importlib.import_module(f"ansible_collections.workforce.lifecycle.plugins.modules.{name}").TASK
    for name in (found.name for found in pkgutil.iter_modules(modules.__path__))
}

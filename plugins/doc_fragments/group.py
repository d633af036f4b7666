# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Documentation of the group that all modules are in, for ``module_defaults``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/workforce.lifecycle.lifecycle) in C(module_defaults) to set an option for all modules of this collection.
    support: full
    membership: [workforce.lifecycle.lifecycle]
"""

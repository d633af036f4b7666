#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: locate
short_description: Say where a person is, on every system
description:
  - Puts together what M(workforce.lifecycle.locate_system) found, and what did not answer. Writes nothing.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
attributes:
  check_mode: {description: "Only reads.", support: full}
  diff_mode: {description: "Only reads.", support: none}
"""

EXAMPLES = r"""
- name: Where is she?
  workforce.lifecycle.locate:
"""

RETURN = r"""
located: {description: "By person and system.", returned: always, type: dict}
lines: {description: "The same for a person.", returned: always, type: list, elements: str}
"""

from ..module_utils.engine.workplace_task import WorkplaceTask

TASK = WorkplaceTask("locate")

if __name__ == "__main__":
    TASK.main()

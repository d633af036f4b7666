# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads the people of a plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan
short_description: Whom a plan is about
description:
  - Gives the people of a plan that C(--check) wrote, so that C(-e plan=<digest>) needs no C(user) beside it.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
options:
  _terms:
    description: The plan, a file or its digest.
    required: true
"""

EXAMPLES = r"""
- name: Whom it is about
  ansible.builtin.debug:
    msg: "{{ query('workforce.lifecycle.plan', '5f2ab0c94e1d') }}"
"""

RETURN = r"""
_raw:
  description: Their ids in HR, or their addresses.
  type: list
  elements: str
"""

import os
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils.model.errors import LifecycleError
from ..plugin_utils.approval import plans
from ..plugin_utils.ledger.ledger import Ledger


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        url, where = (
            os.path.expanduser(str(self._templar.template((variables or {}).get(name, "")) or ""))
            for name in ("lifecycle_ledger", "lifecycle_plans")
        )
        try:
            found = [plans.executed(str(term), where, Ledger.open(url) if url else None).head for term in terms]
        except LifecycleError as e:
            raise AnsibleLookupError(str(e)) from None
        return [person["key"] for plan in found for person in plan["people"]]

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads a declared connector's file, and lists what it declares or the errors in it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: connector_file
short_description: What a connector's file declares
description:
  - Reads the file of a declared connector, checks it, and says in a few lines what it can do.
  - Where the file names the vendor's OpenAPI description (C(contract)), each of its requests is compared with that.
author: [workforce.lifecycle contributors (@workforce-lifecycle)]
options:
  _terms:
    description: The file.
    required: true
"""

EXAMPLES = r"""
- name: What it can do
  ansible.builtin.debug:
    msg: "{{ query('workforce.lifecycle.connector_file', 'connectors/assets.yml') }}"
"""

RETURN = r"""
_raw:
  description: A line each.
  type: list
  elements: str
"""

import json
import os
from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils.connectors.declared.compiler import of_file
from ..module_utils.connectors.declared.contract import of_openapi, violations
from ..module_utils.connectors.declared.manifest import Manifest
from ..module_utils.model.errors import InputError, LifecycleError
from ..module_utils.sdk.capabilities import capabilities_of


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        try:
            return [line for term in terms for line in _lines(os.path.abspath(os.path.expanduser(str(term))))]
        except LifecycleError as e:
            raise AnsibleLookupError(str(e)) from None


def _lines(path: str) -> Iterator[str]:
    connector = of_file(path)
    manifest = connector.MANIFEST
    requests = sum(1 for _request in manifest.requests())
    yield f"{manifest.title}: {', '.join(capabilities_of(connector))}"
    yield f"{requests} requests: {_compared(manifest, os.path.dirname(path))}"
    for way in manifest.cutoff:
        ends = "suspends the account" if way.close is None else "ends it"
        lingers = f"; lingers: {way.lingers.what}" if way.lingers is not None else ""
        yield f"way in {way.name}: {ends}{lingers}"
    yield f"digest, for connectors: in the policy: {manifest.digest}"


def _compared(manifest: Manifest, folder: str) -> str:
    """Compare the file's requests with the vendor's contract, and return a line about it.

    :raises InputError: a request is not in the contract, or the contract can't be read.
    """
    named = manifest.contract.get("openapi")
    if not named:
        return "compared with no contract (contract: {openapi: FILE} names one)"
    try:
        with open(os.path.join(folder, named), encoding="utf-8") as f:
            contract = of_openapi(json.load(f), manifest.contract.get("prefix", ""))
    except (OSError, ValueError, KeyError) as e:
        raise InputError(
            f"{named} is no OpenAPI description in JSON ({type(e).__name__})", act="read contract"
        ) from None
    wrong = violations(manifest, contract)
    if wrong:
        raise InputError("; ".join(wrong), act=f"compare with {named}", hint="correct the connector's file")
    return f"each is in {named}"

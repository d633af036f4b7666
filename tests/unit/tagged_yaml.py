# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Read a company's YAML without Ansible."""

from __future__ import annotations

import yaml


class Loader(yaml.SafeLoader):
    """Reads Ansible's tags as plain texts."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: str(node.value))

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
from __future__ import annotations

from ansible_collections.workforce.lifecycle.plugins.module_utils.target import Connector


class Entra(Connector):
    """To be written."""

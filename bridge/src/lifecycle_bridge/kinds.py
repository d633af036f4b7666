# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Names the kinds of case, as the collection names its playbooks. The bridge imports nothing of the collection."""

from __future__ import annotations

from typing import Final

ONBOARD: Final = "onboard"
TRANSFER: Final = "transfer"
OFFBOARD: Final = "offboard"
SUSPEND: Final = "suspend"
RESUME: Final = "resume"
REINSTATE: Final = "reinstate"
RENAME: Final = "rename"
WITHDRAW: Final = "withdraw"

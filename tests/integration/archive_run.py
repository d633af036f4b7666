# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""One archive run as a process that can be killed: its parameters come as the first line of stdin, and after each frame it says
how many messages it has and waits for a line."""

from __future__ import annotations

import json
import sys

from ansible_collections.workforce.lifecycle.plugins.module_utils.mailbox import archive
from ansible_collections.workforce.lifecycle.plugins.modules.mailbox_archive import TASK


def _progress(done: int, total: int, unit: str) -> None:
    print(done, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    archive.FRAME = 4096
    print(json.dumps(TASK.run(json.loads(sys.stdin.readline()), check_mode=False, progress=_progress)), flush=True)

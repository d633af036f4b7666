# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Unlocks the run's people when ansible-playbook ends, and gives the ledger's head to its witnesses.

A worker that opens the ledger writes its address to the run's own temporary folder (0700, removed by Ansible at the
end). The process of ansible-playbook reads it when it ends. After a kill, :mod:`lease` frees the locks.
"""

from __future__ import annotations

import atexit
import os
from functools import cache
from pathlib import Path

from ansible.utils.display import Display

from ...module_utils.model import private
from ...module_utils.model.errors import LifecycleError

_NAME = "workforce_ledger"


def run_of(folder: str) -> str:
    """Return the run's id, from its temporary folder: the same for all workers of one ansible-playbook process only."""
    return os.path.basename(folder).removeprefix("ansible-local-")


def remember(folder: str, ledger: str, policy: str = "") -> None:
    """Note, in a worker, the ledger in which this run may lock people (a path, or an address with a password), and the
    policy's file."""
    path = Path(folder, _NAME)
    if not path.exists():
        with open(private.opened(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "w") as file:
            file.write(f"{ledger}\n{policy}")


@cache
def at_exit(folder: str) -> None:
    """Register the end of the run, in the process of ansible-playbook, before it forks."""
    atexit.register(_hand_back, folder, os.getpid())


def _hand_back(folder: str, pid: int) -> None:
    path = Path(folder, _NAME)
    if os.getpid() != pid or not path.exists():
        return
    from ...module_utils.company.policy import load_policy
    from ..ledger.ledger import Ledger
    from ..witness.give import give, seal_of

    url, _newline, policy_file = path.read_text().partition("\n")
    try:
        policy = load_policy(policy_file)
        ledger = Ledger.open(url, lambda: seal_of(policy, folder))
        ledger.give_back(run_of(folder))
    except LifecycleError as e:
        Display().warning(f"{e}. Until then no run on another machine goes on with them")
        return
    try:
        for failed in give(ledger, policy, run_of(folder)):
            Display().warning(failed)
    except LifecycleError as e:
        Display().warning(f"the ledger's witnesses were not given its head: {e}")

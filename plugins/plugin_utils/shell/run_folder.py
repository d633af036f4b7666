# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Passes data from one task of a run to later ones, in files of the run's own temporary folder.

Ansible forks a worker for each task, so that its memory is lost at the end of the task. The folder (0700) is the same
for all workers of one ansible-playbook process, and Ansible removes it at the end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload


class Rows(Sequence[Mapping[str, Any]]):
    """Plain data of many people in a file. Each row is read only when it is used, because a thousand rows in each of
    twelve workers would take a hundred megabytes.

    :param path: a file with one JSON text a line.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        ends = [0]
        for line in self._file:
            ends.append(ends[-1] + len(line))
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Mapping[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        begins, ends = self._ends[number : number + 2]
        row: Mapping[str, Any] = json.loads(os.pread(self._file.fileno(), ends - begins, begins))
        return row


@dataclass(frozen=True)
class RunFolder:
    """The run's temporary folder, at ``path``."""

    path: str

    def leave(self, name: str, data: Any, *, of: str = "") -> None:
        """Write plain data under a name, and replace earlier data; ``of`` is the system, where each system has its own
        data."""
        self._write(f"{name}/{of or 'run'}.json", [json.dumps(data)])

    def leave_rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write plain data of many people under a name, and replace earlier data."""
        self._write(f"{name}.jsonl", (f"{json.dumps(row)}\n" for row in rows))

    def _write(self, name: str, texts: Iterable[str]) -> None:
        path = Path(self.path, "workforce_run", name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}")
        with open(os.open(made, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.writelines(texts)
        made.replace(path)

    def read(self, name: str, *, of: str = "") -> Any:
        """Return the data under a name; None when there is none."""
        try:
            text = Path(self.path, "workforce_run", name, f"{of or 'run'}.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return json.loads(text)

    def rows(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Return the rows under a name; none when there are none."""
        try:
            return Rows(Path(self.path, "workforce_run", f"{name}.jsonl"))
        except FileNotFoundError:
            return ()

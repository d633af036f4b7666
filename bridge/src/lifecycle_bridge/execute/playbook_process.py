# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Runs ansible-playbook in one process, and a stand-in for it in a second one, which ansible-runner starts. This file is run by the interpreter
that has ansible-core and need not have the bridge: it imports the standard library and Ansible only.

``playbook_process.py play`` is started by the supervisor, before there is an order. It gets the environment, imports Ansible, gets its
arguments and then the terminal, and runs. ``playbook_process.py stand-in FOLDER`` is what ansible-runner starts: it passes its terminal on, and
ends with the playbook's exit code. So no secret of the environment and no extra variable is on a command line, in /proc/PID/environ or in a
file (ansible-runner writes command line and environment of what it starts to ``artifacts/IDENT/command``). And Ansible, whose start takes half
of a short run, is started before the order comes.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from importlib import import_module

#: The name of the socket in the run's folder for temporary files.
SOCKET = "playbook.socket"

#: Modules that every run needs, imported before the order comes; the collection itself is imported when the playbook runs.
_NEEDED = (
    "ansible.executor.playbook_executor",
    "ansible.executor.task_queue_manager",
    "ansible.plugins.strategy.linear",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.local",
    "http.client",
    "ssl",
    "requests",
)


def send(channel: socket.socket, message: object) -> None:
    """Send one message: its length, then JSON."""
    body = json.dumps(message).encode()
    channel.sendall(struct.pack("!I", len(body)) + body)


def receive(channel: socket.socket) -> dict[str, object] | None:
    """Return the next message; None when the other end is closed."""
    head = _exactly(channel, 4)
    body = _exactly(channel, struct.unpack("!I", head)[0]) if head else None
    return None if body is None else dict(json.loads(body))


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    parts = b""
    while len(parts) < size:
        part = channel.recv(min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return parts


def play() -> int:
    """Wait for environment, arguments and terminal; then run ansible-playbook."""
    _die_with_the_supervisor()
    listener = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    supervisor, _ = listener.accept()
    first = receive(supervisor)
    if first is None:
        return 0
    os.environ.update(_words(first["environment"]))
    sys.path[1:1] = [
        path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path not in sys.path
    ]
    from ansible.cli.playbook import PlaybookCLI

    for name in _NEEDED:
        with suppress(ImportError):
            import_module(name)

    order = receive(supervisor)
    if order is None:
        return 0
    os.environ.update(_words(order["environment"]))
    os.chdir(str(order["folder"]))
    stand_in, _ = listener.accept()
    _, terminal, _, _ = socket.recv_fds(stand_in, 1, 1)
    for number in (1, 2):
        os.dup2(terminal[0], number)
    os.close(terminal[0])
    arguments = order["arguments"]
    assert isinstance(arguments, list)
    sys.argv = ["ansible-playbook", *arguments]
    code = 250
    try:
        PlaybookCLI.cli_executor(sys.argv)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        stand_in.sendall(bytes([code & 0xFF]))
    return code


def stand_in(folder: str) -> int:
    """Pass this terminal to the playbook's process, and return its exit code; 137, as after SIGKILL, when it gives none."""
    channel = socket.socket(socket.AF_UNIX)
    # An address of a socket has 107 characters; a path through an open folder has few.
    channel.connect(f"/proc/self/fd/{os.open(folder, os.O_PATH)}/{SOCKET}")
    socket.send_fds(channel, [b"\0"], [1])
    code = channel.recv(1)
    while channel.recv(1):
        pass
    return code[0] if code else 137


def _die_with_the_supervisor() -> None:
    """Have the kernel kill this process when its supervisor ends; the processes that it forked are found by their mark."""
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _words(values: object) -> dict[str, str]:
    assert isinstance(values, dict)
    return {str(name): str(value) for name, value in values.items()}


if __name__ == "__main__":
    if sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]  # nothing is imported from this folder: its modules have common names
    sys.exit(play() if sys.argv[1] == "play" else stand_in(sys.argv[2]))

# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Programs that a connector runs, played by the sandbox: a script hands its arguments to the sandbox's process, which answers."""

from __future__ import annotations

import json
import os
import socketserver
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

#: A program's name, its arguments, its standard input -> what it ends with, and says.
Played = Callable[[str, Sequence[str], str], tuple[int, str]]
_SCRIPT = """#!{python} -SE
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect({socket!r})
s.sendall(json.dumps([os.path.basename(sys.argv[0]), sys.argv[1:], sys.stdin.read()]).encode() + b"\\n")
code, said = json.loads(s.makefile().readline())
(sys.stderr if code else sys.stdout).write(said)
sys.exit(code)
"""


class Programs:
    """Scripts of a folder, one for each name."""

    def __init__(self, folder: Path, names: Sequence[str], played: Played) -> None:
        self.folder, path = folder, folder / "programs.sock"

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(json.dumps(played(*json.loads(self.rfile.readline()))).encode() + b"\n")

        self._server = socketserver.UnixStreamServer(str(path), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        for name in names:
            script = folder / name
            script.write_text(_SCRIPT.format(python=sys.executable, socket=str(path)))
            os.chmod(script, 0o700)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

"""A server that is killed and started again, on the same port and with the same state.

EDGEDRIVE_SERVE is the command that starts it at EDGEDRIVE_URL (tests/kill/serve); settings of the program follow it,
NAME=VALUE.
"""

import os
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit


class Mortal:
    """The server, with all of its processes."""

    def __init__(self, **settings: str):
        self.command = shlex.split(os.environ["EDGEDRIVE_SERVE"]) + [f"{name}={value}" for name, value in settings.items()]
        self.group: int | None = None
        # What its lives have logged.
        self.logs: list[str] = []

    def start(self):
        """Returns when it answers."""
        done = subprocess.run(self.command, capture_output=True, text=True)
        assert done.returncode == 0, f"the server did not start: {done.stderr}"
        self.group = int(done.stdout)

    def kill(self):
        """Ends all of its processes at once, without a warning, and returns when they are gone."""
        if self.group is None:
            return
        os.killpg(self.group, signal.SIGKILL)
        until = time.monotonic() + 20
        while listens():
            assert time.monotonic() < until, f"the processes of group {self.group} outlive SIGKILL"
            time.sleep(0.01)
        self.group = None
        self.logs.append(Path(os.environ["EDGEDRIVE_LOG"]).read_text(errors="replace"))


def listens() -> bool:
    """Whether some thread of the server still holds its port, and with it its files."""
    url = urlsplit(os.environ["EDGEDRIVE_URL"])
    try:
        socket.create_connection((url.hostname, url.port), 5).close()
    except OSError:
        return False
    return True

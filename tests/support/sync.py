"""The desktop sync clients' own programs for the command line, and folders that they sync."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .tools import tool

CLIENTS = ["nextcloudcmd", "owncloudcmd"]

# What the clients keep beside the files.
OWN = re.compile(r"^\.(sync_|_sync_|nextcloudsync|owncloudsync|csync)")

CHUNK = 10_000_000


@dataclass
class Log:
    """What a client has written."""

    text: str

    def transfers(self) -> list[str]:
        """The names of the files that were sent or fetched."""
        return re.findall(r'Completed propagation of "(.*)" by OCC::Propagate(?:Upload|Download)', self.text)

    def chunks(self) -> list[str]:
        """The chunks that were sent."""
        return re.findall(r'PUT of "([^"]*/uploads/[^"]*)" FINISHED', self.text)


class SyncFolder:
    """A folder that a client syncs with the account's drive."""

    def __init__(self, client: str, path: Path, url: str, login: str, token: str):
        self.client, self.path, self.url, self.login, self.token = client, path, url, login, token
        self.path.mkdir()
        self.home = path.parent / f"{path.name}.home"
        self.home.mkdir()
        self.exclude = self.home / "exclude"
        self.exclude.touch()
        self.log = self.home / "log"
        self.environment = {
            **os.environ,
            "HOME": str(self.home),
            "QT_QPA_PLATFORM": "offscreen",
            "OWNCLOUD_MAX_CHUNK_SIZE": str(CHUNK),
            "OWNCLOUD_CHUNK_SIZE": str(CHUNK),
        }

    def command(self) -> list[str]:
        options = ["--non-interactive", "--exclude", str(self.exclude), "-u", self.login, "-p", self.token]
        return [tool(self.client), *options, str(self.path), self.url]

    def start(self) -> subprocess.Popen:
        with open(self.log, "wb") as log:
            return subprocess.Popen(self.command(), stdout=log, stderr=subprocess.STDOUT, env=self.environment)

    def sync(self, may_conflict: bool = False) -> Log:
        """Syncs once; a client that reports a failure fails the test."""
        process = self.start()
        status = process.wait(timeout=600)
        text = self.log.read_text(errors="replace")
        assert status == 0 or may_conflict, text[-5_000:]
        return Log(text)

    def wait_for_chunks(self, number: int):
        """Returns when so many chunks were sent."""
        until = time.monotonic() + 120
        while len(Log(self.log.read_text(errors="replace")).chunks()) < number:
            assert time.monotonic() < until, self.log.read_text(errors="replace")[-3_000:]
            time.sleep(0.05)


def tree(path: Path) -> dict[str, bytes | None]:
    """The files with their bytes, and the folders, without what the clients keep for themselves."""
    own = lambda name: OWN.match(name) or name.endswith((".db", ".db-wal", ".db-shm"))  # noqa: E731
    found = {}
    for entry in sorted(path.rglob("*")):
        if not any(own(part) for part in entry.relative_to(path).parts):
            found[str(entry.relative_to(path))] = entry.read_bytes() if entry.is_file() else None
    return found


def same(one: Path, other: Path):
    """Both folders hold the same."""
    first, second = tree(one), tree(other)
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []

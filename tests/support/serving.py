"""More servers of the kind that is tested, with settings of their own.

EDGEDRIVE_SERVE_ANOTHER is the command that runs one, tests/support/serve with the name of a runtime.
"""

import os
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.server import Server


@contextmanager
def serving(state: Path, admin_token: str, **settings: str) -> Iterator[Server]:
    """A server with its data in `state`, which may have been another's before. The accounts on it stay."""
    command = os.environ.get("EDGEDRIVE_SERVE_ANOTHER")
    if not command:
        pytest.skip("EDGEDRIVE_SERVE_ANOTHER does not tell how to run a server")
    arguments = [str(state), *(f"{name}={value}" for name, value in settings.items())]
    command = [*shlex.split(command), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        url = running.stdout.readline().decode().strip()
        assert url, "the server did not start; what it said is above"
        server = Server(url, admin_token)
        try:
            yield server
        finally:
            server.admin.close()
            running.stdin.close()
            running.wait(30)


@contextmanager
def database_at_rest(state: Path) -> Iterator[sqlite3.Connection]:
    """The database of a server that does not run."""
    [file] = [file for file in state.rglob("*") if file.suffix in (".sqlite", ".db") and has_jobs(file)]
    database = sqlite3.connect(file)
    try:
        yield database
        database.commit()
    finally:
        database.close()


def has_jobs(file: Path) -> bool:
    database = sqlite3.connect(file)
    try:
        return database.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone() is not None
    except sqlite3.DatabaseError:
        return False
    finally:
        database.close()

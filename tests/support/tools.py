"""Runs the programs that people use: rclone, curl, litmus, nginx."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# What pip installs beside this Python is found first.
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"


def tool(name: str) -> str:
    """The path of a program; the test fails with a clear sentence where it is missing."""
    found = shutil.which(name, path=PATH)
    if not found:
        pytest.fail(f"{name} is not installed; scripts/test says how to get it")
    return found


def run(*command: str, cwd: Path, home: Path, check: bool = True, timeout: float = 500, **more: str) -> str:
    """Runs a program with a HOME of its own; gives what it printed."""
    environment = {"PATH": PATH, "HOME": str(home), "LANG": "C.UTF-8", **more}
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout
    )
    printed = done.stdout.decode(errors="replace")
    if check:
        assert done.returncode == 0, f"{' '.join(command)}\nended with {done.returncode}:\n{printed[-4000:]}"
    return printed


class Rclone:
    """rclone with one remote, `drive:`, at a WebDAV URL."""

    def __init__(self, folder: Path, url: str, token: str, vendor: str = "other", options: list[str] | None = None):
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self(
            "config",
            "create",
            "drive",
            "webdav",
            "url",
            url,
            "vendor",
            vendor,
            "user",
            "me",
            "pass",
            token,
            *(options or []),
            "--obscure",
        )

    def __call__(self, *arguments: str, check: bool = True) -> str:
        return run(
            tool("rclone"),
            *arguments,
            "--retries",
            "1",
            "--low-level-retries",
            "1",
            cwd=self.folder,
            home=self.home,
            check=check,
        )

    def same(self, local: Path, remote: str):
        """Fails unless both trees hold the same files, compared byte by byte."""
        self("check", "--download", str(local), remote)

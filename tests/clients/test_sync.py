"""The desktop clients of Nextcloud and ownCloud, unmodified: they sync a folder by the programs of theirs that have no window.

EDGEDRIVE_SYNC_FILES is the number of small files, EDGEDRIVE_SYNC_MIB the size of the large one.
"""

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.recount import recount_over_http
from support.sync import CHUNK, CLIENTS, SyncFolder, same
from support.tools import tool

FILES = int(os.environ.get("EDGEDRIVE_SYNC_FILES", "1000"))
LARGE_MIB = int(os.environ.get("EDGEDRIVE_SYNC_MIB", "250"))

# What the clients themselves take; they leave out names that begin or end with a space.
ODD_NAMES = [
    "Кириллица/Отчёт за 2026 год.txt",
    "emoji 🦀/🎉.bin",
    "100% real/%41%2F%25.txt",
    "hash#tag/#1.txt",
    "plus+plus/a+b=c & d.txt",
    "two  spaces/in  ner.txt",
    "quotes 'n'/[a] {b} (c).txt",
    "semi;colon/a,b;c@e!f$g.txt",
    "日本語/ファイル.txt",
    "deep/" + "/".join("abcdefghij") + "/f.txt",
    "empty/nothing.txt",
    "long/" + "n" * 200 + ".txt",
]

pytestmark = pytest.mark.timeout(900)


def fill(folder: Path):
    """About FILES small files with odd names among them, an empty folder, and a large file."""
    numbers = random.Random(2026)
    for number in range(FILES - len(ODD_NAMES)):
        file = folder / f"folder {number % 17}" / f"sub-{number % 5}" / f"file {number}.dat"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(numbers.randbytes(numbers.choice([0, 1, 100, 5_000])))
    for name in ODD_NAMES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"" if "empty" in name else name.encode() * 20)
    (folder / "an empty folder").mkdir()
    large(folder / "large.bin", LARGE_MIB)


def large(file: Path, mib: int):
    with open(file, "wb") as out:
        for number in range(mib):
            out.write(random.Random(number).randbytes(1024 * 1024))


@pytest.fixture(params=CLIENTS)
def client(request) -> str:
    tool(request.param)
    return request.param


@pytest.fixture
def folders(client, account, tmp_path):
    """Two folders that are synced with one account."""
    token = account.token("read", "write")
    return [SyncFolder(client, tmp_path / name, account.server.url, account.login, token) for name in ("one", "two")]


def test_two_folders_become_and_stay_equal(folders, account):
    one, two = folders
    fill(one.path)
    one.sync()
    two.sync()
    same(one.path, two.path)

    # Nothing has changed: nothing is transferred.
    assert one.sync().transfers() == []
    assert two.sync().transfers() == []

    # Changes on both sides.
    time.sleep(1.1)  # the clients compare times to the second
    (one.path / "folder 1/sub-1/changed.txt").write_bytes(b"new here")
    (one.path / "plus+plus/a+b=c & d.txt").write_bytes(b"changed here")
    (one.path / "folder 2").rename(one.path / "folder 2 renamed")
    (two.path / "日本語/ファイル.txt").write_bytes(b"changed there")
    (two.path / "hash#tag/#1.txt").unlink()
    (two.path / "large.bin").rename(two.path / "moved.bin")
    one.sync()
    log = two.sync()
    assert "moved.bin" not in log.transfers(), "a rename moves no bytes"
    one.sync()
    same(one.path, two.path)
    assert (one.path / "moved.bin").exists() and not (one.path / "hash#tag/#1.txt").exists()
    assert (two.path / "folder 2 renamed").is_dir() and not (two.path / "folder 2").exists()

    # A conflict: both are kept, one of them under another name.
    time.sleep(1.1)
    (one.path / "conflict.txt").write_bytes(b"from one")
    (two.path / "conflict.txt").write_bytes(b"from the other side")
    one.sync()
    two.sync(may_conflict=True)
    assert (two.path / "conflict.txt").read_bytes() == b"from one"
    kept = [path for path in two.path.iterdir() if re.search(r"conflict.*conflict", path.name)]
    assert [path.read_bytes() for path in kept] == [b"from the other side"]
    recount_over_http(account.dav(), account.rest())


def test_a_sync_that_is_killed_in_the_large_file_goes_on_where_it_was(folders, account):
    one, two = folders
    large(one.path / "large.bin", LARGE_MIB)
    process = one.start()
    one.wait_for_chunks(2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    chunks = one.sync().chunks()
    assert 0 < len(chunks) <= LARGE_MIB * 1024 * 1024 // CHUNK - 1, "some of it was there already"
    two.sync()
    same(one.path, two.path)


def test_a_wrong_password_ends_the_sync(client, account, tmp_path):
    folder = SyncFolder(client, tmp_path / "x", account.server.url, account.login, "ocl_1_" + "a" * 48)
    (folder.path / "a").write_bytes(b"x")
    assert subprocess.run(folder.command(), capture_output=True, timeout=60, env=folder.environment).returncode != 0

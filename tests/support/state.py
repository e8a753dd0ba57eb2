"""The files in which a local server keeps its state, where a test may look at them.

EDGEDRIVE_STATE names the folder (the layout of miniflare: `r2/BUCKET/blobs/*` holds the objects,
`r2/miniflare-R2BucketObject/*.sqlite` their keys), EDGEDRIVE_SQLITE the drive's database.
"""

import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


def state_folder() -> Path:
    """The folder of the state; the test is skipped where it is not known."""
    folder = os.environ.get("EDGEDRIVE_STATE")
    if not folder:
        pytest.skip("EDGEDRIVE_STATE does not name the folder of the server's state")
    return Path(folder)


def r2_folders() -> list[Path]:
    """The folders that hold objects, their names and their metadata."""
    found = [path for path in state_folder().rglob("r2") if path.is_dir()]
    assert found, f"no object storage below {state_folder()}"
    return found


def blob_files() -> set[Path]:
    """The files that hold the bytes of stored objects."""
    return {path for folder in r2_folders() for path in folder.glob("*/blobs/*") if path.is_file()}


def stored_objects() -> dict[str, int]:
    """The keys and sizes of the objects in storage."""
    found = {}
    for folder in r2_folders():
        for file in folder.glob("miniflare-R2BucketObject/*.sqlite"):
            with snapshot(file) as database:
                if database.execute("SELECT 1 FROM sqlite_master WHERE name = '_mf_objects'").fetchone():
                    found.update(database.execute("SELECT key, size FROM _mf_objects").fetchall())
    return found


def drive_database() -> Path:
    """The drive's SQLite file; the test is skipped where it is not known."""
    path = os.environ.get("EDGEDRIVE_SQLITE")
    if not path:
        pytest.skip("EDGEDRIVE_SQLITE does not name the drive's database")
    return Path(path)


@contextmanager
def snapshot(path: Path):
    """A copy of a database in use, opened; the original is not touched."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            if Path(f"{path}{suffix}").exists():
                shutil.copy(f"{path}{suffix}", f"{folder}/copy{suffix}")
        database = sqlite3.connect(f"{folder}/copy")
        try:
            yield database
        finally:
            database.close()

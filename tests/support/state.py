"""Where a local server keeps its state, if a test may look at it: past the server, at what is really stored.

EDGEDRIVE_STATE names the folder of everything, EDGEDRIVE_SQLITE the drive's database. The objects are in an S3 store if
EDGEDRIVE_STORE names one (support/store.py), else in miniflare's R2 below the folder.
"""

import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from support import store


def state_folder() -> Path:
    """The folder of the state; the test is skipped where it is not known."""
    folder = os.environ.get("EDGEDRIVE_STATE")
    if not folder:
        pytest.skip("EDGEDRIVE_STATE does not name the folder of the server's state")
    return Path(folder)


class Objects(Protocol):
    """The object storage."""

    def sizes(self) -> dict[str, int]:
        """The keys of all objects, and their sizes."""

    def read(self, key: str) -> bytes:
        """The bytes of an object."""

    def replace(self, key: str, data: bytes):
        """Gives an object other bytes."""

    def add(self, key: str, data: bytes):
        """Puts an object there that was not. On miniflare, there must be another."""

    def remove(self, key: str):
        """Takes an object away."""

    def settle(self):
        """Waits until nothing more comes from a server that is dead."""

    def folders(self) -> list[Path]:
        """Where everything about them lies in files."""


def objects() -> Objects:
    """The object storage; the test is skipped where it cannot be reached."""
    folder = state_folder()
    return Bucket(folder) if os.environ.get("EDGEDRIVE_STORE") else Miniflare(folder)


class Bucket:
    """A bucket in an S3 store, whose data are in `store` below the state."""

    def __init__(self, folder: Path):
        self.folder = folder

    def sizes(self) -> dict[str, int]:
        return store.objects()

    def read(self, key: str) -> bytes:
        return store.read(key)

    def replace(self, key: str, data: bytes):
        store.replace(key, data)

    def add(self, key: str, data: bytes):
        store.replace(key, data)

    def remove(self, key: str):
        store.remove(key)

    def settle(self):
        store.settle()

    def folders(self) -> list[Path]:
        found = self.folder / "store" / "data"
        assert found.is_dir(), f"no object storage below {self.folder}"
        return [found]


class Miniflare:
    """R2 as miniflare keeps it: `r2/BUCKET/blobs/*` holds the bytes, `r2/miniflare-R2BucketObject/*.sqlite` the keys."""

    def __init__(self, folder: Path):
        self.folder = folder

    def sizes(self) -> dict[str, int]:
        return {key: size for key, (size, _) in self._rows().items()}

    def read(self, key: str) -> bytes:
        return self._file(key).read_bytes()

    def replace(self, key: str, data: bytes):
        self._file(key).write_bytes(data)

    def add(self, key: str, data: bytes):
        other, blob = next(iter(self._rows())), secrets.token_hex(40)
        self._file(other).with_name(blob).write_bytes(data)
        # What is kept beside them is that of the other, since nobody looks at it.
        self._execute(
            "INSERT INTO _mf_objects SELECT ?, ?, version, ?, etag, uploaded, checksums, http_metadata, custom_metadata "
            "FROM _mf_objects WHERE key = ?",
            (key, blob, len(data), other),
        )

    def remove(self, key: str):
        self._execute("DELETE FROM _mf_objects WHERE key = ?", (key,))

    def settle(self):
        pass  # it dies with the server

    def folders(self) -> list[Path]:
        found = [path for path in self.folder.rglob("r2") if path.is_dir()]
        assert found, f"no object storage below {self.folder}"
        return found

    def _file(self, key: str) -> Path:
        [file] = [file for folder in self.folders() for file in folder.glob(f"*/blobs/{self._rows()[key][1]}")]
        return file

    def _rows(self) -> dict[str, tuple[int, str]]:
        found = {}
        for file in self._databases():
            with snapshot(file) as database:
                rows = database.execute("SELECT key, size, blob_id FROM _mf_objects").fetchall()
                found.update({key: (size, blob) for key, size, blob in rows})
        return found

    def _databases(self) -> Iterator[Path]:
        for folder in self.folders():
            for file in folder.glob("miniflare-R2BucketObject/*.sqlite"):
                with snapshot(file) as database:
                    if database.execute("SELECT 1 FROM sqlite_master WHERE name = '_mf_objects'").fetchone():
                        yield file

    def _execute(self, statement: str, values: tuple):
        """Writes to the database of the one bucket, beside the server."""
        [file] = self._databases()
        with closing(sqlite3.connect(file, timeout=30)) as database, database:
            assert database.execute(statement, values).rowcount == 1, statement


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

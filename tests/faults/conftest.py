"""Fixtures of the tests that spoil what goes on between the server and its object store.

The server must have been started with the port in EDGEDRIVE_FAULT_PROXY as its store; EDGEDRIVE_STORE… (see
support/store.py) tell of the real one, EDGEDRIVE_SQLITE is the drive's database and EDGEDRIVE_LOG the server's log.
"""

import os
import time
from contextlib import contextmanager

import pytest

from support import store
from support.dav import Dav
from support.fault_proxy import FaultProxy
from support.log import Log
from support.recount import blob_breaches, breaches
from support.rest import Rest
from support.state import drive_database, snapshot

SEGMENT, TAG = 256 * 1024, 16

# Seconds until what a request left behind is cleared away.
MOMENT = 5


@pytest.fixture(scope="session")
def running_proxy():
    port = os.environ.get("EDGEDRIVE_FAULT_PROXY")
    if not port:
        pytest.skip("EDGEDRIVE_FAULT_PROXY names no port on which the server expects its object store")
    proxy = FaultProxy(int(port), os.environ["EDGEDRIVE_STORE"])
    yield proxy
    proxy.close()


@pytest.fixture
def log() -> Log:
    """What the server logs during the test."""
    return Log()


@pytest.fixture
def stays_open() -> set[str]:
    """The keys of multipart uploads that a test could not but leave open."""
    return set()


@pytest.fixture(scope="session")
def known() -> set[tuple[str, str]]:
    """What was wrong before a test began; others have been told of it."""
    return remains()


@pytest.fixture(autouse=True)
def proxy(running_proxy, known, log, stays_open):
    """The proxy. After each test, the database agrees with itself, each object in the store is in use or known as
    garbage, no multipart upload is open, and no secret was logged."""
    running_proxy.forget()
    yield running_proxy
    allowed = {(OPEN, key) for key in stays_open}
    end = time.monotonic() + MOMENT
    while (found := remains() - known) != allowed and time.monotonic() < end:
        time.sleep(0.2)
    known |= found
    assert found == allowed
    assert log.secrets() == []


OPEN = "open multipart uploads"


def remains() -> set[tuple[str, str]]:
    """What is wrong in the database and in the store."""
    stored = store.objects()
    with snapshot(drive_database()) as database:
        found = breaches(database) | blob_breaches(database, stored)
        parts = database.execute("SELECT blob_key, size FROM parts").fetchall()
        garbage = {key for (key,) in database.execute("SELECT blob_key FROM blob_garbage")}
    found["blobs of another length"] = [key for key, size in parts if stored.get(key) not in (None, sealed(size))]
    found[OPEN] = uploads = store.open_uploads()
    found["open multipart uploads of keys that are not garbage"] = [key for key in uploads if key not in garbage]
    return {(name, str(row)) for name, rows in found.items() for row in rows}


def sealed(size: int) -> int:
    """The length of the blob that holds so many bytes: each 256 KiB of them have a tag."""
    return size + -(-size // SEGMENT) * TAG


class Drive:
    """A drive and those who use it."""

    # What the file `old` holds.
    former = b"the former content"

    def __init__(self, dav: Dav, rest: Rest):
        self.dav = dav
        self.rest = rest

    def picture(self) -> tuple:
        """All that a client sees: entries with their ETags and lengths, and the used bytes."""
        props = "<d:getetag/><d:getcontentlength/><d:quota-used-bytes/><d:quota-available-bytes/><d:getlastmodified/>"
        entries = {
            entry.href: {name: element.text for name, element in entry.props[200].items()}
            for entry in self.dav.list("", "infinity", props)
        }
        return entries, self.rest.used()

    @contextmanager
    def unchanged(self):
        """Afterwards, a client sees what it saw before."""
        before = self.picture()
        yield
        assert self.picture() == before


@pytest.fixture(scope="module")
def tenant(running_proxy, server) -> Drive:
    """A drive for the tests of a file, one after the other: they are many."""
    account = server.account()
    yield Drive(account.dav(), account.rest())
    account.close()


@pytest.fixture
def drive(proxy, tenant) -> Drive:
    """A drive that holds nothing but a file `old`; the proxy has forgotten how it came there."""
    for name in tenant.dav.names():
        assert tenant.dav.delete(name).status_code == 204
    tenant.dav.make("old", tenant.former)
    proxy.forget()
    return tenant

"""Fixtures of the tests of virus scanning.

The server's SCANNER is clamd://127.0.0.1:EDGEDRIVE_SCANNER_PORT, where the tests listen and pass on what comes to the
real clamd, or misbehave. Of that one, EDGEDRIVE_CLAMD is the address, EDGEDRIVE_CLAMD_PID the process, and
EDGEDRIVE_CLAMD_SIGNATURES the folder of its signatures. WEBHOOK_ALLOW_PRIVATE is 1: receivers are in this process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.clamd import Clamd
from support.scanner import Scanner, close
from support.scanning import Scanning
from support.server import Account, Server
from support.state import objects


@pytest.fixture(scope="session")
def clamd() -> Clamd:
    """The real one."""
    if not os.environ.get("EDGEDRIVE_CLAMD"):
        pytest.skip("EDGEDRIVE_CLAMD names no clamd")
    signatures = Path(os.environ["EDGEDRIVE_CLAMD_SIGNATURES"])
    return Clamd(os.environ["EDGEDRIVE_CLAMD"], signatures, int(os.environ["EDGEDRIVE_CLAMD_PID"]))


@pytest.fixture(scope="session")
def running_scanner(clamd) -> Iterator[Scanner]:
    """What the server takes for its scanner."""
    scanner = Scanner(int(os.environ["EDGEDRIVE_SCANNER_PORT"]), clamd.behaviour())
    yield scanner
    scanner.close()


@pytest.fixture(scope="session")
def scanning(server) -> Scanning:
    """What the server tells of its scanner."""
    return Scanning(server)


@pytest.fixture
def account(server) -> Iterator[Account]:
    """A new account, which is deleted at once: its files are not to be scanned again in other tests."""
    account = server.account()
    yield account
    account.close()
    assert server.admin.delete(f"accounts/{account.id}").status_code == 204


@pytest.fixture
def scanner(running_scanner, scanning, sweeper) -> Iterator[Scanner]:
    """The scanner, which works before the test and after it. Everything is scanned by then."""
    scanning.settle()
    running_scanner.sessions.clear()
    yield running_scanner
    running_scanner.recover()
    scanning.settle()


@pytest.fixture
def failing(scanner, scanning):
    """Meanwhile, the scanner fails, and the server knows: uploads stay pending. Afterwards, all is scanned."""

    @contextmanager
    def failing() -> Iterator[None]:
        with scanner.misbehaving(close):
            yield
        scanning.settle()

    return failing


@pytest.fixture
def blobs(server: Server, account: Account):
    """Gives the keys of the account's blobs in the object store."""
    return lambda: {key for key in objects().sizes() if key.startswith(f"{account.id}/")}

"""Fixtures that all tests over HTTP share.

The server is named by EDGEDRIVE_URL and EDGEDRIVE_ADMIN_TOKEN; which runtime it is, no test asks.
"""

import os
from collections.abc import Iterator

import pytest

from support.hooks import Hook, Jobs, Sweeper
from support.receiver import Receiver
from support.server import Server


@pytest.fixture(scope="session")
def server():
    """The server under test. The accounts made on it are deleted in the end."""
    try:
        url, token = os.environ["EDGEDRIVE_URL"], os.environ["EDGEDRIVE_ADMIN_TOKEN"]
    except KeyError as missing:
        pytest.exit(f"set {missing} to test a running server, or use scripts/test", returncode=2)
    server = Server(url, token)
    yield server
    server.close()


@pytest.fixture
def account(server):
    """A new account without a quota."""
    account = server.account()
    yield account
    account.close()


@pytest.fixture
def dav(account):
    """A WebDAV client of the account, with every scope."""
    return account.dav()


@pytest.fixture
def rest(account):
    """A REST client of the same account, with every scope."""
    return account.rest()


@pytest.fixture(scope="session")
def sweeper(server) -> Iterator[Sweeper]:
    """A clock that has the jobs run."""
    sweeper = Sweeper(server)
    yield sweeper
    sweeper.stop()
    assert sweeper.wrong == []


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that answers 204 until it is told otherwise."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def hook(rest, receiver, sweeper):
    """Makes webhooks of the account that point at a receiver. They are deleted in the end."""
    made: list[Hook] = []

    def make(path: str = "/", at: Receiver = receiver, **fields) -> Hook:
        made.append(Hook(rest, at, path, **fields))
        return made[-1]

    yield make
    for one in made:
        one.delete()


@pytest.fixture
def jobs(server, account) -> Jobs:
    """The jobs of the account."""
    return Jobs(server, account)

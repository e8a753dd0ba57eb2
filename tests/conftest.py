"""Fixtures that all tests over HTTP share.

The server is named by EDGEDRIVE_URL and EDGEDRIVE_ADMIN_TOKEN; which runtime it is, no test asks.
"""

import os

import pytest

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

"""Fixtures of the tests over HTTP that are dear to make."""

from concurrent.futures import ThreadPoolExecutor

import pytest

ENTRIES = 5_000


@pytest.fixture(scope="session")
def wide_account(server):
    """An account with `/wide`, a folder of 5,000 files that share one content of one byte."""
    account = server.account()
    maker = account.dav()
    maker.folder("wide")
    maker.make("wide/0", b"x")

    def copy(number: int):
        assert maker.copy("wide/0", f"wide/{number}").status_code == 201

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(copy, range(1, ENTRIES)))
    yield account
    account.close()


@pytest.fixture(scope="session")
def wide(wide_account):
    """A WebDAV client of that account. A test leaves `/wide` as it was."""
    return wide_account.dav()

"""Fixtures of the tests of webhooks.

The server under test runs with WEBHOOK_ALLOW_PRIVATE=1, since the receivers are in this process. EDGEDRIVE_STRICT_URL
may name a second one without it, which has the same administrator.
"""

import os

import pytest

from support.receiver import Receiver, self_signed
from support.server import Server


@pytest.fixture
def bad_receiver():
    """Another one, at another address: what a server does for one host may depend on that host only."""
    with Receiver("127.0.0.2") as receiver:
        yield receiver


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate that nobody has reason to trust."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def strict(server):
    """A server that sends webhooks to public addresses only."""
    url = os.environ.get("EDGEDRIVE_STRICT_URL")
    if not url:
        pytest.skip("EDGEDRIVE_STRICT_URL does not name a server without WEBHOOK_ALLOW_PRIVATE")
    strict = Server(url, server.admin_token)
    yield strict
    strict.close()

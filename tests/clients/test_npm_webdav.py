"""The npm package `webdav`: what programs in JavaScript do with a drive (node/webdav.mjs)."""

import pytest

from support.mounts import mount_of
from support.node import node


@pytest.mark.parametrize("mount", ["/dav/", "/remote.php/dav/files/{login}/"])
@pytest.mark.parametrize("scenario", ["tree", "contents", "streams", "locks"])
def test_the_client_works(account, tmp_path, scenario, mount):
    node("webdav.mjs", scenario, account.server.url + mount_of(account, mount), account.token(), folder=tmp_path)


def test_the_quota_is_told(server, tmp_path):
    account = server.account(quota=1_000_000)
    node("webdav.mjs", "quota", server.url + "/dav/", account.token(), folder=tmp_path)

"""rclone as it speaks to Nextcloud, ownCloud and others: copies, compares hashes, keeps times, and sends large files in chunks
where the vendor can."""

import os
import random

import pytest

from support.tools import Rclone

MIB = int(os.environ.get("EDGEDRIVE_RCLONE_MIB", "20"))
TIME = 1_600_000_000

# By vendor: the mount, and whether times and hashes are kept.
VENDORS = {
    "nextcloud": ("/remote.php/dav/files/{login}/", True),
    "owncloud": ("/remote.php/webdav/", True),
    "other": ("/dav/", False),
}


@pytest.fixture(params=VENDORS)
def remote(request, account, tmp_path):
    mount, keeps = VENDORS[request.param]
    url = account.server.url + mount.format(login=account.login)
    options = ["nextcloud_chunk_size", "10M"] if request.param == "nextcloud" else []
    rclone = Rclone(tmp_path / "rclone", url, account.token("read", "write"), vendor=request.param, options=options)
    return rclone, keeps


@pytest.fixture
def tree(tmp_path):
    tree = tmp_path / "tree"
    numbers = random.Random(5)
    for name, size in {"a/b c/ü.txt": 10, "a/empty": 0, "large": MIB * 1024 * 1024, "x#y%20": 70_000}.items():
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(numbers.randbytes(size))
        os.utime(file, (TIME, TIME))
    return tree


def test_a_tree_goes_up_with_its_times_and_hashes(remote, tree, server):
    rclone, keeps = remote
    rclone("copy", str(tree), "drive:tree")
    rclone.same(tree, "drive:tree")
    if keeps:
        listed = rclone("lsf", "-R", "--files-only", "--format", "t", "--time-format", "unix", "drive:tree").split()
        assert set(listed) == {str(TIME)}
        assert "Copied" not in rclone("copy", "-v", str(tree), "drive:tree"), "nothing has changed"
    (tree / "x#y%20").write_bytes(b"other")
    rclone("sync", str(tree), "drive:tree")
    rclone.same(tree, "drive:tree")
    rclone("moveto", "drive:tree/large", "drive:tree/moved")
    rclone("purge", "drive:tree")
    assert rclone("lsf", "drive:").strip() == ""

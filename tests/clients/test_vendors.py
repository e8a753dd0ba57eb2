"""rclone as it speaks to Nextcloud, ownCloud, Infinite Scale and others: copies both ways, compares hashes, keeps times, and
sends large files in pieces where the vendor can.

EDGEDRIVE_RCLONE_MIB is the size of the large file.
"""

import hashlib
import math
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.mounts import mount_of
from support.tools import Rclone

MIB = int(os.environ.get("EDGEDRIVE_RCLONE_MIB", "25"))
TIME = 1_600_000_000
LATER = 1_650_000_000


@dataclass(frozen=True)
class Vendor:
    """What rclone takes a server for, and does with it therefore."""

    name: str
    mount: str
    # The hashes that it asks for; `check` compares the first of them.
    hashes: tuple[str, ...] = ()
    # Whether it sends and compares times.
    times: bool = True
    # How the requests begin in which it sends a large file, 10 MiB in each.
    pieces: str = ""
    # Whether it changes the time of a file without sending the file again.
    sets_times: bool = False


VENDORS = [
    Vendor("nextcloud", "/remote.php/dav/files/{login}/", hashes=("sha1",), pieces="PUT /remote.php/dav/uploads/"),
    Vendor("owncloud", "/remote.php/webdav/", hashes=("md5", "sha1"), sets_times=True),
    Vendor("infinitescale", "/dav/spaces/{space}/", hashes=("sha1",), pieces="PATCH /", sets_times=True),
    Vendor("other", "/dav/", times=False),
]


def name_of(vendor: Vendor) -> str:
    return vendor.name


@pytest.fixture(params=VENDORS, ids=name_of)
def vendor(request) -> Vendor:
    return request.param


@pytest.fixture
def rclone(vendor, account, tmp_path) -> Rclone:
    url = account.server.url + mount_of(account, vendor.mount)
    # The size of a chunk is what both Nextcloud's chunks and the pieces of TUS go by.
    options = ["nextcloud_chunk_size", "10M"]
    return Rclone(tmp_path / "rclone", url, account.token("read", "write"), vendor=vendor.name, options=options)


@pytest.fixture
def tree(tmp_path) -> Path:
    tree = tmp_path / "tree"
    numbers = random.Random(5)
    for name, size in {"a/b c/ü.txt": 10, "a/empty": 0, "large": MIB * 1024 * 1024, "x#y%20": 70_000}.items():
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            # Python makes no more than 256 MiB of them at once.
            for begin in range(0, size, 1 << 20):
                out.write(numbers.randbytes(min(1 << 20, size - begin)))
        os.utime(file, (TIME, TIME))
    return tree


def files_of(tree: Path) -> dict[str, Path]:
    return {str(file.relative_to(tree)): file for file in tree.rglob("*") if file.is_file()}


def hashes_of(rclone: Rclone, kind: str, remote: str) -> dict[str, str]:
    """What the server says of the files below, by name; an empty hash where it says nothing."""
    lines = rclone("hashsum", kind, remote).splitlines()
    return {name: digest.replace("UNSUPPORTED", "") for digest, name in (line.split("  ", 1) for line in lines)}


def wait_for_hashes(rclone: Rclone, kind: str, remote: str) -> dict[str, str]:
    """The same, once there is one for every file: nobody has read what came in pieces, so a job does afterwards."""
    for _ in range(120):
        found = hashes_of(rclone, kind, remote)
        if all(digest.strip() for digest in found.values()):
            return found
        time.sleep(0.5)
    pytest.fail(f"no {kind} of every file: {found}")


def test_a_tree_goes_up_and_comes_down(vendor, rclone, tree, tmp_path):
    printed = rclone("copy", "-vv", "--dump", "headers", str(tree), "drive:tree")
    assert not vendor.pieces or printed.count(vendor.pieces) >= math.ceil(MIB / 10)
    if vendor.times:
        assert "Copied" not in rclone("copy", "-v", str(tree), "drive:tree"), "nothing has changed"
        listed = rclone("lsf", "-R", "--files-only", "--format", "t", "--time-format", "unix", "drive:tree").split()
        assert set(listed) == {str(TIME)}
    rclone("copy", "drive:tree", str(tmp_path / "back"))
    back = files_of(tmp_path / "back")
    assert back.keys() == files_of(tree).keys()
    for name, file in files_of(tree).items():
        assert back[name].read_bytes() == file.read_bytes(), name
        assert not vendor.times or back[name].stat().st_mtime == TIME, name
    (tree / "x#y%20").write_bytes(b"other")
    rclone("sync", str(tree), "drive:tree")
    rclone.same(tree, "drive:tree")
    rclone("moveto", "drive:tree/large", "drive:tree/moved")
    rclone("copyto", "drive:tree/moved", "drive:tree/copied")
    assert rclone("lsf", "drive:tree").split("\n") == ["a/", "copied", "moved", "x#y%20", ""]
    rclone("purge", "drive:tree")
    assert rclone("lsf", "drive:").strip() == ""


def test_hashes_are_compared(vendor, rclone, tree, tmp_path):
    rclone("copy", str(tree), "drive:tree")
    if not vendor.hashes:
        # Sizes are all that it can compare without the bytes.
        assert "hashes could not be checked" in rclone("check", str(tree), "drive:tree")
        rclone.same(tree, "drive:tree")
        return
    for kind in vendor.hashes:
        expected = {name: hashlib.new(kind, file.read_bytes()).hexdigest() for name, file in files_of(tree).items()}
        assert wait_for_hashes(rclone, kind, "drive:tree") == expected
    for source, target in ((str(tree), "drive:tree"), ("drive:tree", str(tree))):
        printed = rclone("check", "--checksum", source, target)
        assert "0 differences found" in printed and "could not be checked" not in printed, printed
    # The same size and time, but one byte is another.
    content = bytearray((tree / "large").read_bytes())
    content[-1] ^= 1
    (tree / "large").write_bytes(content)
    os.utime(tree / "large", (TIME, TIME))
    printed = rclone("check", "--checksum", str(tree), "drive:tree", check=False)
    assert f"large: {vendor.hashes[0]} differ" in printed and "1 differences found" in printed, printed
    assert "Copied" not in rclone("copy", "-v", str(tree), "drive:tree"), "size and time are the same"
    assert "large: Copied" in rclone("copy", "-v", "--checksum", str(tree), "drive:tree")


@pytest.mark.parametrize("vendor", [vendor for vendor in VENDORS if vendor.sets_times], indirect=True, ids=name_of)
def test_a_time_is_set(vendor, rclone, tree, account):
    """The others send the file again."""
    rclone("copy", str(tree), "drive:tree")
    etag = account.dav().stat("tree/x%23y%2520").text("getetag")
    os.utime(tree / "x#y%20", (LATER, LATER))
    printed = rclone("copy", "-v", str(tree), "drive:tree")
    assert "Updated modification time in destination" in printed and "Copied" not in printed, printed
    listed = rclone("lsf", "--files-only", "--format", "tp", "--time-format", "unix", "drive:tree").splitlines()
    assert f"{LATER};x#y%20" in listed and f"{TIME};large" in listed
    assert account.dav().stat("tree/x%23y%2520").text("getetag") != etag

"""The PyPI package `nc-py-api`: what Python programs do with the files of a Nextcloud."""

import io
import os

import pytest
from nc_py_api import Nextcloud, NextcloudException
from nc_py_api.files import FsNode

NAMES = ["Кириллица 🦀.txt", "100% real.txt", "a+b=c & d.txt", "hash #1.txt"]


@pytest.fixture
def nc(account) -> Nextcloud:
    return Nextcloud(
        nextcloud_url=account.server.url,
        nc_auth_user=account.login,
        nc_auth_pass=account.token(),
        npa_timeout=60,
        npa_timeout_dav=60,
    )


def names(nodes: list[FsNode]) -> list[str]:
    return sorted(node.user_path for node in nodes)


def refused(status: int):
    return pytest.raises(NextcloudException, check=lambda error: error.status_code == status)


def test_the_server_is_known(nc, account):
    assert nc.user == account.login
    assert nc.srv_version["major"] >= 28 and nc.srv_version["extended_support"] is False
    assert "dav" in nc.capabilities and not nc.check_capabilities("files.bigfilechunking")
    user = nc.users.get_user()
    assert (user.user_id, user.enabled) == (account.login, True)


def test_a_tree(nc):
    nc.files.mkdir("a")
    made = nc.files.makedirs("a/b c/d", exist_ok=True)
    assert made.is_dir and made == nc.files.by_path("a/b c/d")
    for name in NAMES:
        uploaded = nc.files.upload(f"a/b c/{name}", name)
        assert uploaded == nc.files.by_path(f"a/b c/{name}")
        assert nc.files.download(uploaded) == name.encode()
    below = ["a/b c/d/", *(f"a/b c/{name}" for name in NAMES)]
    assert names(nc.files.listdir("a/b c")) == sorted(below)
    assert names(nc.files.listdir(depth=-1)) == sorted(["a/", "a/b c/", *below])
    with refused(405):
        nc.files.mkdir("a")
    with refused(409):
        nc.files.mkdir("nowhere/below")
    with refused(404):
        nc.files.listdir("nowhere")
    nc.files.delete("a")
    with refused(404):
        nc.files.delete("a")
    nc.files.delete("a", not_fail=True)
    assert nc.files.listdir() == []


def test_what_is_known_of_a_file(nc):
    nc.files.mkdir("d")
    uploaded = nc.files.upload("d/f.png", b"x" * 1000)
    file, folder = nc.files.by_path("d/f.png"), nc.files.by_path("d")
    assert (file.name, file.is_dir, file.etag, file.file_id) == ("f.png", False, uploaded.etag, uploaded.file_id)
    assert (file.info.size, file.info.content_length, file.info.mimetype) == (1000, 1000, "image/png")
    assert file.is_readable and file.is_updatable and file.is_deletable and not file.is_mounted
    assert int(file.file_id[:8]) == file.info.fileid and file.info.last_modified.year >= 2026
    assert folder.is_dir and folder.info.size == 1000 and folder.is_creatable and not file.info.favorite
    assert not file.lock_info.is_locked


def test_a_large_file_goes_up_in_chunks_and_comes_down_as_a_stream(nc, tmp_path):
    content = os.urandom(12_000_000)
    uploaded = nc.files.upload_stream("large", io.BytesIO(content))
    assert uploaded == nc.files.by_path("large")
    (tmp_path / "source").write_bytes(content)
    nc.files.upload_stream("again", tmp_path / "source", chunk_size=1_000_000)
    for name in ("large", "again"):
        nc.files.download2stream(name, tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == content
    # Onto a file that there is: one more version of it.
    assert nc.files.upload_stream("large", io.BytesIO(b"short")) == uploaded
    assert nc.files.download("large") == b"short"


def test_copies_moves_and_searches(nc):
    nc.files.mkdir("d")
    nc.files.upload("a.txt", b"x" * 10)
    copied = nc.files.copy("a.txt", "d/b.txt")
    assert copied.user_path == "d/b.txt" and copied != nc.files.by_path("a.txt")
    with refused(412):
        nc.files.move("a.txt", "d/b.txt")
    moved = nc.files.move("a.txt", "d/ü 100%.txt")
    assert moved.user_path == "d/ü 100%.txt" and moved.info.size == 10
    assert nc.files.by_id(moved.info.fileid) == nc.files.by_id(moved.file_id) == moved
    assert nc.files.by_id(999_999_999) is None
    nc.files.upload("d/large.bin", b"x" * 5000)
    assert names(nc.files.find(["like", "name", "%.txt"])) == ["d/b.txt", "d/ü 100%.txt"]
    assert names(nc.files.find(["gt", "size", 1000], path="d")) == ["d/large.bin"]
    assert names(nc.files.find(["and", "like", "mime", "text/%", "lt", "size", 1000])) == ["d/b.txt", "d/ü 100%.txt"]
    assert nc.files.find(["eq", "name", "nowhere"]) == []


def test_favourites(nc):
    nc.files.mkdir("d")
    nc.files.upload("d/f", b"x")
    for path in ("d", "d/f"):
        nc.files.setfav(path, True)
        assert nc.files.by_path(path).info.favorite
    assert names(nc.files.list_by_criteria(["favorite"])) == names(nc.files.find(["eq", "favorite", 1])) == ["d/", "d/f"]
    nc.files.setfav("d", False)
    assert names(nc.files.list_by_criteria(["favorite"])) == ["d/f"]


def test_the_trash(nc):
    nc.files.makedirs("d/e")
    for name in ("d/f ü.txt", "d/e/g", "h"):
        nc.files.upload(name, name.encode())
    assert nc.files.trashbin_list() == []
    for name in ("d/f ü.txt", "d/e", "h"):
        nc.files.delete(name)
    trash = {node.info.trashbin_original_location: node for node in nc.files.trashbin_list()}
    assert trash.keys() == {"d/f ü.txt", "d/e", "h"}
    deleted = trash["d/f ü.txt"]
    assert deleted.info.in_trash and deleted.info.trashbin_filename == "f ü.txt" and deleted.info.trashbin_deletion_time
    assert trash["d/e"].is_dir and trash["d/e"].info.size == 5
    nc.files.trashbin_restore(deleted)
    nc.files.trashbin_restore(trash["d/e"])
    assert nc.files.download("d/f ü.txt") == "d/f ü.txt".encode() and nc.files.download("d/e/g") == b"d/e/g"
    nc.files.trashbin_delete(trash["h"])
    with refused(404):
        nc.files.trashbin_delete(trash["h"])
    nc.files.trashbin_delete(trash["h"], not_fail=True)
    nc.files.delete("d")
    nc.files.trashbin_cleanup()
    assert nc.files.trashbin_list() == [] and nc.files.listdir() == []


def test_versions(nc):
    for content in (b"first", b"second!", b"third"):
        nc.files.upload("f", content)
    file = nc.files.by_path("f")
    versions = sorted(nc.files.get_versions(file), key=lambda version: version.info.content_length)
    sizes = [version.info.content_length for version in versions]
    assert sizes[-1] == 7 and all(version.info.is_version for version in versions)
    nc.files.restore_version(versions[-1])
    assert nc.files.download("f") == b"second!" and nc.files.by_path("f") == file

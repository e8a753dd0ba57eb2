"""The PyPI package `pyocclient` (module `owncloud`), at the URLs of ownCloud 10."""

import os
from datetime import datetime
from pathlib import Path

import owncloud
import pytest

NAMES = ["Кириллица 🦀.txt", "100% real.txt", "a+b=c & d.txt", "hash #1.txt"]
TIME = 1_600_000_000


@pytest.fixture(params=[0, 1], ids=["/remote.php/webdav", "/remote.php/dav/files"])
def client(request, account):
    client = owncloud.Client(account.server.url, dav_endpoint_version=request.param)
    client.login(account.login, account.token())
    yield client
    client.logout()


def names(client: owncloud.Client, path: str, **options) -> list[str]:
    return sorted(entry.path for entry in client.list(path, **options))


def refused(status: int):
    return pytest.raises(owncloud.HTTPResponseError, check=lambda error: error.status_code == status)


def test_the_server_is_known(client):
    assert client.get_version().count(".") == 2
    capabilities = client.get_capabilities()
    assert capabilities["files"]["bigfilechunking"] in ("1", "true")


def test_a_wrong_password_is_told(account):
    client = owncloud.Client(account.server.url)
    with refused(401):
        client.login(account.login, "ocl_1_" + "a" * 48)


def test_a_tree(client):
    assert client.mkdir("a") and client.mkdir("a/b c")
    for name in NAMES:
        assert client.put_file_contents(f"a/b c/{name}", name.encode())
        assert client.get_file_contents(f"a/b c/{name}") == name.encode()
    assert names(client, "a/b c") == sorted(f"/a/b c/{name}" for name in NAMES)
    assert names(client, "", depth="infinity") == sorted(["/a/", "/a/b c/", *(f"/a/b c/{name}" for name in NAMES)])
    with refused(405):
        client.mkdir("a")
    with refused(409):
        client.mkdir("nowhere/below")
    with refused(404):
        client.file_info("nowhere")

    assert client.copy("a", "copied") and client.copy(f"a/b c/{NAMES[0]}", "copied/")
    assert names(client, "copied") == ["/copied/b c/", f"/copied/{NAMES[0]}"]
    assert client.move("copied", "moved #1") and client.move(f"a/b c/{NAMES[1]}", "moved #1/x")
    assert client.get_file_contents("moved #1/x") == NAMES[1].encode()
    assert client.delete("a")
    with refused(404):
        client.delete("a")
    assert names(client, "/") == ["/moved #1/"]


def test_what_is_known_of_a_file(client, tmp_path):
    source = tmp_path / "f.png"
    source.write_bytes(b"x" * 1000)
    os.utime(source, (TIME, TIME))
    client.mkdir("d")
    assert client.put_file("d/", str(source))
    file = client.file_info("d/f.png")
    assert (file.get_name(), file.get_path(), file.get_size(), file.is_dir()) == ("f.png", "/d", 1000, False)
    assert file.get_content_type() == "image/png" and file.get_etag().startswith('"')
    assert file.get_last_modified() == datetime.fromtimestamp(TIME)
    folder = client.file_info("d")
    assert folder.is_dir() and folder.get_content_type() == "httpd/unix-directory"
    properties = client.file_info("d", properties=["oc:size", "oc:permissions", "oc:fileid", "d:getetag"]).attributes
    assert properties["{http://owncloud.org/ns}size"] == "1000"
    assert int(properties["{http://owncloud.org/ns}fileid"]) > 0


def test_files_and_folders_go_up_and_come_down(client, tmp_path):
    source = tmp_path / "up"
    for name in ("one", "sub/two ü", "sub/deep/three"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(os.urandom(100_000))
    (source / "empty").touch()
    assert client.put_directory("", str(source))
    for file in filter(Path.is_file, source.rglob("*")):
        assert client.get_file(f"up/{file.relative_to(source)}", str(tmp_path / "down"))
        assert (tmp_path / "down").read_bytes() == file.read_bytes()
    large = tmp_path / "large"
    large.write_bytes(os.urandom(12_000_000))
    assert client.put_file("large", str(large), chunked=False)
    assert client.get_file_contents("large") == large.read_bytes()


def test_a_large_file_goes_up_in_chunks(client, tmp_path):
    """In those of version 1, which is all that this client knows."""
    large = tmp_path / "ü large"
    large.write_bytes(os.urandom(12_000_000))
    os.utime(large, (TIME, TIME))
    client.mkdir("d")
    for _ in range(2):
        assert client.put_file("d/", str(large), chunk_size=5_000_000)
        assert client.get_file_contents("d/ü large") == large.read_bytes()
        assert client.file_info("d/ü large").get_last_modified() == datetime.fromtimestamp(TIME)
        large.write_bytes(os.urandom(11_000_000))
        os.utime(large, (TIME, TIME))
    assert names(client, "d") == ["/d/ü large"]

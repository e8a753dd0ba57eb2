"""The PyPI package `webdav4`."""

import io
import os
import unicodedata
from datetime import UTC, datetime

import pytest
from webdav4.client import (
    Client,
    HTTPError,
    InsufficientStorage,
    ResourceAlreadyExists,
    ResourceConflict,
    ResourceLocked,
    ResourceNotFound,
)

from support.mounts import mount_of

# None with a percent sign, a question mark or a hash sign, which webdav4 does not encode.
NAMES = ["Кириллица 🦀.txt", "quotes 'n' [a].txt", "a+b=c & d.txt", "e\u0301.txt"]


@pytest.fixture(params=["/dav/", "/remote.php/webdav/"])
def client(request, account) -> Client:
    url = account.server.url + mount_of(account, request.param)
    return Client(url, auth=("me", account.token()), retry=False, timeout=60)


def test_a_tree(client, tmp_path):
    client.mkdir("a")
    client.mkdir("a/b")
    with pytest.raises(ResourceAlreadyExists):
        client.mkdir("a")
    with pytest.raises(ResourceConflict):
        client.mkdir("nowhere/below")
    for name in NAMES:
        client.upload_fileobj(io.BytesIO(name.encode()), f"a/b/{name}")
    # Names are kept in NFC, as by Nextcloud.
    kept = [unicodedata.normalize("NFC", name) for name in NAMES]
    assert sorted(client.ls("a/b", detail=False)) == sorted(f"a/b/{name}" for name in kept)
    assert client.exists("a") and client.isdir("a") and client.isfile(f"a/b/{NAMES[0]}")
    assert not client.exists("nowhere")
    with pytest.raises(ResourceNotFound):
        client.ls("nowhere")

    client.copy("a", "copied")
    client.copy("a", "shallow", depth=0)
    assert len(client.ls("copied/b")) == len(NAMES) and client.ls("shallow") == []
    with pytest.raises(ResourceAlreadyExists):
        client.move("shallow", "copied")
    client.move("shallow", "copied", overwrite=True)
    assert client.ls("copied") == [] and not client.exists("shallow")
    client.move(f"a/b/{NAMES[0]}", "copied/x")
    with client.open("copied/x") as text:
        assert text.read() == NAMES[0]
    client.remove("a")
    assert client.ls("", detail=False) == ["copied"]


def test_what_is_known_of_a_file(client):
    content = b"x" * 1000
    client.upload_fileobj(io.BytesIO(content), "f.png", headers={"X-OC-Mtime": "1600000000"})
    info = client.info("f.png")
    assert (info["type"], info["content_length"], info["content_type"]) == ("file", 1000, "image/png")
    assert (info["display_name"], info["etag"]) == ("f.png", client.etag("f.png"))
    assert client.modified("f.png") == datetime.fromtimestamp(1_600_000_000, UTC)
    assert client.created("f.png") > datetime(2026, 1, 1, tzinfo=UTC)
    assert client.content_length("f.png") == 1000 and client.content_type("f.png") == "image/png"
    assert client.get_property("f.png", "getetag") == "" and client.get_props("f.png", "etag").etag == info["etag"]
    assert client.options("f.png") >= {"1", "2", "3"}


def test_files_go_up_and_come_down(client, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(12_000_000))
    seen: list[int] = []
    client.upload_file(source, "large", callback=seen.append)
    assert sum(seen) == 12_000_000
    client.download_file("large", target)
    assert target.read_bytes() == source.read_bytes()
    with pytest.raises(ResourceAlreadyExists):
        client.upload_file(source, "large")
    # Without a length, in chunks.
    client.upload_fileobj(Endless(source.read_bytes()), "streamed")
    assert client.content_length("streamed") == 12_000_000
    with client.open("large", mode="rb", chunk_size=4096) as remote:
        assert client.detected_features.supports_ranges
        remote.seek(5_000_000)
        assert remote.read(100) == source.read_bytes()[5_000_000:5_000_100]
        remote.seek(-10, 2)
        assert remote.read() == source.read_bytes()[-10:]


class Endless(io.RawIOBase):
    """A stream that tells nobody how long it is."""

    def __init__(self, content: bytes):
        self.content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self.content.read(size)


def test_conditions_and_locks(client, account):
    client.upload_fileobj(io.BytesIO(b"first"), "f")
    etag = client.etag("f")
    client.upload_fileobj(io.BytesIO(b"second"), "f", overwrite=True, headers={"If-Match": etag})
    with pytest.raises(HTTPError) as refused:
        client.upload_fileobj(io.BytesIO(b"third"), "f", overwrite=True, headers={"If-Match": etag})
    assert refused.value.status_code == 412
    account.dav().locked("f")
    with pytest.raises(ResourceLocked):
        client.remove("f")
    with pytest.raises(ResourceLocked):
        client.move("f", "g")
    with client.open("f") as text:
        assert text.read() == "second"


def test_over_the_quota(server):
    account = server.account(quota=1000)
    client = Client(server.url + "/dav/", auth=("me", account.token()), retry=False)
    with pytest.raises(InsufficientStorage):
        client.upload_fileobj(io.BytesIO(b"x" * 1001), "f")
    account.close()

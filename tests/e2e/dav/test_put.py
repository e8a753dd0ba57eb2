"""PUT (RFC 9110, 9.3.4; RFC 4918, 9.7)."""

import hashlib
import os

import pytest

from support.dav import condition
from support.multistatus import Multistatus

SEGMENT = 256 * 1024
PART = 8 * 1024 * 1024
SIZES = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, PART - 1, PART, PART + 1, PART + SEGMENT, 2 * PART + 17]


def pieces(content: bytes, size: int = 100_000):
    """A body without a known length, which httpx sends with chunked transfer coding."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def test_create_and_overwrite(dav):
    created = dav.put("f", content=b"one")
    assert created.status_code == 201
    replaced = dav.put("f", content=b"two")
    assert replaced.status_code == 204
    assert created.headers["etag"] != replaced.headers["etag"]
    answer = dav.get("f")
    assert answer.content == b"two"
    assert answer.headers["etag"] == replaced.headers["etag"]


def test_the_same_bytes_again_may_not_break_anything(dav):
    dav.make("f", b"same")
    etag = dav.make("f", b"same")
    assert dav.get("f").content == b"same"
    assert dav.head("f").headers["etag"] == etag


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("transfer", ["content-length", "chunked"])
def test_every_size_comes_back(dav, rest, size, transfer):
    content = os.urandom(size)
    body = content if transfer == "content-length" else pieces(content)
    answer = dav.put("f", content=body)
    assert answer.status_code == 201, answer.text
    back = dav.get("f")
    assert back.headers["content-length"] == str(size)
    assert hashlib.sha256(back.content).digest() == hashlib.sha256(content).digest()
    assert rest.used() == size
    [file] = rest.files()
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert file["sizeBytes"] == size


def test_finder_tells_the_length_beside_a_chunked_body(dav):
    content = os.urandom(SEGMENT + 5)
    answer = dav.put("f", content=pieces(content), headers={"X-Expected-Entity-Length": str(len(content))})
    assert answer.status_code == 201
    assert dav.get("f").content == content


@pytest.mark.parametrize("length", [0, SEGMENT + 4, SEGMENT + 6, 10**9])
def test_a_wrong_expected_length_stores_all_or_nothing(dav, rest, length):
    content = os.urandom(SEGMENT + 5)
    answer = dav.put("f", content=pieces(content), headers={"X-Expected-Entity-Length": str(length)})
    if answer.status_code == 201:
        assert dav.get("f").content == content
    else:
        assert answer.status_code in (400, 413)
        assert not dav.exists("f")
        assert rest.used() == 0


@pytest.mark.parametrize("length", ["-1", "abc", "99999999999999999999999999", ""])
def test_an_expected_length_that_is_no_number(dav, length):
    answer = dav.put("f", content=pieces(b"x" * 10), headers={"X-Expected-Entity-Length": length})
    assert answer.status_code in (201, 400)
    assert dav.exists("f") == (answer.status_code == 201)


def test_a_missing_parent_is_409(dav):
    assert dav.put("missing/f", content=b"x").status_code == 409
    dav.make("f")
    assert dav.put("f/below", content=b"x").status_code == 409
    assert dav.names() == {"f"}


def test_a_folder_is_405(dav):
    dav.folder("d")
    assert dav.put("d", content=b"x").status_code == 405
    assert dav.put("d/", content=b"x").status_code == 405
    assert dav.put("", content=b"x").status_code == 405
    assert dav.stat("d").is_folder


def test_if_match(dav):
    etag = dav.make("f", b"one")
    assert dav.put("f", content=b"two", headers={"If-Match": '"other"'}).status_code == 412
    assert dav.put("f", content=b"two", headers={"If-Match": f"W/{etag}"}).status_code == 412
    assert dav.put("missing", content=b"two", headers={"If-Match": etag}).status_code == 412
    assert dav.put("missing", content=b"two", headers={"If-Match": "*"}).status_code == 412
    assert dav.get("f").content == b"one" and not dav.exists("missing")
    assert dav.put("f", content=b"two", headers={"If-Match": f'"x", {etag}'}).status_code == 204
    assert dav.put("f", content=b"three", headers={"If-Match": etag}).status_code == 412, "the ETag has moved on"
    assert dav.put("f", content=b"three", headers={"If-Match": "*"}).status_code == 204


def test_if_none_match(dav):
    assert dav.put("f", content=b"one", headers={"If-None-Match": "*"}).status_code == 201
    assert dav.put("f", content=b"two", headers={"If-None-Match": "*"}).status_code == 412
    etag = dav.head("f").headers["etag"]
    assert dav.put("f", content=b"two", headers={"If-None-Match": etag}).status_code == 412
    assert dav.get("f").content == b"one"
    assert dav.put("f", content=b"two", headers={"If-None-Match": '"other"'}).status_code == 204


def test_if_unmodified_since(dav):
    dav.put("f", content=b"one", headers={"X-OC-Mtime": "1700000000"})
    old, new = "Tue, 14 Nov 2023 22:13:19 GMT", "Tue, 14 Nov 2023 22:13:20 GMT"
    assert dav.put("f", content=b"two", headers={"If-Unmodified-Since": old}).status_code == 412
    assert dav.put("f", content=b"two", headers={"If-Unmodified-Since": new}).status_code == 204


def test_the_time_that_a_client_gives(dav):
    answer = dav.put("f", content=b"x", headers={"X-OC-Mtime": "1700000000"})
    assert answer.status_code == 201
    assert answer.headers["x-oc-mtime"] == "accepted"
    assert dav.head("f").headers["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert dav.put("g", content=b"x", headers={"X-OC-Mtime": "1700000000.5"}).status_code == 201


@pytest.mark.parametrize("time", ["never", "-1", "99999999999999999999", "1e400", "NaN", ""])
def test_an_impossible_time_is_refused_or_ignored(dav, time):
    answer = dav.put("f", content=b"x", headers={"X-OC-Mtime": time})
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        assert dav.head("f").headers["last-modified"]
        assert dav.stat("f").text("getlastmodified")


def test_part_of_a_file_cannot_be_put(dav):
    dav.make("f", b"0123456789")
    answer = dav.put("f", content=b"ab", headers={"Content-Range": "bytes 2-3/10"})
    assert answer.status_code == 400
    assert dav.get("f").content == b"0123456789"


def test_the_type_that_the_client_gives_is_kept(dav):
    dav.put("f.bin", content=b"x", headers={"Content-Type": "application/x-thing; v=1"})
    assert dav.head("f.bin").headers["content-type"] == "application/x-thing; v=1"
    assert dav.stat("f.bin").text("getcontenttype") == "application/x-thing; v=1"


@pytest.mark.parametrize(
    "name, kind",
    [("a.txt", "text/plain"), ("a.jpg", "image/jpeg"), ("a.PDF", "application/pdf"), ("a", "application/octet-stream")],
)
def test_without_a_type_the_name_tells(dav, name, kind):
    dav.make(name)
    assert dav.head(name).headers["content-type"].split(";")[0] == kind


def test_over_quota_is_507_and_changes_nothing(server):
    account = server.account(quota=1000)
    dav, rest = account.dav(), account.rest()
    dav.make("f", b"x" * 600)
    for body in (b"y" * 401, pieces(b"y" * 401)):
        answer = dav.put("g", content=body)
        assert answer.status_code == 507
        assert condition(answer)[0] == "quota-not-exceeded"
    assert not dav.exists("g") and rest.used() == 600
    assert dav.put("g", content=b"y" * 400).status_code == 201
    assert dav.put("empty", content=b"").status_code == 201
    assert dav.put("h", content=b"y").status_code == 507
    account.close()


def test_earlier_contents_count_until_they_are_dropped(server):
    account = server.account(quota=1000)
    dav, rest = account.dav(), account.rest()
    dav.make("f", b"x" * 400)
    dav.make("f", b"y" * 400)
    assert rest.used() == 800
    assert dav.put("f", content=b"z" * 400).status_code == 507
    assert dav.get("f").content == b"y" * 400
    account.close()


def test_every_overwrite_keeps_a_version_and_only_ten_are_kept(dav, rest):
    for number in range(14):
        dav.make("f", b"v%d" % number)
    [file] = rest.files()
    versions = rest.get(f"files/{file['id']}/versions").json()["versions"]
    assert len(versions) == 10
    assert rest.used() == sum(version["sizeBytes"] for version in versions) + 3


def test_a_locked_file_takes_a_token(dav):
    dav.make("f")
    token = dav.locked("f")
    answer = dav.put("f", content=b"other")
    assert answer.status_code == 423
    assert condition(answer) == ("lock-token-submitted", ["/dav/f"])
    assert dav.get("f").content == b"content"
    assert dav.put("f", content=b"other", headers={"If": f"(<{token}>)"}).status_code == 204
    assert dav.put("f", content=b"more", headers={"If": f"(<{token}>)"}).status_code == 204, "the lock is still held"


def test_a_path_with_a_slash_makes_no_folder(dav):
    answer = dav.put("f/", content=b"x")
    assert answer.status_code < 500
    assert all(not resource.is_folder for resource in Multistatus(dav.propfind("", "1").content)[1:])

"""Nextcloud's chunked uploads, version 2: chunks come in any order and under four kinds of names; the end only links them."""

import hashlib
import os
import time

import pytest


class Upload:
    """One upload, and the drive that it goes to."""

    def __init__(self, account, name="t-1"):
        self.drive = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
        self.chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
        self.name = name

    def begin(self, **headers):
        return self.chunks.request("MKCOL", self.name, headers=headers)

    def put(self, chunk, content, **headers):
        return self.chunks.put(f"{self.name}/{chunk}", content=content, headers=headers)

    def listed(self):
        return {entry.href.rsplit("/", 1)[1]: int(entry.text("getcontentlength")) for entry in self.chunks.list(self.name)[1:]}

    def finish(self, path, **headers):
        headers = {"Destination": self.drive.absolute(path), **headers}
        return self.chunks.request("MOVE", f"{self.name}/.file", headers=headers)


@pytest.fixture
def upload(account):
    return Upload(account)


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "10"],
        ["00001", "00002", "00003"],
        ["0000000000000000", "0000000000000003", "0000000000000010"],
        ["000000000000000-000000000000002", "000000000000003-000000000000009", "000000000000010-000000000000012"],
    ],
)
def test_chunks_are_put_together_by_their_numbers(upload, names):
    assert upload.begin().status_code == 201
    for name, content in reversed(list(zip(names, [b"abc", b"defghij", b"klm"]))):
        assert upload.put(name, content).status_code == 201
    answer = upload.finish("whole.txt", **{"X-OC-Mtime": "1700000000"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["x-oc-mtime"] == "accepted" and answer.headers["oc-fileid"]
    got = upload.drive.get("whole.txt")
    assert got.content == b"abcdefghijklm" and got.headers["etag"] == answer.headers["etag"]
    assert upload.drive.get("whole.txt", headers={"Range": "bytes=2-11"}).content == b"cdefghijkl"
    assert upload.chunks.propfind(upload.name, "1").status_code == 404, "the upload is over"


def test_an_upload_goes_on_where_it_was(upload):
    upload.begin()
    upload.put("1", b"aaa")
    upload.put("2", b"bb")
    assert upload.listed() == {"1": 3, "2": 2}
    upload.put("2", b"BBB")
    assert upload.listed() == {"1": 3, "2": 3}
    assert upload.finish("f", **{"OC-Total-Length": "6"}).status_code == 201
    assert upload.drive.get("f").content == b"aaaBBB"


def test_what_is_not_complete_stays_to_be_completed(upload):
    upload.begin(**{"OC-Total-Length": "6"})
    upload.put("1", b"aaa")
    assert upload.finish("f").status_code == 400
    assert upload.finish("f", **{"OC-Total-Length": "6"}).status_code == 400
    assert upload.listed() == {"1": 3} and not upload.drive.exists("f")
    upload.put("2", b"bbb")
    assert upload.finish("f").status_code == 201


def test_an_end_without_chunks_is_an_empty_file(upload):
    upload.begin()
    assert upload.finish("f").status_code == 201
    assert upload.drive.get("f").content == b""


def test_overwriting_needs_the_entity_tag_that_the_client_names(upload):
    etag = upload.drive.put("f", content=b"old").headers["etag"]
    upload.begin()
    upload.put("1", b"new")
    tagged = f"<{upload.drive.absolute('f')}>"
    assert upload.finish("f", If=f'{tagged} (["other"])').status_code == 412
    assert upload.finish("f", Overwrite="F").status_code == 412
    assert upload.drive.get("f").content == b"old"
    assert upload.finish("f", If=f"{tagged} ([{etag}])").status_code == 204
    assert upload.drive.get("f").content == b"new"
    assert len(upload.drive.get("f").content) == 3


def test_a_lock_or_a_missing_folder_stops_the_end_and_not_the_upload(upload):
    upload.begin()
    upload.put("1", b"x")
    assert upload.finish("nowhere/f").status_code == 409
    token = upload.drive.lock("f").headers["lock-token"]
    assert upload.finish("f").status_code == 423
    assert upload.finish("f", If=f"<{upload.drive.absolute('f')}> ({token})").status_code == 204
    assert upload.drive.get("f").content == b"x"


def test_the_quota_is_asked_before_the_bytes(server):
    account = server.account(quota=1000)
    upload = Upload(account)
    assert upload.begin(**{"OC-Total-Length": "1001"}).status_code == 507
    assert upload.begin().status_code == 201
    assert upload.put("1", b"x" * 600).status_code == 201
    assert upload.put("2", b"x" * 600).status_code == 507, "what has come counts, too"
    assert upload.put("2", b"x" * 400, **{"OC-Total-Length": "1001"}).status_code == 507
    assert upload.put("2", b"x" * 400).status_code == 201
    assert account.dav().put("other", content=b"x" * 10).status_code == 507, "for everybody"
    assert upload.listed() == {"1": 600, "2": 400}
    assert upload.finish("f").status_code == 201
    assert account.dav().put("other", content=b"x" * 10).status_code == 507


def test_what_is_no_chunk_is_refused(upload):
    assert upload.put("1", b"x").status_code == 404, "nothing was begun"
    assert upload.begin().status_code == 201
    assert upload.begin().status_code == 405
    for name in ("x", "1x", "-1", "1-", "99999999999999999999"):
        assert upload.put(name, b"x").status_code == 400, name
    assert upload.put(".file", b"x").status_code == 405
    assert upload.put("1/2", b"x").status_code == 405
    assert upload.chunks.request("MOVE", f"{upload.name}/1").status_code == 405
    assert upload.chunks.request("LOCK", f"{upload.name}/1").status_code == 405
    assert upload.finish("f", Destination="https://elsewhere.example/f").status_code == 502
    assert upload.chunks.request("DELETE", upload.name).status_code == 204
    assert upload.chunks.request("DELETE", upload.name).status_code == 404
    assert upload.put("1", b"x").status_code == 404


def test_uploads_of_others_are_not_there(account, server):
    upload = Upload(account)
    upload.begin()
    other = server.account().dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    assert other.propfind(upload.name, "1").status_code == 404
    reader = account.dav(account.token("read"), mount=f"/remote.php/dav/uploads/{account.login}/")
    assert reader.put(f"{upload.name}/1", content=b"x").status_code == 403


def test_many_chunks_cost_two_round_trips_to_link(upload, server):
    upload.begin()
    parts = [os.urandom(1000 + number) for number in range(40)]
    for number, part in enumerate(parts):
        upload.put(f"{number:05}", part)
    answer = upload.finish("f")
    assert answer.status_code == 201
    timing = answer.headers.get("server-timing", "trips=2")
    assert "trips=2" in timing, timing
    whole = b"".join(parts)
    assert upload.drive.get("f").content == whole


def test_the_digests_of_what_came_in_chunks_are_computed_later(account):
    upload = Upload(account)
    upload.begin()
    upload.put("1", b"ab")
    upload.put("2", b"c")
    assert upload.finish("f").status_code == 201
    rest = account.rest()
    until = time.monotonic() + 60
    while not (sha256 := rest.files()[0]["sha256"]):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert sha256 == hashlib.sha256(b"abc").hexdigest()

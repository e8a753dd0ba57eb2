"""The older chunked upload, version 1, with the requests that ownCloud's desktop client sends: a PUT for each chunk, and none to
begin or to end."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

CHUNK = 10_000_000


class Upload:
    """One upload of a file."""

    def __init__(self, drive, path: str, chunks: list[bytes], transfer: int = 3_141_592_653, **headers: str):
        self.drive, self.path, self.chunks, self.transfer = drive, path, chunks, transfer
        self.headers = {
            "OC-Chunked": "1",
            "OC-Async": "1",
            "OC-Total-Length": str(sum(map(len, chunks))),
            "Content-Type": "application/octet-stream",
            "X-OC-Mtime": "1700000000",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }

    def put(self, index: int, content: bytes | None = None, **headers: str):
        url = f"{self.path}-chunking-{self.transfer}-{len(self.chunks)}-{index}"
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.drive.put(url, content=self.chunks[index] if content is None else content, headers=headers)


@pytest.fixture(params=["/remote.php/webdav/", "/remote.php/dav/files/{login}/", "/dav/spaces/{space}/"])
def drive(request, account):
    return account.dav(mount=request.param.format(login=account.login, space=f"edgedrive${account.id}"))


def made(answer, status=201):
    """The file is there: clients take an entity tag for the end."""
    assert answer.status_code == status, answer.text
    assert answer.headers["etag"] == answer.headers["oc-etag"] and answer.headers["oc-fileid"]
    assert answer.headers["x-oc-mtime"] == "accepted"


def goes_on(answer):
    assert answer.status_code == 201, answer.text
    assert "etag" not in answer.headers and "oc-etag" not in answer.headers


def test_chunks_of_the_clients_size_make_a_file(dav):
    upload = Upload(dav, "large.bin", [os.urandom(CHUNK), os.urandom(CHUNK), os.urandom(2_345_678)])
    goes_on(upload.put(0))
    goes_on(upload.put(1))
    assert not dav.exists("large.bin")
    made(upload.put(2))
    assert dav.get("large.bin").content == b"".join(upload.chunks)
    assert dav.stat("large.bin", "<d:getlastmodified/>").text("getlastmodified") == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert dav.names("") == {"large.bin"}


def test_chunks_come_in_any_order_and_may_come_again(drive):
    upload = Upload(drive, "f", [b"aaa", b"bb", b"c"])
    goes_on(upload.put(2))
    goes_on(upload.put(0, b"AAA"))
    goes_on(upload.put(2))
    goes_on(upload.put(0))
    made(upload.put(1))
    assert drive.get("f").content == b"aaabbc"


def test_an_upload_goes_on_after_a_break(drive):
    upload = Upload(drive, "f", [b"aaa", b"bb"])
    goes_on(upload.put(0))
    again = Upload(drive, "f", [b"aaa", b"bb"])
    made(again.put(1))
    assert drive.get("f").content == b"aaabb"
    other = Upload(drive, "f", [b"xxx", b"yy"], transfer=7)
    goes_on(other.put(1))
    goes_on(Upload(drive, "g", [b"xxx", b"yy"], transfer=7).put(0))
    made(other.put(0), 204)
    assert drive.get("f").content == b"xxxyy" and not drive.exists("g")


def test_a_file_is_replaced_only_as_the_client_knows_it(drive):
    etag = drive.make("f", b"old")
    upload = Upload(drive, "f", [b"aaa", b"bb"], If_Match=etag)
    goes_on(upload.put(0))
    newer = drive.make("f", b"newer")
    assert upload.put(1).status_code == 412
    assert drive.get("f").content == b"newer"
    made(upload.put(1, If_Match=newer), 204)
    assert drive.get("f").content == b"aaabb"
    assert Upload(drive, "none", [b"a", b"b"], If_Match='"x"').put(0).status_code == 412


def test_names_and_folders_are_those_of_the_file(drive):
    drive.folder("d")
    name = "d/Отчёт 1-chunking-1-2-0 %25"
    upload = Upload(drive, name, [b"a", b"b"])
    goes_on(upload.put(0))
    made(upload.put(1))
    assert drive.get(name).content == b"ab"
    plain = drive.put("f-chunking-1-2-0", content=b"x")
    assert plain.status_code == 201 and drive.get("f-chunking-1-2-0").content == b"x", "without the header it is a file"


@pytest.mark.parametrize("name", ["f", "f-chunking-1-2", "f-chunking-1-2-2", "f-chunking-1-0-0", "f-chunking-x-2-0", "f-chunking-1-20000-0"])
def test_what_is_no_chunk_is_refused(dav, name):
    assert dav.put(name, content=b"x", headers={"OC-Chunked": "1"}).status_code == 400
    assert dav.names("") == set()


def test_what_cannot_be_stored_is_refused_and_the_upload_stays(account, server):
    drive = account.dav()
    drive.folder("d")
    assert Upload(drive, "none/f", [b"a", b"b"]).put(0).status_code == 409
    assert Upload(drive, "d", [b"a", b"b"]).put(0).status_code == 405
    assert Upload(drive, "f", [b"a", b""]).put(1).status_code == 400
    assert Upload(account.dav(account.token("read")), "f", [b"a", b"b"]).put(0).status_code == 403
    upload = Upload(drive, "f", [b"aa", b"b"])
    goes_on(upload.put(0, b"a"))
    assert upload.put(1).status_code == 400, "a byte is missing"
    assert not drive.exists("f")
    token = drive.locked("d")
    in_folder = Upload(drive, "d/f", [b"a", b"b"])
    assert in_folder.put(0).status_code == 423
    drive.unlock("d", token)
    made(upload.put(0))
    assert drive.get("f").content == b"aab"
    uploads = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    assert uploads.list().hrefs == [uploads.mount], "what is under way has no name there"


def test_the_quota_is_asked_before_the_bytes(server):
    drive = server.account(quota=1000).dav()
    assert Upload(drive, "f", [b"x" * 600, b"x" * 401]).put(0).status_code == 507
    upload = Upload(drive, "f", [b"x" * 600, b"x" * 400])
    goes_on(upload.put(0))
    assert upload.put(1, b"x" * 401).status_code == 507
    made(upload.put(1))


def test_many_chunks_at_once_make_one_file(drive):
    chunks = [bytes([number]) * (1000 + number) for number in range(24)]
    upload = Upload(drive, "f", chunks)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(upload.put, range(len(chunks))))
    assert [answer.status_code for answer in answers] == [201] * len(chunks)
    assert sum("etag" in answer.headers for answer in answers) == 1
    assert drive.get("f").content == b"".join(chunks)


def test_a_chunk_costs_two_round_trips_and_the_last_one_three(dav):
    upload = Upload(dav, "f", [b"a", b"b", b"c"])
    trips = [int(re.search(r"trips=(\d+)", upload.put(index).headers["server-timing"])[1]) for index in range(3)]
    assert trips == [3, 2, 3]

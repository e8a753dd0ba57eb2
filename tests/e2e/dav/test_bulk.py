"""Nextcloud's bulk upload: many files in one body, each committed by itself."""

import hashlib
import os
import re

import pytest

OC = "{http://owncloud.org/ns}"
ID = '<oc:id xmlns:oc="http://owncloud.org/ns"/><oc:permissions xmlns:oc="http://owncloud.org/ns"/>'
BOUNDARY = "boundary_.oOo._l3OJ0Ey3u+kAc+MFwC2TcTWAV7VQtqS4"


def part(path: str | None, content: bytes, **headers: str | None) -> bytes:
    """A part as the desktop client writes it; a header that is None is left out."""
    known = {
        "Content-Length": str(len(content)),
        "Content-Type": "application/octet-stream",
        "X-File-MD5": hashlib.md5(content).hexdigest(),
        "X-File-Mtime": "1606137908",
        "X-File-Path": path,
    }
    known |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in known.items() if value is not None)
    return f"--{BOUNDARY}\r\n{lines}\r\n".encode() + content + b"\r\n"


class Bulk:
    """An account's bulk upload, and its drive."""

    def __init__(self, account, token=None):
        self.drive = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
        self.client = account.dav(token, mount="/remote.php/dav/")

    def send(self, *parts: bytes, end: bytes = f"--{BOUNDARY}--\r\n".encode(), **kw):
        headers = {"Content-Type": f'multipart/related; boundary="{BOUNDARY}"', **kw.pop("headers", {})}
        return self.client.post("bulk", content=kw.pop("content", b"".join(parts) + end), headers=headers)


@pytest.fixture
def bulk(account):
    return Bulk(account)


def trips(answer) -> int:
    return int(re.search(r"trips=(\d+)", answer.headers["server-timing"])[1])


def test_files_of_all_sizes_are_stored(bulk):
    bulk.drive.folder("d")
    contents = {
        "/a.txt": b"hello",
        "/empty": b"",
        "/d/Отчёт 100%.bin": os.urandom(5_000),
        "/d/middle": os.urandom(64 * 1024),
        "/d/large": os.urandom(3_000_000),
        "/d/with lines": b"\r\n--\r\n--boundary\r\n" * 20,
        "/last": b"x",
    }
    answer = bulk.send(*(part(path, content) for path, content in contents.items()))
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    outcomes = answer.json()
    assert list(sorted(outcomes)) == sorted(contents)
    for path, content in contents.items():
        url = path.strip("/").replace("%", "%25")
        got = bulk.drive.get(url)
        assert got.content == content
        resource = bulk.drive.stat(url, ID + "<d:getlastmodified/>")
        assert outcomes[path] == {
            "error": False,
            "etag": got.headers["etag"].strip('"'),
            "fileid": resource.text("id", OC),
            "permissions": resource.text("permissions", OC),
            "X-OC-MTime": "accepted",
        }
        assert resource.text("getlastmodified") == "Mon, 23 Nov 2020 13:25:08 GMT"


def test_a_bad_part_spoils_itself_alone(bulk):
    bulk.drive.folder("d")
    bulk.drive.folder("d/folder")
    bulk.drive.make("locked", b"old")
    bulk.drive.locked("locked")
    bad = {
        "/sum": part("/sum", b"abc", X_File_MD5="0" * 32),
        "/no sum": part("/no sum", b"abc", X_File_MD5="xyz"),
        "/short": part("/short", b"abc", Content_Length="5", X_File_MD5=None),
        "/long": part("/long", b"abcdef", Content_Length="5", X_File_MD5=None),
        "/large long": part("/large long", b"a" * 200_000, Content_Length="199999", X_File_MD5=None),
        "/large sum": part("/large sum", b"a" * 200_000, X_File_MD5="0" * 32),
        "/no length": part("/no length", b"abc", Content_Length=None),
        "/time": part("/time", b"abc", X_File_Mtime="soon"),
        "/none/f": part("/none/f", b"abc"),
        "/d/folder": part("/d/folder", b"abc"),
        "/a/../b": part("/a/../b", b"abc"),
        "/": part("/", b"abc"),
        "/locked": part("/locked", b"abc"),
    }
    parts = [part("/first", b"1")]
    for number, broken in enumerate(bad.values()):
        parts += [broken, part(f"/d/good {number}", b"good")]
    answer = bulk.send(*parts)
    assert answer.status_code == 200, answer.text
    outcomes = answer.json()
    for path in bad:
        assert outcomes[path]["error"] is True and outcomes[path]["message"], path
    for number in range(len(bad)):
        assert outcomes[f"/d/good {number}"]["error"] is False
        assert bulk.drive.get(f"d/good {number}").content == b"good"
    assert bulk.drive.names("") == {"d/", "first", "locked"}
    assert bulk.drive.names("d/") == {"folder/", *(f"good%20{number}" for number in range(len(bad)))}
    assert bulk.drive.get("locked").content == b"old"


def test_another_checksum_may_come_and_a_file_be_replaced(bulk):
    first = bulk.drive.make("f", b"old")
    sha1 = "SHA1:a9993e364706816aba3e25717850c26c9cd0d89d"
    answer = bulk.send(part("f", b"abc", X_File_MD5=None, OC_Checksum=sha1), part("/g", b"x", X_File_MD5=None, X_File_Mtime=None))
    assert answer.json()["f"]["error"] is False and answer.json()["f"]["etag"] != first.strip('"')
    assert "X-OC-MTime" not in answer.json()["/g"]
    assert bulk.drive.get("f").content == b"abc"
    twice = bulk.send(part("/h", b"1"), part("/h", b"22"))
    assert twice.status_code == 200 and bulk.drive.get("h").content == b"22"
    assert bulk.drive.get("h").headers["etag"].strip('"') == twice.json()["/h"]["etag"]


def test_a_body_that_breaks_off_keeps_what_came_before(bulk):
    large = os.urandom(200_000)
    answer = bulk.send(part("/a", large), part("/b", large)[:-100_000], end=b"")
    assert answer.status_code == 400
    assert answer.json()["/a"]["error"] is False and answer.json()["/b"]["error"] is True
    assert bulk.drive.names("") == {"a"} and bulk.drive.get("a").content == large
    assert bulk.send(part(None, b"x")).status_code == 400
    assert bulk.send(end=b"nonsense").status_code == 400


def test_the_quota_holds_for_each_file(server):
    bulk = Bulk(server.account(quota=1000))
    outcomes = bulk.send(*(part(f"/{number}", b"x" * 400) for number in range(4)), part("/small", b"x")).json()
    assert [outcomes[f"/{number}"]["error"] for number in range(4)] == [False, False, True, True]
    assert outcomes["/small"]["error"] is False
    assert outcomes["/2"]["message"] == "the storage quota is exceeded"


def test_who_may_not_write_stores_nothing(account, server):
    reader = Bulk(account, account.token("read"))
    assert reader.send(part("/f", b"x")).status_code == 403
    assert reader.send().status_code in (200, 403)
    nobody = Bulk(account, "ocl_1_" + "x" * 45)
    for body in ((part("/f", b"x"),), (), (part(None, b"x"),)):
        assert nobody.send(*body).status_code == 401
    bulk = Bulk(account)
    assert bulk.send(part("/f", b"x"), headers={"Content-Type": "text/plain"}).status_code == 415
    assert bulk.send(part("/f", b"x"), headers={"Content-Type": "multipart/related"}).status_code == 415
    assert bulk.client.get("bulk").status_code == 405
    assert bulk.drive.names("") == set()


def test_a_confined_token_stores_in_its_folder(account):
    account.dav().folder("d")
    folder = account.rest().get("folders").json()["folders"][0]["id"]
    bulk = Bulk(account, account.token("read", "write", folder=folder))
    assert bulk.send(part("/f", b"x")).json()["/f"]["error"] is False
    assert bulk.drive.names("") == {"d/", "d/f"} or bulk.drive.names("") == {"d/"}
    assert bulk.drive.get("d/f").content == b"x"


def test_many_small_files_cost_one_round_trip_each_and_one_for_all(bulk):
    answer = bulk.send(*(part(f"/{number}", os.urandom(100)) for number in range(40)))
    assert answer.status_code == 200 and trips(answer) == 41
    large = bulk.send(part("/a", os.urandom(100_000)), part("/b", os.urandom(100_000)))
    assert trips(large) == 4


def test_there_may_not_be_too_many(bulk):
    answer = bulk.send(*(part(f"/{number % 7}", b"") for number in range(1_001)))
    assert answer.status_code == 400

"""The headers of Nextcloud and ownCloud in requests and answers, on every kind of mount."""

import hashlib
import time

import pytest

OC = "{http://owncloud.org/ns}"
ID = '<oc:id xmlns:oc="http://owncloud.org/ns"/>'
CREATED = "<d:creationdate/>"


@pytest.fixture(params=["/dav/", "/remote.php/dav/files/{login}/", "/dav/spaces/{space}/", "/remote.php/webdav/"])
def drive(request, account):
    mount = request.param.format(login=account.login, space=f"edgedrive${account.id}")
    return account.dav(mount=mount)


def knows(drive, path, answer):
    """The answer tells entity tag and id of what is there now."""
    assert answer.status_code in (201, 204), answer.text
    resource = drive.stat(path, ID + "<d:getetag/>")
    assert answer.headers["oc-fileid"] == resource.text("id", OC)
    assert answer.headers["oc-etag"] == answer.headers["etag"] == resource.text("getetag")


def test_what_is_made_moved_or_copied_has_an_id_and_an_entity_tag(drive):
    knows(drive, "d", drive.mkcol("d"))
    knows(drive, "f", drive.put("f", content=b"1"))
    knows(drive, "f", drive.put("f", content=b"2"))
    knows(drive, "d/f", drive.copy("f", "d/f"))
    knows(drive, "e", drive.copy("d", "e"))
    knows(drive, "g", drive.move("f", "g"))
    knows(drive, "e", drive.move("d", "e"))


def test_a_version_that_is_restored_has_an_id_and_an_entity_tag(drive, account):
    for content in (b"one", b"two", b"three"):
        drive.put("f", content=content)
    number = account.rest().files()[0]["id"]
    for method, destination in (("COPY", drive.absolute("f")), ("MOVE", f"/remote.php/dav/versions/{account.login}/restore/x")):
        versions = account.dav(mount=f"/remote.php/dav/versions/{account.login}/versions/{number}/")
        answer = versions.request(method, versions.list()[1].href.removeprefix(versions.mount), headers={"Destination": destination})
        assert answer.status_code == 204
        assert answer.headers["etag"] == answer.headers["oc-etag"] == drive.stat("f", "<d:getetag/>").text("getetag")
        assert answer.headers["oc-fileid"] == f"{int(number):08}ocedgedrive"


def test_a_download_tells_what_to_hold_it_against(drive, account):
    drive.put("f", content=b"hello")
    drive.put("f", content=b"abc")
    expected = "SHA1:a9993e364706816aba3e25717850c26c9cd0d89d"
    assert drive.get("f").headers["oc-checksum"] == drive.head("f").headers["oc-checksum"] == expected
    part = drive.get("f", headers={"Range": "bytes=0-1"})
    assert part.status_code == 206 and "oc-checksum" not in part.headers, "it is not that of a part"
    assert "oc-checksum" not in drive.get("").headers
    number = account.rest().files()[0]["id"]
    versions = account.dav(mount=f"/remote.php/dav/meta/{number}/v/")
    [version] = versions.names()
    assert versions.get(version).headers["oc-checksum"] == f"SHA1:{hashlib.sha1(b'hello').hexdigest()}"
    drive.delete("f")
    trash = account.dav(mount=f"/remote.php/dav/trashbin/{account.login}/trash/")
    [item] = trash.names()
    assert trash.get(item).headers["oc-checksum"] == expected


def test_nothing_is_told_of_a_content_that_nobody_has_read_yet(account):
    drive = account.dav()
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    chunks.mkcol("u")
    chunks.put("u/1", content=b"a")
    chunks.put("u/2", content=b"bc")
    chunks.request("MOVE", "u/.file", headers={"Destination": drive.absolute("f")})
    told = drive.get("f").headers.get("oc-checksum")
    expected = "SHA1:a9993e364706816aba3e25717850c26c9cd0d89d"
    assert told in (None, expected)
    until = time.monotonic() + 60
    while drive.head("f").headers.get("oc-checksum") != expected:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_time_of_creation_is_taken_and_kept(drive):
    answer = drive.put("f", content=b"x", headers={"X-OC-CTime": "1600000000", "X-OC-MTime": "1700000000"})
    assert answer.headers["x-oc-ctime"] == answer.headers["x-oc-mtime"] == "accepted"
    assert drive.stat("f", CREATED).text("creationdate").startswith("2020-09-13T12:26:40")
    answer = drive.put("f", content=b"y")
    assert "x-oc-ctime" not in answer.headers
    assert drive.stat("f", CREATED).text("creationdate").startswith("2020-09-13T12:26:40"), "a new content changes nothing"
    drive.put("f", content=b"z", headers={"X-OC-CTime": "1500000000.5"})
    assert drive.stat("f", CREATED).text("creationdate").startswith("2017-07-14T02:40:00")
    assert "x-oc-ctime" not in drive.put("g", content=b"", headers={"X-OC-CTime": "-5"}).headers
    assert drive.put("g", content=b"", headers={"X-OC-CTime": "soon"}).status_code == 400


def test_the_end_of_an_upload_in_chunks_takes_the_times(account):
    drive = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    chunks.mkcol("u")
    chunks.put("u/1", content=b"abc")
    headers = {"Destination": drive.absolute("f"), "X-OC-CTime": "1600000000", "X-OC-MTime": "1700000000"}
    answer = chunks.request("MOVE", "u/.file", headers=headers)
    assert answer.headers["x-oc-ctime"] == answer.headers["x-oc-mtime"] == "accepted"
    assert drive.stat("f", CREATED).text("creationdate").startswith("2020-09-13T12:26:40")
    knows(drive, "f", answer)


@pytest.mark.parametrize("asked", ["md5", "sha1", "sha256", "all", "SHA256", "none", ""])
def test_digests_are_told_on_demand(dav, asked):
    answer = dav.put("f", content=b"abc", headers={"X-Hash": asked})
    for name in ("md5", "sha1", "sha256"):
        expected = hashlib.new(name, b"abc").hexdigest() if asked.lower() in (name, "all") else None
        assert answer.headers.get(f"x-hash-{name}") == expected


def test_the_total_length_is_held_against_the_quota_before_the_bytes(server):
    drive = server.account(quota=100).dav()
    assert drive.put("f", content=b"x", headers={"OC-Total-Length": "101"}).status_code == 507
    assert drive.put("f", content=b"x", headers={"OC-Total-Length": "many"}).status_code == 400
    assert not drive.exists("f")
    assert drive.put("f", content=b"x", headers={"OC-Total-Length": "100"}).status_code == 201

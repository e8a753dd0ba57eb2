"""Bodies that nobody expects (RFC 4918, 8.4), and bodies in a coding that nobody takes off (RFC 9110, 8.4)."""

import base64
import gzip
import hashlib

import pytest

from support.dav import propfind_body
from support.mounts import MOUNTS, mount_of
from support.rest import assert_error

GZIP = {"Content-Encoding": "gzip"}
BEHAVIOUR = '<?xml version="1.0"?><d:propertybehavior xmlns:d="DAV:"><d:keepalive>*</d:keepalive></d:propertybehavior>'


def in_chunks(content: bytes):
    """Without a length."""
    yield content


@pytest.fixture(params=MOUNTS)
def drive(request, account):
    drive = account.dav(mount=mount_of(account, request.param))
    drive.make("f", b"f")
    return drive


@pytest.mark.parametrize("body", [b"x", b"<?xml version='1.0'?><a/>", b" "])
@pytest.mark.parametrize("send", [bytes, in_chunks])
@pytest.mark.parametrize("method", ["DELETE", "COPY", "MOVE", "MKCOL", "UNLOCK"])
def test_a_body_that_would_be_ignored_is_415(drive, method, body, send):
    token = drive.locked("f")
    headers = {"Destination": drive.absolute("g"), "Lock-Token": f"<{token}>", "If": f"<{drive.absolute('f')}> (<{token}>)"}
    path = "new" if method == "MKCOL" else "f"
    answer = drive.request(method, path, content=send(body), headers=headers)
    assert answer.status_code == 415, answer.text
    assert "accept-encoding" not in answer.headers, "it is not its coding"
    assert drive.names() == {"f"}
    assert drive.put("f", content=b"x").status_code == 423, "nothing was done"


@pytest.mark.parametrize("send", [lambda _: b"", lambda _: in_chunks(b""), lambda _: None])
def test_an_empty_body_is_none(drive, send):
    assert drive.request("MKCOL", "d", content=send(0)).status_code == 201
    for method, path in (("COPY", "d/copied"), ("MOVE", "d/moved")):
        headers = {"Destination": drive.absolute(path)}
        assert drive.request(method, "f", content=send(0), headers=headers).status_code == 201
    token = drive.locked("d/moved")
    assert drive.request("UNLOCK", "d/moved", content=send(0), headers={"Lock-Token": f"<{token}>"}).status_code == 204
    assert drive.request("DELETE", "d", content=send(0)).status_code == 204


@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_a_client_of_rfc_2518_may_say_how_to_treat_properties(drive, method):
    headers = {"Destination": drive.absolute("g")}
    assert drive.request(method, "f", content=BEHAVIOUR, headers=headers).status_code == 201
    assert drive.get("g").content == b"f"


def test_the_trees_beside_the_drive_take_none_either(account, dav):
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    assert chunks.request("MKCOL", "u", content=b"x").status_code == 415
    chunks.folder("u")
    chunks.put("u/1", content=b"x")
    headers = {"Destination": dav.absolute("whole")}
    assert chunks.request("MOVE", "u/.file", content=b"x", headers=headers).status_code == 415
    assert chunks.request("DELETE", "u", content=b"x").status_code == 415
    assert chunks.request("MOVE", "u/.file", headers=headers).status_code == 201
    dav.put("whole", content=b"next")
    versions = account.dav(mount=f"/remote.php/dav/meta/{account.rest().files()[0]['id']}/v/")
    [version] = versions.names()
    for method in ("COPY", "MOVE", "DELETE"):
        assert versions.request(method, version, content=b"x", headers=headers).status_code == 415
    dav.delete("whole")
    trash = account.dav(mount=f"/remote.php/dav/trashbin/{account.login}/trash/")
    [item] = trash.names()
    for method, path in (("MOVE", item), ("DELETE", item), ("DELETE", "")):
        assert trash.request(method, path, content=b"x", headers=headers).status_code == 415
    assert trash.names() == {item}


def test_a_stranger_is_told_nothing_of_it(account):
    stranger = account.dav("ocl_1_" + "x" * 43)
    assert stranger.request("DELETE", "f", content=b"x").status_code == 401
    assert stranger.put("f", content=b"x", headers=GZIP).status_code == 401


def _coded(answer):
    assert answer.status_code == 415, answer.text
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, gzip", "aws-chunked", "x"])
def test_a_content_in_a_coding_is_415(drive, coding):
    _coded(drive.put("new", content=gzip.compress(b"x"), headers={"Content-Encoding": coding}))
    _coded(drive.put("f", content=gzip.compress(b"x"), headers={"Content-Encoding": coding}))
    assert drive.names() == {"f"} and drive.get("f").content == b"f"


@pytest.mark.parametrize("coding", ["identity", "Identity", "", "identity, identity"])
def test_identity_is_no_coding(drive, coding):
    assert drive.put("f", content=b"x", headers={"Content-Encoding": coding}).status_code == 204


def test_no_way_in_takes_a_coding(account, dav, rest):
    body = gzip.compress(b"x")
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    chunks.folder("u")
    _coded(chunks.put("u/1", content=body, headers=GZIP))
    _coded(dav.put("a-chunking-1-1-0", content=body, headers={**GZIP, "OC-Chunked": "1"}))
    part = f"--b\r\nX-File-Path: /a\r\nContent-Length: {len(body)}\r\nX-File-MD5: {hashlib.md5(body).hexdigest()}\r\n"
    bulk = account.dav(mount="/remote.php/dav/")
    related = {"Content-Type": "multipart/related; boundary=b"}
    end = b"\r\n--b--\r\n"
    _coded(bulk.post("bulk", content=part.encode() + b"\r\n" + body + end, headers={**related, **GZIP}))
    answer = bulk.post("bulk", content=part.encode() + b"Content-Encoding: gzip\r\n\r\n" + body + end, headers=related)
    assert answer.json()["/a"]["error"] is True
    tus = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
    begin = {**tus, "Upload-Length": str(len(body)), "Upload-Metadata": f"filename {base64.b64encode(b'a').decode()}"}
    _coded(dav.post("", content=body, headers={**begin, **GZIP}))
    _coded(rest.post("uploads", content=body, headers={**begin, **GZIP}))
    begun = rest.post("uploads", headers={name: value for name, value in begin.items() if name != "Content-Type"})
    _coded(rest.patch(begun.headers["location"], content=body, headers={**tus, "Upload-Offset": "0", **GZIP}))
    answer = rest.post("files", files={"file": ("a", body)}, headers=GZIP)
    assert_error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    _coded(answer)
    _coded(dav.request("PROPFIND", "", content=gzip.compress(propfind_body("<d:getetag/>").encode()), headers=GZIP))
    assert dav.names() == set()

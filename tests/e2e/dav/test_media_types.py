"""The media type of a file: what the client declares, where that says more than the name."""

import base64
import hashlib

import pytest

LATIN1 = "text/plain; charset=iso-8859-1"


def _put(account, dav, rest, name, mime):
    dav.put(name, content=b"x", headers={"Content-Type": mime})


def _form(account, dav, rest, name, mime):
    rest.upload(name, b"x", mime=mime)


def _bulk(account, dav, rest, name, mime):
    part = f"--b\r\nX-File-Path: /{name}\r\nContent-Length: 1\r\nX-File-MD5: {hashlib.md5(b'x').hexdigest()}\r\nContent-Type: {mime}\r\n\r\nx\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/related; boundary=b"}
    account.dav(mount="/remote.php/dav/").post("bulk", content=part.encode(), headers=headers)


def _tus(account, dav, rest, name, mime):
    pairs = {"filename": name, "filetype": mime}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    headers = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Length": "1", "Upload-Metadata": metadata}
    assert rest.post("uploads", content=b"x", headers=headers).status_code == 201


def _chunks(account, dav, rest, name, mime):
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    chunks.delete("u")
    chunks.mkcol("u")
    chunks.put("u/1", content=b"x")
    chunks.request("MOVE", "u/.file", headers={"Destination": dav.absolute(name), "Content-Type": mime})


def _old_chunks(account, dav, rest, name, mime):
    dav.put(f"{name}-chunking-1-1-0", content=b"x", headers={"OC-Chunked": "1", "Content-Type": mime})


DOORS = [_put, _form, _bulk, _tus, _chunks, _old_chunks]


@pytest.fixture(params=DOORS, ids=[door.__name__.strip("_") for door in DOORS])
def store(request, account, dav, rest):
    def store(name, mime):
        request.param(account, dav, rest, name, mime)
        told = dav.stat(name).text("getcontenttype")
        # To a browser, text whose charset nobody has told is UTF-8.
        assert dav.get(name).headers["content-type"] in (told, f"{told}; charset=utf-8" if told.startswith("text/") else told)
        assert [file["mimeType"] for file in rest.files() if file["name"] == name] == [told]
        return told

    return store


def test_a_charset_is_kept(store, dav):
    assert store("a.txt", LATIN1) == LATIN1
    dav.copy("a.txt", "b.txt")
    dav.move("b.txt", "c.txt")
    assert dav.get("c.txt").headers["content-type"] == LATIN1
    assert store("d.txt", "text/html; charset=utf-8") == "text/html; charset=utf-8"
    assert store("a.txt", "text/plain") == "text/plain", "the next content says no more"


@pytest.mark.parametrize("mime", ["application/xml; charset=utf-8", "text/xml", "application/octet-stream", "application/x-www-form-urlencoded"])
def test_what_is_declared_of_everything_is_not_believed_against_the_name(store, mime):
    """ownCloud's web client calls each file that it writes XML."""
    assert store("a.txt", mime) == "text/plain"
    assert store("photo.jpg", mime) == "image/jpeg"


def test_xml_is_believed_where_the_name_says_nothing_else(store):
    assert store("README", "application/xml") == "application/xml"
    assert store("feed.xml", "application/xml") == "application/xml"

"""Resumable uploads by TUS 1.0.0, at /api/v1/uploads and on the folders of WebDAV."""

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.rest import assert_error
from support.tus import OCTETS, TUS, append, begun, create, metadata, offset, upload_of

def content(rest, name="f") -> bytes:
    [file] = [file for file in rest.files() if file["name"] == name]
    return rest.get(f"files/{file['id']}/download").content


def test_the_server_says_what_it_can(rest):
    answer = rest.options("uploads")
    assert answer.status_code == 204 and answer.headers["tus-version"] == "1.0.0"
    assert {"creation", "checksum", "concatenation", "termination", "expiration"} <= set(answer.headers["tus-extension"].split(","))
    assert "sha1" in answer.headers["tus-checksum-algorithm"]


def test_a_file_in_three_pieces(rest):
    upload = begun(rest, 9, name="ü b.txt", mtime="1700000000", filetype="text/x-diary")
    for at, piece in ((0, b"abc"), (3, b"de"), (5, b"fghi")):
        assert offset(rest, upload) == at
        answer = append(rest, upload, at, piece)
        assert answer.status_code == 204 and answer.headers["upload-offset"] == str(at + len(piece))
        assert ("etag" in answer.headers) == (at == 5)
    [file] = rest.files()
    assert (file["name"], file["mimeType"]) == ("ü b.txt", "text/x-diary")
    assert file["modifiedAt"].startswith("2023-11-14T22:13:20")
    assert content(rest, "ü b.txt") == b"abcdefghi"


def test_a_client_that_was_not_told_of_the_end_finds_it(rest):
    upload = begun(rest, 3)
    assert append(rest, upload, 0, b"abc").status_code == 204
    assert offset(rest, upload) == 3 and rest.head(upload, headers=TUS).headers["upload-length"] == "3"
    assert append(rest, upload, 0, b"abc").status_code == 409
    assert append(rest, upload, 3, b"").status_code == 204
    assert append(rest, upload, 3, b"d").status_code == 413
    [file] = rest.files()
    assert rest.get(f"files/{file['id']}/versions").json()["versions"] == [], "it was made once"
    assert rest.delete(upload, headers=TUS).status_code == 204
    assert rest.head(upload, headers=TUS).status_code == 404
    assert content(rest) == b"abc", "the file stays"


def test_all_of_it_may_come_with_the_creation(rest):
    answer = create(rest, 3, content=b"abc")
    assert answer.status_code == 201 and answer.headers["upload-offset"] == "3" and answer.headers["oc-fileid"]
    assert content(rest) == b"abc"
    assert create(rest, 0, name="empty").status_code == 201
    assert content(rest, "empty") == b""


def test_what_comes_in_one_piece_has_its_digests_at_once(rest):
    expected = hashlib.sha256(b"abc").hexdigest()
    assert create(rest, 3, name="created", content=b"abc").status_code == 201
    assert append(rest, begun(rest, 3, name="appended"), 0, b"abc").status_code == 204
    assert {file["name"]: file["sha256"] for file in rest.files()} == {"created": expected, "appended": expected}


def test_the_length_may_be_told_later(rest):
    upload = begun(rest, None)
    assert rest.head(upload, headers=TUS).headers["upload-defer-length"] == "1"
    assert append(rest, upload, 0, b"abc").status_code == 204
    assert rest.files() == []
    answer = append(rest, upload, 3, b"d", **{"Upload-Length": "4"})
    assert answer.status_code == 204 and answer.headers["etag"]
    assert content(rest) == b"abcd"


def test_an_upload_into_a_folder(rest, account):
    folder = rest.mkdir("d")["id"]
    assert create(rest, 1, content=b"x", folderId=folder).status_code == 201
    assert [file["name"] for file in rest.files(folder)] == ["f"]
    dav = account.dav()
    answer = create(dav, 1, path="d/", name="sub/g", content=b"x")
    assert answer.status_code == 404, "there is no such folder below"
    dav.folder("d/sub")
    answer = create(dav, 1, path="d/", name="sub/g", content=b"x")
    assert answer.status_code == 201, answer.text
    assert dav.get("d/sub/g").content == b"x"
    assert dav.stat("d/sub/g").text("getetag") == answer.headers["oc-etag"]


def test_a_file_of_that_name_gets_a_new_content(rest):
    rest.upload("f", b"old")
    assert create(rest, 3, content=b"new").status_code == 201
    [file] = rest.files()
    assert content(rest) == b"new" and len(rest.get(f"files/{file['id']}/versions").json()["versions"]) == 1


@pytest.mark.parametrize("algorithm", ["sha1", "md5", "sha256"])
def test_a_checksum_is_verified(rest, algorithm):
    upload = begun(rest, 6)
    right = lambda data: f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"  # noqa: E731
    assert append(rest, upload, 0, b"abc", **{"Upload-Checksum": right(b"abd")}).status_code == 460
    assert offset(rest, upload) == 0
    assert append(rest, upload, 0, b"abc", **{"Upload-Checksum": right(b"abc")}).status_code == 204
    assert append(rest, upload, 3, b"def", **{"Upload-Checksum": "crc99 AAAA"}).status_code == 400
    assert append(rest, upload, 3, b"def").status_code == 204


def test_an_offset_that_lies_is_a_conflict(rest):
    upload = begun(rest, 6)
    append(rest, upload, 0, b"abc")
    for wrong in (0, 2, 4, 6):
        assert append(rest, upload, wrong, b"x").status_code == 409
    assert append(rest, upload, 3, b"defg").status_code == 413
    assert offset(rest, upload) == 3
    assert append(rest, upload, 3, b"def").status_code == 204


def test_of_two_at_the_same_offset_one_counts(rest, account):
    upload = begun(rest, 10)
    clients = [account.rest(rest.token) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda client: append(client, upload, 0, b"12345").status_code, clients))
    assert sorted(answers) == [204, 409, 409, 409, 409, 409]
    assert offset(rest, upload) == 5


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "x"}, 400),
        ({"Upload-Length": "99999999999999999999"}, 400),
        ({"Upload-Length": "1", "Upload-Defer-Length": "1"}, 400),
        ({"Upload-Metadata": "filename"}, 400),
        ({"Upload-Metadata": "filename !!!"}, 400),
        ({"Upload-Metadata": metadata(name2="x")}, 400),
        ({"Upload-Metadata": metadata(filename="..")}, 400),
        ({"Upload-Metadata": metadata(filename="/")}, 400),
        ({"Upload-Metadata": metadata(filename="f", folderId="999999")}, 404),
    ],
)
def test_a_creation_that_makes_no_sense(rest, headers, status):
    asked = {**TUS, "Upload-Length": "1", "Upload-Metadata": metadata(filename="f"), **headers}
    assert_error(rest.post("uploads", headers=asked), status)


def test_a_body_of_another_type_is_refused(rest):
    upload = begun(rest, 3)
    answer = rest.patch(upload, content=b"abc", headers={**TUS, "Upload-Offset": "0", "Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_an_upload_may_be_thrown_away(rest):
    upload = begun(rest, 3)
    append(rest, upload, 0, b"ab")
    assert rest.delete(upload, headers=TUS).status_code == 204
    assert append(rest, upload, 2, b"c").status_code == 404
    assert rest.files() == []


def test_the_quota_is_asked_before_the_bytes(server):
    account = server.account(quota=1000)
    rest = account.rest()
    assert create(rest, 1001).status_code == 413
    upload = begun(rest, None)
    assert append(rest, upload, 0, b"x" * 600).status_code == 204
    assert append(rest, upload, 600, b"x" * 500).status_code == 413
    assert append(rest, upload, 600, b"x" * 400, **{"Upload-Length": "1000"}).status_code == 204


def test_uploads_are_of_one_account_and_for_those_who_may_write(rest, server, account):
    upload = begun(rest, 3)
    other = server.account().rest()
    assert other.head(upload, headers=TUS).status_code == 404
    reader = account.rest(account.token("read"))
    assert append(reader, upload, 0, b"abc").status_code == 403
    assert create(reader, 1).status_code == 403


def test_a_large_piece_is_stored_as_it_comes(rest):
    data = os.urandom(20 * 1024 * 1024 + 7)
    upload = begun(rest, len(data))
    assert append(rest, upload, 0, data).status_code == 204
    assert content(rest) == data


def part(client, data: bytes, length: int | None = None) -> str:
    """The path of a new upload that is a part of a file; `length` where not all of it comes yet."""
    headers = {**OCTETS, "Upload-Concat": "partial", "Upload-Length": str(length or len(data))}
    answer = client.post("uploads", content=data, headers=headers)
    assert answer.status_code == 201 and "etag" not in answer.headers, answer.text
    return upload_of(answer)


def concatenated(client, parts: list[str], path: str = "uploads", host: str = "", **more: str):
    final = "final;" + " ".join(f"{host}/api/v1/{part}" for part in parts)
    headers = {**TUS, "Upload-Concat": final, "Upload-Metadata": metadata(**{"filename": "f", **more})}
    return client.post(path, headers=headers)


def test_parts_become_one_file(rest, account):
    pieces = [os.urandom(size) for size in (300_000, 1, 70_000, 9_000_000)]
    clients = [account.rest(rest.token) for _ in pieces]
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(part, clients, pieces))
    shown = rest.head(parts[1], headers=TUS)
    assert shown.headers["upload-concat"] == "partial" and shown.headers["upload-offset"] == "1"
    assert rest.files() == []
    answer = concatenated(rest, parts[::-1], mtime="1700000000", host="https://drive.example")
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] and answer.headers["oc-fileid"]
    shown = rest.head(upload_of(answer), headers=TUS)
    assert shown.headers["upload-length"] == shown.headers["upload-offset"] == str(sum(map(len, pieces)))
    assert shown.headers["upload-concat"].startswith("final;https://drive.example/") and shown.headers["upload-metadata"]
    assert_error(append(rest, upload_of(answer), sum(map(len, pieces)), b"more"), 403)
    assert concatenated(rest, [upload_of(answer)]).status_code == 400, "it is no part"
    assert content(rest) == b"".join(pieces[::-1])
    assert rest.files()[0]["modifiedAt"].startswith("2023-11-14T22:13:20")
    assert [offset(rest, each) for each in parts] == [len(piece) for piece in pieces]
    assert_error(concatenated(rest, parts), 409)
    assert rest.delete(upload_of(answer), headers=TUS).status_code == 204
    assert rest.head(upload_of(answer), headers=TUS).status_code == 404 and len(rest.files()) == 1


def test_parts_become_a_file_in_a_folder(rest, account):
    dav = account.dav(rest.token)
    dav.folder("d")
    old = dav.make("d/f", b"old")
    answer = concatenated(dav, [part(rest, b"abc"), part(rest, b"def")], path="d/")
    assert answer.status_code == 201 and answer.headers["oc-etag"] != old
    assert dav.get("d/f").content == b"abcdef"


def test_a_part_that_is_not_complete_can_go_on(rest):
    parts = [part(rest, b"abc"), part(rest, b"d", length=3)]
    assert concatenated(rest, parts).status_code == 409
    assert append(rest, parts[1], 1, b"ef").status_code == 204
    assert concatenated(rest, parts).status_code == 201
    assert content(rest) == b"abcdef"


def test_parts_that_make_no_file(rest, account, server):
    one, whole = part(rest, b"abc"), begun(rest, 3)
    stranger = part(server.account().rest(), b"abc")
    for parts, status in (
        ([one, one], 400),
        ([one, whole], 400),
        ([one, "uploads/none"], 404),
        ([one, stranger], 404),
        ([], 400),
        ([f"uploads/{number}" for number in range(101)], 400),
    ):
        assert_error(concatenated(rest, parts), status)
    assert_error(concatenated(rest, [one], filename=".."), 400)
    assert_error(concatenated(rest, [one], folderId="999999"), 404)
    assert_error(rest.post("uploads", headers={**TUS, "Upload-Concat": "whole", "Upload-Length": "1"}), 400)
    assert concatenated(account.rest(account.token("read")), [one]).status_code == 403
    assert rest.files() == [] and offset(rest, one) == 3


def test_the_quota_is_asked_when_parts_become_a_file(server):
    account = server.account(quota=1000)
    rest = account.rest()
    one = part(rest, b"x" * 600)
    headers = {**OCTETS, "Upload-Concat": "partial", "Upload-Length": "600"}
    # What has come counts.
    assert_error(rest.post("uploads", content=b"x" * 600, headers=headers), 413)
    account.dav().make("other", b"x" * 400)
    assert concatenated(rest, [one]).status_code == 201, "it counted before"
    assert rest.used() == 1000


# --- what every answer to a client of TUS says ---


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0", "2.0.0", ""])
def test_a_client_of_another_version_is_told_which_is_spoken(rest, dav, version):
    upload = begun(rest, 3)
    headers = {} if version is None else {"Tus-Resumable": version}
    asked = [rest.request(method, upload, headers=headers) for method in ("HEAD", "PATCH", "DELETE")]
    asked.append(rest.post("uploads", headers={**headers, "Upload-Length": "5"}))
    if version is not None:
        asked.append(dav.post("", headers={**headers, "Upload-Length": "5"}))
    for answer in asked:
        assert answer.status_code == 412
        assert answer.headers["tus-version"] == answer.headers["tus-resumable"] == "1.0.0"


def test_every_answer_tells_the_version(rest, dav, account, server):
    upload, other = begun(rest, 5), server.account().rest()
    dav.folder("d")
    dav.locked("d")
    reader = account.rest(account.token("read"))
    small = server.account(quota=10).rest()
    octets = {**OCTETS, "Upload-Offset": "0"}
    asked = [
        (201, create(rest, 1)),
        (400, create(rest, "x")),
        (400, rest.patch(upload, headers=OCTETS)),
        (400, create(rest, 1, name="..")),
        (401, account.rest("ocl_wrong").head(upload, headers=TUS)),
        (401, account.dav("ocl_wrong").post("", headers=TUS)),
        (403, reader.head(upload, headers=TUS)),
        (404, other.head(upload, headers=TUS)),
        (404, create(dav, 1, path="none/")),
        (405, rest.put(upload, headers=TUS)),
        (405, rest.get("uploads", headers=TUS)),
        (409, append(rest, upload, 3, b"x")),
        (412, rest.head(upload)),
        (413, create(small, 11)),
        (413, append(rest, upload, 0, b"123456")),
        (415, rest.patch(upload, content=b"x", headers={**octets, "Content-Type": "text/plain"})),
        (423, create(dav, 1, path="d/", content=b"x")),
        (460, append(rest, upload, 0, b"x", **{"Upload-Checksum": "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="})),
        (200, rest.head(upload, headers=TUS)),
        (204, append(rest, upload, 0, b"12345")),
        (204, rest.delete(upload, headers=TUS)),
        (204, rest.options("uploads")),
        (204, rest.options(upload)),
    ]
    for status, answer in asked:
        assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
        assert answer.headers.get_list("tus-resumable") == ["1.0.0"], f"{status} without"
        assert status == 412 or answer.request.method == "OPTIONS" or "tus-version" not in answer.headers


def test_who_speaks_no_tus_is_told_nothing_of_it(rest, dav):
    for answer in (rest.get("me"), rest.get("none"), dav.get("none"), dav.propfind(), dav.request("POST", "")):
        assert "tus-resumable" not in answer.headers


def overridden(client, path, method, content=b"", **headers):
    return client.post(path, content=content, headers={**TUS, "X-HTTP-Method-Override": method, **headers})


def test_a_client_that_knows_no_patch_sends_post(rest):
    upload = begun(rest, 5)
    octets = {"Content-Type": "application/offset+octet-stream"}
    answer = overridden(rest, upload, "PATCH", b"he", **octets, **{"Upload-Offset": "0"})
    assert answer.status_code == 204 and answer.headers["upload-offset"] == "2"
    answer = overridden(rest, upload, "HEAD")
    assert answer.status_code == 200 and answer.headers["upload-offset"] == "2" and answer.content == b""
    assert overridden(rest, upload, "PATCH", b"llo", **octets, **{"Upload-Offset": "2"}).headers["etag"]
    assert content(rest) == b"hello"
    assert overridden(rest, upload, "DELETE").status_code == 204
    assert rest.head(upload, headers=TUS).status_code == 404
    assert overridden(rest, "uploads", "POST", **{"Upload-Length": "1", "Upload-Metadata": metadata(filename="g")}).status_code == 201


def test_only_post_stands_for_another_method_and_only_for_uploads(rest):
    upload = begun(rest, 5)
    override = {**TUS, "X-HTTP-Method-Override": "DELETE"}
    assert rest.head(upload, headers=override).status_code == 200
    assert rest.get(upload, headers=override).status_code == 200
    for method in ("", "NONE", "PUT", "delete", "POST"):
        assert overridden(rest, upload, method).status_code == 405
    folder = rest.mkdir("d")["id"]
    assert rest.post(f"folders/{folder}", headers=override).status_code == 405
    assert offset(rest, upload) == 0 and rest.get(f"folders/{folder}").status_code == 200

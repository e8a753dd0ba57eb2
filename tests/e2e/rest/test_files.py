"""/api/v1/files: list, upload, metadata, rename, move and delete."""

import hashlib
import os
import re

import pytest

from support.rest import assert_error

FIELDS = {
    "id",
    "name",
    "folderId",
    "sizeBytes",
    "mimeType",
    "encMode",
    "avStatus",
    "sha256",
    "createdAt",
    "modifiedAt",
    "etag",
}
BOUNDARY = "----edge"


def form(*parts: bytes, end: bytes = b"--\r\n") -> dict:
    """A multipart body of raw parts, as arguments of a request."""
    body = (
        b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + part + b"\r\n" for part in parts)
        + b"--"
        + BOUNDARY.encode()
        + end
    )
    return {"content": body, "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}}


def part(name: str, content: bytes, filename: str | None = None, more: str = "") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    return disposition.encode() + b"\r\n" + more.encode() + b"\r\n" + content


def test_upload_and_list(rest, dav):
    content = os.urandom(5000)
    file = rest.upload("Отчёт 1.pdf", content)
    assert FIELDS <= set(file)
    assert file["name"] == "Отчёт 1.pdf" and file["folderId"] is None
    assert file["sizeBytes"] == 5000
    assert file["mimeType"] == "application/pdf"
    assert file["encMode"] == "SERVER"
    assert isinstance(file["avStatus"], str)
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert isinstance(file["id"], str)
    for time in (file["createdAt"], file["modifiedAt"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", time)
    assert rest.files() == [file]
    assert rest.get(f"files/{file['id']}").json()["file"] == file
    assert dav.head("%D0%9E%D1%82%D1%87%D1%91%D1%82%201.pdf").headers["etag"].strip('"') == file["etag"].strip('"')


def test_upload_into_a_folder(rest, dav):
    folder = rest.mkdir("d")
    file = rest.upload("f", b"inside", folder["id"])
    assert file["folderId"] == folder["id"]
    assert rest.files(folder["id"]) == [file]
    assert rest.files() == []
    assert dav.get("d/f").content == b"inside"


def test_a_list_holds_files_only(rest):
    rest.mkdir("d")
    rest.upload("f", b"x")
    assert [file["name"] for file in rest.files()] == ["f"]


def test_the_type_of_the_part_is_kept(rest):
    assert rest.upload("a", b"x", mime="application/x-special")["mimeType"] == "application/x-special"
    assert rest.upload("a.txt", b"x")["mimeType"].startswith("text/plain")


@pytest.mark.parametrize("size", [0, 1, 262143, 262144, 262145, 9_000_000])
def test_every_size_comes_back(rest, size):
    content = os.urandom(size)
    file = rest.upload("f", content)
    assert file["sizeBytes"] == size and file["sha256"] == hashlib.sha256(content).hexdigest()
    assert rest.get(f"files/{file['id']}/download").content == content
    assert rest.used() == size


def test_bytes_that_look_like_a_boundary(rest):
    content = b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n\r\n------\r\n--\r\n" * 100
    answer = rest.post("files", **form(part("file", content, "f")))
    assert answer.status_code == 201
    assert rest.get(f"files/{answer.json()['file']['id']}/download").content == content


def test_a_chunked_form(rest):
    arguments = form(part("file", b"x" * 300_000, "f"))
    body = arguments["content"]
    pieces = (body[at : at + 1000] for at in range(0, len(body), 1000))
    answer = rest.post("files", content=pieces, headers=arguments["headers"])
    assert answer.status_code == 201 and answer.json()["file"]["sizeBytes"] == 300_000


def test_other_fields_are_passed_over(rest):
    fields = part("before", b"1"), part("file", b"content", "f"), part("after", b"2"), part("attached", b"3", "g")
    answer = rest.post("files", **form(*fields))
    assert answer.status_code == 201
    assert [(file["name"], file["sizeBytes"]) for file in rest.files()] == [("f", 7)]


def test_preamble_and_epilogue_are_passed_over(rest):
    arguments = form(part("file", b"content", "f"))
    arguments["content"] = b"preamble\r\n" + arguments["content"] + b"epilogue"
    answer = rest.post("files", **arguments)
    assert answer.status_code == 201 and answer.json()["file"]["sizeBytes"] == 7


def test_a_quoted_boundary(rest):
    arguments = form(part("file", b"content", "f"))
    arguments["headers"]["Content-Type"] = f'multipart/form-data; charset=utf-8; boundary="{BOUNDARY}"'
    assert rest.post("files", **arguments).status_code == 201


def test_the_same_name_again_replaces_and_keeps_a_version(rest):
    first = rest.upload("notes.txt", b"one")
    second = rest.upload("notes.txt", b"two two")
    assert second["id"] == first["id"] and second["etag"] != first["etag"]
    assert second["createdAt"] == first["createdAt"]
    assert rest.files() == [second]
    assert rest.get(f"files/{first['id']}/download").content == b"two two"
    [version] = rest.get(f"files/{first['id']}/versions").json()["versions"]
    assert version["sizeBytes"] == 3 and version["sha256"] == first["sha256"]


def test_without_the_field_file_is_422(rest):
    for parts in ([part("other", b"x", "f")], [part("file", b"x")], []):
        assert_error(rest.post("files", **form(*parts)), 422)
    assert rest.files() == []


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x", None]
)
def test_what_is_no_form_is_refused(rest, kind):
    answer = rest.post("files", content=b"file=x", headers={"Content-Type": kind} if kind else {})
    assert answer.status_code in (400, 415, 422)
    assert_error(answer, answer.status_code)


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary="),
        (b"garbage", f"multipart/form-data; boundary={BOUNDARY}"),
        (b"", f"multipart/form-data; boundary={BOUNDARY}"),
        (form(part("file", b"content", "f"), end=b"")["content"], f"multipart/form-data; boundary={BOUNDARY}"),
        (form(part("file", b"content" * 1000, "f"))["content"][:-200], f"multipart/form-data; boundary={BOUNDARY}"),
        (form(b"no header at all")["content"], f"multipart/form-data; boundary={BOUNDARY}"),
        (
            form(part("file", b"content", "f", "X: y\r\n" * 20_000))["content"],
            f"multipart/form-data; boundary={BOUNDARY}",
        ),
    ],
    ids=["no boundary", "empty boundary", "no parts", "nothing", "no end", "cut", "no header", "many headers"],
)
def test_a_broken_form_stores_nothing(rest, content, kind):
    answer = rest.post("files", content=content, headers={"Content-Type": kind})
    assert answer.status_code in (400, 413, 415, 422)
    assert_error(answer, answer.status_code)
    assert rest.files() == [] and rest.used() == 0


def test_a_long_header_in_a_form_is_refused_or_read(rest):
    answer = rest.post("files", **form(part("file", b"content", "f", "X: " + "y" * 200_000 + "\r\n")))
    assert answer.status_code in (201, 400, 413, 422)
    assert [file["sizeBytes"] for file in rest.files()] == [7] * (answer.status_code == 201)


BAD_NAMES = ["", ".", "..", "a/..", "b/", "/", "C:\\fakepath\\..", "a\\u0000", "a" * 256, "й" * 128]


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_a_bad_file_name_is_refused(rest, name):
    answer = rest.post("files", **form(part("file", b"x", name.replace("\\u0000", "\0"))))
    assert answer.status_code in ((400, 422) if name == "" else (400,))
    assert rest.files() == []


@pytest.mark.parametrize(
    "disposition, expected",
    [
        ('name="file"; filename="photos/2024/sub.txt"', "sub.txt"),
        ('name="file"; filename="../up.txt"', "up.txt"),
        ('name="file"; filename="/abs.txt"', "abs.txt"),
        (r'name="file"; filename="C:\fakepath\win.txt"', "win.txt"),
        (r'name="file"; filename="C:\\Users\\me\\win.txt"', "win.txt"),
        (r'name="file"; filename="\\\\nas\\share\\win.txt"', "win.txt"),
        (r'name="file"; filename="a\\b.txt"', r"a\b.txt"),
        (r'name="file"; filename="a\"b.txt"', 'a"b.txt'),
        ('name="file"; filename="a%22b.txt"', 'a"b.txt'),
        ('name="file"; filename="100%25.txt"', "100%25.txt"),
        ('name="file"; filename="a%0Ab.txt"', "a%0Ab.txt"),
        ('Name="file"; FileName="caps.txt"', "caps.txt"),
        ("name=file; filename=plain.txt; filename*=utf-8''other.txt", "plain.txt"),
        ('filename="f;name=other.txt" ;NAME = "file"', "f;name=other.txt"),
        ('name="file"; filename="Рисунок Nº 1.png"', "Рисунок Nº 1.png"),
    ],
)
def test_a_file_is_called_what_the_form_calls_it_without_folders(rest, disposition, expected):
    raw = f"Content-Disposition: form-data; {disposition}\r\n\r\nx".encode()
    answer = rest.post("files", **form(raw))
    assert answer.status_code == 201, answer.text
    assert [file["name"] for file in rest.files()] == [expected]


def test_a_name_by_the_extended_parameter_alone_is_none(rest):
    raw = b"Content-Disposition: form-data; name=\"file\"; filename*=utf-8''a.txt\r\n\r\nx"
    assert_error(rest.post("files", **form(raw)), 422)


@pytest.mark.parametrize("size", [1, 3_000_000])
def test_a_form_with_two_files_is_422(rest, size):
    two = part("file", b"1", "f"), part("x", b"x"), part("file", b"2" * size, "g")
    assert_error(rest.post("files", **form(*two)), 422)
    assert rest.files() == [] and rest.used() == 0


def test_a_file_name_in_bytes_that_are_no_utf_8_is_400(rest):
    raw = part("file", b"x", "@").replace(b"@", b"\xff\xfe")
    assert_error(rest.post("files", **form(raw)), 400)


def test_a_missing_folder_is_404(rest):
    for folder in ("0", "999999999", "abc", "-1"):
        assert_error(rest.try_upload("f", b"x", folder), 404)
        assert_error(rest.get("files", params={"folderId": folder}), 404)
    assert rest.used() == 0


def test_a_name_that_a_folder_has_is_409(rest):
    rest.mkdir("d")
    assert_error(rest.try_upload("d", b"x"), 409)
    assert rest.used() == 0


def test_over_quota_is_413_and_changes_nothing(server):
    account = server.account(quota=1000)
    rest = account.rest()
    rest.upload("f", b"x" * 600)
    assert_error(rest.try_upload("g", b"x" * 401), 413, "QUOTA_EXCEEDED")
    assert_error(rest.try_upload("f", b"x" * 401), 413, "QUOTA_EXCEEDED")
    assert [file["name"] for file in rest.files()] == ["f"] and rest.used() == 600
    rest.upload("g", b"x" * 400)
    assert rest.used() == 1000
    account.close()


def test_rename_and_move(rest, dav):
    folder = rest.mkdir("d")
    file = rest.upload("f", b"content")
    renamed = rest.patch(f"files/{file['id']}", json={"name": "g"})
    assert renamed.status_code == 200
    assert {**renamed.json()["file"], "etag": 0} == {**file, "name": "g", "etag": 0}
    moved = rest.patch(f"files/{file['id']}", json={"folderId": folder["id"]}).json()["file"]
    assert moved["name"] == "g" and moved["folderId"] == folder["id"]
    assert dav.get("d/g").content == b"content"
    back = rest.patch(f"files/{file['id']}", json={"name": "f", "folderId": None}).json()["file"]
    assert back["name"] == "f" and back["folderId"] is None
    assert rest.patch(f"files/{file['id']}", json={"name": "f"}).status_code == 200, "its own name is free"


def test_rename_or_move_to_a_taken_name_is_409(rest):
    folder = rest.mkdir("d")
    rest.upload("f", b"1", folder["id"])
    file = rest.upload("f", b"2")
    rest.upload("g", b"3")
    assert_error(rest.patch(f"files/{file['id']}", json={"name": "g"}), 409)
    assert_error(rest.patch(f"files/{file['id']}", json={"name": "d"}), 409)
    assert_error(rest.patch(f"files/{file['id']}", json={"folderId": folder["id"]}), 409)
    assert sorted(file["name"] for file in rest.files()) == ["f", "g"]


@pytest.mark.parametrize("name", [".", "..", "a/b", "a\u0000b", "", "a" * 256])
def test_a_bad_name_is_400(rest, name):
    file = rest.upload("f", b"x")
    assert_error(rest.patch(f"files/{file['id']}", json={"name": name}), 400)


@pytest.mark.parametrize("body", [{"name": 1}, {"name": ["x"]}, {"folderId": 1.5}, {"folderId": {}}, [], "x"])
def test_json_of_another_shape_is_422(rest, body):
    file = rest.upload("f", b"x")
    assert_error(rest.patch(f"files/{file['id']}", json=body), 422)


def test_to_a_missing_folder_is_404(rest):
    file = rest.upload("f", b"x")
    other = rest.upload("g", b"x")
    for folder in ("0", "abc", other["id"]):
        assert_error(rest.patch(f"files/{file['id']}", json={"folderId": folder}), 404)


def test_delete(rest, dav):
    file = rest.upload("f", b"x")
    rest.upload("f", b"yy")
    answer = rest.delete(f"files/{file['id']}")
    assert answer.status_code == 204 and answer.content == b""
    for method in ("GET", "DELETE"):
        assert_error(rest.request(method, f"files/{file['id']}"), 404)
    assert_error(rest.get(f"files/{file['id']}/download"), 404)
    assert_error(rest.get(f"files/{file['id']}/versions"), 404)
    assert rest.used() == 3 and dav.names() == set()
    rest.empty_trash()
    assert rest.used() == 0


@pytest.mark.parametrize("id", ["0", "999999999", "-1", "abc", "1.5", "99999999999999999999999", "%00", "%ff"])
def test_unknown_ids_are_404(rest, id):
    for method, path in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/download"),
        ("GET", "/versions"),
        ("GET", "/versions/1/download"),
        ("POST", "/versions/1/restore"),
    ]:
        answer = rest.request(method, f"files/{id}{path}", **({"json": {"name": "x"}} if method == "PATCH" else {}))
        assert_error(answer, 404)


def test_a_folder_is_no_file(rest):
    folder = rest.mkdir("d")
    for path in ("", "/download", "/versions"):
        assert_error(rest.get(f"files/{folder['id']}{path}"), 404)
    assert_error(rest.delete(f"files/{folder['id']}"), 404)


def test_files_of_others_are_404(server, rest):
    other = server.account()
    foreign = other.rest().upload("f", b"secret")
    for path in ("", "/download", "/versions"):
        assert_error(rest.get(f"files/{foreign['id']}{path}"), 404)
    assert_error(rest.patch(f"files/{foreign['id']}", json={"name": "x"}), 404)
    assert_error(rest.delete(f"files/{foreign['id']}"), 404)
    other.close()


def test_a_confined_token_works_in_its_folder(account, rest):
    inside, outside = rest.mkdir("inside"), rest.mkdir("outside")
    below = rest.mkdir("below", inside["id"])
    secret = rest.upload("secret", b"secret", outside["id"])
    at_root = rest.upload("at root", b"secret")
    confined = account.rest(account.token("read", "write", folder=inside["id"]))
    file = confined.upload("f", b"x")
    assert file["folderId"] == inside["id"], "without folderId, an upload goes to the folder of the token"
    assert [entry["id"] for entry in confined.files()] == [file["id"]]
    assert confined.upload("g", b"x", below["id"])["folderId"] == below["id"]
    assert confined.upload("h", b"x", inside["id"])["folderId"] == inside["id"]
    assert_error(confined.try_upload("f", b"x", outside["id"]), 403)
    for foreign in (secret, at_root):
        for path in ("", "/download", "/versions"):
            assert confined.get(f"files/{foreign['id']}{path}").status_code in (403, 404)
        assert confined.patch(f"files/{foreign['id']}", json={"name": "x"}).status_code in (403, 404)
        assert confined.delete(f"files/{foreign['id']}").status_code in (403, 404)
    assert_error(confined.patch(f"files/{file['id']}", json={"folderId": outside["id"]}), 403)
    answer = confined.patch(f"files/{file['id']}", json={"folderId": None})
    assert answer.status_code in (200, 403)
    assert rest.get(f"files/{file['id']}").json()["file"]["folderId"] == inside["id"]


def test_pages(rest):
    made = {rest.upload(f"f{number}", b"x")["id"] for number in range(7)}
    rest.mkdir("d")
    seen, answer = [], rest.get("files", params={"limit": 3})
    for _ in range(10):
        page = answer.json()
        assert len(page["files"]) <= 3
        seen += [file["id"] for file in page["files"]]
        if not page.get("nextCursor"):
            break
        assert re.search(r'<[^>]+>;\s*rel="?next"?', answer.headers["link"])
        answer = rest.get("files", params={"limit": 3, "cursor": page["nextCursor"]})
    assert len(seen) == 7 and set(seen) == made


def test_a_page_is_not_disturbed_by_changes_between(rest):
    made = [rest.upload(f"f{number}", b"x") for number in range(6)]
    first = rest.get("files", params={"limit": 3}).json()
    rest.delete(f"files/{first['files'][0]['id']}")
    rest.upload("f00", b"x")
    second = rest.get("files", params={"limit": 10, "cursor": first["nextCursor"]}).json()
    seen = {file["id"] for file in first["files"] + second["files"]}
    assert {file["id"] for file in made} <= seen, "nothing is skipped"

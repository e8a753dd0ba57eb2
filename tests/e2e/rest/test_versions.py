"""/api/v1/files/{id}/versions: what a file was before."""

import pytest

from support.rest import assert_error


@pytest.fixture
def file(rest):
    """A file that was b"one", then b"two two", and is b"three" now."""
    for content in (b"one", b"two two", b"three"):
        file = rest.upload("f.txt", content)
    return file


def versions(rest, file):
    answer = rest.get(f"files/{file['id']}/versions")
    assert answer.status_code == 200
    return answer.json()["versions"]


def content(rest, file, version):
    answer = rest.get(f"files/{file['id']}/versions/{version['id']}/download")
    assert answer.status_code == 200
    return answer.content


def test_list(rest, file):
    listed = versions(rest, file)
    assert len(listed) == 2
    for version in listed:
        assert {"id", "sizeBytes", "sha256", "modifiedAt", "replacedAt"} <= set(version)
        assert isinstance(version["id"], str)
        assert version["replacedAt"].endswith("Z") and version["modifiedAt"].endswith("Z")
    assert {version["sizeBytes"] for version in listed} == {3, 7}


def test_a_new_file_has_none(rest):
    assert versions(rest, rest.upload("f", b"x")) == []


def test_download(rest, file):
    assert {content(rest, file, version) for version in versions(rest, file)} == {b"one", b"two two"}
    [version] = [version for version in versions(rest, file) if version["sizeBytes"] == 7]
    url = f"files/{file['id']}/versions/{version['id']}/download"
    part = rest.get(url, headers={"Range": "bytes=4-"})
    assert part.status_code == 206 and part.content == b"two"
    assert part.headers["content-disposition"].startswith("attachment")
    whole = rest.get(url)
    assert rest.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_restore(rest, file, dav):
    [first] = [version for version in versions(rest, file) if version["sizeBytes"] == 3]
    answer = rest.post(f"files/{file['id']}/versions/{first['id']}/restore")
    assert answer.status_code == 200
    restored = answer.json()["file"]
    assert restored["id"] == file["id"] and restored["sizeBytes"] == 3 and restored["etag"] != file["etag"]
    assert dav.get("f.txt").content == b"one"
    assert b"three" in {content(rest, file, version) for version in versions(rest, file)}, (
        "the present becomes a version"
    )
    listed = versions(rest, file)
    assert rest.used() == 3 + sum(version["sizeBytes"] for version in listed)


def test_restore_is_a_write(account, rest, file):
    reader = account.rest(account.token("read"))
    [version, *_] = versions(reader, file)
    assert_error(reader.post(f"files/{file['id']}/versions/{version['id']}/restore"), 403)
    assert content(reader, file, version)


def test_restore_respects_a_lock(rest, file, dav):
    dav.locked("f.txt")
    [version, *_] = versions(rest, file)
    assert_error(rest.post(f"files/{file['id']}/versions/{version['id']}/restore"), 423)


def test_a_version_is_found_under_its_own_file_only(rest, file):
    other = rest.upload("other", b"x")
    [version, *_] = versions(rest, file)
    for id, of in ((version["id"], other), ("0", file), ("abc", file), ("99999999999999999999", file)):
        assert_error(rest.get(f"files/{of['id']}/versions/{id}/download"), 404)
        assert_error(rest.post(f"files/{of['id']}/versions/{id}/restore"), 404)


def test_webdav_overwrites_are_versions_too(rest, dav):
    dav.make("f.bin", b"\x00\x01")
    dav.make("f.bin", b"\x02")
    [file] = rest.files()
    [version] = versions(rest, file)
    assert content(rest, file, version) == b"\x00\x01"


def test_an_overwriting_copy_or_move_keeps_a_version_or_begins_anew(rest, dav):
    """Whatever is kept, what is used is the sum of what can be seen."""
    for name in ("a", "b", "c"):
        dav.make(name, name.encode() * 100)
    dav.copy("a", "b")
    dav.move("a", "c")
    seen = 0
    for file in rest.files():
        seen += file["sizeBytes"] + sum(version["sizeBytes"] for version in versions(rest, file))
    assert rest.used() == seen


def test_versions_count_against_the_quota_until_the_file_is_gone(rest, file):
    assert rest.used() == 15
    rest.delete(f"files/{file['id']}")
    assert rest.used() == 15, "they are put back with it"
    rest.empty_trash()
    assert rest.used() == 0

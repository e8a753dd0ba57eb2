"""Earlier contents of a file by WebDAV: Nextcloud's `versions` and ownCloud's `meta`."""

import pytest


@pytest.fixture
def file(dav, rest):
    """A file that was b"one", then b"two two", and is b"three" now."""
    for content in (b"one", b"two two", b"three"):
        file = rest.upload("f.txt", content)
    return file


def mounts(account, file):
    number = file["id"]
    return [
        f"/remote.php/dav/versions/{account.login}/versions/{number}/",
        f"/remote.php/dav/meta/{number}/v/",
        f"/remote.php/dav/meta/{int(number):08}ocedgedrive/v/",
        f"/remote.php/dav/meta/edgedrive${account.id}!{number}/v/",
        f"/dav/meta/edgedrive%24{account.id}%21{number}/v/",
    ]


def restore_url(account, file):
    return f"/remote.php/dav/versions/{account.login}/restore/target"


def test_they_are_listed_and_read(account, file):
    for mount in mounts(account, file):
        versions = account.dav(mount=mount)
        listed = versions.list()
        assert listed.hrefs[0] == mount and len(listed) == 3, mount
        assert [entry.text("getcontentlength") for entry in listed[1:]] == ["7", "3"], "the latest first"
        assert listed[1].text("getcontenttype") == "text/plain" and listed[1].text("getlastmodified").endswith("GMT")
        names = [entry.href.removeprefix(mount) for entry in listed[1:]]
        assert [versions.get(name).content for name in names] == [b"two two", b"one"]
        assert versions.get(names[0], headers={"Range": "bytes=4-"}).content == b"two"
        assert versions.stat(names[1]).text("getcontentlength") == "3"


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
@pytest.mark.parametrize("way", ["restore", "the file itself"])
def test_one_is_restored(account, dav, file, method, way):
    mount = mounts(account, file)[0]
    versions = account.dav(mount=mount)
    first = versions.list()[2].href.removeprefix(mount)
    destination = restore_url(account, file) if way == "restore" else f"/remote.php/dav/files/{account.login}/f.txt"
    assert versions.request(method, first, headers={"Destination": destination}).status_code == 204
    assert dav.get("f.txt").content == b"one"
    assert len(versions.list()) == 3, "what was there is a version"


def test_one_is_deleted(account, rest, file):
    mount = mounts(account, file)[0]
    versions = account.dav(mount=mount)
    used = rest.used()
    name = versions.list()[1].href.removeprefix(mount)
    assert versions.delete(name).status_code == 204
    assert len(versions.list()) == 2 and rest.used() == used - 7
    assert versions.delete(name).status_code == 404


def test_what_is_refused(server, account, dav, file):
    mount = mounts(account, file)[0]
    versions = account.dav(mount=mount)
    first = versions.list()[2].href.removeprefix(mount)
    dav.make("other", b"x")

    def moved(destination):
        return versions.request("MOVE", first, headers={"Destination": destination}).status_code

    assert moved("/dav/other") == 403 and moved("/dav/new") == 403
    assert moved("https://elsewhere.example/x") == 502
    assert versions.request("MOVE", first).status_code == 400
    for method in ("PUT", "MKCOL", "PROPPATCH", "LOCK"):
        assert versions.request(method, first).status_code == 405
    for path in ("0", "abc", "99999999999999999999"):
        assert versions.get(path).status_code == 404 and versions.propfind(path).status_code == 404
    other = server.account()
    assert other.dav(mount=mount).propfind().status_code == 404
    assert other.dav(mount=mounts(account, file)[1]).propfind().status_code == 404
    other.close()
    reader = account.dav(account.token("read"), mount=mount)
    assert reader.get(first).content == b"one"
    assert reader.delete(first).status_code == 403
    assert reader.request("MOVE", first, headers={"Destination": restore_url(account, file)}).status_code == 403
    dav.locked("f.txt")
    assert moved(restore_url(account, file)) == 423


def test_a_folder_has_none(account, rest):
    folder = rest.mkdir("d")
    assert account.dav(mount=mounts(account, folder)[0]).propfind().status_code == 404

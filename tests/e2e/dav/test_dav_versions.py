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


def test_one_is_restored_as_ownclouds_web_client_asks(account, dav, file):
    space = f"edgedrive${account.id}"
    for mount in (f"/dav/meta/{space}!{file['id']}/v/", f"/remote.php/dav/meta/{space}!{file['id']}/v/"):
        versions = account.dav(mount=mount)
        last = versions.list()[1].href.removeprefix(mount)
        for form in (space, space.replace("$", "%24")):
            headers = {"Destination": f"{dav.base_url.copy_with(path='/')}dav/files/spaces/{form}/f.txt"}
            assert versions.request("COPY", last, headers=headers).status_code == 204
            last = versions.list()[1].href.removeprefix(mount)
    assert account.dav(mount=f"/dav/files/spaces/{space}/").names() == {"f.txt"}


def test_a_listing_goes_as_deep_as_it_is_asked(account, file):
    for mount in mounts(account, file):
        versions = account.dav(mount=mount)
        assert versions.list(depth="0").hrefs == [mount]
        assert len(versions.list(depth="1")) == len(versions.list(depth="infinity")) == 3
        assert versions.propfind(depth="2").status_code == 400
        name = versions.list()[1].href.removeprefix(mount)
        assert versions.list(name, depth="1").hrefs == [mount + name]


META = '<oc:meta-path-for-user xmlns:oc="http://owncloud.org/ns"/><oc:id xmlns:oc="http://owncloud.org/ns"/>'
OC = "{http://owncloud.org/ns}"


def test_where_a_file_is_can_be_asked_by_its_number(account, dav, rest, file):
    dav.folder("d")
    dav.move("f.txt", "d/%C3%A4%20b.txt")
    for mount in mounts(account, file)[1:]:
        meta = account.dav(mount=mount.removesuffix("v/"))
        for depth in ("0", "1"):
            listed = meta.list("", depth, META)
            assert listed[0].text("meta-path-for-user", OC) == "/d/ä b.txt"
            assert int(listed[0].text("id", OC).removesuffix("ocedgedrive")) == int(file["id"])
            assert listed.hrefs == [meta.mount, f"{meta.mount}v/"][: 1 + int(depth)]
        for method in ("GET", "PUT", "DELETE", "MKCOL", "COPY"):
            assert meta.request(method, "").status_code == 405
    folder = rest.get("folders").json()["folders"][0]["id"]
    [only] = account.dav(mount=f"/remote.php/dav/meta/{folder}/").list("", "1", META)
    assert only.text("meta-path-for-user", OC) == "/d"
    confined = account.dav(account.token("read", folder=folder), mount=f"/remote.php/dav/meta/{file['id']}/")
    assert confined.stat("", META).text("meta-path-for-user", OC) == "/ä b.txt"


def test_where_nothing_is_cannot_be_asked(server, account, dav, file):
    meta = account.dav(mount=f"/remote.php/dav/meta/{file['id']}/")
    other = server.account()
    for client in (other.dav(mount=meta.mount), account.dav(mount="/remote.php/dav/meta/999999999/")):
        assert client.propfind().status_code == 404
    assert meta.propfind("x").status_code == 404
    assert account.dav(account.token("write"), mount=meta.mount).propfind().status_code == 403
    dav.delete("f.txt")
    assert meta.propfind().status_code == 404
    other.close()


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

"""One drive under the URLs of Nextcloud and ownCloud: hrefs echo the mount that was asked, ids take its form, and another's
drive is nowhere."""

import pytest

from support.mounts import MOUNTS, mount_of, space_of

OC = "{http://owncloud.org/ns}"
PROPS = (
    '<oc:id xmlns:oc="http://owncloud.org/ns"/><oc:fileid xmlns:oc="http://owncloud.org/ns"/>'
    '<oc:permissions xmlns:oc="http://owncloud.org/ns"/><oc:size xmlns:oc="http://owncloud.org/ns"/>'
    '<oc:checksums xmlns:oc="http://owncloud.org/ns"/><oc:owner-id xmlns:oc="http://owncloud.org/ns"/>'
)


def mounts(account) -> list[str]:
    encoded = f"/dav/spaces/{space_of(account).replace('$', '%24')}/"
    return [*(mount_of(account, mount) for mount in MOUNTS), encoded]


def test_every_mount_shows_the_same_tree_under_its_own_hrefs(account, dav):
    dav.folder("d")
    dav.make("d/f", b"12345")
    for mount in mounts(account):
        client = account.dav(mount=mount)
        assert client.list("d").hrefs == [f"{mount}d/", f"{mount}d/f"], mount
        assert client.get("d/f").content == b"12345"


def test_a_move_may_go_from_one_mount_to_another(account, dav):
    dav.make("f", b"x")
    for number, mount in enumerate(mounts(account)):
        client = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
        source = "f" if number == 0 else f"f{number - 1}"
        destination = f"{client.base_url.copy_with(raw_path=b'/')}".rstrip("/") + f"{mount}f{number}"
        answer = client.request("MOVE", source, headers={"Destination": destination})
        assert answer.status_code == 201, (mount, answer.text)


def test_a_folder_may_be_called_like_a_mount(account, dav):
    dav.folder("files")
    dav.folder("files/you")
    dav.folder("spaces")
    dav.make("files/you/f", b"x")
    assert dav.list("files").hrefs == ["/dav/files/", "/dav/files/you/"]
    assert dav.get("files/you/f").content == b"x"
    assert dav.list("spaces").hrefs == ["/dav/spaces/"]


def test_the_drive_of_somebody_else_is_not_found(account, server):
    other = server.account()
    for mount in (f"/remote.php/dav/files/{other.login}/", f"/remote.php/dav/spaces/edgedrive${other.id}/"):
        client = account.dav(mount=mount)
        assert client.propfind().status_code == 404
        assert client.put("f", content=b"x").status_code == 404
    mine = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    mine.make("f", b"x")
    away = mine.absolute("f").replace(account.login, other.login)
    assert mine.request("COPY", "f", headers={"Destination": away}).status_code == 502


def test_the_properties_of_sync_clients(account, dav):
    dav.folder("d")
    dav.make("d/f", b"abc")
    client = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    folder, file = client.list("d", props=PROPS)
    number = int(file.text("fileid", OC))
    assert file.text("id", OC) == f"{number:08}ocedgedrive"
    assert file.text("size", OC) == folder.text("size", OC) == "3"
    assert set(file.text("permissions", OC)) == set("GDNVW")
    assert set(folder.text("permissions", OC)) == set("GDNVCK")
    assert file.text("owner-id", OC) == account.login
    sums = ["SHA1:a9993e364706816aba3e25717850c26c9cd0d89d", "MD5:900150983cd24fb0d6963f7d28e17f72", "ADLER32:024d0127"]
    assert [sum.text for sum in file.prop("checksums", OC)] == sums
    space = account.dav(mount=f"/dav/spaces/edgedrive${account.id}/")
    [_, file] = space.list("d", props=PROPS)
    assert file.text("id", OC) == file.text("fileid", OC) == f"edgedrive${account.id}!{number}"
    assert [sum.text for sum in file.prop("checksums", OC)] == [" ".join(sums)]
    assert set(account.dav(account.token("read")).stat("d/f", PROPS).text("permissions", OC)) == {"G"}


@pytest.mark.parametrize(
    ("checksum", "status"),
    [
        ("SHA1:a9993e364706816aba3e25717850c26c9cd0d89d", 201),
        ("md5:900150983cd24fb0d6963f7d28e17f72", 201),
        ("SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 201),
        ("ADLER32:024d0127", 201),
        ("SHA3:whatever", 201),
        ("SHA1:0000000000000000000000000000000000000000", 400),
        ("ADLER32:024d0128", 400),
        ("MD5:900150983cd24fb0d6963f7d28e17f7", 400),
        ("nonsense", 400),
    ],
)
def test_a_checksum_is_verified(dav, checksum, status):
    answer = dav.put("f", content=b"abc", headers={"OC-Checksum": checksum})
    assert answer.status_code == status, answer.text
    assert dav.exists("f") == (status == 201)


def test_answers_to_uploads_tell_id_and_etag(dav):
    answer = dav.put("f", content=b"abc")
    assert answer.headers["oc-etag"] == answer.headers["etag"]
    assert dav.stat("f", PROPS).text("id", OC) == answer.headers["oc-fileid"]

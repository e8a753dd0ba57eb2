"""The trash: by Nextcloud's and ownCloud's URLs, and by REST. What was deleted can be put back; its bytes still count."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest

from support.rest import assert_error

NC = "{http://nextcloud.org/ns}"
OC = "{http://owncloud.org/ns}"
PROPS = (
    '<d:displayname/><d:getcontentlength/><d:resourcetype/><d:getetag/><oc:size xmlns:oc="http://owncloud.org/ns"/>'
    '<oc:fileid xmlns:oc="http://owncloud.org/ns"/>'
    + "".join(
        f'<nc:trashbin-{name} xmlns:nc="http://nextcloud.org/ns"/>'
        for name in ("filename", "original-location", "title", "deletion-time", "deleted-by-id")
    )
    + "".join(
        f'<oc:trashbin-{name} xmlns:oc="http://owncloud.org/ns"/>'
        for name in ("original-filename", "original-location", "delete-datetime", "delete-timestamp")
    )
)


class Nextcloud:
    """The trash as Nextcloud's clients know it."""

    def __init__(self, account):
        self.account = account
        self.trash = account.dav(mount=f"/remote.php/dav/trashbin/{account.login}/trash/")
        self.home = f"/remote.php/dav/trashbin/{account.login}/restore/"

    def items(self):
        """The hrefs of what is in it, relative to it, with their properties."""
        listed = self.trash.list(props=PROPS)
        assert listed.hrefs[0] == self.trash.mount
        return {entry.href.removeprefix(self.trash.mount).strip("/"): entry for entry in listed[1:]}

    def only(self) -> str:
        [item] = self.items()
        return item

    def restore(self, item: str, **headers):
        destination = str(self.account.dav().base_url.copy_with(path=self.home + "whatever"))
        return self.trash.request("MOVE", item, headers={"Destination": destination, **headers})


@pytest.fixture
def nextcloud(account):
    return Nextcloud(account)


def trash_of(rest):
    answer = rest.get("trash")
    assert answer.status_code == 200, answer.text
    return answer.json()["trash"]


def test_what_was_deleted_is_listed(nextcloud, dav, account):
    dav.folder("a")
    dav.make("a/b c.txt", b"hello")
    number = dav.stat("a/b c.txt", '<oc:fileid xmlns:oc="http://owncloud.org/ns"/>').text("fileid", OC)
    assert dav.delete("a/b c.txt").status_code == 204
    assert not dav.exists("a/b c.txt")
    [(href, entry)] = nextcloud.items().items()
    assert unquote(href) == f"b c.txt.d{number}"
    assert entry.text("displayname") == entry.text("trashbin-filename", NC) == entry.text("trashbin-title", NC) == "b c.txt"
    assert entry.text("trashbin-original-location", NC) == entry.text("trashbin-original-location", OC) == "a/b c.txt"
    assert entry.text("trashbin-original-filename", OC) == "b c.txt"
    assert entry.text("trashbin-deleted-by-id", NC) == account.login
    assert entry.text("trashbin-deletion-time", NC) == entry.text("trashbin-delete-timestamp", OC)
    assert entry.text("trashbin-delete-datetime", OC).endswith(" GMT")
    assert entry.text("getcontentlength") == entry.text("size", OC) == "5"
    assert nextcloud.trash.get(href).content == b"hello"
    assert nextcloud.trash.get(href, headers={"Range": "bytes=1-2"}).content == b"el"


def test_a_folder_keeps_what_is_in_it(nextcloud, dav):
    dav.folder("a")
    dav.folder("a/b")
    dav.make("a/b/c", b"123")
    assert dav.delete("a").status_code == 204
    item = nextcloud.only()
    assert nextcloud.items()[item].is_folder and nextcloud.items()[item].text("size", OC) == "3"
    assert nextcloud.trash.names(f"{item}/") == {"b/"}
    assert nextcloud.trash.get(f"{item}/b/c").content == b"123"
    assert nextcloud.restore(item).status_code == 201
    assert dav.get("a/b/c").content == b"123"
    assert nextcloud.items() == {}


@pytest.fixture(params=["/remote.php/dav/trashbin/{login}/trash/", "/dav/spaces/trash-bin/edgedrive${id}/"])
def deleted(request, account, dav):
    """Deletes /a with a tree below it. Gives a client of the trash, the item in it, and when it was deleted."""
    for folder in ("top", "top/a", "top/a/b", "top/a/b/ü"):
        dav.folder(folder)
    dav.make("top/a/f", b"f")
    dav.make("top/a/b/ü/g", b"gg")
    dav.delete("top/a")
    trash = account.dav(mount=request.param.format(login=account.login, id=account.id))
    [_, item] = trash.list(props=PROPS)
    return trash, item.href.removeprefix(trash.mount).strip("/"), item.text("trashbin-deletion-time", NC)


@pytest.mark.parametrize("depth", ["0", "1", "infinity"])
@pytest.mark.parametrize("start", ["", "{item}", "{item}/b", "{item}/b/%C3%BC"])
def test_what_is_in_a_deleted_folder_tells_where_it_was(deleted, start, depth):
    trash, item, when = deleted
    start = start.format(item=item)
    listed = trash.list(start, depth, PROPS)
    told = {}
    for entry in listed:
        path = unquote(entry.href).removeprefix(unquote(trash.mount)).strip("/")
        if path:
            told[path.replace(item, "a", 1)] = entry
    assert len(told) >= (depth != "0") or start
    for path, entry in told.items():
        name = path.rsplit("/", 1)[-1]
        assert entry.text("trashbin-original-location", NC) == entry.text("trashbin-original-location", OC) == f"top/{path}"
        assert entry.text("trashbin-filename", NC) == entry.text("trashbin-original-filename", OC) == name
        assert entry.text("displayname") == name
        assert entry.text("trashbin-deletion-time", NC) == entry.text("trashbin-delete-timestamp", OC) == when
    if start == item and depth == "infinity":
        assert set(told) == {"a", "a/b", "a/f", "a/b/ü", "a/b/ü/g"}


def test_one_file_of_a_deleted_folder_is_put_back(deleted, dav, rest):
    trash, item, _ = deleted
    used = rest.used()
    before = trash.stat(f"{item}/b/%C3%BC/g", '<d:getetag/><oc:id xmlns:oc="http://owncloud.org/ns"/>')
    answer = trash.request("MOVE", f"{item}/b/%C3%BC/g", headers={"Destination": dav.absolute("back")})
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == answer.headers["oc-etag"] == before.text("getetag")
    assert dav.get("back").content == b"gg"
    assert dav.get("back").headers["etag"] == before.text("getetag")
    size = '<oc:size xmlns:oc="http://owncloud.org/ns"/>'
    assert trash.stat(item, size).text("size", OC) == "1" and dav.stat("", size).text("size", OC) == "2"
    assert trash.propfind(f"{item}/b/%C3%BC/g").status_code == 404
    assert rest.used() == used
    assert trash.request("MOVE", f"{item}/b/%C3%BC/g", headers={"Destination": dav.absolute("again")}).status_code == 404


def test_a_folder_of_a_deleted_folder_is_put_back_onto_something(deleted, dav):
    trash, item, _ = deleted
    dav.folder("there")
    dav.make("there/old")
    headers = {"Destination": dav.absolute("there")}
    assert trash.request("MOVE", f"{item}/b", headers={**headers, "Overwrite": "F"}).status_code == 412
    token = dav.locked("there")
    assert trash.request("MOVE", f"{item}/b", headers=headers).status_code == 423
    dav.unlock("there", token)
    assert trash.request("MOVE", f"{item}/b", headers=headers).status_code == 204
    assert dav.get("there/%C3%BC/g").content == b"gg" and not dav.exists("there/old")
    assert trash.names(f"{item}/") == {"f"}


def test_what_is_in_a_deleted_folder_goes_to_where_it_was_if_that_is_there(deleted, dav, account):
    trash, item, _ = deleted
    back = {"Destination": f"/remote.php/dav/trashbin/{account.login}/restore/x"}
    assert trash.request("MOVE", f"{item}/f", headers=back).status_code == 201
    assert dav.get("f").content == b"f", "without its folder, at the top"
    dav.folder("top/a")
    dav.folder("top/a/b")
    answer = trash.request("MOVE", f"{item}/b/%C3%BC", headers=back)
    assert answer.status_code == 201 and answer.headers["oc-fileid"]
    assert dav.get("top/a/b/%C3%BC/g").content == b"gg"
    dav.make("f2", b"other")
    dav.move("f2", "top/a/b/f")
    for missing in (f"{item}/nothing", f"{item}/f", f"{item}/b/%C3%BC/g"):
        assert trash.request("MOVE", missing, headers=back).status_code == 404


def test_what_is_put_back_has_an_id_and_an_entity_tag(deleted, dav, account):
    trash, item, _ = deleted
    back = {"Destination": f"/remote.php/dav/trashbin/{account.login}/restore/x"}
    for path, headers, place in ((f"{item}/f", back, "f"), (item, {"Destination": dav.absolute("put")}, "put")):
        answer = trash.request("MOVE", path, headers=headers)
        assert answer.status_code == 201
        resource = account.dav(mount=trash.mount.replace("trash-bin/", "") if "spaces" in trash.mount else "/dav/").stat(
            place, '<d:getetag/><oc:id xmlns:oc="http://owncloud.org/ns"/>'
        )
        assert answer.headers["oc-fileid"] == resource.text("id", OC)
        assert answer.headers["etag"] == answer.headers["oc-etag"] == resource.text("getetag")


def test_who_may_only_read_puts_nothing_of_a_folder_back(deleted, dav, account):
    trash, item, _ = deleted
    reader = account.dav(account.token("read"), mount=trash.mount)
    for destination in (dav.absolute("x"), f"/remote.php/dav/trashbin/{account.login}/restore/x"):
        assert reader.request("MOVE", f"{item}/f", headers={"Destination": destination}).status_code == 403


def test_what_is_put_back_is_the_same(nextcloud, dav, rest):
    for content in (b"one", b"two"):
        rest.upload("f", content)
    dav.proppatch("f", '<d:set><d:prop><x:p>v</x:p></d:prop></d:set>')
    [before] = rest.files()
    root = dav.stat().text("getetag")
    dav.delete("f")
    gone = dav.stat().text("getetag")
    assert gone != root
    assert nextcloud.restore(nextcloud.only()).status_code == 201
    assert rest.files() == [before], "id, entity tag, times and all"
    assert len(rest.get(f"files/{before['id']}/versions").json()["versions"]) == 1
    assert dav.stat("f", "<x:p/>").text("p", "{urn:x}") == "v"
    assert dav.stat().text("getetag") not in (root, gone)


def test_rest_shows_what_it_has_put_back_as_it_is(rest):
    file, folder = rest.upload("f", b"one", mime="text/x-diary"), rest.mkdir("d")
    rest.delete(f"files/{file['id']}")
    rest.delete(f"folders/{folder['id']}")
    assert rest.post(f"trash/{file['id']}/restore").json() == {"file": file}
    answer = rest.post(f"trash/{folder['id']}/restore").json()["folder"]
    assert answer == rest.get(f"folders/{folder['id']}").json()["folder"]
    assert rest.get(f"files/{file['id']}").json()["file"] == file


def test_a_name_that_is_taken_gets_a_mark(rest, dav):
    for content in (b"1", b"2", b"3"):
        file = rest.upload("photo.jpg", content)
        rest.delete(f"files/{file['id']}")
    rest.upload("photo.jpg", b"4")
    for item in trash_of(rest):
        assert rest.post(f"trash/{item['id']}/restore").status_code == 200
    assert dav.names() == {f"photo{mark}.jpg" for mark in ("", "%20(restored)", "%20(restored%202)", "%20(restored%203)")}


def test_without_its_folder_it_goes_to_the_top(rest, dav):
    dav.folder("a")
    dav.make("a/f", b"x")
    dav.delete("a/f")
    dav.delete("a")
    file, folder = (item for name in ("f", "a") for item in trash_of(rest) if item["name"] == name)
    assert file["location"] == "a/f" and file["kind"] == "file" and folder["kind"] == "folder"
    answer = rest.post(f"trash/{file['id']}/restore")
    assert answer.status_code == 200 and answer.json()["file"]["folderId"] is None
    assert dav.get("f").content == b"x"
    assert rest.post(f"trash/{folder['id']}/restore").json()["folder"]["name"] == "a"


def test_its_bytes_count_until_it_is_gone_for_good(server):
    account = server.account(quota=10)
    rest, dav = account.rest(), account.dav()
    rest.upload("f", b"1234567")
    dav.delete("f")
    assert rest.used() == 7
    assert dav.put("g", content=b"1234").status_code == 507
    [item] = trash_of(rest)
    assert rest.delete(f"trash/{item['id']}").status_code == 204
    assert rest.used() == 0 and trash_of(rest) == []
    assert dav.put("g", content=b"1234").status_code == 201
    account.close()


def test_the_trash_is_emptied(nextcloud, dav, rest):
    dav.folder("a")
    dav.make("a/b", b"1")
    dav.make("c", b"22")
    dav.delete("a")
    dav.delete("c")
    assert rest.used() == 3
    assert nextcloud.trash.delete("").status_code == 204
    assert nextcloud.items() == {} and rest.used() == 0
    dav.make("d", b"333")
    dav.delete("d")
    assert rest.delete("trash").status_code == 204
    assert trash_of(rest) == [] and rest.used() == 0


def test_something_in_it_is_deleted_for_good(nextcloud, dav, rest):
    dav.folder("a")
    dav.make("a/b", b"1")
    dav.make("a/c", b"22")
    dav.delete("a")
    item = nextcloud.only()
    assert nextcloud.trash.delete(f"{item}/b").status_code == 204
    assert rest.used() == 2 and nextcloud.items()[item].text("size", OC) == "2"
    assert nextcloud.trash.delete(item).status_code == 204
    assert rest.used() == 0
    assert nextcloud.trash.delete(item).status_code == 404
    assert nextcloud.restore(item).status_code == 404


def test_what_a_move_replaces_goes_to_the_trash(dav, rest):
    dav.folder("a")
    dav.make("a/f", b"1")
    dav.folder("b")
    assert dav.move("b", "a", Overwrite="T").status_code == 204
    [item] = trash_of(rest)
    assert (item["name"], item["sizeBytes"]) == ("a", 1)


def test_a_file_that_a_file_replaces_is_a_version_instead(dav, rest):
    dav.make("a", b"1")
    dav.make("b", b"2")
    assert dav.move("b", "a", Overwrite="T").status_code == 204
    assert trash_of(rest) == []


def test_ownclouds_urls(dav, account):
    space = f"edgedrive${account.id}"
    trash = account.dav(mount=f"/dav/spaces/trash-bin/{space}/")
    dav.folder("a")
    dav.make("a/f", b"1")
    dav.make("g", b"2")
    dav.delete("a/f")
    dav.delete("g")
    for mount in (f"/dav/spaces/trash-bin/{space.replace('$', '%24')}/", f"/remote.php/dav/spaces/trash-bin/{space}/"):
        assert len(account.dav(mount=mount).list(props=PROPS)) == 3
    hrefs = {entry.text("trashbin-original-location", OC): entry.href for entry in trash.list(props=PROPS)[1:]}
    item = hrefs["a/f"].removeprefix(trash.mount)
    number = item.rsplit(".d", 1)[1]
    dav.make("h", b"3")
    for destination, overwrite, status in (("x/y", "T", 409), ("h", "F", 412), ("a/other", "F", 201)):
        headers = {"Destination": f"/dav/spaces/{space}/{destination}", "Overwrite": overwrite}
        assert trash.request("MOVE", number, headers=headers).status_code == status, destination
    assert dav.get("a/other").content == b"1"
    item = hrefs["g"].removeprefix(trash.mount)
    answer = trash.request("MOVE", item, headers={"Destination": f"/dav/spaces/{space}/h"})
    assert answer.status_code == 204
    assert dav.get("h").content == b"2"
    assert [entry.text("displayname") for entry in trash.list(props=PROPS)[1:]] == ["h"]


def test_locks_do_not_go_with_it_and_hold_where_it_goes(nextcloud, dav, rest):
    dav.folder("a")
    dav.make("a/f", b"1")
    token = dav.locked("a/f")
    assert dav.delete("a/f").status_code == 423
    assert dav.delete("a/f", headers={"If": f"(<{token}>)"}).status_code == 204
    item = nextcloud.only()
    lock = dav.locked("a")
    assert nextcloud.restore(item).status_code == 423
    assert_error(rest.post(f"trash/{item.rsplit('.d', 1)[1]}/restore"), 423)
    dav.unlock("a", lock)
    assert nextcloud.restore(item).status_code == 201
    assert dav.put("a/f", content=b"2").status_code == 204, "it is not locked any more"


def test_a_deleted_file_is_not_there(dav, rest):
    file = rest.upload("f", b"x")
    folder = rest.mkdir("d")
    rest.upload("g", b"y", folder=folder["id"])
    rest.delete(f"files/{file['id']}")
    rest.delete(f"folders/{folder['id']}")
    for path in (f"files/{file['id']}", f"files/{file['id']}/download", f"files/{file['id']}/versions", f"folders/{folder['id']}"):
        assert_error(rest.get(path), 404)
    assert_error(rest.get("files", params={"folderId": folder["id"]}), 404)
    assert_error(rest.try_upload("h", b"z", folder=folder["id"]), 404)
    assert rest.files() == [] and dav.names() == set()


def test_a_token_confined_to_a_folder_sees_no_trash(account, rest, dav):
    folder = rest.mkdir("d")
    file = rest.upload("f", b"x", folder=folder["id"])
    confined = account.rest(account.token("read", "write", folder=folder["id"]))
    assert confined.delete(f"files/{file['id']}").status_code == 204
    assert_error(confined.get("trash"), 404)
    assert_error(confined.post(f"trash/{file['id']}/restore"), 404)
    assert_error(confined.delete(f"trash/{file['id']}"), 404)
    assert_error(confined.delete("trash"), 404)
    assert len(trash_of(rest)) == 1
    rest.delete(f"folders/{folder['id']}")
    assert_error(confined.get("files"), 404)
    assert rest.post(f"trash/{folder['id']}/restore").status_code == 200
    assert confined.get("files").json()["files"] == [], "it works again"


def test_who_may_only_read_changes_nothing(account, rest):
    file = rest.upload("f", b"x")
    rest.delete(f"files/{file['id']}")
    reader = account.rest(account.token("read"))
    assert len(trash_of(reader)) == 1
    for answer in (reader.post(f"trash/{file['id']}/restore"), reader.delete(f"trash/{file['id']}"), reader.delete("trash")):
        assert_error(answer, 403)
    assert len(trash_of(rest)) == 1


def test_anothers_trash_is_404(server, account, rest, nextcloud):
    other = server.account()
    file = rest.upload("f", b"x")
    rest.delete(f"files/{file['id']}")
    assert_error(other.rest().post(f"trash/{file['id']}/restore"), 404)
    assert_error(other.rest().delete(f"trash/{file['id']}"), 404)
    theirs = other.dav(mount=nextcloud.trash.mount)
    assert theirs.propfind().status_code == 404
    theirs = other.dav(mount=f"/remote.php/dav/spaces/trash-bin/edgedrive${account.id}/")
    assert theirs.propfind().status_code == 404
    other.close()


@pytest.mark.parametrize("item", ["0", "abc", "f.d", "f.d99999999999999999999", "f.d-1", "%00", "f.d1/../x"])
def test_what_is_not_there(nextcloud, rest, item):
    assert nextcloud.trash.propfind(item).status_code in (400, 404)
    assert nextcloud.trash.delete(item).status_code in (400, 404)
    assert nextcloud.restore(item).status_code in (400, 404, 405)
    assert_error(rest.post("trash/abc/restore"), 404)


@pytest.mark.parametrize("method", ["PUT", "MKCOL", "LOCK", "PROPPATCH", "COPY"])
def test_nothing_is_made_in_it(nextcloud, dav, method):
    dav.make("f", b"x")
    dav.delete("f")
    answer = nextcloud.trash.request(method, nextcloud.only(), headers={"Destination": "/dav/f"})
    assert answer.status_code == 405 and "MOVE" in answer.headers["allow"]


def test_pages(rest):
    for number in range(5):
        file = rest.upload(f"f{number}", b"x")
        rest.delete(f"files/{file['id']}")
    seen, params = [], {"limit": 2}
    while True:
        page = rest.get("trash", params=params).json()
        seen += [item["name"] for item in page["trash"]]
        if not page["nextCursor"]:
            break
        params["cursor"] = page["nextCursor"]
    assert seen == [f"f{number}" for number in range(5)]


def test_long_names(nextcloud, dav):
    name = "ä" * 127
    dav.make(name, b"x")
    dav.delete(name)
    [(item, entry)] = nextcloud.items().items()
    assert entry.text("displayname") == name
    assert nextcloud.trash.get(item).content == b"x"
    dav.make(name, b"y")
    assert nextcloud.restore(item).status_code == 201
    assert len(dav.names()) == 2


def test_two_who_put_the_same_back_and_one_who_deletes_it(dav, rest, server):
    """All at once: one of them wins, and the drive adds up."""
    for number in range(10):
        file = rest.upload("f", b"x")
        rest.delete(f"files/{file['id']}")
        url = f"trash/{file['id']}"
        with ThreadPoolExecutor(3) as pool:
            tries = [pool.submit(rest.post, f"{url}/restore"), pool.submit(rest.post, f"{url}/restore"), pool.submit(rest.delete, url)]
            statuses = sorted(one.result().status_code for one in tries)
        assert statuses[1:] == [404, 404] and statuses[0] in (200, 204), statuses
        files = rest.files()
        assert len(files) == (statuses[0] == 200) and trash_of(rest) == []
        assert rest.used() == len(files)
        for left in files:
            rest.delete(f"files/{left['id']}")
            assert rest.delete(f"trash/{left['id']}").status_code == 204

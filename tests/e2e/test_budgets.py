"""What a request may cost: SQL round trips, and rows read, which do not grow with what is beside.

At the edge, a round trip to the database takes 10 to 100 ms and rows are billed: these numbers
are the speed and the price of the drive.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.dav import filter_files, propfind_body, remove_prop, search_body, set_prop
from support.hooks import Jobs
from support.state import objects
from support.timing import cost

ENTRIES = 5_000
# Rows that one request may read: for a path 20 deep, and for a change, which also touches every
# folder above (a MOVE those of both ends). What counts is that they do not grow with the siblings.
FEW = 300
CHANGE = 1_000
DEEP = "wide/" + "/".join(f"x{level}" for level in range(19))


@pytest.fixture(scope="module")
def deep(wide):
    """A file 20 deep, beside 5,000 siblings."""
    path = "wide"
    for level in range(19):
        path += f"/x{level}"
        wide.folder(path)
    wide.make(f"{path}/f", b"deep")
    yield wide
    assert wide.delete("wide/x0").status_code == 204


def small(answer, status, trips):
    """The answer is as it should be, within `trips`, and touched few rows."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    spent = cost(answer)
    assert 1 <= spent.trips <= trips, spent
    assert spent.read <= (FEW if trips == 1 else CHANGE), spent
    assert spent.written <= FEW, spent
    return spent


def test_reading_takes_one_trip(deep):
    for path in (f"{DEEP}/f", "wide/17"):
        small(deep.get(path), 200, 1)
        small(deep.head(path), 200, 1)
        small(deep.get(path, headers={"Range": "bytes=0-0"}), 206, 1)
        small(deep.get(path, headers={"If-None-Match": "*"}), 304, 1)
        small(deep.propfind(path, "0"), 207, 1)
        small(deep.propfind(path, "1"), 207, 1)
        small(deep.propfind(path, "0", props=None), 207, 1)
    small(deep.propfind(DEEP, "1"), 207, 1)
    small(deep.propfind("", "0"), 207, 1)
    small(deep.get(f"{DEEP}/missing"), 404, 1)
    assert small(deep.request("OPTIONS", f"{DEEP}/f"), deep.request("OPTIONS", "").status_code, 1).written == 0


def test_reading_writes_nothing(deep):
    deep.get("wide/17")
    for answer in (deep.get("wide/17"), deep.propfind("wide/17"), deep.head(f"{DEEP}/f")):
        assert cost(answer).written == 0


@pytest.mark.parametrize("folder", [DEEP, "wide"])
def test_writing_takes_two_trips(deep, folder):
    small(deep.put(f"{folder}/new", content=b"1"), 201, 2)
    small(deep.put(f"{folder}/new", content=b"2"), 204, 2)
    small(deep.put(f"{folder}/empty", content=b""), 201, 2)
    small(deep.mkcol(f"{folder}/folder"), 201, 2)
    small(deep.copy(f"{folder}/new", f"{folder}/copy"), 201, 2)
    small(deep.copy(f"{folder}/new", f"{folder}/copy"), 204, 2)
    small(deep.move(f"{folder}/copy", f"{folder}/folder/moved"), 201, 2)
    small(deep.proppatch(f"{folder}/new", set_prop("<x:p>1</x:p><x:q>2</x:q>")), 207, 2)
    small(deep.proppatch(f"{folder}/new", remove_prop("<x:p/>")), 207, 2)
    locked = deep.lock(f"{folder}/new")
    small(locked, 200, 2)
    token = locked.headers["lock-token"].strip("<>")
    small(deep.refresh(f"{folder}/new", token), 200, 2)
    small(deep.put(f"{folder}/new", content=b"3", headers={"If": f"(<{token}>)"}), 204, 2)
    small(deep.unlock(f"{folder}/new", token), 204, 2)
    null = deep.lock(f"{folder}/null")
    small(null, 201, 2)
    for name in ("new", "empty", "folder"):
        small(deep.delete(f"{folder}/{name}"), 204, 2)
    answer = deep.delete(f"{folder}/null", headers={"If": f"({null.headers['lock-token']})"})
    small(answer, 204, 2)


def test_refusals_are_cheap_too(deep):
    small(deep.put(f"{DEEP}/missing/f", content=b"x"), 409, 2)
    small(deep.mkcol("wide/17"), 405, 2)
    small(deep.put("wide/17", content=b"x", headers={"If-Match": '"x"'}), 412, 2)
    small(deep.move("wide/17", "wide/18", Overwrite="F"), 412, 2)


def test_who_sends_much_xml_is_asked_for_first(deep, server):
    """A stranger's document is not parsed: up to the megabyte that may come, that is work."""
    body = propfind_body("<d:getetag/>") + "<!--" + "x" * 20_000 + "-->"
    assert small(deep.propfind("wide/17", "0", body=body), 207, 2).trips == 2
    stranger = deep.__class__(server.url, "ocl_1_" + "x" * 43)
    assert stranger.propfind("", "0", body=body).status_code == 401
    stranger.close()


def test_a_listing_of_one_entry(deep):
    deep.mkcol(f"{DEEP}/one")
    deep.make(f"{DEEP}/one/f")
    small(deep.propfind(f"{DEEP}/one", "1"), 207, 1)
    deep.delete(f"{DEEP}/one")


def test_a_listing_of_5000_entries(wide):
    answer = wide.propfind("wide", "1")
    assert answer.status_code == 207
    spent = cost(answer)
    assert spent.trips == 1
    assert spent.read == 0 or ENTRIES <= spent.read <= 4 * ENTRIES + FEW, spent
    assert answer.content.count(b"response>") == 2 * (len(wide.names("wide/")) + 1)


OC = "http://owncloud.org/ns"
MARKED = f'<favorite xmlns="{OC}">1</favorite><tags xmlns="{OC}"><tag>t</tag></tags>'


def test_marks_and_times_take_two_trips(deep):
    for path in ("wide/17", f"{DEEP}/f"):
        small(deep.proppatch(path, set_prop(f"{MARKED}<d:lastmodified>1</d:lastmodified><x:p>1</x:p>")), 207, 2)


def test_a_report_reads_what_is_marked_and_the_way_to_it(deep):
    for path in ("wide/17", f"{DEEP}/f"):
        deep.proppatch(path, set_prop(MARKED))
    props = "<d:getetag/><oc:favorite/><oc:tags/><d:lockdiscovery/><oc:checksums/>"
    for rules in ("<oc:favorite>1</oc:favorite>", "<oc:systemtag>t</oc:systemtag><oc:favorite>1</oc:favorite>"):
        for folder in ("", "wide", DEEP):
            answer = deep.report(folder, filter_files(rules, props))
            small(answer, 207, 1)
            assert answer.content.count(b"<d:response>") == (1 if folder == DEEP else 2)


def test_a_search_by_mark_or_number_reads_what_it_finds(deep):
    deep.proppatch(f"{DEEP}/f", set_prop(MARKED))
    number = deep.stat("wide/17", f'<fileid xmlns="{OC}"/>').text("fileid", f"{{{OC}}}")
    for prop, value in (("oc:favorite", "1"), ("oc:fileid", number)):
        where = f"<d:eq><d:prop><{prop}/></d:prop><d:literal>{value}</d:literal></d:eq>"
        answer = deep.search("", search_body(where, None, "<d:getetag/><d:lockdiscovery/><oc:tags/>"))
        small(answer, 207, 1)
        assert b"<d:response>" in answer.content


def test_a_search_by_name_reads_a_row_for_each_node(wide):
    where = "<d:like><d:prop><d:displayname/></d:prop><d:literal>%432%</d:literal></d:like>"
    order = "<d:orderby><d:order><d:prop><oc:size/></d:prop></d:order></d:orderby>"
    answer = wide.search("", search_body(where, None, more=order))
    assert answer.status_code == 207
    spent = cost(answer)
    assert spent.trips == 1 and spent.written == 0
    assert spent.read == 0 or ENTRIES <= spent.read <= 6 * ENTRIES + FEW, spent


def test_a_listing_of_marked_entries(wide):
    props = f'<favorite xmlns="{OC}"/><tags xmlns="{OC}"/><contained-file-count xmlns="http://nextcloud.org/ns"/>'
    answer = wide.propfind("wide", "1", props=props)
    spent = cost(answer)
    assert spent.trips == 1 and spent.read <= 4 * ENTRIES + FEW, spent


def test_a_whole_tree_of_5000_in_one_trip(wide):
    answer = wide.propfind("", "infinity")
    assert answer.status_code == 207
    spent = cost(answer)
    assert spent.trips == 1
    assert spent.read <= 6 * ENTRIES + FEW, spent


def test_a_tree_of_5000_is_copied_moved_and_deleted_in_two_trips(server, wide, wide_account, sweeper):
    rest = wide_account.rest()
    rest.empty_trash()
    # What other tests have left there may be more than goes at once.
    Jobs(server, wide_account).wait(lambda waiting: not waiting)
    used = rest.used()
    size = sum(int(entry.text("getcontentlength")) for entry in wide.list("wide", "infinity") if not entry.is_folder)
    copied = wide.copy("wide", "tree")
    assert copied.status_code == 201
    assert cost(copied).trips <= 2
    assert cost(copied).read <= 25 * ENTRIES, cost(copied)
    assert rest.used() == used + size, "copies count"
    assert len(wide.names("tree/")) == len(wide.names("wide/"))
    assert wide.get("tree/4321").content == b"x"

    small(wide.mkcol("elsewhere"), 201, 2)
    small(wide.move("tree", "elsewhere/tree"), 201, 2)
    small(wide.get("elsewhere/tree/4321"), 200, 1)

    small(wide.delete("elsewhere"), 204, 2)
    assert rest.used() == used + size, "it is in the trash"
    gone = rest.delete("trash")
    assert gone.status_code == 204
    assert cost(gone).trips <= 2
    assert cost(gone).read <= 20 * ENTRIES, cost(gone)
    assert rest.used() == used


def test_a_copy_writes_no_blob(wide):
    wide.make("blob", b"y" * 100_000)
    before = objects().sizes()
    assert wide.copy("wide", "second").status_code == 201
    assert wide.copy("blob", "second/blob").status_code == 201
    assert objects().sizes() == before
    assert wide.delete("second").status_code == 204
    assert wide.delete("blob").status_code == 204


def test_an_upload_in_100_chunks_is_finished_in_two_trips(server):
    """Whatever its size (EDGEDRIVE_LARGE_MIB): the chunks are linked, no blob is read or written."""
    account = server.account()
    drive = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    spent = []
    for name, size in (("small", 10), ("large", int(os.environ.get("EDGEDRIVE_LARGE_MIB", "10")) << 20)):
        assert chunks.mkcol(name).status_code == 201
        content = os.urandom(size // 100 + 1)
        with ThreadPoolExecutor(4) as pool:
            statuses = set(pool.map(lambda n: chunks.put(f"{name}/{n:05}", content=content).status_code, range(1, 101)))
        assert statuses == {201}
        before = blobs_of(account)
        answer = chunks.request("MOVE", f"{name}/.file", headers={"Destination": drive.absolute(name)})
        assert answer.status_code == 201, answer.text
        assert blobs_of(account) == before
        spent.append(cost(answer))
        assert drive.head(name).headers["content-length"] == str(100 * len(content))
    assert spent[0].trips == spent[1].trips <= 2
    assert abs(spent[0].read - spent[1].read) <= 10, "rows do not depend on the size"
    account.close()


def blobs_of(account):
    return {key: size for key, size in objects().sizes().items() if key.startswith(f"{account.id}/")}


def test_a_page_of_5000_files_costs_a_page(wide, wide_account):
    rest = wide_account.rest()
    [folder] = [folder for folder in rest.get("folders").json()["folders"] if folder["name"] == "wide"]
    params = {"folderId": folder["id"], "limit": 50}
    for _ in range(3):
        answer = rest.get("files", params=params)
        assert answer.status_code == 200 and len(answer.json()["files"]) == 50
        assert cost(answer).read <= 1000, cost(answer)
        params["cursor"] = answer.json()["nextCursor"]


def test_rest_is_as_thrifty(wide, wide_account):
    rest = wide_account.rest()
    assert cost(rest.get("me")).read <= 50
    file = rest.upload("thrifty", b"x")
    small(rest.get(f"files/{file['id']}"), 200, 2)
    small(rest.get(f"files/{file['id']}/download"), 200, 2)
    small(rest.patch(f"files/{file['id']}", json={"name": "thriftier"}), 200, 3)
    small(rest.delete(f"files/{file['id']}"), 204, 3)

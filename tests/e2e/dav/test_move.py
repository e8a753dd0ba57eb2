"""MOVE (RFC 4918, 9.9)."""

import pytest

from support.dav import set_prop


@pytest.fixture
def tree(dav):
    """/d/f, /d/e/g and /file"""
    dav.folder("d")
    dav.make("d/f", b"f")
    dav.folder("d/e")
    dav.make("d/e/g", b"gg")
    dav.make("file", b"file")
    return dav


def shape(dav, path=""):
    """The hrefs below a folder, relative to it."""
    return {href.removeprefix(dav.href(path)) for href in dav.list(path, "infinity").hrefs[1:]}


def test_a_file(tree):
    before = tree.head("file").headers
    assert tree.move("file", "d/moved").status_code == 201
    assert not tree.exists("file")
    after = tree.get("d/moved")
    assert after.content == b"file"
    assert after.headers["last-modified"] == before["last-modified"]


def test_a_tree(tree):
    assert tree.move("d/", "moved/").status_code == 201
    assert shape(tree) == {"file", "moved/", "moved/f", "moved/e/", "moved/e/g"}
    assert tree.get("moved/e/g").content == b"gg"
    assert tree.get("d/e/g").status_code == 404


def test_ids_stay(tree, rest):
    before = {folder["name"]: folder["id"] for folder in rest.get("folders").json()["folders"]}
    [file] = rest.files()
    tree.folder("target")
    assert tree.move("d", "target/d2").status_code == 201
    assert tree.move("file", "target/d2/file2").status_code == 201
    after = {folder["name"]: folder["id"] for folder in rest.get("folders").json()["folders"]}
    assert after["d2"] == before["d"] and after["e"] == before["e"]
    moved = rest.get(f"files/{file['id']}").json()["file"]
    assert moved["name"] == "file2" and moved["folderId"] == before["d"]


def test_versions_and_properties_go_with_it(tree, rest):
    tree.make("file", b"newer")
    tree.proppatch("file", set_prop("<x:p>kept</x:p>"))
    [file] = rest.files()
    assert tree.move("file", "renamed").status_code == 201
    assert len(rest.get(f"files/{file['id']}/versions").json()["versions"]) == 1
    assert tree.stat("renamed", "<x:p/>").text("p", "{urn:x}") == "kept"


def test_used_bytes_stay(tree, rest):
    used = rest.used()
    tree.move("d", "moved")
    tree.move("file", "moved/file")
    assert rest.used() == used
    tree.move("moved/f", "moved/file")
    assert rest.used() == used, "what was replaced is a version now"


@pytest.mark.parametrize("destination", ["there", "there/"])
def test_a_tree_replaces_what_was_there(tree, destination):
    tree.folder("there")
    tree.make("there/old")
    assert tree.move("d/", destination).status_code == 204
    assert shape(tree, "there/") == {"f", "e/", "e/g"}
    assert not tree.exists("d")


def test_a_file_replaces_a_folder_and_a_folder_a_file(tree):
    assert tree.move("d", "file").status_code == 204
    assert shape(tree) == {"file/", "file/f", "file/e/", "file/e/g"}
    tree.make("plain", b"plain")
    assert tree.move("plain", "file").status_code == 204
    assert tree.get("file").content == b"plain"


def test_overwrite_f_spares_what_is_there(tree):
    assert tree.move("d/f", "file", Overwrite="F").status_code == 412
    assert tree.get("file").content == b"file" and tree.get("d/f").content == b"f"
    assert tree.move("d/f", "new", Overwrite="F").status_code == 201
    assert tree.move("new", "file", Overwrite="T").status_code == 204


@pytest.mark.parametrize("overwrite", ["X", "", "true"])
def test_overwrite_is_t_or_f(tree, overwrite):
    assert tree.move("d/f", "file", Overwrite=overwrite).status_code == 400
    assert tree.get("file").content == b"file"


@pytest.mark.parametrize("depth", ["0", "1", "2", "foo"])
def test_a_folder_moves_whole_or_not_at_all(tree, depth):
    assert tree.move("d", "moved", Depth=depth).status_code == 400
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}


def test_onto_itself_is_403(tree):
    assert tree.move("file", "file").status_code == 403
    assert tree.move("d", "d/").status_code == 403
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}


def test_into_itself_is_403(tree):
    assert tree.move("d", "d/inside").status_code == 403
    assert tree.move("d", "d/e/inside").status_code == 403
    assert tree.move("d", "d/e").status_code == 403
    assert tree.move("d", "d/e/g").status_code == 403
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}


def test_over_its_own_parent_is_refused(tree):
    assert tree.move("d/e", "d").status_code in (403, 409)
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}


def test_the_root_stays(tree):
    assert tree.move("", "elsewhere").status_code == 403
    assert tree.move("d", "").status_code in (403, 409)
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}


def test_names_differ_by_case(tree):
    assert tree.move("file", "FILE").status_code == 201
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "FILE"}


def test_missing_source_is_404(tree):
    assert tree.move("missing", "new").status_code == 404
    assert tree.move("file/below", "new").status_code == 404


def test_missing_parent_of_the_destination_is_409(tree):
    assert tree.move("file", "missing/new").status_code == 409
    assert tree.move("d/f", "file/new").status_code == 409
    assert tree.get("file").content == b"file"


def test_without_a_destination_is_400(tree):
    assert tree.request("MOVE", "file").status_code == 400


def test_a_destination_elsewhere_is_502(tree):
    answer = tree.request("MOVE", "file", headers={"Destination": "http://other.example/dav/new"})
    assert answer.status_code == 502
    assert tree.get("file").content == b"file"


def test_a_destination_without_a_host(tree):
    assert tree.request("MOVE", "file", headers={"Destination": "/dav/new"}).status_code == 201
    assert tree.get("new").content == b"file"


def test_a_locked_source_takes_a_token_and_the_lock_stays_behind(tree):
    token = tree.locked("file")
    assert tree.move("file", "new").status_code == 423
    assert tree.get("file").content == b"file"
    assert tree.move("file", "new", If=f"(<{token}>)").status_code == 201
    assert len(tree.stat("new").prop("lockdiscovery")) == 0
    assert tree.put("new", content=b"free").status_code == 204
    assert tree.put("file", content=b"free").status_code == 201


def test_a_locked_member_keeps_the_tree(tree):
    token = tree.locked("d/e/g")
    answer = tree.move("d", "moved")
    assert answer.status_code in (423, 207)
    assert "/dav/d/e/g" in answer.text
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}
    assert tree.move("d", "moved", If=f"<{tree.absolute('d/e/g')}> (<{token}>)").status_code == 201
    assert len(tree.stat("moved/e/g").prop("lockdiscovery")) == 0


def test_a_locked_destination_takes_a_token(tree):
    token = tree.locked("file")
    assert tree.move("d/f", "file").status_code == 423
    assert tree.get("d/f").content == b"f"
    assert tree.move("d/f", "file", If=f"<{tree.absolute('file')}> (<{token}>)").status_code == 204


@pytest.mark.parametrize("locked", ["from", "to"])
def test_locked_parents_take_a_token(tree, locked):
    tree.folder("from")
    tree.folder("to")
    tree.make("from/f")
    token = tree.locked(locked, depth="0")
    assert tree.move("from/f", "to/f").status_code == 423
    assert tree.move("from/f", "to/f", If=f"<{tree.absolute(locked)}> (<{token}>)").status_code == 201


def test_into_a_folder_that_is_locked_deeply_the_lock_covers_it(tree):
    tree.folder("to")
    token = tree.locked("to", depth="infinity")
    assert tree.move("file", "to/f", If=f"<{tree.absolute('to')}> (<{token}>)").status_code == 201
    assert tree.put("to/f", content=b"x").status_code == 423
    assert tree.put("to/f", content=b"x", headers={"If": f"(<{token}>)"}).status_code == 204


def test_conditions_on_the_source(tree):
    etag = tree.head("file").headers["etag"]
    assert tree.move("file", "new", **{"If-Match": '"other"'}).status_code == 412
    assert tree.get("file").content == b"file"
    assert tree.move("file", "new", **{"If-Match": etag}).status_code == 201

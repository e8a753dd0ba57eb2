"""COPY (RFC 4918, 9.8)."""

import pytest

from support.dav import condition


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
    tree.put("typed", content=b"x", headers={"Content-Type": "text/x-special"})
    assert tree.copy("typed", "copy").status_code == 201
    answer = tree.get("copy")
    assert answer.content == b"x" and answer.headers["content-type"].startswith("text/x-special")
    assert tree.get("typed").content == b"x"


def test_over_a_file(tree):
    assert tree.copy("d/f", "file").status_code == 204
    assert tree.get("file").content == b"f"


def test_a_copy_is_its_own_file(tree):
    tree.copy("file", "copy")
    tree.make("copy", b"changed")
    assert tree.get("file").content == b"file"
    tree.copy("file", "copy")
    tree.make("file", b"changed too")
    assert tree.get("copy").content == b"file"


def test_an_overwrite_changes_the_etag(tree):
    before = tree.head("file").headers["etag"]
    tree.copy("d/f", "file")
    assert tree.head("file").headers["etag"] != before


def test_a_tree(tree):
    assert tree.copy("d", "copy").status_code == 201
    assert shape(tree, "copy/") == {"f", "e/", "e/g"}
    assert tree.get("copy/e/g").content == b"gg"
    assert shape(tree, "d/") == {"f", "e/", "e/g"}


def test_a_folder_alone(tree):
    assert tree.copy("d", "copy", Depth="0").status_code == 201
    assert tree.stat("copy").is_folder and shape(tree, "copy/") == set()


@pytest.mark.parametrize("depth", ["1", "2", "foo"])
def test_any_other_depth_is_400(tree, depth):
    assert tree.copy("d", "copy", Depth=depth).status_code == 400
    assert not tree.exists("copy")


@pytest.mark.parametrize("destination", ["there", "there/"])
def test_a_tree_replaces_what_was_there(tree, destination):
    tree.folder("there")
    tree.make("there/old")
    assert tree.copy("d/", destination).status_code == 204
    assert shape(tree, "there/") == {"f", "e/", "e/g"}


def test_a_file_replaces_a_folder_and_a_folder_a_file(tree):
    assert tree.copy("d", "file").status_code == 204
    assert shape(tree, "file/") == {"f", "e/", "e/g"}
    assert tree.copy("file/f", "file").status_code in (403, 409), "that would delete the source"
    assert tree.copy("d/f", "file").status_code == 204
    assert tree.get("file").content == b"f"


def test_overwrite_f_spares_what_is_there(tree):
    assert tree.copy("d/f", "file", Overwrite="F").status_code == 412
    assert tree.get("file").content == b"file"
    assert tree.copy("d", "file", Overwrite="F").status_code == 412
    assert tree.copy("d/f", "new", Overwrite="F").status_code == 201
    assert tree.copy("d/f", "new", Overwrite="T").status_code == 204


@pytest.mark.parametrize("overwrite", ["X", "", "true"])
def test_overwrite_is_t_or_f(tree, overwrite):
    assert tree.copy("d/f", "file", Overwrite=overwrite).status_code == 400
    assert tree.get("file").content == b"file"


def test_onto_itself_is_403(tree):
    assert tree.copy("file", "file").status_code == 403
    assert tree.copy("d", "d/").status_code == 403
    assert tree.get("file").content == b"file"


def test_into_itself_ends(tree):
    answer = tree.copy("d", "d/inside")
    assert answer.status_code in (201, 403)
    if answer.status_code == 201:
        assert shape(tree, "d/inside/") == {"f", "e/", "e/g"}
    else:
        assert shape(tree, "d/") == {"f", "e/", "e/g"}


def test_over_its_own_parent_is_refused(tree):
    assert tree.copy("d/e", "d").status_code in (403, 409)
    assert shape(tree, "d/") == {"f", "e/", "e/g"}


def test_over_the_root_is_refused(tree):
    assert tree.copy("d", "").status_code in (403, 409)
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}


def test_the_root_cannot_be_copied_into_itself(tree):
    assert tree.copy("", "all").status_code in (201, 403)
    assert tree.get("file").content == b"file"


def test_missing_source_is_404(tree):
    assert tree.copy("missing", "copy").status_code == 404
    assert tree.copy("file/below", "copy").status_code == 404


def test_missing_parent_of_the_destination_is_409(tree):
    assert tree.copy("file", "missing/copy").status_code == 409
    assert tree.copy("d", "missing/copy/").status_code == 409
    assert tree.copy("d", "file/copy").status_code == 409


def test_without_a_destination_is_400(tree):
    assert tree.request("COPY", "file").status_code == 400


@pytest.mark.parametrize(
    "destination",
    ["", "copy", "http://", "::", "//other.example/dav/copy", "/dav/%zz", "/dav/a%00b", "/dav/%ff", "/dav/a%2Fb"],
)
def test_a_destination_that_is_no_path_is_refused(tree, destination):
    answer = tree.request("COPY", "file", headers={"Destination": destination})
    assert answer.status_code == 400
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}


@pytest.mark.parametrize("destination", ["http://other.example/dav/copy", "https://other.example:8443/dav/copy"])
def test_a_destination_elsewhere_is_502(tree, destination):
    answer = tree.request("COPY", "file", headers={"Destination": destination})
    assert answer.status_code == 502
    assert not tree.exists("copy")


@pytest.mark.parametrize(
    "destination",
    ["/", "/api/v1/files", "/elsewhere/copy", "/davy/copy", "/dav/../copy", "/dav/%2e%2e/copy", "/dav/d/../../copy"],
)
def test_a_destination_outside_of_the_drive_is_refused(tree, destination):
    answer = tree.request("COPY", "file", headers={"Destination": destination})
    assert answer.status_code in (400, 403, 409, 502)
    assert shape(tree) == {"d/", "d/f", "d/e/", "d/e/g", "file"}


def test_a_destination_without_a_host(tree):
    assert tree.request("COPY", "file", headers={"Destination": "/dav/copy"}).status_code == 201
    assert tree.get("copy").content == b"file"


def test_percent_encoded_destinations(tree):
    assert tree.copy("file", "%D0%BF%20%25%23%3F.txt").status_code == 201
    assert tree.get("%D0%BF%20%25%23%3F.txt").content == b"file"


def test_copies_count_against_the_quota(server):
    account = server.account(quota=1000)
    dav, rest = account.dav(), account.rest()
    dav.folder("d")
    dav.make("d/f", b"x" * 400)
    assert dav.copy("d", "e").status_code == 201
    assert rest.used() == 800
    answer = dav.copy("d", "g")
    assert answer.status_code == 507
    assert condition(answer)[0] == "quota-not-exceeded"
    assert not dav.exists("g") and rest.used() == 800
    assert dav.copy("d", "g", Depth="0").status_code == 201
    account.close()


def test_earlier_versions_are_not_copied(tree, rest):
    tree.make("file", b"newer")
    assert tree.copy("file", "copy").status_code == 201
    copied = next(file for file in rest.files() if file["name"] == "copy")
    assert rest.get(f"files/{copied['id']}/versions").json()["versions"] == []


def test_a_copy_is_not_locked(tree):
    tree.locked("file")
    assert tree.copy("file", "copy").status_code == 201
    assert tree.put("copy", content=b"x").status_code == 204


def test_a_locked_destination_takes_a_token_and_keeps_its_lock(tree):
    token = tree.locked("file")
    assert tree.copy("d/f", "file").status_code == 423
    assert tree.get("file").content == b"file"
    tagged = f"<{tree.absolute('file')}> (<{token}>)"
    assert tree.copy("d/f", "file", If=tagged).status_code == 204
    assert tree.get("file").content == b"f"


def test_a_locked_member_of_the_destination_keeps_it_whole(tree):
    tree.folder("there")
    tree.make("there/locked")
    tree.locked("there/locked")
    assert tree.copy("d", "there").status_code in (423, 207)
    assert shape(tree, "there/") == {"locked"}


def test_a_locked_parent_of_the_destination_takes_a_token(tree):
    tree.folder("there")
    token = tree.locked("there", depth="0")
    assert tree.copy("file", "there/copy").status_code == 423
    assert tree.copy("file", "there/copy", If=f"<{tree.absolute('there')}> (<{token}>)").status_code == 201


def test_conditions_on_the_source(tree):
    etag = tree.head("file").headers["etag"]
    assert tree.copy("file", "copy", **{"If-Match": '"other"'}).status_code == 412
    assert not tree.exists("copy")
    assert tree.copy("file", "copy", **{"If-Match": etag}).status_code == 201

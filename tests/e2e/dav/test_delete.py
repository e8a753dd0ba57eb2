"""DELETE (RFC 4918, 9.6)."""

from support.multistatus import Multistatus


def test_a_file_goes(dav):
    dav.make("f")
    assert dav.delete("f").status_code == 204
    assert dav.get("f").status_code == 404
    assert dav.delete("f").status_code == 404


def test_a_folder_goes_with_everything_below(dav):
    dav.folder("d")
    dav.folder("d/e")
    dav.make("d/e/f")
    dav.make("other")
    assert dav.delete("d").status_code == 204
    assert dav.names() == {"other"}
    assert dav.get("d/e/f").status_code == 404
    dav.folder("d")
    assert dav.names("d/") == set()


def test_what_is_used_becomes_free_with_its_versions(dav, rest):
    dav.folder("d")
    dav.make("d/f", b"x" * 1000)
    dav.make("d/f", b"y" * 500)
    assert rest.used() == 1500
    assert dav.delete("d").status_code == 204
    assert rest.used() == 1500, "it can be put back"
    rest.empty_trash()
    assert rest.used() == 0


def test_the_root_stays(dav):
    dav.make("f")
    assert dav.delete("").status_code == 403
    assert dav.names() == {"f"}


def test_a_missing_path_is_404(dav):
    dav.make("f")
    for path in ("missing", "missing/f", "f/below"):
        assert dav.delete(path).status_code == 404, path


def test_if_match_must_hold(dav):
    etag = dav.make("f")
    assert dav.delete("f", headers={"If-Match": '"other"'}).status_code == 412
    assert dav.delete("f", headers={"If-Match": etag}).status_code == 204


def test_a_locked_file_takes_a_token(dav):
    dav.make("f")
    token = dav.locked("f")
    assert dav.delete("f").status_code == 423
    assert dav.delete("f", headers={"If": f"(<{token}>)"}).status_code == 204
    assert dav.put("f", content=b"new").status_code == 201, "the lock went with the file"


def test_a_locked_member_keeps_the_whole_folder(dav):
    dav.folder("d")
    dav.folder("d/e")
    dav.make("d/e/locked")
    dav.make("d/free")
    dav.locked("d/e/locked")
    answer = dav.delete("d")
    if answer.status_code == 207:
        assert {resource.status for resource in Multistatus(answer.content)} <= {423, 424}
    else:
        assert answer.status_code == 423
    assert "/dav/d/e/locked" in answer.text
    assert dav.names("d/") == {"e/", "free"}


def test_removing_a_member_changes_a_folder_that_is_locked_with_depth_0(dav):
    dav.folder("d")
    dav.make("d/f")
    token = dav.locked("d", depth="0")
    assert dav.delete("d/f").status_code == 423
    assert dav.delete("d/f", headers={"If": f"<{dav.absolute('d')}> (<{token}>)"}).status_code == 204


def test_the_other_names_of_a_content_keep_it(dav):
    dav.make("a", b"shared bytes")
    assert dav.copy("a", "b").status_code == 201
    assert dav.delete("a").status_code == 204
    assert dav.get("b").content == b"shared bytes"

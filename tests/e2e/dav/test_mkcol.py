"""MKCOL (RFC 4918, 9.3)."""

import pytest


@pytest.mark.parametrize("path", ["d", "d/"])
def test_a_folder_is_made_with_or_without_a_slash(dav, path):
    assert dav.mkcol(path).status_code == 201
    assert dav.stat("d").is_folder
    assert dav.names() == {"d/"}


def test_what_exists_is_405(dav):
    dav.folder("d")
    dav.make("f")
    assert dav.mkcol("d").status_code == 405
    assert dav.mkcol("d/").status_code == 405
    assert dav.mkcol("f").status_code == 405
    assert dav.mkcol("").status_code == 405
    assert dav.get("f").content == b"content"


def test_a_missing_parent_is_409(dav):
    assert dav.mkcol("missing/d").status_code == 409
    assert not dav.exists("missing")


def test_a_parent_that_is_a_file_is_409(dav):
    dav.make("f")
    assert dav.mkcol("f/d").status_code == 409


@pytest.mark.parametrize("kind", ["application/xml", "text/plain", "application/octet-stream"])
def test_a_body_is_415_and_makes_nothing(dav, kind):
    answer = dav.mkcol("d", content=b"<x/>", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert not dav.exists("d")


def test_folders_nest_deeply(dav):
    path = ""
    for number in range(60):
        path += f"{number}/"
        dav.folder(path)
    dav.make(path + "f", b"deep")
    assert dav.get(path + "f").content == b"deep"
    assert len(dav.list("", "infinity")) == 62


def test_a_locked_parent_takes_a_token(dav):
    dav.folder("d")
    token = dav.locked("d", depth="infinity")
    assert dav.mkcol("d/e").status_code == 423
    assert dav.mkcol("d/e", headers={"If": f"<{dav.absolute('d')}> (<{token}>)"}).status_code == 201


def test_conditions_are_obeyed(dav):
    assert dav.mkcol("d", headers={"If": "(<urn:uuid:0>)"}).status_code == 412
    assert not dav.exists("d")

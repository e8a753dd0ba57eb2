"""The If header (RFC 4918, 10.4)."""

import pytest


@pytest.fixture
def file(dav):
    """/f, unlocked"""
    dav.make("f", b"one")
    return dav


def put(dav, value, path="f"):
    return dav.put(path, content=b"new", headers={"If": value}).status_code


FAKE = "urn:uuid:00000000-0000-0000-0000-000000000000"


def test_an_etag(file):
    etag = file.head("f").headers["etag"]
    assert put(file, '(["other"])') == 412
    assert put(file, f"([W/{etag}])") == 412, "a weak ETag never matches strongly"
    assert put(file, f"([{etag}])") == 204
    assert put(file, f"([{etag}])") == 412, "the file has changed"


def test_not(file):
    etag = file.head("f").headers["etag"]
    assert put(file, f"(Not [{etag}])") == 412
    assert put(file, f"(not <{FAKE}>)") == 204
    assert put(file, '(Not ["other"])') == 204


def test_no_lock_is_never_held(file):
    assert put(file, "(<DAV:no-lock>)") == 412
    assert put(file, "(Not <DAV:no-lock>)") == 204


def test_a_token_that_is_not_held(file):
    assert put(file, f"(<{FAKE}>)") == 412
    assert put(file, f"(<{FAKE}>)", "missing") == 412
    assert not file.exists("missing")


def test_all_conditions_of_a_list_must_hold(file):
    etag = file.head("f").headers["etag"]
    token = file.locked("f")
    assert put(file, f'(<{token}> ["other"])') == 412
    assert put(file, f"(<{FAKE}> [{etag}])") == 412
    assert put(file, f"(<{token}> [{etag}] Not <DAV:no-lock>)") == 204


def test_one_list_suffices(file):
    etag = file.head("f").headers["etag"]
    token = file.locked("f")
    assert put(file, f'(["other"]) (<{token}> [{etag}])') == 204
    assert put(file, f'(<{token}>) (["other"])') == 204
    assert put(file, f'(["a"]) (["b"]) (<{FAKE}>)') == 412


def test_a_true_condition_is_no_token(file):
    file.locked("f")
    assert put(file, "(Not <DAV:no-lock>)") == 423
    etag = file.head("f").headers["etag"]
    assert put(file, f"([{etag}])") == 423


def test_a_token_counts_as_submitted_wherever_it_stands(file):
    """RFC 4918, 10.4.1: the lists are evaluated, and all tokens in the header are submitted."""
    token = file.locked("f")
    assert put(file, f"(<{token}>) (Not <DAV:no-lock>)") == 204
    assert put(file, f"(<{FAKE}>) (<{token}>)") == 204


def test_the_token_of_another_resource_does_not_help(file):
    file.make("g")
    other = file.locked("g")
    assert put(file, f"(<{other}>)") == 412
    file.locked("f")
    assert put(file, f"<{file.absolute('g')}> (<{other}>)") == 423
    assert put(file, f"<{file.absolute('f')}> (Not <DAV:no-lock>) <{file.absolute('g')}> (<{other}>)") == 423


def test_tags_name_the_resource_that_a_list_speaks_of(file):
    file.make("g")
    ours, theirs = file.head("f").headers["etag"], file.head("g").headers["etag"]
    assert put(file, f"<{file.absolute('g')}> ([{theirs}])") == 204
    assert put(file, f"<{file.absolute('g')}> ([{ours}])") == 412
    ours = file.head("f").headers["etag"]
    assert put(file, f"<{file.absolute('g')}> ([{theirs}]) <{file.absolute('f')}> ([{ours}])") == 204


def test_one_tag_governs_the_lists_that_follow(file):
    file.make("g")
    theirs = file.head("g").headers["etag"]
    assert put(file, f'<{file.absolute("g")}> (["other"]) ([{theirs}])') == 204
    assert put(file, f'<{file.absolute("g")}> (["other"]) (["more"])') == 412


def test_tags_may_be_paths(file):
    etag = file.head("f").headers["etag"]
    assert put(file, '</dav/f> (["other"])') == 412
    assert put(file, f"</dav/f> ([{etag}])") == 204


def test_a_tag_of_a_missing_resource_has_no_state(file):
    assert put(file, f'<{file.absolute("missing")}> (["x"])') == 412
    assert put(file, f'<{file.absolute("missing")}> (Not ["x"])') == 204


def test_a_tag_of_another_server_never_matches(file):
    etag = file.head("f").headers["etag"]
    assert put(file, f"<http://other.example/dav/f> ([{etag}])") == 412


def test_tags_are_compared_decoded(file):
    file.make("%C3%A4%20b")
    etag = file.head("%C3%A4%20b").headers["etag"]
    assert put(file, f"</dav/%c3%a4%20b> ([{etag}])") == 204


def test_a_folder_is_tagged_with_or_without_a_slash(file):
    file.folder("d")
    token = file.locked("d", depth="infinity")
    assert put(file, f"<{file.absolute('d')}> (<{token}>)", "d/x") == 201
    assert put(file, f"<{file.absolute('d/')}> (<{token}>)", "d/x") == 204
    assert put(file, f"(<{token}>)", "d/x") == 204, "the member is covered by the lock"


def test_a_new_member_of_a_locked_folder_is_covered(file):
    """RFC 4918, 7.4 and 9.10.9's example: an untagged token applies to the name that is made."""
    file.folder("d")
    token = file.locked("d", depth="infinity")
    assert put(file, f"(<{token}>)", "d/new") in (201, 412)
    assert put(file, f"<{file.absolute('d')}> (<{token}>)", "d/new2") == 201


def test_etags_with_odd_letters(file):
    assert put(file, '(["a)b"])') == 412
    assert put(file, '(["a]b"])') == 412
    assert put(file, '(["a<b>"])') == 412
    assert put(file, '(Not [""])') == 204


@pytest.mark.parametrize(
    "value", [f"(<{FAKE}>)(<{FAKE}>)(Not<DAV:no-lock>)", "( Not  <DAV:no-lock> )", "(Not\t<DAV:no-lock>)"]
)
def test_space_does_not_matter(file, value):
    assert put(file, value) == 204


@pytest.mark.parametrize(
    "value",
    [
        "",
        "()",
        "(",
        ")",
        "garbage",
        f"<{FAKE}>",
        f"(<{FAKE}>",
        f"<{FAKE}>)",
        "(<>)",
        "([])",
        "([unquoted])",
        '(["open])',
        '(["open"',
        "(Not)",
        f"(Not Not <{FAKE}>)",
        "</dav/f>",
        f"</dav/f> </dav/f> (<{FAKE}>)",
        f"(<{FAKE}>) </dav/f> (<{FAKE}>)",
        f"(<{FAKE}>) trailing",
        f"(Or <{FAKE}>)",
        "(" * 5000,
    ],
)
def test_what_is_not_in_the_grammar_is_400(file, value):
    assert put(file, value) == 400
    assert file.get("f").content == b"one"


def test_thousands_of_lists_are_bearable(file):
    value = " ".join(["(<urn:uuid:0>)"] * 500) + " (Not <DAV:no-lock>)"
    assert put(file, value) in (204, 400)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PROPFIND", "DELETE", "PROPPATCH", "COPY", "MOVE", "UNLOCK"])
def test_a_false_condition_stops_every_method(file, method):
    headers = {"If": '(["other"])', "Destination": file.absolute("g"), "Depth": "0", "Lock-Token": f"<{FAKE}>"}
    body = {
        "PROPPATCH": "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><x xmlns=''/></d:prop></d:set></d:propertyupdate>"
    }.get(method)
    assert file.request(method, "f", headers=headers, content=body).status_code == 412
    assert file.names() == {"f"}


def test_if_goes_with_the_conditions_of_http(file):
    etag = file.head("f").headers["etag"]
    answer = file.put("f", content=b"x", headers={"If": f"([{etag}])", "If-Match": '"other"'})
    assert answer.status_code == 412
    answer = file.put("f", content=b"x", headers={"If": '(["other"])', "If-Match": etag})
    assert answer.status_code == 412

"""GET and HEAD (RFC 9110, 9.3, 13 and 14; RFC 4918, 9.4)."""

import os
import re
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest

SEGMENT = 256 * 1024


@pytest.fixture(scope="module")
def big(server):
    """A file of a few sealed segments, and its bytes."""
    account = server.account()
    dav = account.dav()
    content = os.urandom(3 * SEGMENT + 1000)
    dav.make("big.bin", content)
    yield dav, content
    account.close()


def shifted(date: str, seconds: int) -> str:
    return format_datetime(parsedate_to_datetime(date) + timedelta(seconds=seconds), usegmt=True)


def test_a_file_comes_back(dav):
    dav.make("hello.txt", b"hello")
    answer = dav.get("hello.txt")
    assert answer.status_code == 200
    assert answer.content == b"hello"
    assert answer.headers["content-length"] == "5"
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"') and answer.headers["etag"].endswith('"')
    assert answer.headers["last-modified"].endswith(" GMT")


def test_head_has_the_headers_of_get_and_no_body(dav):
    dav.make("hello.txt", b"hello")
    got, head = dav.get("hello.txt"), dav.head("hello.txt")
    assert head.status_code == 200 and head.content == b""
    for name in ("content-length", "content-type", "etag", "last-modified", "accept-ranges"):
        assert head.headers[name] == got.headers[name], name


def test_an_empty_file(dav):
    dav.make("empty", b"")
    answer = dav.get("empty")
    assert answer.status_code == 200 and answer.content == b""
    assert answer.headers["content-length"] == "0"
    assert dav.head("empty").headers["content-length"] == "0"
    assert dav.get("empty", headers={"Range": "bytes=0-"}).status_code == 416


def test_what_is_stored_is_not_to_be_transformed_on_the_way(dav, rest):
    """An edge that compresses would drop the length, and spoil ranges and the ETag (RFC 9111, 5.2.2.6)."""
    dav.make("f.txt", b"text " * 1000)
    [file] = rest.files()
    for answer in (dav.get("f.txt"), rest.get(f"files/{file['id']}/download")):
        assert "no-transform" in answer.headers["cache-control"]
    compressed = dav.get("f.txt", headers={"Accept-Encoding": "gzip, br"})
    assert compressed.content == b"text " * 1000


def test_a_missing_path_is_404(dav):
    dav.make("f")
    for path in ("missing", "missing/f", "f/below"):
        assert dav.get(path).status_code == 404, path
        assert dav.head(path).status_code == 404, path


RANGES = [
    ("0-0", slice(0, 1)),
    ("0-9", slice(0, 10)),
    ("100-199", slice(100, 200)),
    (f"{SEGMENT - 1}-{SEGMENT}", slice(SEGMENT - 1, SEGMENT + 1)),
    (f"{SEGMENT}-{SEGMENT}", slice(SEGMENT, SEGMENT + 1)),
    (f"{SEGMENT}-{2 * SEGMENT - 1}", slice(SEGMENT, 2 * SEGMENT)),
    (f"{SEGMENT - 10}-{2 * SEGMENT + 10}", slice(SEGMENT - 10, 2 * SEGMENT + 11)),
    (f"{3 * SEGMENT}-", slice(3 * SEGMENT, None)),
    ("5-", slice(5, None)),
    ("-1", slice(-1, None)),
    ("-2000", slice(-2000, None)),
    ("-99999999999", slice(None)),
    ("0-", slice(None)),
    ("10-99999999999999999999999", slice(10, None)),
    (" 0-9", slice(0, 10)),
]


@pytest.mark.parametrize("spec, part", RANGES, ids=[spec for spec, _ in RANGES])
def test_a_range_gives_these_bytes(big, spec, part):
    dav, content = big
    answer = dav.get("big.bin", headers={"Range": f"bytes={spec}"})
    first, stop, _ = part.indices(len(content))
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{stop - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(stop - first)
    assert answer.content == content[part]
    assert answer.headers["etag"] == dav.head("big.bin").headers["etag"]


def test_the_whole_file(big):
    dav, content = big
    assert dav.get("big.bin").content == content


@pytest.mark.parametrize("spec", [f"{3 * SEGMENT + 1000}-", "99999999999-", "99999999999999999999999-", "-0"])
def test_a_range_beyond_the_end_is_416(big, spec):
    dav, content = big
    answer = dav.get("big.bin", headers={"Range": f"bytes={spec}"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(content)}"


@pytest.mark.parametrize(
    "value",
    ["bytes=", "bytes=5-1", "bytes=a-b", "bytes=--1", "bytes=1", "lines=0-1", "bytes 0-1", "bytes=0x1-2", "bytes=+1-2"],
)
def test_a_range_that_is_not_understood_is_ignored(big, value):
    dav, content = big
    answer = dav.get("big.bin", headers={"Range": value})
    assert answer.status_code == 200
    assert len(answer.content) == len(content)


def test_several_ranges_are_answered_whole_or_in_parts(big):
    dav, content = big
    answer = dav.get("big.bin", headers={"Range": "bytes=0-9,100-109"})
    if answer.status_code == 206:
        assert answer.headers["content-type"].startswith("multipart/byteranges")
        assert content[0:10] in answer.content and content[100:110] in answer.content
    else:
        assert answer.status_code == 200 and answer.content == content


def test_a_thousand_ranges_cost_no_thousand_answers(big):
    dav, content = big
    answer = dav.get("big.bin", headers={"Range": "bytes=" + ",".join(["0-"] * 1000)})
    assert answer.status_code in (200, 206, 416)
    assert len(answer.content) < 2 * len(content)


def test_head_knows_no_ranges(big):
    dav, content = big
    answer = dav.head("big.bin", headers={"Range": "bytes=0-9"})
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(content))


def test_if_range(big):
    dav, content = big
    head = dav.head("big.bin").headers
    cases = [
        (head["etag"], 206),
        ('"other"', 200),
        ("W/" + head["etag"], 200),
        (shifted(head["last-modified"], -3600), 200),
        (shifted(head["last-modified"], 3600), 200),
        ("nonsense", 200),
    ]
    for value, status in cases:
        answer = dav.get("big.bin", headers={"Range": "bytes=0-9", "If-Range": value})
        assert answer.status_code == status, value
        assert len(answer.content) == (10 if status == 206 else len(content))


def test_if_none_match(dav):
    etag = dav.make("f")
    for value in (etag, "*", f'"x", {etag}', f"W/{etag}", f'W/"x" ,{etag} , "y"'):
        answer = dav.get("f", headers={"If-None-Match": value})
        assert answer.status_code == 304, value
        assert answer.content == b"" and answer.headers["etag"] == etag
        assert dav.head("f", headers={"If-None-Match": value}).status_code == 304
    assert dav.get("f", headers={"If-None-Match": '"other"'}).status_code == 200
    assert dav.get("f", headers={"If-None-Match": '"other", W/"more"'}).status_code == 200


def test_if_modified_since(dav):
    dav.make("f")
    date = dav.head("f").headers["last-modified"]
    get = lambda value, **more: dav.get("f", headers={"If-Modified-Since": value, **more}).status_code
    assert get(date) == 304
    assert get(shifted(date, 3600)) == 304
    assert get(shifted(date, -3600)) == 200
    assert get("not a date") == 200
    assert get(date, **{"If-None-Match": '"other"'}) == 200, "If-None-Match goes before"


def test_if_match_and_if_unmodified_since(dav):
    etag = dav.make("f")
    date = dav.head("f").headers["last-modified"]
    get = lambda **headers: (
        dav.get("f", headers={name.replace("_", "-"): value for name, value in headers.items()}).status_code
    )
    assert get(If_Match=etag) == 200
    assert get(If_Match=f'"x", {etag}') == 200
    assert get(If_Match="*") == 200
    assert get(If_Match='"other"') == 412
    assert get(If_Match=f"W/{etag}") == 412, "the comparison is strong"
    assert get(If_Unmodified_Since=date) == 200
    assert get(If_Unmodified_Since=shifted(date, -3600)) == 412
    assert get(If_Unmodified_Since=shifted(date, -3600), If_Match=etag) == 200, "If-Match goes before"


def test_a_precondition_goes_before_a_range(dav):
    etag = dav.make("f", b"0123456789")
    assert dav.get("f", headers={"Range": "bytes=0-1", "If-None-Match": etag}).status_code == 304
    assert dav.get("f", headers={"Range": "bytes=0-1", "If-Match": '"other"'}).status_code == 412


def policy_of(answer) -> dict[str, str]:
    """The directives of Content-Security-Policy."""
    return dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))


@pytest.mark.parametrize(
    "name, declared, told",
    [
        ("f.txt", None, "text/plain; charset=utf-8"),
        ("f.md", None, "text/markdown; charset=utf-8"),
        ("f.csv", "text/csv", "text/csv; charset=utf-8"),
        ("f.bin", "text/x-odd", "text/x-odd; charset=utf-8"),
        ("f.bin", "text/x-odd; charset=koi8-r", "text/x-odd; charset=koi8-r"),
        # What tells its encoding itself, is not overruled.
        ("f.html", None, "text/html"),
        ("f.xml", None, "text/xml"),
        ("f.svg", None, "image/svg+xml"),
        ("f.json", None, "application/json"),
        ("f.bin", None, "application/octet-stream"),
        # A name that browsers know.
        ("f.m4a", None, "audio/mp4"),
    ],
)
def test_text_is_utf_8_where_nobody_has_said_otherwise(dav, rest, name, declared, told):
    dav.put(name, content=b"text", headers={"Content-Type": declared} if declared else {})
    assert dav.get(name).headers["content-type"] == told
    [file] = rest.files()
    assert rest.get(f"files/{file['id']}/download").headers["content-type"] == told
    known = told if declared and "charset" in declared else told.partition(";")[0]
    assert file["mimeType"] == known, "the type that clients compare is as it was"
    assert dav.stat(name).text("getcontenttype") == known


@pytest.mark.parametrize("name", ["f.html", "f.svg", "f.xml", "f.png", "f.txt", "f.bin", "f.xhtml", "f.js"])
def test_what_is_stored_runs_no_script_and_reaches_nothing(dav, name):
    dav.make(name)
    answer = dav.get(name)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert policy_of(answer) == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "font-src": "data:",
        "sandbox": "",
    }


@pytest.mark.parametrize("name", ["f.mp4", "f.webm", "f.mp3", "f.wav", "f.ogg", "f.m4a", "f.flac", "f.pdf"])
def test_what_a_browser_plays_may_be_fetched_by_its_player_alone(dav, name):
    """A sandbox would keep the login from the player, and Safari from showing a PDF."""
    dav.make(name)
    answer = dav.get(name)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("inline")
    assert policy_of(answer) == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "media-src": "'self'",
        "form-action": "'none'",
    }


@pytest.mark.parametrize("declared", ["video/mp4; a=b, text/html", "application/pdf; x=\",\", text/html"])
def test_a_type_that_hides_another_is_no_film(dav, declared):
    """A browser takes the last type of a list."""
    dav.put("f", content=b"<script>alert(1)</script>", headers={"Content-Type": declared})
    assert "sandbox" in policy_of(dav.get("f"))


def test_a_folder_is_a_plain_html_list(dav):
    dav.folder("d")
    dav.folder("d/sub")
    dav.make("d/a%20%26%20%3Cb%3E.txt")
    answer = dav.get("d/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "sub/" in answer.text
    assert "<b>" not in answer.text and "a &amp; &lt;b" in answer.text
    assert "%3Cb%3E.txt" in answer.text
    assert dav.head("d/").status_code == 200
    assert dav.head("d/").content == b""


def test_folders_come_first_and_sizes_are_readable(dav):
    dav.folder("b")
    dav.folder("Z")
    dav.make("a.bin", bytes(1_234_567))
    dav.make("C.txt", b"1")
    page = dav.get("").text
    places = [page.index(f">{name}</a>") for name in ("b/", "Z/", "a.bin", "C.txt")]
    assert places == sorted(places)
    assert 'title="1,234,567 bytes">1.2 MB<' in page and 'title="1 bytes">1 B<' in page
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT[\d:.]+Z">\d{4}-\d\d-\d\d \d\d:\d\d</time>', page)


def test_an_empty_folder_says_so(dav):
    assert "Nothing is here yet" in dav.get("").text
    dav.make("f")
    assert "Nothing is here yet" not in dav.get("").text


def test_the_root_lists_too(dav):
    dav.make("hello.txt")
    assert "hello.txt" in dav.get("").text


def test_hostile_names_do_no_harm_in_the_list(dav):
    for name in ("%22%20onmouseover=%22alert(1)", "javascript%3Aalert(1)", "%3Cscript%3Ealert(1)"):
        assert dav.put(name, content=b"x").status_code == 201
    page = dav.get("").text
    assert "<script" not in page
    assert '" onmouseover' not in page
    assert 'href="javascript:' not in page


def test_what_was_uploaded_as_html_cannot_act_as_a_page_of_the_drive(dav):
    """A browser that is signed in by Basic must not run a stored script in the drive's name."""
    dav.put("evil.html", content=b"<script>alert(1)</script>", headers={"Content-Type": "text/html"})
    headers = dav.get("evil.html").headers
    assert headers.get("x-content-type-options") == "nosniff"
    policy = headers.get("content-security-policy", "")
    assert "sandbox" in policy or headers.get("content-disposition", "").startswith("attachment")

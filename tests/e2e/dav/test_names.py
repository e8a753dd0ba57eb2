"""Which names files may have, and how they travel in URLs (RFC 3986) and XML."""

import unicodedata
from urllib.parse import quote, unquote

import pytest

from support.multistatus import Multistatus, parse
from support.raw import request

NAMES = [
    "plain.txt",
    " leading and trailing ",
    "two  spaces",
    "100%",
    "%41",
    "%2F",
    "a#b",
    "a?b=c&d",
    "a+b",
    "a;b,c:d@e!f$g'h(i)*j=k~l",
    "a&amp;b<c>\"d'",
    "[brackets]{braces}|pipe^`",
    "back\\slash",
    ".hidden",
    "...",
    "dots...",
    "-dash",
    "Кириллица",
    "日本語",
    "العربية",
    "🦀 краб 🎉",
    "👩‍👩‍👧",
    unicodedata.normalize("NFC", "ñandú"),
    "\u200bzero\u200bwidth",
    "CON",
    "null",
    "undefined",
    "1",
    "a" * 255,
    "й" * 127,
    "🦀" * 63,
]


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:30] for name in NAMES])
def test_a_name_makes_the_round_trip(dav, rest, name):
    path = quote(name, safe="")
    assert dav.put(path, content=name.encode()).status_code == 201
    assert dav.get(path).content == name.encode()
    [_, file] = dav.list("", "1")
    assert unquote(file.href.removeprefix("/dav/")) == name
    assert file.text("displayname") == name
    assert dav.request("GET", file.href.removeprefix("/dav/")).content == name.encode()
    assert rest.files()[0]["name"] == name
    assert dav.mkcol("d").status_code == 201
    assert dav.move(path, f"d/{path}").status_code == 201
    assert dav.get(f"d/{path}").content == name.encode()
    assert dav.delete(f"d/{path}").status_code == 204


def test_hrefs_are_uris(dav):
    dav.make(quote('ä b%c#d?e"f<g>&h\\i^j`k{l}|', safe=""))
    href = dav.list("", "1").hrefs[1]
    assert all(letter.isascii() and letter not in ' "<>#?\\^`{}|' for letter in href), href
    assert parse(dav.propfind("", "1").content) is not None


def test_unreserved_letters_need_no_encoding(dav):
    dav.make("a-b.c_d~e")
    assert dav.list("", "1").hrefs[1] == "/dav/a-b.c_d~e"
    assert dav.get("%61-b%2Ec%5fd%7Ee").status_code == 200


def test_composed_and_decomposed_letters_are_different_names(dav):
    for form in ("NFC", "NFD"):
        dav.make(quote(unicodedata.normalize(form, "é")), form.encode())
    assert dav.get(quote(unicodedata.normalize("NFC", "é"))).content == b"NFC"
    assert dav.get(quote(unicodedata.normalize("NFD", "é"))).content == b"NFD"


def test_case_matters(dav):
    dav.make("a", b"small")
    dav.make("A", b"large")
    assert dav.get("a").content == b"small" and dav.get("A").content == b"large"


BAD = {
    "slash": "a%2Fb",
    "slash in lower case": "a%2fb",
    "only a slash": "%2F",
    "NUL": "a%00b",
    "256 bytes": "a" * 256,
    "256 bytes of two-byte letters": "%D0%B9" * 128,
    "a byte that is no UTF-8": "a%FFb",
    "a lone continuation": "%80",
    "an overlong slash": "%C0%AF",
    "a surrogate": "%ED%A0%80",
    "beyond Unicode": "%F4%90%80%80",
    "cut UTF-8": "%D0",
    "no hex": "%zz",
    "one digit": "%4",
    "a bare percent": "100%",
    "percent percent": "%%20",
}


# RFC 3986, 5.2.4 lets whoever parses a URL remove these, and runtimes do before we see them; in a header
# they arrive as they are.
DOTS = {"dot": "%2E", "dot dot": "%2e%2e", "dot dot, half encoded": ".%2E", "plain dot": ".", "plain dot dot": ".."}


@pytest.mark.parametrize("method", ["PUT", "MKCOL", "GET", "PROPFIND", "LOCK", "DELETE", "PROPPATCH"])
@pytest.mark.parametrize("name", BAD.values(), ids=BAD.keys())
def test_a_bad_name_is_400(server, dav, method, name):
    dav.make("neighbour")
    body = b"x" if method == "PUT" else b""
    answer = request(server.url, method, f"/dav/{name}", dav.token, {"Depth": "0", "Content-Length": len(body)}, body)
    assert answer is not None and answer.status == 400, answer
    assert dav.names() == {"neighbour"}


@pytest.mark.parametrize("name", BAD.values(), ids=BAD.keys())
def test_a_bad_name_in_the_middle_is_400(server, dav, name):
    dav.folder("d")
    answer = request(server.url, "PUT", f"/dav/d/{name}/f", dav.token, {"Content-Length": 1}, b"x")
    assert answer is not None and answer.status == 400, answer
    assert dav.names("d/") == set()


@pytest.mark.parametrize("name", DOTS.values(), ids=DOTS.keys())
def test_dots_make_nothing_and_lead_nowhere_else(server, dav, name):
    dav.folder("d")
    dav.make("d/f", b"f")
    for method in ("PUT", "MKCOL", "PROPFIND", "LOCK", "DELETE"):
        for target in (f"/dav/{name}", f"/dav/{name}/{name}", f"/dav/{name}/x"):
            body = b"x" if method == "PUT" else b""
            answer = request(server.url, method, target, dav.token, {"Depth": "0", "Content-Length": len(body)}, body)
            assert answer is not None and answer.status < 500, (method, target, answer)
    assert request(server.url, "PUT", f"/dav/d/{name}", dav.token, {"Content-Length": 1}, b"x").status in (400, 405)
    for resource in dav.list("", "infinity")[1:]:
        assert resource.text("displayname") not in (".", "..")
    assert dav.get("d/f").content == b"f"


@pytest.mark.parametrize("name", [*BAD.values(), *DOTS.values()], ids=[*BAD.keys(), *DOTS.keys()])
def test_a_bad_name_as_destination_is_400(server, dav, name):
    dav.make("f")
    for method in ("COPY", "MOVE"):
        answer = request(server.url, method, "/dav/f", dav.token, {"Destination": f"/dav/{name}", "Content-Length": 0})
        assert answer is not None and answer.status == 400, answer
    assert dav.names() == {"f"}


@pytest.mark.parametrize(
    "target", [b"/dav/\xff", b"/dav/\xd0\xb9", b"/dav/a\\b", b'/dav/a"b', b"/dav/<a>", b"/dav/a|b"]
)
def test_letters_that_should_have_been_encoded_do_no_harm(server, dav, target):
    answer = request(server.url, "PUT", target, dav.token, {"Content-Length": 1}, b"x")
    assert answer is None or answer.status in (201, 400, 409)
    for resource in dav.list("", "1")[1:]:
        assert dav.get(resource.href.removeprefix("/dav/")).content == b"x"


@pytest.mark.parametrize("name", ["%01", "%0A", "%0D", "%1B", "%7F", "%C2%85", "%EF%BF%BE", "%EF%BF%BF", "%E2%80%AE"])
def test_letters_that_xml_cannot_hold_are_refused_or_shown_somehow(server, dav, name):
    answer = request(server.url, "PUT", f"/dav/a{name}b", dav.token, {"Content-Length": 1}, b"x")
    assert answer is not None and answer.status in (201, 400)
    listing = dav.propfind("", "1")
    assert listing.status_code == 207
    resources = Multistatus(listing.content)[1:]
    assert len(resources) == (answer.status == 201)
    for resource in resources:
        assert dav.get(resource.href.removeprefix("/dav/")).content == b"x"
    assert dav.get("").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["/dav//", "/dav//a", "/dav/d//f", "/dav/d/f//", "//dav/d/f", "/dav/d/./f", "/dav/d/../d/f", "/dav/../dav/d/f"],
)
def test_empty_and_dotted_segments_do_no_harm(server, dav, target):
    dav.folder("d")
    dav.make("d/f", b"f")
    for method in ("GET", "PROPFIND", "DELETE"):
        answer = request(server.url, method, target, dav.token, {"Depth": "0"})
        assert answer is not None and answer.status < 500, (method, answer)
    assert dav.names() <= {"d/"}


def test_a_query_is_not_part_of_the_name(dav):
    dav.make("f", b"f")
    assert dav.get("f?x=1").content == b"f"


def test_a_very_long_path_is_refused_or_served(server, dav):
    path = "/".join(["a" * 200] * 150)
    answer = request(server.url, "GET", f"/dav/{path}", dav.token)
    assert answer is None or answer.status in (400, 404, 414, 431)
    answer = request(server.url, "PROPFIND", "/dav/" + "a/" * 2000, dav.token, {"Depth": "0"})
    assert answer is None or answer.status in (400, 404, 414)

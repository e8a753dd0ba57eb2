"""Which names files may have, and how they travel in URLs (RFC 3986) and XML."""

import base64
import unicodedata
from urllib.parse import quote, unquote

import pytest

from support.dav import search_body
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


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "é한") for form in ("NFC", "NFD"))


def _put(account, dav, path):
    dav.put(path, content=b"x")


def _mkcol(account, dav, path):
    dav.mkcol(path)


def _copy(account, dav, path):
    dav.make("source")
    dav.copy("source", path)
    dav.delete("source")


def _lock(account, dav, path):
    dav.unlock(path, dav.locked(path))


def _rest_file(account, dav, path):
    account.rest().upload(unquote(path), b"x")


def _rest_folder(account, dav, path):
    account.rest().mkdir(unquote(path))


def _rest_rename(account, dav, path):
    rest = account.rest()
    rest.patch(f"files/{rest.upload('source', b'x')['id']}", json={"name": unquote(path)})


def _bulk(account, dav, path):
    part = f"--b\r\nX-File-Path: /{unquote(path)}\r\nContent-Length: 1\r\n\r\nx\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/related; boundary=b"}
    account.dav(mount="/remote.php/dav/").post("bulk", content=part.encode(), headers=headers)


def _tus(account, dav, path):
    metadata = f"filename {base64.b64encode(unquote(path).encode()).decode()}"
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": metadata}
    dav.post("", content=b"x", headers={**headers, "Content-Type": "application/offset+octet-stream"})


def _chunks(account, dav, path):
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    chunks.mkcol("u")
    chunks.put("u/1", content=b"x")
    chunks.request("MOVE", "u/.file", headers={"Destination": dav.absolute(path)})


def _old_chunks(account, dav, path):
    dav.put(f"{path}-chunking-1-1-0", content=b"x", headers={"OC-Chunked": "1"})


DOORS = [_put, _mkcol, _copy, _lock, _rest_file, _rest_folder, _rest_rename, _bulk, _tus, _chunks, _old_chunks]


@pytest.mark.parametrize("enter", DOORS, ids=[door.__name__.strip("_") for door in DOORS])
def test_composed_and_decomposed_letters_are_one_name(account, dav, enter):
    """As in Nextcloud: macOS writes the one and takes both for the same."""
    enter(account, dav, quote(DECOMPOSED))
    [resource] = dav.list("", "1")[1:]
    assert resource.text("displayname") == COMPOSED
    assert unquote(resource.href).rstrip("/") == f"/dav/{COMPOSED}"
    for form in (COMPOSED, DECOMPOSED):
        assert dav.propfind(quote(form)).status_code == 207
        assert dav.mkcol(quote(form)).status_code == 405
    assert dav.move(quote(DECOMPOSED), "plain").status_code == 201
    assert not dav.exists(quote(COMPOSED))


def test_a_search_finds_a_name_in_either_form(dav):
    dav.make(quote(COMPOSED))
    for form in (COMPOSED, DECOMPOSED):
        for operator, literal in (("eq", form), ("like", f"%{form}%")):
            where = f"<d:{operator}><d:prop><d:displayname/></d:prop><d:literal>{literal}</d:literal></d:{operator}>"
            answer = dav.search("", search_body(where, None))
            assert len(Multistatus(answer.content)) == 1, (operator, form)


NO_UTF8 = {"é in Latin-1": b"caf\xe9", "è in Latin-1": b"caf\xe8", "a lone continuation": b"caf\x80", "cut": b"caf\xc3"}


def is_utf8(name: bytes) -> bool:
    try:
        return bool(name.decode())
    except UnicodeDecodeError:
        return False


@pytest.mark.parametrize("mount", ["/dav/", "/remote.php/dav/files/{login}/"])
@pytest.mark.parametrize("name", NO_UTF8.values(), ids=NO_UTF8.keys())
def test_a_destination_that_is_no_utf8_is_400(account, dav, name, mount):
    """Python's HTTP libraries write headers in Latin-1. What a runtime makes of that would be one name for all. Spin takes no
    such header: it answers 500 by itself."""
    refused = (400,) if is_utf8(name) else (400, 500)
    drive = account.dav(mount=mount.format(login=account.login))
    dav.make("f")
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    chunks.mkcol("u")
    chunks.put("u/1", content=b"x")
    dav.make("g")
    dav.delete("g")
    trash = account.dav(mount=f"/remote.php/dav/trashbin/{account.login}/trash/")
    [item] = trash.names()
    headers = {"Destination": drive.absolute("").encode() + name}
    for client, method, path in ((drive, "COPY", "f"), (drive, "MOVE", "f"), (chunks, "MOVE", "u/.file"), (trash, "MOVE", item)):
        assert client.request(method, path, headers=headers).status_code in refused, method
    tagged = {"If": b"<" + headers["Destination"] + b'> (Not ["x"])'}
    assert drive.put("f", content=b"x", headers=tagged).status_code in refused
    assert dav.names() == {"f"}


def test_a_destination_in_plain_utf8_is_taken_as_meant(dav):
    dav.make("f")
    assert dav.request("COPY", "f", headers={"Destination": dav.absolute("").encode() + "a é".encode()}).status_code == 201
    assert dav.get(quote("a é")).status_code == 200


@pytest.mark.parametrize("destination", ["/dav/d\\x", "/dav/\\x", "\\dav\\x", "/dav\\x"])
def test_a_backslash_in_a_destination_is_400(dav, destination):
    """In a path, runtimes take it for a slash; in a header, it would be a part of the name."""
    dav.folder("d")
    dav.make("f")
    for method in ("COPY", "MOVE"):
        assert dav.request(method, "f", headers={"Destination": destination}).status_code in (400, 502)
    assert dav.put("f", content=b"x", headers={"If": f'<{destination}> (Not ["x"])'}).status_code in (204, 400)
    assert dav.names() == {"d/", "f"} and dav.names("d/") == set()
    assert dav.copy("f", "d%5Cx").status_code == 201, "encoded, it is a name"
    assert dav.names() == {"d/", "f", "d%5Cx"}


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

"""What holds for every answer, whatever was asked and whatever became of it."""

import os
import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from support.raw import Connection, request
from support.rest import Rest

ORIGIN = os.environ.get("EDGEDRIVE_CORS_ORIGIN", "")
REQUESTS = [
    ("GET", "/", 200),
    ("GET", "/healthz", 200),
    ("GET", "/status.php", 200),
    ("GET", "/204", 204),
    ("GET", "/none", 404),
    ("GET", "/api/v1/me", 200),
    ("GET", "/api/v1/files/0", 404),
    ("POST", "/api/v1/me", 405),
    ("POST", "/api/v1/folders", 400),
    ("OPTIONS", "/api/v1/uploads", 204),
    ("HEAD", "/api/v1/uploads/none", 412),
    ("GET", "/ocs/v2.php/cloud/capabilities?format=json", 200),
    ("GET", "/graph/v1.0/me", 200),
    ("GET", "/dav/", 200),
    ("HEAD", "/dav/", 200),
    ("OPTIONS", "/dav/", 200),
    ("PROPFIND", "/dav/", 207),
    ("GET", "/dav/none", 404),
    ("PUT", "/dav/none/f", 409),
    ("PUT", "/dav/f", 201),
    ("DELETE", "/dav/none", 404),
    ("MKCOL", "/dav/d", 201),
    ("GET", "/.well-known/webdav", 301),
]


def parameters(*more):
    return pytest.mark.parametrize("method, path, status", [*REQUESTS, *more], ids=lambda value: str(value).replace("/", "_"))


@parameters()
def test_an_answer_tells_its_date_once(server, account, method, path, status):
    client = Rest(server.url, account.token(), base="")
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    [date] = answer.headers.get_list("date")
    assert abs(parsedate_to_datetime(date).timestamp() - time.time()) < 60
    client.close()


def test_the_date_moves_on(server):
    dates = lambda: parsedate_to_datetime(httpx.get(server.url + "/healthz").headers["date"])  # noqa: E731
    first = dates()
    for _ in range(50):
        if dates() > first:
            return
        time.sleep(0.1)
    raise AssertionError("the date stands still")


@pytest.mark.parametrize("path", ["/204", "/index.php/204"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nextclouds_app_sees_that_there_is_no_page_in_between(server, path, method):
    answer = request(server.url, method, path, None)
    assert answer.status == 204 and answer.body == b""


TEXT = b"0123456789" * 2000


@pytest.mark.parametrize("name, mime", [("f.txt", "text/plain"), ("f.html", "text/html"), ("f.json", "application/json")])
def test_nothing_on_the_way_compresses_a_file(server, account, name, mime):
    """A range is of the bytes that are stored, and who resumes a download counts them."""
    account.dav().put(name, content=TEXT, headers={"Content-Type": mime})
    client = Rest(server.url, account.token(), base="/dav/")
    client.headers["Accept-Encoding"] = "gzip, deflate, br"
    whole, head = client.get(name), client.head(name)
    part = client.get(name, headers={"Range": "bytes=100-4099"})
    assert (whole.status_code, head.status_code, part.status_code) == (200, 200, 206)
    for answer, length in ((whole, len(TEXT)), (head, len(TEXT)), (part, 4000)):
        assert "content-encoding" not in answer.headers
        assert answer.headers["content-length"] == str(length)
    assert whole.content == TEXT and part.content == TEXT[100:4100]
    assert head.headers["etag"] == whole.headers["etag"] == part.headers["etag"]
    client.close()


def test_nothing_on_the_way_rewrites_where_an_upload_is(server, account):
    """A proxy that ends TLS passes Host on, and perhaps nothing else."""
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": "filename Zg==", "Content-Length": 0}
    with Connection(server.url) as connection:
        connection.host = "drive.example.com"
        connection.send_head("POST", "/api/v1/uploads", account.token(), headers)
        answer = connection.answer()
    assert answer.status == 201 and answer.headers["location"].startswith("https://drive.example.com/api/v1/uploads/")


# --- programs of other origins in a browser (the server of these tests has CORS_ORIGINS) ---

EXPOSED = {"etag", "location", "upload-offset", "tus-resumable", "oc-etag", "oc-fileid", "dav", "lock-token", "x-hash-md5", "content-range"}
needs_cors = pytest.mark.skipif(not ORIGIN, reason="the server has no CORS_ORIGINS")


def preflight(server, path, method, origin=ORIGIN, token=None):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,depth,tus-resumable",
    }
    return Rest(server.url, token, base="").options(path, headers=headers)


def words(answer, header: str) -> set[str]:
    return {word.strip().lower() for word in answer.headers.get(header, "").split(",")}


@needs_cors
@pytest.mark.parametrize(
    "path, method",
    [
        ("/api/v1/files", "POST"),
        ("/api/v1/files/1", "PATCH"),
        ("/api/v1/uploads", "POST"),
        ("/api/v1/uploads/1", "PATCH"),
        ("/dav/", "PROPFIND"),
        ("/dav/f", "PUT"),
        ("/remote.php/dav/files/me/f", "MOVE"),
        ("/ocs/v2.php/cloud/user", "GET"),
        ("/graph/v1.0/me", "GET"),
        ("/login/v2/poll", "POST"),
    ],
)
def test_a_preflight_needs_no_token(server, path, method):
    answer = preflight(server, path, method)
    assert answer.status_code == 204 and answer.content == b""
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "origin" in words(answer, "vary")
    assert method.lower() in words(answer, "access-control-allow-methods")
    assert words(answer, "access-control-allow-headers") == {"authorization", "depth", "tus-resumable"}
    assert "access-control-allow-credentials" not in answer.headers, "a browser sends nothing by itself"


@needs_cors
@parameters(("GET", "/dav/none/", 404), ("POST", "/api/v1/uploads", 412), ("PATCH", "/api/v1/uploads/x", 412))
def test_a_program_of_that_origin_may_read_every_answer(server, account, method, path, status):
    client = Rest(server.url, account.token(), base="")
    answer = client.request(method, path, headers={"Origin": ORIGIN})
    assert answer.status_code == status
    assert answer.headers.get_list("access-control-allow-origin") == [ORIGIN]
    assert "origin" in words(answer, "vary") and EXPOSED <= words(answer, "access-control-expose-headers")
    client.close()
    refused = httpx.request(method, server.url + path, headers={"Origin": ORIGIN, "Authorization": "Bearer ocl_wrong"})
    assert refused.headers["access-control-allow-origin"] == ORIGIN, refused.status_code


@needs_cors
@pytest.mark.parametrize("origin", ["https://evil.example", "null", ORIGIN + ".evil.example", ORIGIN + "/", ORIGIN.upper(), ""])
def test_no_other_origin_may(server, account, origin):
    assert preflight(server, "/dav/", "PROPFIND", origin).status_code == 401
    answer = Rest(server.url, account.token()).get("me", headers={"Origin": origin})
    assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers
    assert "origin" in words(answer, "vary"), "no cache may give it to another"


EVIL = "https://evil.example"


@pytest.mark.parametrize("site, origin", [("cross-site", EVIL), ("same-site", EVIL), ("cross-site", "null"), ("cross-site", None)])
@pytest.mark.parametrize("method, path", [("POST", "/api/v1/files"), ("POST", "/api/v1/tokens"), ("PUT", "/dav/f"), ("DELETE", "/dav/d")])
def test_a_page_of_another_origin_changes_nothing_with_the_login_that_the_browser_remembers(account, site, origin, method, path):
    """What a form sends, and what no form sends: a browser adds the remembered password to both."""
    dav, token = account.dav(), account.token()
    dav.folder("d")
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"} | ({"Origin": origin} if origin else {})
    body = {"files": {"file": ("f", b"forged")}} if path.endswith("files") else {"content": b"{}"}
    answer = httpx.request(method, account.server.url + path, headers=headers, auth=("me", token), **body)
    assert answer.status_code == 403, answer.text
    assert dav.names() == {"d/"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "chrome-extension://abcdef"},
        pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN}, marks=needs_cors),
    ],
)
def test_whoever_sends_a_password_himself_may_change_things(account, headers):
    answer = httpx.put(account.server.url + "/dav/f", headers=headers, auth=("me", account.token()), content=b"x")
    assert answer.status_code == 201, answer.text


@needs_cors
def test_options_without_the_headers_of_a_preflight_is_what_it_was(server, dav):
    assert httpx.options(server.url + "/dav/", headers={"Origin": ORIGIN}).status_code == 401
    answer = dav.request("OPTIONS", "", headers={"Origin": ORIGIN})
    assert answer.status_code == 200 and answer.headers["dav"].startswith("1, 2")

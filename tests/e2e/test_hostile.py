"""Clients that lie, vanish or send nonsense. Nothing of theirs becomes visible, and the server
serves the next one."""

import os
import time

import pytest

from support.raw import Connection, request
from support.rest import Rest
from support.state import objects

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def still_alive(server, dav, rest):
    """Whatever a test did, the drive answers afterwards."""
    yield
    assert dav.propfind().status_code == 207
    dav.make("still-alive", b"yes")
    assert dav.get("still-alive").content == b"yes"
    assert rest.get("me").status_code == 200


def settled(dav, rest, names: set[str], used: int):
    """For a moment after the client has gone, and at its end, the drive holds just this."""
    for _ in range(5):
        assert dav.names() == names
        assert rest.used() == used
        time.sleep(0.1)


@pytest.mark.parametrize("announced, sent", [(1000, 0), (1000, 999), (10 * MIB, 5 * MIB), (20 * MIB, 20 * MIB - 1)])
@pytest.mark.parametrize("ending", ["half-close", "close"])
def test_a_body_shorter_than_announced_is_not_stored(server, dav, rest, announced, sent, ending):
    with Connection(server.url) as connection:
        connection.send_head("PUT", "/dav/f", dav.token, {"Content-Length": announced})
        connection.send(os.urandom(sent))
        if ending == "half-close":
            connection.end()
            answer = connection.answer()
            assert answer is None or answer.status >= 400, answer
    settled(dav, rest, set(), 0)


def test_a_short_overwrite_leaves_the_file_as_it_was(server, dav, rest):
    etag = dav.make("f", b"before")
    with Connection(server.url) as connection:
        connection.send_head("PUT", "/dav/f", dav.token, {"Content-Length": 2 * MIB})
        connection.send(b"x" * MIB)
    settled(dav, rest, {"f"}, 6)
    assert dav.get("f").content == b"before" and dav.head("f").headers["etag"] == etag


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n",
        b"5\r\nhel",
        b"zz\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloworld\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"100000\r\n" + b"x" * MIB,
    ],
    ids=["no end", "cut chunk", "no hex", "negative", "too long a chunk", "overflow", "a mebibyte and no end"],
)
def test_broken_chunks_are_not_stored(server, dav, rest, body):
    with Connection(server.url) as connection:
        connection.send_head("PUT", "/dav/f", dav.token, {"Transfer-Encoding": "chunked"})
        connection.send(body)
        connection.end()
        answer = connection.answer()
        assert answer is None or answer.status >= 400, answer
    settled(dav, rest, set(), 0)


def test_a_large_chunked_upload_that_breaks_off_is_not_stored(server, dav, rest):
    """Past the first parts of a multipart upload."""
    with Connection(server.url) as connection:
        connection.send_head("PUT", "/dav/f", dav.token, {"Transfer-Encoding": "chunked"})
        piece = b"%x\r\n" % MIB + os.urandom(MIB) + b"\r\n"
        for _ in range(20):
            connection.send(piece)
    settled(dav, rest, set(), 0)


def test_a_client_that_vanishes_during_a_form_leaves_nothing(server, dav, rest):
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": 5 * MIB}
    with Connection(server.url) as connection:
        connection.send_head("POST", "/api/v1/files", dav.token, headers)
        connection.send(b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + b"x" * (2 * MIB))
    settled(dav, rest, set(), 0)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "-1"},
        {"Content-Length": "abc"},
        {"Content-Length": "5, 6"},
        {"Content-Length": "+5"},
        {"Content-Length": "5", "Transfer-Encoding": "chunked"},
        {"Content-Length": "99999999999999999999999"},
        {"Transfer-Encoding": "gzip, identity"},
    ],
)
def test_lengths_that_make_no_sense(server, dav, rest, headers):
    answer = request(server.url, "PUT", "/dav/f", dav.token, headers, b"hello")
    assert answer is None or answer.status >= 400 or dav.get("f").content in (b"", b"hello")
    assert rest.used() in (0, 5)


def test_what_follows_the_announced_length_is_not_part_of_the_file(server, dav):
    answer = request(server.url, "PUT", "/dav/f", dav.token, {"Content-Length": 5}, b"hello and more")
    assert answer.status == 201
    assert dav.get("f").content == b"hello"


@pytest.fixture
def small(server):
    """An account of 1,000 bytes."""
    account = server.account(quota=1000)
    yield account
    account.close()


def nothing_was_stored(account, send, status):
    """The answer is `status`, and not even a blob that nobody sees was written, where a test can look."""
    before = objects().sizes() if os.environ.get("EDGEDRIVE_STATE") else None
    answer = send()
    assert answer is not None and answer.status == status, answer
    assert account.dav().names() == set() and account.rest().used() == 0
    if before is not None:
        assert objects().sizes() == before


@pytest.mark.parametrize("length", [1001, 3 * MIB])
def test_over_quota_is_refused_before_a_byte_is_stored(server, small, length):
    token = small.token()
    nothing_was_stored(small, lambda: request(server.url, "PUT", "/dav/f", token, {}, b"x" * length), 507)


def test_over_quota_by_the_expected_length_is_refused_before_a_byte_is_stored(server, small):
    headers = {"Transfer-Encoding": "chunked", "X-Expected-Entity-Length": str(MIB)}
    body = b"%x\r\n" % MIB + b"x" * MIB + b"\r\n0\r\n\r\n"
    token = small.token()
    nothing_was_stored(small, lambda: request(server.url, "PUT", "/dav/f", token, headers, body), 507)


def test_a_form_over_quota_is_refused_before_a_byte_is_stored(server, small):
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + b"x" * MIB + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    token = small.token()
    nothing_was_stored(small, lambda: request(server.url, "POST", "/api/v1/files", token, headers, body), 413)


@pytest.mark.parametrize("length", [10**10, 2**53, 2**63 - 1, 2**64])
def test_an_enormous_length_stores_nothing(server, small, length):
    with Connection(server.url) as connection:
        connection.send_head("PUT", "/dav/f", small.token(), {"Content-Length": length})
        try:
            connection.send(b"x" * MIB)
            connection.end()
        except OSError:
            pass  # the server has closed
        answer = connection.answer()
        assert answer is None or answer.status >= 400, answer
    assert small.dav().names() == set() and small.rest().used() == 0


TOO_GREAT = [2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30]


@pytest.mark.parametrize("number", TOO_GREAT)
def test_a_number_that_no_database_can_hold_is_refused_before_a_byte_is_stored(server, account, number):
    """Wherever a client may say one: in headers, paths and JSON."""
    token, login = account.token(), account.login
    dav, rest = account.dav(token), account.rest(token)
    chunks = f"/remote.php/dav/uploads/{login}"
    assert dav.request("MKCOL", f"{server.url}{chunks}/u").status_code == 201
    total, tus = {"OC-Total-Length": str(number)}, {"Tus-Resumable": "1.0.0"}
    destination = {"Destination": f"{server.url}/remote.php/dav/files/{login}/f"}
    octets = {**tus, "Content-Type": "application/offset+octet-stream"}
    known = rest.post("uploads", headers={**tus, "Upload-Defer-Length": "1", "Upload-Metadata": "filename Zg=="})
    upload = known.headers["location"].removeprefix(server.url)
    stored = objects().sizes() if os.environ.get("EDGEDRIVE_STATE") else None
    for method, path, headers, status in [
        ("PUT", "/dav/f", total, 400),
        ("PUT", "/dav/f-chunking-1-2-0", {**total, "OC-Chunked": "1"}, 400),
        ("PUT", f"/dav/f-chunking-1-{number}-0", {"OC-Chunked": "1"}, 400),
        ("PUT", f"/dav/f-chunking-1-2-{number}", {"OC-Chunked": "1"}, 400),
        ("MKCOL", f"{chunks}/v", total, 400),
        ("PUT", f"{chunks}/u/1", total, 400),
        ("PUT", f"{chunks}/u/{number}", {}, 400),
        ("PUT", f"{chunks}/u/{number}-{number + 5}", {}, 400),
        ("MOVE", f"{chunks}/u/.file", {**destination, **total}, 400),
        ("POST", "/api/v1/uploads", {**tus, "Upload-Length": str(number), "Upload-Metadata": "filename Zg=="}, 400),
        ("PATCH", upload, {**octets, "Upload-Offset": str(number)}, 400),
        ("PATCH", upload, {**octets, "Upload-Offset": "0", "Upload-Length": str(number)}, 400),
        ("GET", f"/api/v1/files/{number}", {}, 404),
        ("GET", f"/api/v1/folders?parentId={number}", {}, 404),
        ("GET", f"/api/v1/files?limit={number}", {}, 400),
        ("DELETE", f"/api/v1/trash/{number}", {}, 404),
        ("DELETE", f"/api/v1/tokens/{number}", {}, 404),
        ("GET", f"/f/{number}", {}, 404),
        ("PROPFIND", f"/remote.php/dav/versions/{login}/versions/{number}", {}, 404),
        ("DELETE", f"/remote.php/dav/trashbin/{login}/trash/x.d{number}", {}, 404),
    ]:
        body = b"x" if method in ("PUT", "PATCH") else b""
        answer = request(server.url, method, path, token, headers, body)
        assert answer is not None and answer.status == status, (method, path, answer)
    headers = {"Transfer-Encoding": "chunked", "X-Expected-Entity-Length": str(number)}
    answer = request(server.url, "PUT", "/dav/f", token, headers, b"1\r\nx\r\n0\r\n\r\n")
    assert answer is None or answer.status == 400, answer
    assert dav.names() == set() and rest.used() == 0
    assert stored is None or objects().sizes() == stored, "not even a blob that nobody sees"
    for part in ({"name": "t", "scopes": ["read"], "expiresInDays": number}, {"name": "d", "parentId": str(number)}):
        path = "tokens" if "scopes" in part else "folders"
        assert rest.post(path, json=part).status_code in (400, 404, 422)
    assert server.admin.patch(f"accounts/{account.id}", json={"quota": number}).status_code == 422


@pytest.mark.parametrize("number", [2**53, 2**53 - 1])
def test_the_greatest_number_is_none_too_great(server, account, number):
    dav, rest = account.dav(), account.rest()
    chunks = f"{server.url}/remote.php/dav/uploads/{account.login}"
    assert dav.request("MKCOL", f"{chunks}/u", headers={"OC-Total-Length": str(number)}).status_code == 201
    assert dav.put(f"{chunks}/u/{number}", content=b"x").status_code == 201
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(number), "Upload-Metadata": "filename Zg=="}
    assert rest.post("uploads", headers=headers).status_code == 201
    assert server.admin.patch(f"accounts/{account.id}", json={"quota": number}).status_code == 200


@pytest.mark.parametrize(
    "target, token, headers, status",
    [
        ("/dav/missing/f", True, {}, 409),
        ("/dav/f", True, {"If-Match": '"x"'}, 412),
        ("/dav/f", True, {"If": '(["x"])'}, 412),
        ("/dav/", True, {}, 405),
        ("/dav/a%2Fb", True, {}, 400),
        ("/dav/f", False, {}, 401),
    ],
)
def test_what_will_be_refused_anyway_is_not_stored_first(server, account, target, token, headers, status):
    secret = account.token() if token else "ocl_wrong"
    nothing_was_stored(account, lambda: request(server.url, "PUT", target, secret, headers, b"x" * MIB), status)


@pytest.mark.parametrize("mebibytes", [2, 100, 200])
def test_an_upload_of_unknown_length_into_a_small_drive_ends(server, small, mebibytes):
    """507; but an upload that goes on and on may be cut off instead, by whoever stands before the server."""
    with Connection(server.url, timeout=60) as connection:
        connection.send_head("PUT", "/dav/f", small.token(), {"Transfer-Encoding": "chunked"})
        piece = b"%x\r\n" % MIB + b"x" * MIB + b"\r\n"
        try:
            for _ in range(mebibytes):
                connection.send(piece)
            connection.send(b"0\r\n\r\n")
        except OSError:
            assert mebibytes > 100, "the server has closed"
        answer = connection.answer()
    if mebibytes <= 100:
        assert answer is not None and answer.status == 507, answer
    else:
        assert answer is None or answer.status >= 400, answer
    assert small.dav().names() == set() and small.rest().used() == 0


def test_a_client_that_stops_reading_a_download(server, dav):
    dav.make("big", os.urandom(20 * MIB))
    for _ in range(5):
        with Connection(server.url) as connection:
            connection.send_head("GET", "/dav/big", dav.token)
            assert connection.socket.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("size", [10_000, 100_000, 1_000_000])
@pytest.mark.parametrize(
    "name",
    ["X-Junk", "Destination", "If", "Range", "If-None-Match", "Depth", "Lock-Token", "Timeout", "X-Forwarded-Prefix"],
)
def test_huge_headers(server, dav, name, size):
    try:
        answer = request(server.url, "COPY" if name == "Destination" else "GET", "/dav/", dav.token, {name: "a" * size})
    except ConnectionError:
        return
    assert answer is None or answer.status < 500 or answer.status == 502, answer


def test_a_thousand_headers(server, dav):
    answer = request(
        server.url, "PROPFIND", "/dav/", dav.token, {"Depth": "0", **{f"X-{number}": "y" for number in range(1000)}}
    )
    assert answer is None or answer.status in (207, 400, 431)


@pytest.mark.parametrize(
    "credentials",
    ["Basic " + "A" * 100_000, "Bearer " + "a" * 100_000, "Bearer ocl_\x80", "Bearer ocl_'; DROP TABLE tokens;--"],
)
def test_hostile_credentials(server, credentials):
    headers = {"Authorization": credentials.encode("latin-1")}
    for target in ("/dav/", "/api/v1/me", "/api/v1/admin/accounts"):
        answer = request(server.url, "GET", target, None, headers)
        # Spin answers a header that is not UTF-8 by itself, with 500 and nothing else.
        by_spin = answer and (answer.status, answer.body) == (500, b"") and not credentials.isascii()
        assert answer is None or answer.status in (400, 401, 413, 431) or by_spin, (target, answer)


@pytest.mark.parametrize(
    "start",
    [
        b"\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /dav/ HTTP/1.1\r\n\r\n",
        b"PUT /dav/f HTTP/1.1\r\nHost: \x00\r\n\r\n",
    ],
)
def test_what_is_hardly_http(server, start):
    with Connection(server.url, timeout=10) as connection:
        connection.send(start)
        connection.end()
        answer = connection.answer()
        assert answer is None or 400 <= answer.status <= 505


@pytest.mark.parametrize(
    "method, status", [("GET", 200), ("DELETE", 204), ("COPY", 201), ("MOVE", 201), ("OPTIONS", None)]
)
def test_a_body_where_none_belongs_is_no_trouble(server, dav, method, status):
    dav.make("f", b"f")
    answer = request(server.url, method, "/dav/f", dav.token, {"Destination": "/dav/g"}, b"x" * 3 * MIB)
    assert answer is not None and (answer.status in (status, 400, 413, 415) if status else answer.status < 500)


def test_an_answer_and_a_body_that_nobody_wants_may_be_larger_than_all_buffers(server, dav):
    """The client reads nothing before it has sent everything."""
    content = os.urandom(16 * MIB)
    dav.make("big", content)
    answer = request(server.url, "GET", "/dav/big", dav.token, {}, b"x" * 16 * MIB)
    assert answer is not None and answer.status == 200
    assert answer.body == content


@pytest.mark.parametrize("path", ["folders", "tokens", "files/1"])
def test_json_bombs(server, account, path):
    with Rest(server.url, account.token()) as client:
        method = "PATCH" if path.startswith("files") else "POST"
        for body in (
            b'{"name":' * 100_000,
            b'{"name":"' + b"x" * (3 * MIB) + b'"}',
            b'{"name":1e999999}',
            b'{"name":"a",' + b'"a":1,' * 100_000 + b'"b":1}',
        ):
            answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
            assert 400 <= answer.status_code < 500, answer.text
            assert answer.json()["error"]


@pytest.mark.parametrize(
    "target",
    [
        "/favicon.ico",
        "/robots.txt",
        "/api",
        "/api/",
        "/api/v2/me",
        "/internal",
        "/internal/contract",
        "/.dev.vars",
        "/dav%2F",
        "/%64av/",
        "/api/v1/%2e%2e/admin",
        "http://other.example/dav/",
    ],
)
def test_other_targets_show_nothing(server, target):
    answer = request(server.url, "GET", target, None)
    assert answer is None or answer.status in (204, 301, 302, 308, 400, 401, 404, 405, 501), answer
    assert answer is None or b"ENCRYPTION_KEYS" not in answer.body

"""GET /api/v1/me, and what every request of the REST API has in common."""

import httpx
import pytest

from support.rest import Rest, assert_error


def test_me(account, rest):
    answer = rest.get("me")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    me = answer.json()
    assert me["user"]["id"] == account.id
    assert account.login in me["user"]["email"]
    assert me["user"]["displayName"] == account.login
    assert sorted(me["token"]["scopes"]) == ["manage", "read", "write"]
    assert me["token"]["folderId"] is None
    assert me["quota"] == {"totalBytes": None, "usedBytes": 0}


def test_quota(server):
    account = server.account(quota=1000)
    rest = account.rest()
    rest.upload("f", b"x" * 123)
    assert rest.get("me").json()["quota"] == {"totalBytes": 1000, "usedBytes": 123}
    account.close()


def test_a_confined_token_says_so(account, rest):
    folder = rest.mkdir("d")
    confined = account.rest(account.token("read", folder=folder["id"]))
    assert confined.get("me").json()["token"] == {"scopes": ["read"], "folderId": folder["id"]}


ROUTES = [
    ("GET", "me"),
    ("GET", "folders"),
    ("POST", "folders"),
    ("GET", "folders/1"),
    ("PATCH", "folders/1"),
    ("DELETE", "folders/1"),
    ("GET", "files"),
    ("POST", "files"),
    ("GET", "files/1"),
    ("PATCH", "files/1"),
    ("DELETE", "files/1"),
    ("GET", "files/1/download"),
    ("GET", "files/1/versions"),
    ("GET", "files/1/versions/1/download"),
    ("POST", "files/1/versions/1/restore"),
    ("GET", "tokens"),
    ("POST", "tokens"),
    ("DELETE", "tokens/1"),
]


@pytest.mark.parametrize("method, path", ROUTES)
@pytest.mark.parametrize("token", [None, "ocl_wrong", "x" * 10_000])
def test_without_a_token_all_is_401(server, method, path, token):
    with Rest(server.url, token) as client:
        answer = client.request(method, path)
    assert_error(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"].startswith("Bearer")


READS = [("GET", path) for path in ("folders", "files")]
WRITES = [("POST", "folders"), ("POST", "files")]


@pytest.mark.parametrize("method, path", WRITES)
def test_writing_takes_the_scope_write(account, method, path):
    client = account.rest(account.token("read"))
    assert_error(client.request(method, path, json={"name": "d"}), 403, "FORBIDDEN")


@pytest.mark.parametrize("method, path", READS)
def test_reading_takes_the_scope_read(account, method, path):
    client = account.rest(account.token("write"))
    assert_error(client.request(method, path), 403, "FORBIDDEN")


def test_scopes_are_asked_of_single_resources_too(account, rest):
    file, folder = rest.upload("f", b"x"), rest.mkdir("d")
    reader, writer = account.rest(account.token("read")), account.rest(account.token("write"))
    for path in (f"files/{file['id']}", f"folders/{folder['id']}"):
        assert reader.get(path).status_code == 200
        assert_error(reader.patch(path, json={"name": "n"}), 403)
        assert_error(reader.delete(path), 403)
        assert_error(writer.get(path), 403)
    assert_error(writer.get(f"files/{file['id']}/download"), 403)
    assert_error(writer.get(f"files/{file['id']}/versions"), 403)


@pytest.mark.parametrize("path", ["", "nope", "files/1/nope", "me/more", "folders/1/2", "files//download"])
def test_unknown_routes_are_404(rest, path):
    assert_error(rest.get(path), 404)


@pytest.mark.parametrize(
    "method, path",
    [("PUT", "files"), ("DELETE", "me"), ("POST", "me"), ("PUT", "files/1/download"), ("PROPFIND", "files")],
)
def test_other_methods_are_405_with_allow(rest, method, path):
    answer = rest.request(method, path)
    assert_error(answer, 405)
    assert "GET" in answer.headers["allow"]


def test_head_works_where_get_does(rest):
    file = rest.upload("f", b"hello")
    answer = rest.head(f"files/{file['id']}/download")
    assert answer.status_code == 200 and answer.headers["content-length"] == "5" and answer.content == b""


def test_answers_are_not_kept_by_caches(rest):
    cache = rest.get("me").headers.get("cache-control", "")
    assert "no-store" in cache or "private" in cache or "no-cache" in cache


def test_the_scheme_of_the_token_is_case_insensitive(server, account):
    answer = httpx.get(server.url + "/api/v1/me", headers={"Authorization": f"bearer {account.token()}"})
    assert answer.status_code == 200

"""HEAD tells what GET would tell (RFC 9110, 9.3.2), everywhere."""

import re

import httpx
import pytest

from support.mounts import space_of
from support.rest import NO_CERTIFICATES
from support.routes import mounts, routes
from support.server import WEBDAV_NAME

# What is said of the one answer, not of what was asked for; and how the content is sent, which is looked at by itself.
OF_THE_ANSWER = {"date", "server-timing", "cf-ray", "content-length", "transfer-encoding"}


class World:
    """An account with something of everything, and who asks for it."""

    def __init__(self, server, account):
        self.url = server.url
        # One token makes it all and asks for it: an upload is its token's own.
        self.known, self.admin = account.token(), server.admin_token
        dav, rest = account.dav(self.known), account.rest(self.known)
        dav.folder("d")
        dav.folder("gone")
        dav.make("d/f.txt", b"first")
        dav.make("d/f.txt", b"second")
        dav.make("gone/f.txt")
        assert dav.delete("gone").status_code == 204
        [folder] = rest.get("folders").json()["folders"]
        [file] = rest.files(folder["id"])
        [version] = rest.get(f"files/{file['id']}/versions").json()["versions"]
        [trashed] = rest.get("trash").json()["trash"]
        upload = rest.post("uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": "filename eA=="})
        assert upload.status_code == 201, upload.text
        hook = rest.post("webhooks", json={"url": "https://hooks.example/"}).json()["webhook"]
        login = httpx.post(server.url + "/login/v2").json()["login"]
        # By the segment before the variable: its value.
        self.values = {
            "folders": folder["id"],
            "files": file["id"],
            "f": file["id"],
            "versions": version["id"],
            "uploads": upload.headers["location"].rsplit("/", 1)[1],
            "webhooks": hook["id"],
            "accounts": account.id,
            "drives": space_of(account),
            "users": account.login,
            "flow": login.rsplit("/", 1)[1],
        }
        self.segments = {
            "Name": WEBDAV_NAME,
            "Login": account.login,
            "Space": space_of(account),
            "OwnSpace": space_of(account),
            "File": file["id"],
            "OwnFile": f"{space_of(account)}!{file['id']}",
        }
        trash = f"gone.d{trashed['id']}"
        self.below = ["", "/", "/d", "/d/", "/d/f.txt", "/d/f.txt/x", "/missing", f"/{version['id']}", f"/{trash}/", f"/{trash}/f.txt"]

    def path(self, route: str) -> str:
        """The path of something that there is; a variable that nothing is known of is 1."""
        return re.sub(r"([^/]*)/\{\w+\}", lambda it: f"{it[1]}/{self.values.get(it[1], 1)}", route)


@pytest.fixture(scope="module")
def world(server):
    account = server.account()
    yield World(server, account)
    account.close()


@pytest.fixture(scope="module")
def client():
    with httpx.Client(headers={"Accept-Encoding": "identity", "Tus-Resumable": "1.0.0"}, timeout=120, verify=NO_CERTIFICATES) as client:
        yield client


def said(answer: httpx.Response) -> dict:
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_ANSWER}


def assert_same(client, url: str, token: str | None, headers: dict | None = None, of_get: dict | None = None) -> int:
    """HEAD and GET agree; gives their status. GET is asked before and after, as what it tells may have changed.

    HEAD may tell no length where that takes making the content (RFC 9110, 9.3.2), but none other than GET has (8.6)."""
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    get = lambda: client.get(url, headers=bearer | (headers or {} if of_get is None else of_get))
    before = get()
    head = client.head(url, headers=bearer | (headers or {}))
    gets = [before, get()]
    assert head.content == b"", url
    assert head.status_code == before.status_code, url
    assert said(head) in [said(answer) for answer in gets], url
    if "content-length" in head.headers:
        assert head.status_code not in (204, 304), url
        assert int(head.headers["content-length"]) in [len(answer.content) for answer in gets], url
    return head.status_code


def test_the_tables_are_found(server):
    described = httpx.get(server.url + "/api/v1/openapi.json").json()
    described = {"/api/v1" + path for path, item in described["paths"].items() if "get" in item}
    assert described <= set(routes())
    for path in ("/", "/status.php", "/healthz", "/.well-known/webdav", "/f/{id}", "/ocs/v2.php/cloud/user", "/graph/v1.0/drives/{id}"):
        assert path in routes(), path
    assert {"/login/v2/flow/{secret}", "/index.php/login/flow"} <= set(routes())
    assert {"/dav", "/{Name}", "/remote.php/dav/files/{Login}", "/dav/meta/{OwnFile}/v"} <= set(mounts())
    assert len(mounts()) >= 17


@pytest.mark.parametrize("route", routes())
def test_a_route(world, client, route):
    url = world.url + world.path(route)
    statuses = {assert_same(client, url, token) for token in (world.known, world.admin, None)}
    assert min(statuses) < 400 or re.search("/login/v2(/poll)?$", route), f"{statuses}: nobody is shown anything"


@pytest.mark.parametrize("mount", [*mounts(), "/dav/files/{Login}"])
def test_a_mount(world, client, mount):
    url = world.url + mount.format(**world.segments)
    statuses = {assert_same(client, url + below, world.known) for below in world.below}
    assert 404 in statuses or 405 in statuses
    assert assert_same(client, url + "/", None) == 401
    for_people = {"Accept": "text/html,*/*;q=0.8"}
    assert_same(client, url + "/missing", world.known, for_people)
    assert_same(client, url + "/", None, for_people)


def test_what_is_nowhere(world, client):
    for path in ("/nowhere", "/api/v1/nowhere", "/api/v1/files/999999999", "/api/v1/files/x", "/ocs/v2.php/x", "/graph/v1.0/x", "/login/x"):
        assert assert_same(client, world.url + path, world.known) in (400, 404), path


@pytest.mark.parametrize("place", ["/dav/d/f.txt", "/api/v1/files/{id}/download", "/api/v1/files/{id}/versions/{version}/download"])
def test_a_content_under_conditions(world, client, place):
    url = world.url + world.path(place)
    same = lambda of_get=None, **headers: assert_same(
        client, url, world.known, {name.replace("_", "-"): value for name, value in headers.items()}, of_get
    )
    assert same() == 200
    etag = client.head(url, headers={"Authorization": f"Bearer {world.known}"}).headers["etag"]
    assert same(If_None_Match=etag) == 304
    assert same(If_None_Match='"other"') == 200
    assert same(If_Match='"other"') == 412
    assert same(If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT") == 304
    assert same(If_Unmodified_Since="Thu, 01 Jan 1970 00:00:00 GMT") == 412
    # Ranges are defined for GET alone (RFC 9110, 14.2): HEAD tells of the whole.
    for value in ("bytes=0-1", "bytes=99-", "nonsense"):
        assert same({}, Range=value) == 200
    assert "content-length" in client.head(url, headers={"Authorization": f"Bearer {world.known}"}).headers

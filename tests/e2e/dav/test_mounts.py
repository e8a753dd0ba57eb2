"""Where the drive answers, and what its hrefs look like there: the prefix of a proxy, the second
name, and the view of a token that is confined to a folder."""

import httpx
import pytest

from support.dav import condition, granted
from support.multistatus import Multistatus
from support.raw import request
from support.server import WEBDAV_NAME


@pytest.fixture
def tree(dav):
    """/d/f"""
    dav.folder("d")
    dav.make("d/f", b"f")
    return dav


def hrefs(dav, prefix, path="d", depth="1"):
    return dav.list(path, depth, headers={"X-Forwarded-Prefix": prefix}).hrefs


def test_the_prefix_of_a_proxy_leads_every_href(tree):
    assert hrefs(tree, "/api") == ["/api/dav/d/", "/api/dav/d/f"]
    assert hrefs(tree, "/api", "", "0") == ["/api/dav/"]
    assert hrefs(tree, "/a/b-c/d_e.f") == ["/a/b-c/d_e.f/dav/d/", "/a/b-c/d_e.f/dav/d/f"]


def test_a_prefix_that_ends_with_the_name_of_the_mount_replaces_it(tree):
    assert hrefs(tree, f"/{WEBDAV_NAME}") == [f"/{WEBDAV_NAME}/d/", f"/{WEBDAV_NAME}/d/f"]
    assert hrefs(tree, f"/x/{WEBDAV_NAME}") == [f"/x/{WEBDAV_NAME}/d/", f"/x/{WEBDAV_NAME}/d/f"]


@pytest.mark.parametrize(
    "prefix",
    [
        "api",
        "/api/",
        "//evil.example",
        "/api//x",
        "http://evil.example/",
        "/api/../admin",
        "/..",
        "/.",
        "/a b",
        '/a"><script>',
        "/a<b",
        "/a&b",
        "/a?b",
        "/a#b",
        "/%2e%2e",
        "/a%0d%0aX: y",
        "/a\\b",
        "/a, /b",
        "/" + "a" * 5000,
        "/é".encode().decode("latin-1"),
        "",
        "/",
    ],
)
def test_a_dirty_prefix_is_not_believed(tree, prefix):
    answer = tree.propfind("d", "1", headers={"X-Forwarded-Prefix": prefix.encode("latin-1")})
    assert answer.status_code == 207
    assert Multistatus(answer.content).hrefs == ["/dav/d/", "/dav/d/f"]


def test_two_prefixes_are_not_believed(tree):
    answer = httpx.request(
        "PROPFIND",
        tree.absolute("d"),
        auth=("me", tree.token),
        headers=[("X-Forwarded-Prefix", "/a"), ("X-Forwarded-Prefix", "/b"), ("Depth", "0")],
    )
    assert Multistatus(answer.content).hrefs == ["/dav/d/"]


@pytest.mark.parametrize("prefix, mount", [("/api", "/api/dav/"), (f"/{WEBDAV_NAME}", f"/{WEBDAV_NAME}/")])
def test_behind_a_prefix_destination_and_tags_are_understood(server, tree, prefix, mount):
    headers = {"X-Forwarded-Prefix": prefix}
    token = tree.locked("d/f", **headers)
    answer = tree.request("MOVE", "d/f", headers={**headers, "Destination": f"{server.url}{mount}d/g"})
    assert answer.status_code == 423
    assert condition(answer) == ("lock-token-submitted", [f"{mount}d/f"])
    answer = tree.request(
        "MOVE",
        "d/f",
        headers={**headers, "Destination": f"{server.url}{mount}d/g", "If": f"<{server.url}{mount}d/f> (<{token}>)"},
    )
    assert answer.status_code == 201
    answer = tree.request("COPY", "d/g", headers={**headers, "Destination": f"{mount}d/h"})
    assert answer.status_code == 201
    assert tree.names("d/") == {"g", "h"}


def test_behind_a_prefix_the_root_of_a_lock_is_a_public_href(tree):
    lock = granted(tree.lock("d/f", **{"X-Forwarded-Prefix": "/api"}))
    assert lock["root"] == "/api/dav/d/f"


def test_behind_a_prefix_the_html_list_links_to_public_urls(tree):
    page = tree.get("d/", headers={"X-Forwarded-Prefix": "/api"}).text
    assert "/api/dav/d/f" in page or 'href="f"' in page or 'href="./f"' in page
    assert '"/dav/' not in page


def test_the_drive_answers_under_its_name_too(account, tree):
    named = account.dav(mount=f"/{WEBDAV_NAME}/")
    assert named.list("d", "1").hrefs == [f"/{WEBDAV_NAME}/d/", f"/{WEBDAV_NAME}/d/f"]
    assert named.get("d/f").content == b"f"
    assert named.put("d/g", content=b"g").status_code == 201
    assert named.move("d/g", "d/h").status_code == 201
    assert tree.get("d/h").content == b"g"
    token = named.locked("d/h")
    assert tree.put("d/h", content=b"x").status_code == 423
    assert tree.put("d/h", content=b"x", headers={"If": f"(<{token}>)"}).status_code == 204
    assert named.request("OPTIONS", "").headers["ms-author-via"] == "DAV"
    assert hrefs(named, "/api") == [f"/api/{WEBDAV_NAME}/d/", f"/api/{WEBDAV_NAME}/d/f", f"/api/{WEBDAV_NAME}/d/h"]


FORWARDED = [
    {"X-Forwarded-Host": "drive.example.com"},
    {"X-Forwarded-Host": "drive.example.com, inner.example.com"},
    {"X-Forwarded-Host": "drive.example.com ,inner.example.com:8080", "X-Forwarded-Proto": "https, http"},
]


@pytest.mark.parametrize("headers", FORWARDED)
def test_behind_several_proxies_the_first_host_is_the_clients(tree, headers):
    headers = {**headers, "Destination": "https://drive.example.com/dav/d/g"}
    assert tree.request("MOVE", "d/f", headers=headers).status_code == 201
    for other in ("https://inner.example.com/dav/d/h", "https://elsewhere.example.com/dav/d/h"):
        assert tree.request("MOVE", "d/g", headers={**headers, "Destination": other}).status_code == 502


def test_behind_several_proxies_the_first_scheme_is_the_clients(account, dav):
    client = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    link = '<oc:privatelink xmlns:oc="http://owncloud.org/ns"/>'
    for sent, scheme in (("https, http", "https"), ("http,https", "http")):
        [root] = client.list("", "0", link, headers={"X-Forwarded-Proto": sent})
        assert root.text("privatelink", "{http://owncloud.org/ns}").startswith(f"{scheme}://")


def test_a_mount_behind_a_prefix_is_known_from_another(account, dav):
    dav.make("f", b"f")
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    chunks.folder("u")
    chunks.put("u/1", content=b"whole")
    for number, mount in enumerate((f"/api/remote.php/dav/files/{account.login}/", f"/remote.php/dav/files/{account.login}/")):
        headers = {"X-Forwarded-Prefix": "/api", "Destination": f"{mount}g{number}"}
        client, method, path = (chunks, "MOVE", "u/.file") if number == 0 else (dav, "COPY", "f")
        assert client.request(method, path, headers=headers).status_code == 201
    assert dav.get("g0").content == b"whole" and dav.get("g1").content == b"f"


@pytest.mark.parametrize(
    "target, plain",
    [
        ("/%64av/d/f", "/dav/d/f"),
        ("/d%61v/d/%66", "/dav/d/f"),
        ("/remote%2Ephp/webdav/d/f", "/remote.php/webdav/d/f"),
        ("/remote%2ephp/%64%61%76/files/{login}/d/f", "/remote.php/dav/files/{login}/d/f"),
        ("/%64av/fil%65s/{login}/d/f", "/dav/files/{login}/d/f"),
        ("/Open%43oper/d/f", f"/{WEBDAV_NAME}/d/f"),
    ],
)
def test_unreserved_letters_of_a_mount_need_no_encoding(server, account, tree, target, plain):
    """RFC 3986, 6.2.2.2: with the encoding it is the same path."""
    target, plain = target.format(login=account.login), plain.format(login=account.login)
    answer = request(server.url, "PROPFIND", target, tree.token, {"Depth": "0"})
    assert answer.status == 207
    assert Multistatus(answer.body).hrefs == [plain]
    tree.make("source", b"source")
    client = account.dav(mount=plain.removesuffix("d/f"))
    assert client.request("COPY", "source", headers={"Destination": target}).status_code == 204
    assert tree.get("d/f").content == b"source"


@pytest.mark.parametrize("path", ["/%61pi/v1/me", "/api/v%31/%6De", "/graph/v1%2E0/me", "/status%2Ephp", "/%68ealthz"])
def test_unreserved_letters_of_any_path_need_no_encoding(server, account, path):
    assert request(server.url, "GET", path, account.token()).status == 200
    assert request(server.url, "GET", path.replace("%", "%25"), account.token()).status == 404


def test_without_the_slash_the_mount_answers_or_redirects(server, tree):
    for mount in ("/dav", f"/{WEBDAV_NAME}"):
        answer = httpx.request("PROPFIND", server.url + mount, auth=("me", tree.token), headers={"Depth": "0"})
        if answer.status_code == 207:
            assert Multistatus(answer.content).hrefs == [f"{mount}/"]
        else:
            assert answer.status_code in (301, 308) and answer.headers["location"].endswith(f"{mount}/")


@pytest.mark.parametrize("path", ["/davx/", "/dave", "/OpenCoperX/", "/Dav/", "/webdavx/", "/"])
def test_other_paths_are_no_drive(server, tree, path):
    answer = request(server.url, "PROPFIND", path, tree.token, {"Depth": "0"})
    assert answer.status in (404, 405)


def test_folders_may_have_the_names_of_mounts(dav):
    """Only the exact forms with an own login or id are mounts; the rest is a path in the drive."""
    for name in ("files", "spaces", "meta", "uploads", "dav", WEBDAV_NAME, "api"):
        dav.folder(name)
        dav.make(f"{name}/inside", name.encode())
        assert dav.get(f"{name}/inside").content == name.encode()
        assert dav.list(name, "1").hrefs == [f"/dav/{name}/", f"/dav/{name}/inside"]


@pytest.fixture
def confined(account, tree, rest):
    """A client whose token sees /d only, as its root."""
    [folder] = rest.get("folders").json()["folders"]
    tree.make("outside", b"secret")
    tree.folder("other")
    return account.dav(account.token("read", "write", folder=folder["id"]))


def test_a_confined_token_sees_its_folder_as_the_root(tree, confined):
    assert confined.list("", "1").hrefs == ["/dav/", "/dav/f"]
    assert confined.get("f").content == b"f"
    assert confined.put("g", content=b"g").status_code == 201
    assert confined.mkcol("e").status_code == 201
    assert confined.move("g", "e/g").status_code == 201
    assert tree.get("d/e/g").content == b"g"


def test_a_confined_token_cannot_leave_its_folder(server, tree, confined):
    for path in ("outside", "d", "d/f", "other/"):
        assert confined.get(path).status_code == 404, path
    for target in (
        "/dav/../outside",
        "/dav/../dav/outside",
        "/dav/%2e%2e/outside",
        "/dav/..%2foutside",
        "/dav/./../outside",
    ):
        answer = request(server.url, "GET", target, confined.token)
        assert answer.status in (400, 404), target
        assert b"secret" not in answer.body
    for destination in ("/dav/../stolen", "/dav/%2e%2e/stolen", "/dav/d/stolen"):
        assert confined.request("COPY", "f", headers={"Destination": destination}).status_code in (400, 403, 409)
    assert tree.names() == {"d/", "outside", "other/"}


def test_a_confined_token_cannot_remove_or_replace_its_root(tree, confined):
    assert confined.delete("").status_code == 403
    assert confined.move("", "x").status_code == 403
    assert confined.copy("f", "").status_code in (403, 409)
    assert tree.get("d/f").content == b"f"


def test_what_is_below_a_lock_outside_is_locked_for_the_confined(tree, confined):
    token = tree.locked("", depth="infinity")
    answer = confined.put("f", content=b"x")
    assert answer.status_code == 423
    assert "outside" not in answer.text and "/dav/d" not in answer.text
    assert confined.list("", "1")
    assert tree.unlock("", token).status_code == 204
    assert confined.put("f", content=b"x").status_code == 204


def test_locks_of_the_confined_hold_for_all(tree, confined):
    token = confined.locked("f")
    assert granted(confined.refresh("f", token))["root"] == "/dav/f"
    assert tree.put("d/f", content=b"x").status_code == 423
    assert tree.stat("d/f").prop("lockdiscovery")[0] is not None
    assert tree.unlock("d/f", token).status_code == 204


def test_a_deleted_folder_takes_its_tokens_with_it(tree, confined, rest):
    assert tree.delete("d").status_code == 204
    assert confined.propfind().status_code == 404, "it may be put back"
    rest.empty_trash()
    assert confined.propfind().status_code == 401

"""How clients find the drive: the collections above it, the well-known address, and Libre Graph."""

import httpx
import pytest

from support.multistatus import DAV

ASKED = "<d:resourcetype/><d:displayname/><d:current-user-principal/><d:getcontentlength/>"


@pytest.fixture
def top(account):
    return account.dav(mount="/remote.php/dav/")


def test_the_collections_above_the_drive_lead_to_it(top, account):
    login, space = account.login, f"edgedrive%24{account.id}"
    for path, members in [
        ("", ["files/", "principals/", "spaces/", "trashbin/", "uploads/"]),
        ("files/", [f"files/{login}/"]),
        ("principals/", ["principals/users/"]),
        ("principals/users/", [f"principals/users/{login}/"]),
        (f"principals/users/{login}/", []),
        ("uploads/", [f"uploads/{login}/"]),
        ("trashbin/", [f"trashbin/{login}/"]),
        (f"trashbin/{login}/", [f"trashbin/{login}/restore/", f"trashbin/{login}/trash/"]),
        ("spaces/", [f"spaces/{space}/"]),
    ]:
        listing = top.list(path, "1", ASKED)
        assert listing.hrefs == [top.href(name) for name in [path, *members]]
        assert all(entry.is_folder for entry in listing)
        assert top.list(path, "0", ASKED).hrefs == [top.href(path)]
        for entry in listing:
            href = entry.prop("current-user-principal").findtext(f"{DAV}href")
            assert href == f"/remote.php/dav/principals/users/{login}/"
            assert f"{DAV}getcontentlength" in entry.props[404]
    for member in top.list("files/", "1").hrefs[1:]:
        assert account.dav(mount=member).list().hrefs[0] == member


def test_the_principal_is_a_person(top, account):
    path = f"principals/users/{account.login}/"
    [principal] = top.list(path, "0", "<d:resourcetype/><d:principal-URL/><d:displayname/>")
    assert principal.prop("resourcetype").find(f"{DAV}principal") is not None
    assert principal.prop("principal-URL").findtext(f"{DAV}href") == top.href(path)
    assert principal.text("displayname") == account.login
    [everything] = top.propfind(path, "0", props=None).status_code == 207 and top.list(path, "0", "<d:resourcetype/>")
    assert everything.is_folder


def test_an_upload_under_way_is_listed(account):
    uploads = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    assert uploads.list().hrefs == [uploads.mount]
    uploads.mkcol("some upload")
    assert uploads.list().hrefs == [uploads.mount, uploads.mount + "some%20upload/"]
    assert uploads.list("", "0").hrefs == [uploads.mount]


def test_nobody_else_is_there_and_nothing_can_be_changed(top, server, account):
    other = server.account()
    for path in (f"principals/users/{other.login}/", f"files/{other.login}/", "calendars/", "principals/groups/"):
        assert top.propfind(path).status_code == 404, path
    for method in ("PUT", "MKCOL", "DELETE", "GET"):
        answer = top.request(method, "files/")
        assert answer.status_code == 405 and answer.headers["allow"] == "OPTIONS, PROPFIND, SEARCH"
    for path in ("avatars/me/128.png", f"principals/users/{other.login}/"):
        assert top.get(path).status_code == top.head(path).status_code == 404
    assert "1, 2, 3" in top.request("OPTIONS", "").headers["dav"]
    with httpx.Client(base_url=server.url) as nobody:
        assert nobody.request("PROPFIND", "/remote.php/dav/").status_code == 401
        assert nobody.get("/remote.php/dav/avatars/me/128.png").status_code == 401
        assert nobody.request("PROPFIND", "/.well-known/caldav").status_code == 404


def test_a_prefix_goes_before_every_href(top, account, server):
    prefix = {"X-Forwarded-Prefix": "/cloud"}
    [entry] = top.list("files/", "0", ASKED, headers=prefix)
    assert entry.href == "/cloud/remote.php/dav/files/"
    answer = httpx.request("PROPFIND", server.url + "/.well-known/webdav", headers=prefix)
    assert answer.headers["location"] == "/cloud/remote.php/dav/"


@pytest.fixture
def graph(server, account):
    with httpx.Client(base_url=server.url + "/graph/v1.0/", auth=("me", account.token("read")), timeout=60) as client:
        yield client


def test_graph_tells_the_drive(graph, server, account):
    account.dav().make("f", b"12345")
    me = graph.get("me").json()
    assert me["onPremisesSamAccountName"] == account.login and me["id"] == account.id
    [drive] = graph.get("me/drives").json()["value"]
    space = f"edgedrive${account.id}"
    assert drive["id"] == space and drive["driveType"] == "personal" and drive["name"] == account.login
    assert drive["owner"]["user"]["id"] == account.id
    assert drive["quota"] == {"total": 0, "used": 5, "state": "normal"}
    assert drive["root"]["webDavUrl"] == f"{server.url}/dav/spaces/{space}"
    assert drive["root"]["id"].startswith(space + "!")
    root = account.dav(mount=f"/dav/spaces/{space}/").stat("", "<d:getetag/>")
    assert drive["root"]["eTag"] == root.text("getetag")
    assert graph.get("me/drive").json() == drive
    assert graph.get(f"drives/{space.replace('$', '%24')}").json() == drive
    assert graph.get("drives").json()["value"] == [drive]


def test_graphs_older_name_is_the_same(graph, server):
    """ownCloud Web's client asks for `v1beta1`."""
    for path in ("me", "me/drives", "drives"):
        assert graph.get(f"{server.url}/graph/v1beta1/{path}").json() == graph.get(path).json()
    assert graph.get(f"{server.url}/graph/v1beta2/me").status_code == 404


def test_the_web_address_of_a_drive_leads_to_it(graph, server, account):
    account.dav().make("f", b"x")
    url = graph.get("me/drive").json()["webUrl"]
    for address in (url, url.replace("$", "%24")):
        answer = graph.get(address)
        assert answer.status_code == 302 and graph.get(server.url + answer.headers["location"]).status_code == 200
    other = server.account()
    assert graph.get(url.replace(account.id, other.id)).status_code == 404
    inside = account.rest().mkdir("d")
    confined = account.dav(account.token("read", folder=inside["id"]))
    assert confined.get(url).headers["location"] == "/dav/"
    other.close()


def test_graph_tells_the_quota(server):
    account = server.account(quota=100)
    for size, state in ((10, "normal"), (80, "nearing"), (95, "critical"), (100, "exceeded")):
        drive = server.account(quota=100)
        drive.dav().make("f", b"x" * size)
        with httpx.Client(base_url=server.url, auth=("me", drive.token())) as client:
            quota = client.get("/graph/v1.0/me/drive").json()["quota"]
        assert quota == {"total": 100, "used": size, "remaining": 100 - size, "state": state}
    account.close()


def test_graph_filters_and_refuses_in_its_own_words(graph, server):
    assert graph.get("me/drives", params={"$filter": "driveType eq 'project'"}).json() == {"value": []}
    assert len(graph.get("me/drives", params={"$filter": "driveType eq 'personal'"}).json()["value"]) == 1
    for path, status, code in (("drives/edgedrive$0", 404, "itemNotFound"), ("groups", 404, "itemNotFound")):
        answer = graph.get(path)
        assert answer.status_code == status and answer.json()["error"]["code"] == code
    assert graph.post("me").status_code == 405
    with httpx.Client(base_url=server.url) as nobody:
        answer = nobody.get("/graph/v1.0/me")
        assert answer.status_code == 401 and answer.json()["error"]["code"] == "unauthenticated"
        assert answer.headers["www-authenticate"].startswith("Basic ")


def test_urls_begin_where_the_client_reaches_us(graph):
    def url(**headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return graph.get("me/drive", headers=names).json()["root"]["webDavUrl"].split("/dav/")[0]

    assert url(Host="drive.example", X_Forwarded_Proto="https") == "https://drive.example"
    assert url(Host="drive.example:8443", X_Forwarded_Proto="http") == "http://drive.example:8443"
    assert url(Host="drive.example", X_Forwarded_Proto="https", X_Forwarded_Prefix="/a") == "https://drive.example/a"
    evil = url(Host="drive.example", X_Forwarded_Proto="javascript", X_Forwarded_Prefix="//evil.example")
    assert evil in ("http://drive.example", "https://drive.example")

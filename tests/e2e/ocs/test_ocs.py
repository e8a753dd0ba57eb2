"""/status.php and /ocs: what sync clients ask before they sync. In XML and JSON, with the codes of both versions."""

from xml.etree import ElementTree

import httpx
import pytest


@pytest.fixture
def client(server, account):
    with httpx.Client(base_url=server.url, auth=("anybody", account.token()), timeout=60) as client:
        yield client


def as_json(client, version, path, status=200):
    answer = client.get(f"/ocs/v{version}.php/{path}", params={"format": "json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.json()["ocs"]


def test_the_server_says_what_it_is(server):
    status = httpx.get(server.url + "/status.php").json()
    assert status["installed"] is True and status["maintenance"] is False and status["needsDbUpgrade"] is False
    assert status["version"].startswith(status["versionstring"])
    assert status["productname"] == "edgedrive"


def test_well_known_leads_to_webdav(server):
    answer = httpx.request("PROPFIND", server.url + "/.well-known/webdav")
    assert answer.status_code == 301 and answer.headers["location"] == "/remote.php/dav/"


@pytest.mark.parametrize(("version", "code"), [(1, 100), (2, 200)])
def test_capabilities_are_for_everybody(server, version, code):
    with httpx.Client(base_url=server.url) as nobody:
        ocs = as_json(nobody, version, "cloud/capabilities")
    assert ocs["meta"] == {"status": "ok", "statuscode": code, "message": "OK"}
    capabilities = ocs["data"]["capabilities"]
    assert capabilities["dav"]["chunking"] == "1.0"
    assert capabilities["files"]["chunked_upload"]["max_size"] < 100_000_000
    assert capabilities["core"]["webdav-root"] == "remote.php/webdav"


def test_a_token_that_is_shown_must_be_good(server, client):
    """pyocclient logs in by asking for the capabilities."""
    as_json(client, 1, "cloud/capabilities")
    with httpx.Client(base_url=server.url, auth=("anybody", "wrong")) as stranger:
        assert as_json(stranger, 1, "cloud/capabilities", 401)["meta"]["statuscode"] == 997


def test_xml_and_json_say_the_same(client, account):
    ocs = as_json(client, 1, "cloud/user")
    assert ocs["data"]["id"] == account.login
    answer = client.get("/ocs/v1.php/cloud/user")
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    root = ElementTree.fromstring(answer.content)
    assert root.findtext("meta/statuscode") == "100" and root.findtext("data/id") == account.login


def test_the_quota_is_told(server):
    account = server.account(quota=1000)
    account.dav().make("f", b"x" * 250)
    with httpx.Client(base_url=server.url, auth=("me", account.token())) as client:
        quota = as_json(client, 2, "cloud/user")["data"]["quota"]
    assert quota == {"free": 750, "used": 250, "total": 1000, "relative": 25.0, "quota": 1000}


def test_only_the_own_user_is_known(client, account, server):
    assert as_json(client, 2, f"cloud/users/{account.login}")["data"]["id"] == account.login
    other = server.account()
    assert as_json(client, 2, f"cloud/users/{other.login}", 404)["meta"]["statuscode"] == 404


@pytest.mark.parametrize(("version", "status", "code"), [(1, 200, 998), (2, 404, 404)])
def test_a_path_that_nobody_knows(client, version, status, code):
    meta = as_json(client, version, "apps/unknown", status)["meta"]
    assert meta["statuscode"] == code and meta["status"] == "failure"


@pytest.mark.parametrize("version", [1, 2])
def test_nobody_is_told_who_they_are(server, version):
    with httpx.Client(base_url=server.url) as nobody:
        assert as_json(nobody, version, "cloud/user", 401)["meta"]["statuscode"] == 997
    with httpx.Client(base_url=server.url, auth=("me", "ocl_1_" + "x" * 48)) as nobody:
        assert as_json(nobody, version, "cloud/user", 401)["meta"]["statuscode"] == 997


def test_an_app_password_may_be_asked_for_and_forgotten(client, server, account):
    password = as_json(client, 2, "core/getapppassword")["data"]["apppassword"]
    with httpx.Client(base_url=server.url, auth=(account.login, password)) as other:
        assert as_json(other, 2, "cloud/user")["data"]["id"] == account.login
        assert other.delete("/ocs/v2.php/core/apppassword").status_code == 200
        assert other.get("/ocs/v2.php/cloud/user").status_code == 401
    assert client.get("/ocs/v2.php/cloud/user").status_code == 200
    with httpx.Client(base_url=server.url, auth=("me", account.token("read"))) as reader:
        assert reader.get("/ocs/v2.php/core/getapppassword").status_code == 403


@pytest.mark.parametrize(
    ("params", "accept", "json"),
    [
        ({}, "application/json", True),
        ({}, "application/json, text/plain, */*", True),
        ({}, "application/xml, application/json", False),
        ({}, "*/*", False),
        ({"format": "xml"}, "application/json", False),
        ({"format": "json"}, "application/xml", True),
    ],
)
def test_the_format_is_a_parameter_or_what_the_client_accepts(server, params, accept, json):
    answer = httpx.get(server.url + "/ocs/v2.php/cloud/capabilities", params=params, headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/json" if json else "application/xml")


@pytest.mark.parametrize(
    ("agent", "announced"),
    [("mirall/3.7.3git (nextcloudcmd)", False), ("mirall/3.13.0 (Nextcloud)", True), ("curl/8", True)],
)
def test_bulk_uploads_are_announced_to_who_can_do_them(server, agent, announced):
    """Up to 3.9.0, the desktop client breaks off a bulk upload that has an empty file in it."""
    answer = httpx.get(server.url + "/ocs/v2.php/cloud/capabilities?format=json", headers={"User-Agent": agent})
    assert answer.json()["ocs"]["data"]["capabilities"]["dav"].get("bulkupload") == ("1.0" if announced else None)

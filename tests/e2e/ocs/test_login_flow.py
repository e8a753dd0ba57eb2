"""Nextcloud's login flow: a client is granted a token of its own, without ever seeing the one that grants it.

The requests are those of Nextcloud's desktop client (mirall), version 3.7.
"""

import re
import urllib.parse
from html.parser import HTMLParser

import httpx
import pytest

MIRALL = "Mozilla/5.0 (Linux) mirall/3.7.3git (Nextcloud, debian-6.1 ClientArchitecture: x86_64 OsArchitecture: x86_64)"


class Form(HTMLParser):
    """What a page has: its fields, and tags that should not be there."""

    def __init__(self, text: str):
        super().__init__()
        self.fields, self.tags, self.method, self.labels = [], [], None, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if tag == "input":
            self.fields.append(attrs["name"])
            assert attrs["id"] in self.labels, "each field has a label"
        if tag == "label":
            self.labels.append(attrs["for"])
        if tag == "form":
            self.method = attrs["method"]


class Flow:
    """One login, as the desktop client goes through it."""

    def __init__(self, server, path="/index.php/login/v2", **headers):
        self.client = httpx.Client(headers={"User-Agent": MIRALL, "OCS-APIREQUEST": "true", **headers}, timeout=60)
        self.browser = httpx.Client(headers={"User-Agent": "Firefox"}, timeout=60)
        answer = self.client.post(server.url + path)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store", answer.text
        self.page, self.endpoint = answer.json()["login"], answer.json()["poll"]["endpoint"]
        self.token = answer.json()["poll"]["token"]

    def poll(self, token=None):
        return self.client.post(self.endpoint, data={"token": token or self.token})

    def show(self):
        return self.browser.get(self.page)

    def grant(self, login, token):
        return self.browser.post(self.page, data={"login": login, "token": token})


def tokens(account) -> dict:
    return {token["name"]: token for token in account.rest().get("tokens").json()["tokens"]}


@pytest.mark.parametrize("path", ["/index.php/login/v2", "/login/v2"])
def test_a_client_is_granted_a_token_of_its_own(server, account, path):
    flow = Flow(server, path)
    assert flow.endpoint == f"{server.url}/login/v2/poll" and flow.page.startswith(server.url + "/")
    answer = flow.poll()
    assert answer.status_code == 404 and answer.json() == []
    assert flow.grant(account.login, account.token()).status_code == 200
    answer = flow.poll()
    assert answer.status_code == 200
    granted = answer.json()
    assert granted["server"] == server.url and granted["loginName"] == account.login
    assert flow.poll().status_code == 404, "only once"

    basic = (granted["loginName"], granted["appPassword"])
    user = httpx.get(server.url + "/ocs/v1.php/cloud/user", params={"format": "json"}, auth=basic).json()
    assert user["ocs"]["data"]["id"] == account.login
    drive = account.dav(granted["appPassword"], f"/remote.php/dav/files/{account.login}/")
    drive.make("f", b"x")
    assert httpx.get(server.url + "/api/v1/tokens", auth=basic).status_code == 403, "it may not make others"
    made = tokens(account)[MIRALL[:100]]
    assert made["scopes"] == ["read", "write"] and made["expiresAt"] is None

    assert httpx.delete(server.url + "/ocs/v2.php/core/apppassword", auth=basic).status_code == 200
    assert drive.get("f").status_code == 401 and MIRALL[:100] not in tokens(account)


def test_the_page_is_plain_and_nobody_frames_it(server):
    flow = Flow(server, **{"User-Agent": "<script>alert(1)</script>\"'&"})
    page = flow.show()
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in page.text and "&lt;script&gt;" in page.text
    form = Form(page.text)
    assert form.fields == ["login", "token"] and form.method == "post" and "script" not in form.tags
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'" and policy["style-src"].startswith("'sha256-")
    assert page.headers["referrer-policy"] == "no-referrer" and page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert flow.token not in page.text, "the page knows nothing of the client's secret"


def test_what_does_not_belong_together_grants_nothing(server, account):
    other = server.account()
    flow = Flow(server)
    for login, token in [
        (account.login, "ocl_1_" + "x" * 45),
        (account.login, "nonsense"),
        (account.login, ""),
        ("", account.token()),
        (other.login, account.token()),
        ("<b>", account.token()),
        (account.login, account.token("read")),
        (account.login, account.token("read", "manage")),
    ]:
        answer = flow.grant(login, token)
        assert answer.status_code == 403, (login, token, answer.text)
        form = Form(answer.text)
        assert form.fields == ["login", "token"] and 'role="alert"' in answer.text
        assert not token or token not in answer.text
        assert flow.poll().status_code == 404
    assert list(tokens(account)) == ["test"], "nothing was made"
    assert flow.grant(account.login, account.token()).status_code == 200
    other.close()


@pytest.mark.parametrize("path", ["/login/v2", "/login/flow"])
def test_after_a_wrong_token_the_login_need_not_be_typed_again(server, account, path):
    page = Flow(server).page if path == "/login/v2" else server.url + path
    for login, shown in ((account.login, account.login), ('"><b a="', "&quot;&gt;&lt;b a=&quot;"), ("", "")):
        answer = httpx.post(page, data={"login": login, "token": "wrong"})
        assert answer.status_code == 403
        assert f'value="{shown}"' in answer.text and "wrong" not in answer.text


def test_a_login_is_granted_once(server, account):
    flow = Flow(server)
    token = account.token()
    assert flow.grant(account.login, token).status_code == 200
    assert flow.show().status_code == 404
    again = flow.grant(account.login, token)
    assert again.status_code == 404 and "text/html" in again.headers["content-type"]
    assert sum(token["name"].startswith("Mozilla") for token in account.rest().get("tokens").json()["tokens"]) == 1
    assert flow.poll().status_code == 200
    assert flow.show().status_code == 404


def test_nobody_polls_with_another_secret(server, account):
    flow, other = Flow(server), Flow(server)
    assert len({flow.token, other.token, flow.page, other.page}) == 4
    assert len(flow.token) >= 43 and flow.token not in flow.page
    flow.grant(account.login, account.token())
    for token in (other.token, flow.page.rsplit("/", 1)[1], "x", "'", flow.token[:-1]):
        assert flow.poll(token).status_code == 404
    assert flow.client.post(flow.endpoint).status_code == 404
    assert flow.poll().status_code == 200


def test_a_confined_token_grants_a_confined_one(server, account):
    account.dav().folder("d")
    folder = account.rest().get("folders").json()["folders"][0]["id"]
    flow = Flow(server)
    flow.grant(account.login, account.token(folder=folder, days=5))
    password = flow.poll().json()["appPassword"]
    me = account.rest(password).get("me").json()
    assert me["token"] == {"scopes": ["read", "write"], "folderId": folder}
    assert tokens(account)[MIRALL[:100]]["expiresAt"] is not None


def test_a_token_that_may_make_no_others_is_handed_on_itself(server, account):
    token = account.token("read", "write")
    flow = Flow(server)
    flow.grant(account.login, token)
    assert flow.poll().json()["appPassword"] == token


def test_a_proxy_tells_where_the_client_is(server):
    answer = httpx.post(
        server.url + "/index.php/login/v2", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/cloud"}
    ).json()
    host = server.url.removeprefix("http://")
    assert answer["poll"]["endpoint"] == f"https://{host}/cloud/login/v2/poll"
    assert answer["login"].startswith(f"https://{host}/cloud/login/v2/flow/")


def test_version_1_leads_the_browser_back_to_the_client(server, account):
    url = server.url + "/index.php/login/flow"
    headers = {"User-Agent": "Mozilla/5.0 (Android) Nextcloud-android/3.29", "OCS-APIREQUEST": "true"}
    with httpx.Client(headers=headers, timeout=60) as browser:
        page = browser.get(url)
        assert Form(page.text).fields == ["login", "token"] and "form-action 'self' nc:" in page.headers["content-security-policy"]
        assert browser.post(url, data={"login": account.login, "token": "x"}).status_code == 403
        answer = browser.post(url, data={"login": account.login, "token": account.token()})
    assert answer.status_code == 303
    match = re.fullmatch(r"nc://login/server:(.+)&user:(.+)&password:(.+)", answer.headers["location"])
    assert match and match[1] == server.url and match[2] == account.login
    assert account.rest(urllib.parse.unquote(match[3])).get("me").json()["token"]["scopes"] == ["read", "write"]
    assert "Nextcloud-android" in "".join(tokens(account))


def test_what_is_no_part_of_a_login(server):
    with httpx.Client(base_url=server.url) as nobody:
        assert nobody.get("/login/v2").status_code == 405
        assert nobody.get("/login/v2/poll").status_code == 405
        assert nobody.put("/login/flow").status_code == 405
        assert nobody.get("/index.php/login").status_code == 404
        page = nobody.get("/login/v2/flow/" + "0" * 64)
        assert page.status_code == 404 and "text/html" in page.headers["content-type"]
        assert nobody.post("/login/v2/poll", content=b"token=" + b"x" * 10_000).status_code == 413

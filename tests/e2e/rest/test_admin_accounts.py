"""/api/v1/admin/accounts: who may have a drive."""

import secrets

import httpx
import pytest

from support.rest import Rest, assert_error
from support.timing import cost

FIELDS = {"id", "login", "displayName", "quota", "usedBytes", "createdAt"}


@pytest.fixture
def login():
    return f"x.{secrets.token_hex(6)}-_"


@pytest.fixture
def made(server, login):
    """A bare account, deleted in the end."""
    answer = server.admin.post("accounts", json={"login": login})
    assert answer.status_code == 201
    yield answer.json()["account"]
    server.admin.delete(f"accounts/{answer.json()['account']['id']}")


def test_create_with_all_fields(server, login):
    answer = server.admin.post("accounts", json={"login": login, "displayName": "Имя 🦀", "quota": 12345})
    assert answer.status_code == 201
    account = answer.json()["account"]
    assert FIELDS <= set(account)
    assert account["login"] == login and account["displayName"] == "Имя 🦀" and account["quota"] == 12345
    assert account["usedBytes"] == 0
    assert isinstance(account["id"], str) and account["createdAt"].endswith("Z")
    assert server.admin.get(f"accounts/{account['id']}").json()["account"] == account
    assert account in server.admin.get("accounts").json()["accounts"]
    assert server.admin.delete(f"accounts/{account['id']}").status_code == 204


def test_accounts_come_in_pages_at_the_price_of_one_question(server):
    made = [server.account(quota=number) for number in range(5)]
    seen, params = {}, {"limit": 2}
    while True:
        answer = server.admin.get("accounts", params=params)
        assert answer.status_code == 200 and 1 <= len(answer.json()["accounts"]) <= 2
        assert cost(answer).trips <= 2, "however many accounts there are"
        seen.update((account["id"], account["quota"]) for account in answer.json()["accounts"])
        if not answer.json()["nextCursor"]:
            break
        params["cursor"] = answer.json()["nextCursor"]
    assert [seen[account.id] for account in made] == [0, 1, 2, 3, 4]
    assert_error(server.admin.get("accounts", params={"limit": 0}), 400)
    assert_error(server.admin.get("accounts", params={"cursor": "nonsense!"}), 400)


def test_a_deleted_account_leaves_its_login(server, login):
    for _ in range(2):
        answer = server.admin.post("accounts", json={"login": login})
        assert answer.status_code == 201
        assert server.admin.delete(f"accounts/{answer.json()['account']['id']}").status_code == 204


def test_only_the_login_is_needed(made, login):
    assert made["quota"] is None
    assert made["displayName"] == login


def test_used_bytes_are_told(server, account, dav):
    dav.make("f", b"x" * 321)
    assert server.admin.get(f"accounts/{account.id}").json()["account"]["usedBytes"] == 321


def test_a_login_is_unique(server, made, login):
    assert_error(server.admin.post("accounts", json={"login": login}), 409)


@pytest.mark.parametrize("bad", ["", ".", "..", "A", "a b", "ä", "a/b", "a" * 65, "a\u0000", "a\n", None, 1, ["a"], {}])
def test_a_bad_login_is_422(server, bad):
    assert_error(server.admin.post("accounts", json={"login": bad}), 422)


def test_the_longest_login(server):
    login = (secrets.token_hex(8) + "a" * 64)[:64]
    answer = server.admin.post("accounts", json={"login": login})
    assert answer.status_code == 201
    assert server.admin.delete(f"accounts/{answer.json()['account']['id']}").status_code == 204


def test_a_quota_may_be_written_with_a_point(server, made):
    answer = server.admin.patch(f"accounts/{made['id']}", content=b'{"quota":7.0}')
    assert answer.status_code == 200 and answer.json()["account"]["quota"] == 7
    answer = server.admin.patch(f"accounts/{made['id']}", json={"quota": 2**53})
    assert answer.status_code == 200 and answer.json()["account"]["quota"] == 2**53


@pytest.mark.parametrize("name", ["a\tb", "a\t", "\na", "\r", "a\x7f", "\x85", "a\0"])
def test_a_display_name_with_control_characters_is_refused_in_a_sentence(server, made, name):
    answer = server.admin.patch(f"accounts/{made['id']}", json={"displayName": name})
    assert_error(answer, 422)
    assert "control characters" in answer.json()["error"]
    assert server.admin.get(f"accounts/{made['id']}").json()["account"] == made


def test_spaces_around_a_display_name_are_cut_off(server, made):
    answer = server.admin.patch(f"accounts/{made['id']}", json={"displayName": "  Ann B. "})
    assert answer.status_code == 200 and answer.json()["account"]["displayName"] == "Ann B."


@pytest.mark.parametrize("quota", [-1, 1.5, "1", True, 2**53 + 1, 2**63, 1e300, [1]])
def test_a_bad_quota_is_422(server, made, login, quota):
    assert_error(server.admin.post("accounts", json={"login": login + "2", "quota": quota}), 422)
    assert_error(server.admin.patch(f"accounts/{made['id']}", json={"quota": quota}), 422)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[", b"{'login':1}", b"\xff", b"login=a", b'{"login":"a"} x', b'{"login":"\\ud800"}']
)
def test_broken_json_is_400(server, body):
    answer = server.admin.post("accounts", content=body, headers={"Content-Type": "application/json"})
    assert_error(answer, 400)


@pytest.mark.parametrize("body", ["[]", "null", "1", '"a"', "{}"])
def test_other_json_is_422(server, body):
    answer = server.admin.post("accounts", content=body, headers={"Content-Type": "application/json"})
    assert_error(answer, 422)


def test_patch(server, made):
    url = f"accounts/{made['id']}"
    answer = server.admin.patch(url, json={"displayName": "New", "quota": 99})
    assert answer.status_code == 200
    assert answer.json()["account"] == {**made, "displayName": "New", "quota": 99}
    assert server.admin.patch(url, json={"displayName": "Newer"}).json()["account"]["quota"] == 99
    assert server.admin.patch(url, json={"quota": None}).json()["account"]["quota"] is None
    assert server.admin.get(url).json()["account"]["displayName"] == "Newer"


def test_a_new_quota_counts_at_once(server, account, dav):
    dav.make("f", b"x" * 100)
    assert server.admin.patch(f"accounts/{account.id}", json={"quota": 150}).status_code == 200
    assert dav.put("g", content=b"x" * 51).status_code == 507
    assert server.admin.patch(f"accounts/{account.id}", json={"quota": 10}).status_code == 200
    assert dav.put("g", content=b"x").status_code == 507
    assert dav.get("f").status_code == 200 and dav.delete("f").status_code == 204


def test_delete_takes_files_and_tokens_along(server):
    account = server.account()
    dav, rest = account.dav(), account.rest()
    dav.folder("d")
    for content in (b"x" * 100, b"y" * 100):
        dav.make("d/f", content)
    dav.locked("d/f")
    assert server.admin.delete(f"accounts/{account.id}").status_code == 204
    assert dav.get("d/f").status_code == 401
    assert rest.get("me").status_code == 401
    assert_error(server.admin.get(f"accounts/{account.id}"), 404)
    assert_error(server.admin.delete(f"accounts/{account.id}"), 404)
    again = server.admin.post("accounts", json={"login": account.login})
    assert again.status_code == 201, "the login is free again"
    assert again.json()["account"]["usedBytes"] == 0
    assert again.json()["account"]["id"] != account.id, "an id is not used again"
    server.admin.delete(f"accounts/{again.json()['account']['id']}")
    account.close()


@pytest.mark.parametrize(
    "id", ["0", "999999999", "-1", "abc", "1.5", "99999999999999999999999", "%00", "1%20OR%201=1", "%ff"]
)
def test_unknown_ids_are_404(server, id):
    for method in ("GET", "PATCH", "DELETE"):
        answer = server.admin.request(method, f"accounts/{id}", **({"json": {"quota": 1}} if method == "PATCH" else {}))
        assert_error(answer, 404)
    assert_error(server.admin.post(f"accounts/{id}/tokens", json={"name": "t", "scopes": ["read"]}), 404)
    assert_error(server.admin.get(f"accounts/{id}/tokens"), 404)


@pytest.mark.parametrize("token", [None, "wrong", "ocl_wrong", ""])
def test_only_the_administrator_may(server, made, token):
    stranger = Rest(server.url, token, "/api/v1/admin/")
    for answer in (
        stranger.get("accounts"),
        stranger.post("accounts", json={"login": "x"}),
        stranger.get(f"accounts/{made['id']}"),
        stranger.patch(f"accounts/{made['id']}", json={}),
        stranger.delete(f"accounts/{made['id']}"),
        stranger.post(f"accounts/{made['id']}/tokens", json={}),
    ):
        assert_error(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert server.admin.get(f"accounts/{made['id']}").status_code == 200


def test_a_users_token_is_not_enough(server, account):
    user = Rest(server.url, account.token(), "/api/v1/admin/")
    assert user.get("accounts").status_code in (401, 403)


def test_the_administrator_has_no_drive(server):
    headers = {"Authorization": f"Bearer {server.admin_token}"}
    for path in ("/api/v1/me", "/api/v1/files", "/api/v1/folders", "/api/v1/tokens"):
        assert httpx.get(server.url + path, headers=headers).status_code == 401
    assert httpx.request("PROPFIND", server.url + "/dav/", headers=headers).status_code == 401

"""/api/v1/tokens: a user's own tokens, never wider than the one that asks."""

import time

import pytest

from support.rest import assert_error


def create(client, **body):
    return client.post("tokens", json={"name": "n", "scopes": ["read"], **body})


def test_create_list_use_delete(account, rest):
    answer = create(rest, scopes=["read", "write"], expiresInDays=7)
    assert answer.status_code == 201
    token = answer.json()["token"]
    child = account.rest(token["secret"])
    assert sorted(child.get("me").json()["token"]["scopes"]) == ["read", "write"]
    listed = rest.get("tokens").json()["tokens"]
    assert token["id"] in [entry["id"] for entry in listed]
    assert all("secret" not in entry for entry in listed)
    assert rest.delete(f"tokens/{token['id']}").status_code == 204
    assert child.get("me").status_code == 401


@pytest.mark.parametrize("scopes", [("read",), ("write",), ("read", "write")])
def test_the_scope_manage_is_needed(account, rest, scopes):
    client = account.rest(account.token(*scopes))
    [own, *_] = rest.get("tokens").json()["tokens"]
    assert_error(client.get("tokens"), 403)
    assert_error(create(client), 403)
    assert_error(client.delete(f"tokens/{own['id']}"), 403)


def test_no_scope_beyond_the_callers(account):
    manager = account.rest(account.token("read", "manage"))
    assert create(manager, scopes=["read"]).status_code == 201
    assert create(manager, scopes=["read", "manage"]).status_code == 201
    assert_error(create(manager, scopes=["read", "write"]), 403)


def test_no_folder_beyond_the_callers(account, rest):
    inside = rest.mkdir("inside")
    below = rest.mkdir("below", inside["id"])
    outside = rest.mkdir("outside")
    manager = account.rest(account.token(folder=inside["id"]))
    assert create(manager, folderId=below["id"]).json()["token"]["folderId"] == below["id"]
    assert create(manager, folderId=inside["id"]).status_code == 201
    assert create(manager, folderId=outside["id"]).status_code in (403, 404)
    free = create(manager)
    assert free.status_code in (201, 403, 422)
    if free.status_code == 201:
        assert free.json()["token"]["folderId"] == inside["id"]


def test_a_confined_manager_cannot_touch_wider_tokens(account, rest):
    inside = rest.mkdir("inside")
    wide = create(rest).json()["token"]
    manager = account.rest(account.token(folder=inside["id"]))
    assert manager.delete(f"tokens/{wide['id']}").status_code in (403, 404)
    assert account.rest(wide["secret"]).get("me").status_code == 200


def test_a_confined_manager_sees_and_revokes_just_what_it_may_make(account, rest):
    outside = rest.mkdir("outside")["id"]
    inside = rest.mkdir("inside", outside)["id"]
    below = rest.mkdir("below", inside)["id"]
    deep = rest.mkdir("deep", below)["id"]
    manager = account.rest(account.token(folder=inside))
    own = {token["id"] for token in manager.get("tokens").json()["tokens"]}
    made = {create(manager, folderId=folder).json()["token"]["id"] for folder in (inside, below, deep)}
    wider = {create(rest, folderId=outside).json()["token"]["id"], create(rest).json()["token"]["id"]}
    assert create(manager, folderId=outside).status_code == 403
    assert {token["id"] for token in manager.get("tokens").json()["tokens"]} == own | made
    for id in wider:
        assert_error(manager.delete(f"tokens/{id}"), 404)
    for id in made:
        assert manager.delete(f"tokens/{id}").status_code == 204
    left = {token["id"] for token in rest.get("tokens").json()["tokens"]}
    assert wider | own <= left and not made & left


def test_a_token_whose_folder_went_elsewhere_is_no_longer_the_confined_managers(account, rest):
    inside, outside = rest.mkdir("inside")["id"], rest.mkdir("outside")["id"]
    folder = rest.mkdir("d", inside)["id"]
    manager = account.rest(account.token(folder=inside))
    token = create(manager, folderId=folder).json()["token"]["id"]
    assert rest.patch(f"folders/{folder}", json={"parentId": outside}).status_code == 200
    assert token not in {one["id"] for one in manager.get("tokens").json()["tokens"]}
    assert_error(manager.delete(f"tokens/{token}"), 404)
    assert token in {one["id"] for one in rest.get("tokens").json()["tokens"]}


def test_a_token_outlives_no_longer_than_its_maker_may(account):
    manager = account.rest(account.token("read", "manage", days=2))
    answer = create(manager, expiresInDays=365)
    assert answer.status_code in (201, 403, 422)
    if answer.status_code == 201:
        expiry = {entry["id"]: entry["expiresAt"] for entry in manager.get("tokens").json()["tokens"]}
        assert expiry[answer.json()["token"]["id"]] is not None


def test_a_whole_number_may_have_a_point(rest):
    answer = rest.post("tokens", content=b'{"name":"n","scopes":["read"],"expiresInDays":7.0}')
    assert answer.status_code == 201, answer.text
    for days in (b"7.5", b"0.0", b"1e6", b"36501.0"):
        assert_error(rest.post("tokens", content=b'{"name":"n","scopes":["read"],"expiresInDays":' + days + b"}"), 422)


def test_tokens_of_others_are_404(server, rest):
    other = server.account()
    other.token("read")
    [token] = server.admin.get(f"accounts/{other.id}/tokens").json()["tokens"]
    assert_error(rest.delete(f"tokens/{token['id']}"), 404)
    assert token["id"] not in [entry["id"] for entry in rest.get("tokens").json()["tokens"]]
    other.close()


@pytest.mark.parametrize("id", ["0", "abc", "-1", "99999999999999999999999"])
def test_unknown_ids_are_404(rest, id):
    assert_error(rest.delete(f"tokens/{id}"), 404)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_broken_json_is_400(rest, body):
    assert_error(rest.post("tokens", content=body, headers={"Content-Type": "application/json"}), 400)


def test_the_last_use_is_recorded(account, rest):
    token = create(rest).json()["token"]
    assert account.rest(token["secret"]).get("me").status_code == 200
    for _ in range(50):
        used = {entry["id"]: entry["lastUsedAt"] for entry in rest.get("tokens").json()["tokens"]}[token["id"]]
        if used:
            return
        time.sleep(0.1)
    raise AssertionError("lastUsedAt is still empty after 5 seconds")

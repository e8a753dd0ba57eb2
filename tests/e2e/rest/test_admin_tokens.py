"""/api/v1/admin/accounts/{id}/tokens: keys to a drive, made by the administrator."""

import base64
import binascii
from datetime import datetime, timedelta, timezone

import pytest

from support.rest import assert_error

FIELDS = {"id", "name", "scopes", "folderId", "createdAt", "expiresAt", "lastUsedAt"}


def create(server, account, **body):
    return server.admin.post(f"accounts/{account.id}/tokens", json={"name": "n", "scopes": ["read"], **body})


def test_create_shows_the_secret_once(server, account):
    answer = create(server, account, name="Имя", scopes=["read", "write"])
    assert answer.status_code == 201
    token = answer.json()["token"]
    assert set(token) >= FIELDS | {"secret"}
    assert token["name"] == "Имя" and sorted(token["scopes"]) == ["read", "write"]
    assert token["folderId"] is None and token["expiresAt"] is None and token["lastUsedAt"] is None
    [listed] = server.admin.get(f"accounts/{account.id}/tokens").json()["tokens"]
    assert "secret" not in listed and token["secret"] not in str(listed)
    assert listed == {name: value for name, value in token.items() if name != "secret"}


def test_a_secret_is_long_and_never_the_same(account):
    secrets = {account.token() for _ in range(5)}
    assert len(secrets) == 5
    for secret in secrets:
        assert secret.startswith("ocl_")
        assert all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in secret)
        assert len(secret) >= 4 + 43, "256 random bits"


def test_rclone_does_not_take_a_secret_for_an_obscured_one(account):
    """`rclone config create … pass $TOKEN` leaves what is valid base64 of 16 bytes as it is, and
    then decrypts it to nonsense."""
    for _ in range(5):
        secret = account.token()
        with pytest.raises(binascii.Error):
            base64.b64decode(secret.replace("-", "+").replace("_", "/") + "=" * (-len(secret) % 4), validate=True)


def test_expiry(server, account):
    token = create(server, account, expiresInDays=30).json()["token"]
    expires = datetime.fromisoformat(token["expiresAt"].replace("Z", "+00:00"))
    assert abs(expires - datetime.now(timezone.utc) - timedelta(days=30)) < timedelta(hours=1)


@pytest.mark.parametrize("days", [0, -1, 1.5, "1", 10**9, 10**30, True])
def test_a_bad_expiry_is_422(server, account, days):
    assert_error(create(server, account, expiresInDays=days), 422)


@pytest.mark.parametrize("scopes", [None, [], ["admin"], ["read", "x"], "read", [1], {"read": True}])
def test_bad_scopes_are_422(server, account, scopes):
    assert_error(create(server, account, scopes=scopes), 422)


@pytest.mark.parametrize("name", [None, 1, ["a"], "x" * 10_000])
def test_a_bad_name_is_422(server, account, name):
    assert_error(create(server, account, name=name), 422)


def test_a_folder_of_its_own_account(server, account, rest):
    folder = rest.mkdir("d")
    assert create(server, account, folderId=folder["id"]).json()["token"]["folderId"] == folder["id"]


def test_no_other_folder(server, account):
    other = server.account()
    foreign = other.rest().mkdir("d")
    for folder in (foreign["id"], "999999999", "abc", ""):
        assert create(server, account, folderId=folder).status_code in (404, 422), folder
    other.close()


def test_a_file_is_no_folder(server, account, rest):
    file = rest.upload("f", b"x")
    assert create(server, account, folderId=file["id"]).status_code in (404, 422)


def test_delete_ends_it_at_once(server, account):
    token = create(server, account).json()["token"]
    client = account.rest(token["secret"])
    assert client.get("me").status_code == 200
    assert server.admin.delete(f"accounts/{account.id}/tokens/{token['id']}").status_code == 204
    assert client.get("me").status_code == 401
    assert_error(server.admin.delete(f"accounts/{account.id}/tokens/{token['id']}"), 404)


def test_a_token_is_found_under_its_own_account_only(server, account):
    other = server.account()
    token = create(server, other).json()["token"]
    assert_error(server.admin.delete(f"accounts/{account.id}/tokens/{token['id']}"), 404)
    assert other.rest(token["secret"]).get("me").status_code == 200
    other.close()


@pytest.mark.parametrize("id", ["0", "abc", "-1", "99999999999999999999999"])
def test_unknown_ids_are_404(server, account, id):
    assert_error(server.admin.delete(f"accounts/{account.id}/tokens/{id}"), 404)

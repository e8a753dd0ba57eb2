"""The server under test and the accounts that tests make on it."""

import itertools
import os
import secrets

import httpx

from support.dav import Dav
from support.rest import Rest

WEBDAV_NAME = os.environ.get("EDGEDRIVE_WEBDAV_NAME", "OpenCoper")


class Server:
    """A running edgedrive, known by its URL and the token of its administrator."""

    def __init__(self, url: str, admin_token: str):
        self.url = url.rstrip("/")
        self.admin_token = admin_token
        self.admin = Rest(self.url, admin_token, "/api/v1/admin/")
        self._accounts: list[Account] = []
        self._numbers = itertools.count(1)
        self._run = secrets.token_hex(4)

    def account(self, quota: int | None = None) -> "Account":
        """A new account with an empty drive; `quota` in bytes, None for no limit."""
        login = f"t{self._run}-{next(self._numbers)}"
        answer = self.admin.post("accounts", json={"login": login, "quota": quota})
        assert answer.status_code == 201, answer.text
        account = Account(self, answer.json()["account"])
        self._accounts.append(account)
        return account

    def ready(self) -> dict:
        """What /readyz tells the administrator where all is well."""
        headers = {"Authorization": f"Bearer {self.admin_token}"}
        answer = httpx.get(f"{self.url}/readyz", headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self):
        """Deletes the accounts that the tests made, where the server is not the tests' own, which goes with all it has."""
        for account in () if os.environ.get("EDGEDRIVE_STATE") else self._accounts:
            self.admin.delete(f"accounts/{account.id}")
        self.admin.close()


class Account:
    """An account of the server, and clients that act for it."""

    def __init__(self, server: Server, shape: dict):
        self.server = server
        self.id = shape["id"]
        self.login = shape["login"]
        self._clients: list[httpx.Client] = []

    def token(self, *scopes: str, folder: str | None = None, days: int | None = None) -> str:
        """The secret of a new token; without `scopes`, it may read, write and manage."""
        body = {"name": "test", "scopes": list(scopes or ("read", "write", "manage"))}
        if folder is not None:
            body["folderId"] = folder
        if days is not None:
            body["expiresInDays"] = days
        answer = self.server.admin.post(f"accounts/{self.id}/tokens", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]["secret"]

    def dav(self, token: str | None = None, mount: str = "/dav/") -> Dav:
        """A WebDAV client, by default with a new token that may do everything."""
        client = Dav(self.server.url, token or self.token(), mount)
        self._clients.append(client)
        return client

    def rest(self, token: str | None = None) -> Rest:
        """A REST client, by default with a new token that may do everything."""
        client = Rest(self.server.url, token or self.token())
        self._clients.append(client)
        return client

    def close(self):
        """Closes the clients' connections; the account stays until the server is closed."""
        for client in self._clients:
            client.close()

"""A client of the REST API."""

import ssl

import httpx

# One for all clients, which speak no TLS: each would load the machine's certificates, for as long as twenty requests take.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Rest(httpx.Client):
    """Sends a Bearer token; paths are relative to `base`. Redirects are not followed."""

    def __init__(self, url: str, token: str | None, base: str = "/api/v1/"):
        self.token = token
        headers = {"Accept-Encoding": "identity"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        super().__init__(base_url=url + base, headers=headers, timeout=120, verify=NO_CERTIFICATES)

    def upload(self, name: str, content: bytes, folder: str | None = None, mime: str | None = None) -> dict:
        """Uploads a file and gives its `file` object."""
        answer = self.try_upload(name, content, folder, mime)
        assert answer.status_code == 201, answer.text
        return answer.json()["file"]

    def try_upload(self, name: str, content: bytes, folder: str | None = None, mime: str | None = None):
        """Uploads a file and gives the answer, whatever it is."""
        params = {} if folder is None else {"folderId": folder}
        part = (name, content, mime) if mime else (name, content)
        return self.post("files", params=params, files={"file": part})

    def mkdir(self, name: str, parent: str | None = None) -> dict:
        """Makes a folder and gives its `folder` object."""
        answer = self.post("folders", json={"name": name, "parentId": parent})
        assert answer.status_code == 201, answer.text
        return answer.json()["folder"]

    def files(self, folder: str | None = None) -> list[dict]:
        """The files of a folder, of the root without one."""
        params = {} if folder is None else {"folderId": folder}
        answer = self.get("files", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["files"]

    def empty_trash(self):
        """Makes all deletions final."""
        answer = self.delete("trash")
        assert answer.status_code == 204, answer.text

    def used(self) -> int:
        """The bytes that count against the quota."""
        return self.get("me").json()["quota"]["usedBytes"]


def assert_error(answer: httpx.Response, status: int, code: str | None = None):
    """The answer is an error of the API's shape: a sentence and a stable name."""
    assert answer.status_code == status, f"{answer.status_code} instead of {status}: {answer.text}"
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert body["error"] and isinstance(body["error"], str)
    assert body["code"] == (code or body["code"])
    assert body["code"].replace("_", "").isupper()

"""A token with the scope write alone, as a drop box has it: whatever it asks for, it is told nothing of what is in the drive."""

import hashlib

import pytest

from support.dav import search_body, set_prop
from support.rest import Rest

CONTENT = b"what nobody is to know"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OLD = b"what it was before"
TUS = {"Tus-Resumable": "1.0.0"}


class Drive:
    """A drive with a file that has a version, and things in the trash. `secrets` is what only a reader knows of them."""

    def __init__(self, account):
        self.account, self.reader = account, account.rest()
        self.folder = self.reader.mkdir("private")["id"]
        self.reader.upload("plan.txt", OLD, self.folder, "text/x-plan")
        headers = {"X-OC-MTime": "1234567890", "Content-Type": "text/x-plan"}
        assert account.dav().put("private/plan.txt", content=CONTENT, headers=headers).status_code == 204
        [self.file] = [file["id"] for file in self.reader.files(self.folder)]
        self.version = self.reader.get(f"files/{self.file}/versions").json()["versions"][0]["id"]
        self.gone = self.reader.upload("gone.txt", CONTENT, mime="text/x-plan")["id"]
        self.gone_folder = self.reader.mkdir("gone")["id"]
        self.reader.delete(f"files/{self.gone}")
        self.reader.delete(f"folders/{self.gone_folder}")
        self.token = account.token("write")
        self.writer, self.manager = account.rest(self.token), account.rest(account.token("write", "manage"))

    def secrets(self) -> list[str]:
        """What is in the answers to a reader at present: digests, types, times, entity tags."""
        file = self.reader.get(f"files/{self.file}")
        if file.status_code != 200:
            return [SHA256, "text/x-plan"]
        folder = self.reader.get(f"folders/{self.folder}").json()["folder"]
        return [SHA256, "text/x-plan", "2009-02-13", "13 Feb 2009", file.json()["file"]["etag"], folder["etag"]]


@pytest.fixture
def drive(account):
    return Drive(account)


def check(answer, secrets: list[str]):
    """The answer tells no secret, neither in its body nor in its headers."""
    told = answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    assert [secret for secret in secrets if secret in told] == [], told
    assert CONTENT not in answer.content and OLD not in answer.content
    assert "oc-checksum" not in answer.headers and "repr-digest" not in answer.headers


def operations(server) -> list[tuple[str, str]]:
    """All operations of REST but those of the administrator, by the description that the server gives."""
    document = server.admin.get("../openapi.json").json()
    methods = {"get", "put", "post", "patch", "delete", "head"}
    return [
        (method.upper(), path.removeprefix("/"))
        for path, described in document["paths"].items()
        for method in described
        if method in methods and not path.startswith("/admin/")
    ]


def filled(path: str, drive: Drive) -> str:
    """The path with the ids of what is there."""
    kind = path.split("/")[0]
    id = {"files": drive.file, "folders": drive.folder, "trash": drive.gone}.get(kind, "1")
    return path.replace("{id}", id).replace("{version}", drive.version).replace("{delivery}", "1")


@pytest.mark.parametrize("manages", [False, True], ids=["write", "write manage"])
def test_no_operation_of_rest_tells_what_is_there(server, drive, manages):
    client = drive.manager if manages else drive.writer
    # What deletes comes last.
    for method, path in sorted(operations(server), key=lambda operation: operation[0] == "DELETE"):
        secrets = drive.secrets()
        body = {} if method in ("POST", "PATCH") else None
        answer = client.request(method, filled(path, drive), json=body, headers=TUS if path.startswith("uploads") else {})
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        if path == "openapi.json":
            continue
        check(answer, secrets)
        if method == "GET" and path.split("/")[0] not in ("me", "tokens", "uploads"):
            assert answer.status_code == 403, f"{method} {path}: {answer.text}"


def id_alone(answer, kind: str, id: str | None = None):
    """The answer succeeded, and tells the id of a file or folder and nothing else."""
    assert answer.status_code in (200, 201), answer.text
    [(told, shape)] = answer.json().items()
    assert told == kind and list(shape) == ["id"] and shape["id"] == (id or shape["id"])


def test_what_a_writer_changes_is_told_by_its_id_alone(drive):
    rest = drive.writer
    id_alone(rest.patch(f"files/{drive.file}", json={}), "file", drive.file)
    id_alone(rest.patch(f"files/{drive.file}", json={"name": "new.txt"}), "file", drive.file)
    id_alone(rest.patch(f"folders/{drive.folder}", json={}), "folder", drive.folder)
    id_alone(rest.post(f"files/{drive.file}/versions/{drive.version}/restore"), "file", drive.file)
    id_alone(rest.post(f"trash/{drive.gone}/restore"), "file", drive.gone)
    id_alone(rest.post(f"trash/{drive.gone_folder}/restore"), "folder", drive.gone_folder)
    id_alone(rest.try_upload("new.txt", b"x", drive.folder), "file", drive.file)
    id_alone(rest.post("folders", json={"name": "d", "parentId": drive.folder}), "folder")
    assert drive.reader.get(f"files/{drive.file}").json()["file"]["name"] == "new.txt", "they were done"


def dav_requests(drive: Drive) -> list[tuple[str, str, dict, bytes | str]]:
    """A request by each method of WebDAV, on files, folders, versions and the trash: method, URL path, headers, body."""
    mounts = f"/remote.php/dav/versions/{drive.account.login}", f"/remote.php/dav/trashbin/{drive.account.login}"
    file, folder, version = "/dav/private/plan.txt", "/dav/private/", f"{mounts[0]}/versions/{drive.file}/{drive.version}"
    trash = f"{mounts[1]}/trash/"
    [trashed] = [href for href in drive.account.dav(mount=trash).list().hrefs if "gone.txt" in href]
    lock = '<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>'
    update = f'<d:propertyupdate xmlns:d="DAV:" xmlns:x="urn:x">{set_prop("<x:p>1</x:p>")}</d:propertyupdate>'
    found = search_body("<d:is-collection/>", None)
    report = '<oc:filter-files xmlns:oc="http://owncloud.org/ns"><oc:filter-rules><oc:favorite>1</oc:favorite></oc:filter-rules></oc:filter-files>'
    requests = []
    for target in (file, folder, version, trash, trashed):
        for method in ("OPTIONS", "GET", "HEAD", "PROPFIND", "MKCOL", "POST", "UNLOCK"):
            requests.append((method, target, {"Depth": "1"}, b""))
        requests.append(("REPORT", target, {}, report))
        requests.append(("SEARCH", target, {}, found))
        requests.append(("PROPPATCH", target, {}, update))
        requests.append(("LOCK", target, {"Depth": "0", "Timeout": "Second-1"}, lock))
        for algorithm in ("sha1", "md5", "sha256", "adler32"):
            requests.append(("PATCH", target, {"X-Recalculate-Hash": algorithm}, b""))
        for condition in ({"If-None-Match": "*"}, {"If-Match": '"x"'}, {"If": '(["x"])'}):
            requests.append(("PUT", target, condition, b"x"))
        requests.append(("COPY", target, {"Destination": "/dav/copy"}, b""))
    # What changes something comes last.
    requests.append(("MOVE", version, {"Destination": f"{mounts[0]}/restore/x"}, b""))
    requests.append(("MOVE", trashed, {"Destination": "/dav/restored.txt"}, b""))
    requests.append(("MOVE", file, {"Destination": "/dav/private/moved.txt"}, b""))
    requests.append(("MOVE", folder, {"Destination": "/dav/moved/"}, b""))
    requests.append(("DELETE", "/dav/moved/", {}, b""))
    return requests


def test_no_method_of_webdav_tells_what_is_there(server, drive):
    client = Rest(server.url, drive.token, base="")
    for method, path, headers, body in dav_requests(drive):
        secrets = drive.secrets()
        answer = client.request(method, path, headers=headers, content=body)
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        check(answer, secrets)
        if method in ("GET", "HEAD", "PROPFIND", "COPY", "REPORT", "SEARCH", "PATCH") and answer.status_code not in (404, 405):
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code} {answer.text}"
    client.close()


def test_a_reader_who_may_not_write_asks_for_no_checksum(account, drive):
    for scopes, status in ((("read",), 403), (("write",), 403), (("read", "write"), 204)):
        client = account.dav(account.token(*scopes))
        answer = client.request("PATCH", "private/plan.txt", headers={"X-Recalculate-Hash": "sha256"})
        assert answer.status_code == status and ("oc-checksum" in answer.headers) == (status == 204)

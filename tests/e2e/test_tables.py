"""Each table that belongs to an account, asked by a token that is confined to a folder, and by one that may only write there.

docs/architecture.md says by what they are kept from each; a table that is in neither the page nor this walk is a failure.
"""

import re
from pathlib import Path

import pytest

from support.dav import lockinfo, set_prop
from support.tus import TUS, append, begun, metadata, upload_of

ROOT = Path(__file__).parents[2]


class Outsiders:
    """An owner with something in each table outside the folder `box`, and who is confined to that."""

    def __init__(self, account):
        self.account = account
        self.owner, self.rest = account.dav(), account.rest()
        self.owner.mkcol("box")
        self.owner.mkcol("private")
        self.owner.make("private/plan.txt", b"the secret plan")
        self.box = next(folder["id"] for folder in self.rest.get("folders").json()["folders"] if folder["name"] == "box")
        [self.file] = self.rest.files(self.folder("private"))
        self.tokens = {
            "confined": account.token("read", "write", "manage", folder=self.box),
            "write-only": account.token("write", folder=self.box),
        }

    def folder(self, name):
        return next(folder["id"] for folder in self.rest.get("folders").json()["folders"] if folder["name"] == name)

    def each(self, mount="/dav/"):
        for token in self.tokens.values():
            yield self.account.dav(token, mount), self.account.rest(token)


@pytest.fixture
def outsiders(account):
    return Outsiders(account)


def refused(answer, *statuses):
    assert answer.status_code in (statuses or (403, 404)), f"{answer.status_code} {answer.text}"
    assert "secret" not in answer.text and "plan" not in answer.text, answer.text


def drives(o):
    o.account.server.admin.patch(f"accounts/{o.account.id}", json={"quota": 12345})
    for dav, rest in o.each():
        for method, path in (("GET", "me"), ("GET", "files"), ("GET", "folders")):
            answer = rest.request(method, path)
            assert answer.status_code in (200, 403) and "plan" not in answer.text
        refused(rest.get("admin/accounts"), 401, 403, 404)


def versions(o):
    o.owner.make("private/plan.txt", b"the second secret plan")
    [version] = o.rest.get(f"files/{o.file['id']}/versions").json()["versions"]
    mount = f"/remote.php/dav/versions/{o.account.login}/versions/{o.file['id']}/"
    for dav, rest in o.each(mount):
        refused(rest.get(f"files/{o.file['id']}/versions"))
        refused(rest.get(f"files/{o.file['id']}/versions/{version['id']}/download"))
        refused(rest.post(f"files/{o.file['id']}/versions/{version['id']}/restore"))
        refused(dav.propfind("", "1"))
        refused(dav.get(version["id"]))
        refused(dav.delete(version["id"]))
    assert len(o.rest.get(f"files/{o.file['id']}/versions").json()["versions"]) == 1


def locks(o):
    token = o.owner.request("LOCK", "private", content=lockinfo()).headers["lock-token"]
    for dav, _ in o.each(f"/remote.php/dav/files/{o.account.login}/"):
        answer = dav.request("UNLOCK", "", headers={"Lock-Token": token})
        assert answer.status_code in (403, 409), answer.text
        assert token not in dav.propfind("", "0").text
    assert o.owner.put("private/new", content=b"x").status_code == 423, "the lock still holds"


def tokens(o):
    made = o.rest.post("tokens", json={"name": "secret name", "scopes": ["read"]}).json()["token"]
    for _, rest in o.each():
        answer = rest.get("tokens")
        assert answer.status_code in (200, 403) and "secret name" not in answer.text
        refused(rest.delete(f"tokens/{made['id']}"))
        refused(rest.post("tokens", json={"name": "t", "scopes": ["write"], "folderId": o.folder("private")}), 403, 404)
    assert any(token["id"] == made["id"] for token in o.rest.get("tokens").json()["tokens"])


def jobs(o):
    for _, rest in o.each():
        refused(rest.get("admin/jobs"), 401, 403, 404)


def webhooks(o):
    o.rest.post("webhooks", json={"url": "https://hooks.example/secret", "events": ["file.created"]})
    for _, rest in o.each():
        refused(rest.get("webhooks"))
        refused(rest.post("webhooks", json={"url": "https://hooks.example/x", "events": ["file.created"]}))


def uploads(o):
    mount = f"/remote.php/dav/uploads/{o.account.login}/"
    chunks = o.account.dav(o.owner.token, mount)
    assert chunks.mkcol("secret-upload").status_code == 201
    assert chunks.put("secret-upload/1", content=b"the secret plan").status_code == 201
    tus = begun(o.rest, 8, name="secret")
    for dav, rest in o.each(mount):
        assert "secret" not in dav.propfind("", "1").text
        refused(dav.propfind("secret-upload", "1"), 404)
        refused(dav.put("secret-upload/1", content=b"falsified"), 404)
        refused(dav.delete("secret-upload"), 404)
        files = o.account.dav(mount=f"/remote.php/dav/files/{o.account.login}/")
        refused(dav.request("MOVE", "secret-upload/.file", headers={"Destination": files.absolute("stolen")}), 404)
        # A name is each token's own: another's is not in the way.
        assert dav.mkcol("secret-upload").status_code == 201
        assert dav.delete("secret-upload").status_code == 204
        refused(rest.head(tus, headers=TUS), 404)
        refused(append(rest, tus, 0, b"falsifie"), 404)
        refused(rest.delete(tus, headers=TUS), 404)


def chunks_are_with_their_upload(o):
    """A chunk is named by its upload alone; parts of a TUS upload, too."""
    first = begun(o.rest, 3, name="p")
    part = upload_of(o.rest.post("uploads", headers={**TUS, "Upload-Concat": "partial", "Upload-Length": "6"}))
    assert append(o.rest, part, 0, b"secret").status_code == 204
    for _, rest in o.each():
        headers = {**TUS, "Upload-Concat": f"final;/api/v1/{part}", "Upload-Metadata": metadata(filename="stolen")}
        refused(rest.post("uploads", headers=headers), 404)
    assert o.rest.head(first, headers=TUS).status_code == 200
    assert "stolen" not in o.owner.propfind("box", "1").text


def trashed(o):
    o.owner.make("secret.txt", b"the secret plan")
    assert o.owner.delete("secret.txt").status_code == 204
    [item] = o.rest.get("trash").json()["trash"]
    for dav, rest in o.each(f"/remote.php/dav/trashbin/{o.account.login}/trash/"):
        assert "secret" not in rest.get("trash").text
        refused(rest.post(f"trash/{item['id']}/restore"))
        refused(rest.delete(f"trash/{item['id']}"))
        refused(rest.delete("trash"))
        assert "secret" not in dav.propfind("", "1").text
    assert len(o.rest.get("trash").json()["trash"]) == 1


def tags(o):
    favourite = '<oc:favorite xmlns:oc="http://owncloud.org/ns">1</oc:favorite>'
    assert o.owner.proppatch("private/plan.txt", set_prop(favourite)).status_code == 207
    for dav, _ in o.each(f"/remote.php/dav/files/{o.account.login}/"):
        answer = dav.report("", '<?xml version="1.0"?><oc:filter-files xmlns:oc="http://owncloud.org/ns" xmlns:d="DAV:">'
                            "<oc:filter-rules><oc:favorite>1</oc:favorite></oc:filter-rules></oc:filter-files>")
        assert answer.status_code in (207, 403) and "plan" not in answer.text


def properties(o):
    assert o.owner.proppatch("private", set_prop("<x:p>the secret plan</x:p>")).status_code == 207
    for dav, _ in o.each():
        for path in ("", "../private", "private"):
            assert "secret" not in dav.propfind(path, "1", props=None).text
            assert dav.proppatch("private", set_prop("<x:p>1</x:p>")).status_code in (403, 404)


WALK = {
    "drives": drives,
    "versions": versions,
    "locks": locks,
    "tokens": tokens,
    "jobs": jobs,
    "webhooks": webhooks,
    "uploads": uploads,
    "chunks": chunks_are_with_their_upload,
    "trashed": trashed,
    "tags": tags,
    "properties": properties,
}


@pytest.mark.parametrize("table", WALK)
def test_who_is_confined_is_kept_from_the_table(outsiders, table):
    WALK[table](outsiders)


def test_the_walk_and_the_page_know_every_table_of_an_account():
    schema = "\n".join(path.read_text() for path in sorted((ROOT / "migrations").glob("*.sql")))
    schema = re.sub(r"--.*", "", schema)
    of_account = {name for name, columns in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", schema, re.S) if "account_id " in columns}
    of_account |= set(re.findall(r"ALTER TABLE (\w+) ADD COLUMN account_id", schema))
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \|", page.split("## Who sees which table")[1].split("\n## ")[0], re.M))
    assert of_account == set(WALK) == rows

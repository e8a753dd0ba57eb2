"""The guards that every change ends with: the token, the place and the limits of the drive, by every way in."""

import os
import sqlite3
import time
from contextlib import closing

import pytest

from support.dav import set_prop
from support.raw import Connection
from support.rest import assert_error
from support.tus import OCTETS, begun, create


class Slow:
    """A request whose body comes in two halves, with time for something else between them."""

    def __init__(self, server, method, target, token, body, headers=None):
        self.connection, self.body = Connection(server.url), body
        self.connection.send_head(method, target, token, {**(headers or {}), "Content-Length": len(body), "Connection": "close"})
        self.connection.send(body[: len(body) // 2])

    def rest(self) -> int:
        """Sends the other half; the status of the answer."""
        with self.connection:
            try:
                self.connection.send(self.body[len(self.body) // 2 :])
            except ConnectionError:
                pass  # it was refused already
            return self.connection.answer().status


def wait_until_begun(account, uploads=1):
    """Until the program has decided on so many uploads and waits for their bytes: their blobs are recorded."""
    begun = f"SELECT count(*) FROM blob_garbage WHERE uploaded AND substr(blob_key, 1, {len(account.id) + 1}) = '{account.id}/'"
    until = time.monotonic() + 30
    while True:
        with closing(sqlite3.connect(os.environ["EDGEDRIVE_SQLITE"], timeout=30)) as database:
            if database.execute(begun).fetchone()[0] >= uploads:
                return
        assert time.monotonic() < until, "no upload has begun"
        time.sleep(0.05)


CONTENT = b"defaced..." * 20_000
FORM = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n" + CONTENT + b"\r\n--b--\r\n"
FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=b"}


def chunked_v1(account):
    return f"/remote.php/dav/files/{account.login}/f-chunking-5-1-0"


WAYS = {
    "PUT": ("PUT", lambda account: "/dav/f", CONTENT, {}),
    "form": ("POST", lambda account: "/api/v1/files", FORM, FORM_TYPE),
    "chunk v1": ("PUT", chunked_v1, CONTENT, {"OC-Chunked": "1"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_token_that_is_revoked_while_the_body_comes_writes_nothing(server, account, dav, rest, way):
    method, target, body, headers = WAYS[way]
    dav.make("f", b"as it was")
    token = rest.post("tokens", json={"name": "t", "scopes": ["read", "write"]}).json()["token"]
    slow = Slow(server, method, target(account), token["secret"], body, headers)
    wait_until_begun(account)
    assert rest.delete(f"tokens/{token['id']}").status_code == 204
    # An upload in chunks goes with its token.
    assert slow.rest() in ((401, 404) if way == "chunk v1" else (401,))
    assert dav.get("f").content == b"as it was"


def test_a_chunk_of_a_revoked_token_is_not_stored(server, account, rest):
    token = rest.post("tokens", json={"name": "t", "scopes": ["read", "write"]}).json()["token"]
    mount = f"/remote.php/dav/uploads/{account.login}/"
    assert account.dav(token["secret"], mount).mkcol("u").status_code == 201
    slow = Slow(server, "PUT", f"{mount}u/1", token["secret"], CONTENT)
    wait_until_begun(account)
    assert rest.delete(f"tokens/{token['id']}").status_code == 204
    assert slow.rest() in (401, 404), "the upload went with its token"


@pytest.mark.parametrize("way", ["PUT", "form"])
def test_a_folder_that_is_deleted_while_the_body_comes_gets_no_file(server, account, dav, rest, way):
    dav.folder("going")
    [folder] = [folder for folder in rest.get("folders").json()["folders"] if folder["name"] == "going"]
    method, target, body, headers = {
        "PUT": ("PUT", "/dav/going/x", CONTENT, {}),
        "form": ("POST", f"/api/v1/files?folderId={folder['id']}", FORM, FORM_TYPE),
    }[way]
    slow = Slow(server, method, target, dav.token, body, headers)
    wait_until_begun(account)
    assert dav.delete("going").status_code == 204
    assert slow.rest() in (404, 409)
    [trashed] = rest.get("trash").json()["trash"]
    assert trashed["name"] == "going" and rest.used() == 0, "nothing has come into the trash"


def test_a_folder_that_moves_out_of_the_tokens_folder_gets_no_file(server, account, dav, rest):
    for path in ("box", "box/sub", "vault"):
        dav.folder(path)
    [box] = [folder for folder in rest.get("folders").json()["folders"] if folder["name"] == "box"]
    confined = account.token("read", "write", folder=box["id"])
    slow = Slow(server, "PUT", "/dav/sub/evil", confined, CONTENT)
    wait_until_begun(account)
    assert dav.move("box/sub", "vault/sub").status_code == 201
    assert slow.rest() in (403, 404, 409)
    assert dav.names("vault/") == ["vault/sub/"] or b"evil" not in dav.propfind("vault", "infinity").content


def test_a_finished_upload_is_not_finished_again_over_an_edit(server, account, dav, rest):
    path = begun(rest, 200_000, name="race.txt")
    headers = {**OCTETS, "Upload-Offset": "0"}
    first = Slow(server, "PATCH", f"/api/v1/{path}", rest.token, b"A" * 200_000, headers)
    second = Slow(server, "PATCH", f"/api/v1/{path}", rest.token, b"B" * 200_000, headers)
    wait_until_begun(account, 2)
    assert first.rest() == 204
    dav.make("race.txt", b"edited by hand")
    assert second.rest() in (409, 410)
    assert dav.get("race.txt").content == b"edited by hand"


# --- limits ---

NAME = "n" * 200


@pytest.fixture
def deep(account, dav, rest):
    """A folder 100 deep, which is as deep as one may be; its number."""
    path = ""
    for level in range(100):
        path += f"d{level}/"
        dav.folder(path.rstrip("/"))
    page = rest.get("folders").json()["folders"]
    folder = None
    for level in range(100):
        folder = next(one for one in page if one["name"] == f"d{level}")
        page = rest.get("folders", params={"parentId": folder["id"]}).json()["folders"]
    return path.rstrip("/"), folder["id"]


def test_no_folder_is_too_deep_by_any_way(account, dav, rest, deep):
    path, id = deep
    dav.make("f", b"x")
    dav.folder("tree")
    dav.folder("tree/sub")
    [tree] = [folder for folder in rest.get("folders").json()["folders"] if folder["name"] == "tree"]
    assert dav.mkcol(f"{path}/x").status_code == 507
    assert dav.copy("tree", f"{path}/tree").status_code == 507
    assert dav.move("tree", f"{path}/tree").status_code == 507
    parent = path.rsplit("/", 1)[0]
    assert dav.copy("tree", f"{parent}/tree").status_code == 507, "what is in it would be too deep"
    assert dav.move("tree", f"{parent}/tree").status_code == 507
    assert_error(rest.post("folders", json={"name": "x", "parentId": id}), 507, "LIMIT_EXCEEDED")
    assert_error(rest.patch(f"folders/{tree['id']}", json={"parentId": id}), 507, "LIMIT_EXCEEDED")
    assert dav.delete("tree").status_code == 204
    trash = account.dav(mount=f"/remote.php/dav/trashbin/{account.login}/trash/")
    [item] = [item for item in rest.get("trash").json()["trash"] if item["name"] == "tree"]
    files = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    into = files.absolute(f"{path}/tree")
    assert trash.request("MOVE", f"tree.d{item['deletedAt']}", headers={"Destination": into}).status_code in (404, 507)
    assert dav.put(f"{path}/f", content=b"x").status_code == 201, "files may be in it"
    assert dav.copy("f", f"{path}/g").status_code == 201
    assert dav.propfind(path, "1").status_code == 207
    assert dav.delete("d0").status_code == 204


def test_no_path_is_too_long(dav, rest):
    parent = None
    for _ in range(20):
        parent = rest.mkdir(NAME, parent)["id"]
    assert_error(rest.post("folders", json={"name": NAME, "parentId": parent}), 507, "LIMIT_EXCEEDED")
    assert rest.post("folders", json={"name": "n", "parentId": parent}).status_code == 201


def test_a_language_counts_as_a_property_does(dav):
    dav.make("f")
    def described(n, lang):
        return dav.proppatch("f", set_prop(f'<x:p{n} xml:lang="{lang}">v</x:p{n}>'))
    assert described(0, "a" * 60_000).status_code == 207
    answer = described(1, "b" * 60_000)
    assert answer.status_code == 507 or b"507" in answer.content, answer.text
    assert len(dav.propfind("f", "0", props=None).content) < 80_000


def test_many_small_properties_are_not_free(dav):
    dav.make("f")
    answers = []
    for start in range(0, 2_000, 500):
        props = "".join(f"<x:p{n}>v</x:p{n}>" for n in range(start, start + 500))
        answers.append(dav.proppatch("f", set_prop(props)))
    assert any(answer.status_code == 507 or b"507" in answer.content for answer in answers)


def test_uploads_under_way_count_against_the_quota(server):
    account = server.account(quota=100_000)
    rest = account.rest()
    chunks = account.dav(rest.token, f"/remote.php/dav/uploads/{account.login}/")
    stored = []
    for n in range(4):
        assert chunks.mkcol(f"u{n}").status_code == 201
        stored.append(chunks.put(f"u{n}/1", content=b"x" * 40_000).status_code)
    assert stored == [201, 201, 507, 507]
    answer = create(rest, 40_000, name="tus", content=b"x" * 40_000)
    assert answer.status_code in (413, 507), answer.text
    assert account.dav().put("f", content=b"x" * 40_000).status_code == 507
    assert chunks.delete("u0").status_code == 204
    assert account.dav().put("f", content=b"x" * 40_000).status_code == 201, "what is given up counts no longer"
    files = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    assert chunks.request("MOVE", "u1/.file", headers={"Destination": files.absolute("g")}).status_code == 201
    assert rest.used() == 80_000
    account.close()


def test_the_same_content_stored_again_is_no_version(account, dav, rest):
    dav.make("f", b"precious")
    for _ in range(12):
        dav.make("f", b"hello")
    [file] = rest.files()
    versions = rest.get(f"files/{file['id']}/versions").json()["versions"]
    assert [version["sizeBytes"] for version in versions] == [8]


def test_the_same_content_in_chunks_is_no_version_in_the_end(account, dav, rest, jobs, sweeper):
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    files = account.dav(chunks.token, f"/remote.php/dav/files/{account.login}/")
    dav.make("f", b"precious")
    for n in range(12):
        assert chunks.mkcol(f"u{n}").status_code == 201
        for part, content in ((1, b"hel"), (2, b"lo")):
            assert chunks.put(f"u{n}/{part}", content=content).status_code == 201
        assert chunks.request("MOVE", f"u{n}/.file", headers={"Destination": files.absolute("f")}).status_code in (201, 204)
        jobs.wait(lambda waiting: not waiting)
    [file] = rest.files()
    versions = rest.get(f"files/{file['id']}/versions").json()["versions"]
    assert [version["sizeBytes"] for version in versions] == [8]


def test_a_checksum_that_does_not_match_is_a_state_that_can_be_seen(account, rest, jobs, sweeper):
    chunks = account.dav(mount=f"/remote.php/dav/uploads/{account.login}/")
    files = account.dav(chunks.token, f"/remote.php/dav/files/{account.login}/")
    for name, sum in (("right", "f572d396fae9206628714fb2ce00f72e94f2258f"), ("wrong", "0" * 40)):
        assert chunks.mkcol(name).status_code == 201
        for part, content in ((1, b"hello\n"), (2, b"")):
            chunks.put(f"{name}/{part}", content=content)
        headers = {"Destination": files.absolute(name), "OC-Checksum": f"SHA1:{sum}"}
        assert chunks.request("MOVE", f"{name}/.file", headers=headers).status_code == 201
    jobs.wait(lambda waiting: not waiting)
    assert {file["name"]: file["checksumMismatch"] for file in rest.files()} == {"right": False, "wrong": True}
    assert chunks.mkcol("chunk").status_code == 201
    assert chunks.put("chunk/1", content=b"x", headers={"OC-Checksum": f"SHA1:{'0' * 40}"}).status_code == 400

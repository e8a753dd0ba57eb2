"""Every curl and rclone line of the API's documentation, as it is written there.

Only what the reader is told to fill in is filled in: the host, the token and the ids.
"""

import json
import tarfile

import pytest

from support.multistatus import Multistatus
from support.tools import run, tool

SETTINGS = """\
HOST="https://your-host"
TOKEN="ocl_xxxxxxxxxxxxxxxxxxxxxxxx"
"""
CHECK = """curl -H "Authorization: Bearer $TOKEN" "$HOST/api/v1/me\""""
FOLDERS = """curl -H "Authorization: Bearer $TOKEN" "$HOST/api/v1/folders\""""
UPLOAD = """\
curl -H "Authorization: Bearer $TOKEN" -F "file=@backup.tar.gz" \\
"$HOST/api/v1/files?folderId=<FOLDER_ID>\""""
DOWNLOAD = """curl -H "Authorization: Bearer $TOKEN" -OJ "$HOST/api/v1/files/<FILE_ID>/download\""""
RCLONE = """\
rclone config create ocl webdav url "$HOST/dav/" vendor other user me pass "$TOKEN"
rclone copy ./photos ocl:Photos
"""
PROPFIND = """curl -u "me:ocl_YOUR_TOKEN" -X PROPFIND -H "Depth: 1" https://<host>/api/dav/"""


@pytest.fixture
def shell(server, account, tmp_path):
    """Runs lines in bash, with the token that the documentation tells to make: read and write."""
    token = account.token("read", "write")
    tool("curl")
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()

    def shell(lines: str, host: str = server.url, **ids: str) -> str:
        for placeholder, value in {
            "https://your-host": host,
            "https://<host>": host,
            "ocl_xxxxxxxxxxxxxxxxxxxxxxxx": token,
            "ocl_YOUR_TOKEN": token,
            **{f"<{name}>": value for name, value in ids.items()},
        }.items():
            lines = lines.replace(placeholder, value)
        # curl's progress and rclone's notices go elsewhere: what is printed is the answer.
        script = f"exec 2>{tmp_path}/stderr; set -eu\n{lines}\n"
        return run("bash", "-c", script, cwd=tmp_path / "work", home=tmp_path / "home")

    shell.work = tmp_path / "work"
    return shell


def test_check_the_token(shell, account):
    me = json.loads(shell(SETTINGS + CHECK))
    assert me["user"]["id"] == account.id and sorted(me["token"]["scopes"]) == ["read", "write"]


def test_list_folders_upload_into_one_and_download(shell, rest):
    folder = rest.mkdir("Backups")
    [listed] = json.loads(shell(SETTINGS + FOLDERS))["folders"]
    assert listed["id"] == folder["id"]

    (shell.work / "notes.txt").write_text("what is backed up\n" * 1000)
    with tarfile.open(shell.work / "backup.tar.gz", "w:gz") as archive:
        archive.add(shell.work / "notes.txt", "notes.txt")
    content = (shell.work / "backup.tar.gz").read_bytes()
    file = json.loads(shell(SETTINGS + UPLOAD, FOLDER_ID=folder["id"]))["file"]
    assert file["name"] == "backup.tar.gz" and file["folderId"] == folder["id"] and file["sizeBytes"] == len(content)

    (shell.work / "backup.tar.gz").unlink()
    shell(SETTINGS + DOWNLOAD, FILE_ID=file["id"])
    assert (shell.work / "backup.tar.gz").read_bytes() == content


@pytest.mark.parametrize("name", ["two words.txt", "quote'd.txt", "ünïcode.txt"])
def test_download_keeps_names_that_curl_can_keep(shell, rest, name):
    file = rest.upload(name, b"content")
    shell(SETTINGS + DOWNLOAD, FILE_ID=file["id"])
    [saved] = shell.work.iterdir()
    assert saved.read_bytes() == b"content"
    if name.isascii():
        assert saved.name == name


def test_rclone(shell, dav):
    photos = shell.work / "photos"
    (photos / "2026").mkdir(parents=True)
    (photos / "2026" / "кот 🐈.jpg").write_bytes(b"\xff\xd8 a cat")
    (photos / "b.jpg").write_bytes(b"\xff\xd8" + b"b" * 300_000)
    tool("rclone")
    shell(SETTINGS + RCLONE)
    assert dav.get("Photos/b.jpg").content == (photos / "b.jpg").read_bytes()
    assert dav.get("Photos/2026/%D0%BA%D0%BE%D1%82%20%F0%9F%90%88.jpg").content == b"\xff\xd8 a cat"


def test_propfind_through_the_documented_proxy(shell, dav, nginx):
    dav.folder("d")
    dav.make("f")
    answer = Multistatus(shell(PROPFIND, nginx).encode())
    assert answer.hrefs[0] == "/api/dav/"
    assert sorted(answer.hrefs[1:]) == ["/api/dav/d/", "/api/dav/f"]


def test_a_text_uploaded_again_keeps_the_previous_content(shell, rest):
    folder = rest.mkdir("Notes")
    for text in ("first", "second"):
        (shell.work / "backup.tar.gz").write_text(text)
        file = json.loads(shell(SETTINGS + UPLOAD, FOLDER_ID=folder["id"]))["file"]
    [version] = rest.get(f"files/{file['id']}/versions").json()["versions"]
    assert rest.get(f"files/{file['id']}/versions/{version['id']}/download").content == b"first"


def test_the_documented_errors(server, account, rest, dav):
    """401 invalid token, 403 missing scope or wrong folder, 404 not found, 413 quota exceeded."""
    reader = account.rest(account.token("read"))
    inside, outside = rest.mkdir("inside"), rest.mkdir("outside")
    confined = account.rest(account.token("read", "write", folder=inside["id"]))
    assert account.rest("ocl_invalid").get("me").status_code == 401
    assert reader.try_upload("f", b"x").status_code == 403
    assert confined.try_upload("f", b"x", outside["id"]).status_code == 403
    assert rest.get("files/none/download").status_code == 404
    server.admin.patch(f"accounts/{account.id}", json={"quota": 1})
    assert rest.try_upload("f", b"xx").status_code == 413

"""The curl examples of Nextcloud's and ownCloud's documentation of WebDAV, and the JavaScript one, as they are written there.

Only host, user, password and the ids are filled in.
"""

import base64
from dataclasses import dataclass

import pytest

from support.mounts import space_of
from support.multistatus import DAV, Multistatus
from support.node import node
from support.tools import run

OC = "{http://owncloud.org/ns}"

# --- Nextcloud ---

NEXTCLOUD_PROPFIND = """\
curl 'https://cloud.example.com/remote.php/dav/files/username/folder' \\
  --user username:password \\
  --request PROPFIND \\
  --data '<?xml version="1.0" encoding="UTF-8"?>
    <d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">
      <d:prop>
        <d:getlastmodified/>
        <d:getcontentlength/>
        <d:getcontenttype/>
        <oc:permissions/>
        <d:resourcetype/>
        <d:getetag/>
      </d:prop>
    </d:propfind>'
"""

# Of these the documentation has method, URL and body; the rest is like the example above.
NEXTCLOUD_FAVOURITE = """\
curl 'https://cloud.example.com/remote.php/dav/files/username/path/to/file' --user username:password \
  --request PROPPATCH \
  --data '<?xml version="1.0"?>
<d:propertyupdate xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
  <d:set>
        <d:prop>
          <oc:favorite>1</oc:favorite>
        </d:prop>
  </d:set>
</d:propertyupdate>'
"""
NEXTCLOUD_FAVOURITES = """\
curl 'https://cloud.example.com/remote.php/dav/files/username/path' --user username:password \
  --request REPORT \
  --data '<?xml version="1.0"?>
<oc:filter-files  xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">
         <oc:filter-rules>
                 <oc:favorite>1</oc:favorite>
         </oc:filter-rules>
 </oc:filter-files>'
"""
NEXTCLOUD_PROPERTIES = """\
curl 'https://cloud.example.com/remote.php/dav/files/username/path/to/file' --user username:password \
  --request PROPFIND \
  --data '<?xml version="1.0"?>
<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">
  <d:prop>
        <d:getlastmodified />
        <d:getetag />
        <d:getcontenttype />
        <d:resourcetype />
        <oc:fileid />
        <oc:permissions />
        <oc:size />
        <d:getcontentlength />
        <nc:has-preview />
        <oc:favorite />
        <oc:comments-unread />
        <oc:owner-display-name />
        <oc:share-types />
        <nc:contained-folder-count />
        <nc:contained-file-count />
  </d:prop>
</d:propfind>'
"""

# --- ownCloud ---

OWNCLOUD_PROPFIND = """\
curl -L -X PROPFIND 'https://localhost:9200/dav/spaces/storage-users-1%24some-admin-user-id-0000-000000000000/' \\
-H 'Depth: 1' \\
-d '<?xml version="1.0"?>
<d:propfind  xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
  <d:prop>
    <oc:permissions />
    <oc:favorite />
    <oc:fileid />
    <oc:owner-id />
    <oc:owner-display-name />
    <oc:share-types />
    <oc:privatelink />
    <d:getcontentlength />
    <oc:size />
    <d:getlastmodified />
    <d:getetag />
    <d:getcontenttype />
    <d:resourcetype />
    <oc:downloadURL />
  </d:prop>
</d:propfind>'
"""
OWNCLOUD_MKCOL = """\
curl -L -X MKCOL 'https://localhost:9200/dav/spaces/storage-users-1%24some-admin-user-id-0000-000000000000/NewFolder/' \\
-H 'Authorization: Basic YWRtaW46YWRtaW4='
"""
OWNCLOUD_PUT = """\
curl -L -X PUT 'https://localhost:9200/dav/spaces/storage-users-1%24some-admin-user-id-0000-000000000000/test.txt' \\
-H 'X-OC-Mtime: 1692369418' \\
-H 'OC-Checksum: SHA1:40bd001563085fc35165329ea1ff5c5ecbdbbeef' \\
-H 'If-Match: "4436aef907f41f1ac7dfd1ac3d0d455f"' \\
-H 'Content-Type: text/plain' \\
-H 'Authorization: Basic YWRtaW46YWRtaW4=' \\
-d '123'
"""


@dataclass
class Answer:
    status: int
    body: str


@pytest.fixture
def curl(account, tmp_path):
    """Runs an example, with what the reader has to fill in filled in."""
    token = account.token()
    basic = base64.b64encode(f"{account.login}:{token}".encode()).decode()
    home = tmp_path / "home"
    home.mkdir()

    def curl(example: str, **more: str) -> Answer:
        # What the example leaves out is in the reader's .curlrc, and so is that the status is told after the body.
        credentials = "" if "--user" in example or "Authorization" in example else f'user = "{account.login}:{token}"\n'
        (home / ".curlrc").write_text(f'silent\nwrite-out = "%{{response_code}}"\n{credentials}')
        for written, meant in {
            "https://cloud.example.com": account.server.url,
            "https://localhost:9200": account.server.url,
            "username:password": f"{account.login}:{token}",
            "files/username": f"files/{account.login}",
            "storage-users-1%24some-admin-user-id-0000-000000000000": space_of(account).replace("$", "%24"),
            "YWRtaW46YWRtaW4=": basic,
            **more,
        }.items():
            example = example.replace(written, meant)
        printed = run("bash", "-c", example, cwd=tmp_path, home=home)
        return Answer(int(printed[-3:]), printed[:-3])

    return curl


def test_nextcloud_properties_of_what_is_in_a_folder(curl, dav, account):
    dav.folder("folder")
    dav.make("folder/f.txt", b"content")
    answer = curl(NEXTCLOUD_PROPFIND)
    assert answer.status == 207
    found = Multistatus(answer.body.encode())
    mount = f"/remote.php/dav/files/{account.login}"
    assert found.hrefs == [f"{mount}/folder/", f"{mount}/folder/f.txt"]
    folder, file = found
    assert folder.is_folder and not file.is_folder and folder.text("permissions", OC) == "GDNVCK"
    assert (file.text("getcontentlength"), file.text("getcontenttype")) == ("7", "text/plain")
    assert file.text("getetag") == dav.stat("folder/f.txt").text("getetag") and file.text("getlastmodified")


def test_nextcloud_favourites(curl, dav, account):
    for folder in ("path", "path/to"):
        dav.folder(folder)
    dav.make("path/to/file")
    dav.make("path/other")
    assert Multistatus(curl(NEXTCLOUD_FAVOURITES).body.encode()).hrefs == []
    marked = curl(NEXTCLOUD_FAVOURITE)
    assert marked.status == 207 and "200 OK" in marked.body
    listed = curl(NEXTCLOUD_FAVOURITES)
    assert listed.status == 207
    assert Multistatus(listed.body.encode()).hrefs == [f"/remote.php/dav/files/{account.login}/path/to/file"]


def test_nextcloud_more_properties(curl, dav):
    for folder in ("path", "path/to"):
        dav.folder(folder)
    dav.make("path/to/file", b"content")
    [file] = Multistatus(curl(NEXTCLOUD_PROPERTIES).body.encode())
    assert (file.text("favorite", OC), file.text("size", OC), file.text("comments-unread", OC)) == ("0", "7", "0")
    asked = sum(len(found) for found in file.props.values())
    assert asked == 15 and file.text("has-preview", "{http://nextcloud.org/ns}") == "false"


def test_nextcloud_in_javascript(dav, account, tmp_path):
    dav.folder("folder")
    dav.make("folder/f.txt", b"content")
    url, token = f"{account.server.url}/remote.php/dav", account.token()
    assert node("nextcloud_example.mjs", url, account.login, token, folder=tmp_path).split() == ["207", "f.txt", "7"]


def test_owncloud_lists_a_space(curl, dav, account):
    dav.folder("NewFolder")
    dav.make("New%20file.txt", b"hello")
    answer = curl(OWNCLOUD_PROPFIND)
    assert answer.status == 207
    root, file, folder = sorted(Multistatus(answer.body.encode()), key=lambda resource: resource.href)
    mount = f"/dav/spaces/{space_of(account).replace('$', '%24')}"
    assert [root.href, file.href, folder.href] == [f"{mount}/", f"{mount}/New%20file.txt", f"{mount}/NewFolder/"]
    for resource in (root, file, folder):
        for name in ("permissions", "favorite", "owner-display-name"):
            assert resource.text(name, OC), (resource.href, name)
        for name in ("getlastmodified", "getetag"):
            assert resource.text(name), (resource.href, name)
        assert resource.text("fileid", OC).startswith(space_of(account) + "!")
        assert resource.text("owner-id", OC) == account.login
    assert [resource.text("size", OC) for resource in (root, file, folder)] == ["5", "5", "0"]
    assert (file.text("getcontentlength"), file.text("getcontenttype")) == ("5", "text/plain")
    assert f"{DAV}getcontentlength" in folder.props[404] and f"{DAV}getcontenttype" in folder.props[404]


def test_owncloud_makes_a_folder(curl, dav):
    assert curl(OWNCLOUD_MKCOL) == Answer(201, "")
    assert dav.names() == {"NewFolder/"}
    assert curl(OWNCLOUD_MKCOL).status == 405
    dav.make("NewFolder/f")
    assert dav.exists("NewFolder/f")


def test_owncloud_uploads_a_file(curl, dav):
    assert curl(OWNCLOUD_PUT).status == 412, "there is no file with that entity tag"
    assert dav.names() == set()
    etag = dav.make("test.txt", b"former content")
    assert curl(OWNCLOUD_PUT, **{'"4436aef907f41f1ac7dfd1ac3d0d455f"': etag}) == Answer(204, "")
    assert dav.get("test.txt").content == b"123"
    assert dav.stat("test.txt").text("getlastmodified") == "Fri, 18 Aug 2023 14:36:58 GMT"
    etag = dav.stat("test.txt").text("getetag")
    wrong = {'"4436aef907f41f1ac7dfd1ac3d0d455f"': etag, "40bd001563085fc35165329ea1ff5c5ecbdbbeef": "0" * 40}
    refused = curl(OWNCLOUD_PUT, **wrong)
    assert refused.status == 400
    assert "The computed checksum does not match the one received from the client." in refused.body
    assert dav.get("test.txt").content == b"123"

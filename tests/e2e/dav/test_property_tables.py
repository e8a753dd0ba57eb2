"""All properties of the tables in Nextcloud's and ownCloud's documentation, from the list in properties.txt."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from support.dav import set_prop
from support.multistatus import DAV, Resource

NAMESPACES = {
    "d": "DAV:",
    "oc": "http://owncloud.org/ns",
    "nc": "http://nextcloud.org/ns",
    "ocs": "http://open-collaboration-services.org/ns",
    "ocm": "http://open-cloud-mesh.org/ns",
}
OC = "{http://owncloud.org/ns}"
SUMS = ["SHA1:8cb2237d0679ca88db6464eac60da96345513964", "MD5:827ccb0eea8a706c4c34a16891f84e7b", "ADLER32:02f80100"]


@dataclass
class Row:
    """A line of the list."""

    prefix: str
    name: str
    file: str
    folder: str
    locked: str

    @property
    def tag(self) -> str:
        return f"{{{NAMESPACES[self.prefix]}}}{self.name}"


def rows() -> list[Row]:
    lines = (Path(__file__).parent / "properties.txt").read_text().splitlines()
    rows = []
    for line in lines:
        if line and not line.startswith("#"):
            _, name, file, folder, *locked = line.split()
            rows.append(Row(*name.split(":"), file, folder, locked[0] if locked else file))
    return rows


ROWS = rows()
ALL = "".join(f'<p:{row.name} xmlns:p="{NAMESPACES[row.prefix]}"/>' for row in ROWS)


def inner(element: Element) -> str:
    """What an element holds: its text, and its elements by their local names."""
    name = lambda tag: tag.split("}")[-1]  # noqa: E731
    children = "".join(f"<{name(child.tag)}>{inner(child)}</{name(child.tag)}>" for child in element)
    return (element.text or "").strip() + children


def check(row: Row, expected: str, resource: Resource, values: dict[str, str]):
    if expected == "404":
        assert row.tag in resource.props.get(404, {}), f"{row.name} is no 404"
        return
    assert row.tag in resource.props[200], f"{row.name} is missing"
    value = inner(resource.props[200][row.tag])
    pattern = "" if expected == "empty" else expected.replace("_", " ")
    for name, text in values.items():
        pattern = pattern.replace(f"{{{name}}}", text)
    assert re.fullmatch(pattern, value), f"{row.name}: {value!r} is not {pattern!r}"


@pytest.fixture
def tree(account, dav):
    """A file of 5 bytes, and a folder of two files, 9 bytes in all, and a folder; all made a while after 2026 began."""
    dav.put("file.txt", content=b"12345")
    dav.folder("folder")
    dav.folder("folder/inner")
    dav.make("folder/a", b"1234")
    dav.make("folder/b", b"12345")
    tags = f'<oc:tags xmlns:oc="{NAMESPACES["oc"]}"><oc:tag>c</oc:tag><oc:tag>a &amp; b</oc:tag></oc:tags>'
    for path in ("file.txt", "folder"):
        assert b"200 OK" in dav.proppatch(path, set_prop(tags)).content
    return dav


def mounts(account) -> list[str]:
    return [f"/remote.php/dav/files/{account.login}/", f"/dav/spaces/edgedrive${account.id}/"]


def values(account, server, resource: Resource, is_space: bool) -> dict[str, str]:
    number = re.search(r"\d+$", resource.text("privatelink", OC))[0]
    own = f"edgedrive\\${account.id}!{number}"
    second = str(int(time.time()))[:-3] + r"\d{3}"
    return {
        "number": number,
        "id": own if is_space else f"{int(number):08}ocedgedrive",
        "fileid": own if is_space else number,
        "login": re.escape(account.login),
        "origin": re.escape(server.url),
        "second": second,
        "checksums": f"<checksum>{' '.join(SUMS)}</checksum>"
        if is_space
        else "".join(f"<checksum>{sum}</checksum>" for sum in SUMS),
    }


def test_the_list_is_whole():
    """As many rows as the two tables have, each once."""
    assert len({row.tag for row in ROWS}) == len(ROWS) == 69


@pytest.mark.parametrize("mount", [0, 1])
def test_every_property_has_its_value_or_404(account, server, tree, mount):
    client = account.dav(mount=mounts(account)[mount])
    file, folder = client.stat("file.txt", ALL), client.stat("folder", ALL)
    for row in ROWS:
        check(row, row.file, file, values(account, server, file, mount == 1))
        check(row, row.folder, folder, values(account, server, folder, mount == 1))


@pytest.mark.parametrize("mount", [0, 1])
def test_a_listing_says_the_same(account, server, tree, mount):
    client = account.dav(mount=mounts(account)[mount])
    listed = {entry.href.rstrip("/").rsplit("/", 1)[1]: entry for entry in client.list("", "1", ALL)[1:]}
    for row in ROWS:
        check(row, row.file, listed["file.txt"], values(account, server, listed["file.txt"], mount == 1))
        check(row, row.folder, listed["folder"], values(account, server, listed["folder"], mount == 1))


@pytest.mark.parametrize("taken_on", ["file.txt", ""])
def test_a_lock_shows_in_nextclouds_properties(account, server, tree, taken_on):
    token = tree.locked(taken_on, depth="infinity", Timeout="Second-600")
    client = account.dav(mount=mounts(account)[0])
    file = client.stat("file.txt", ALL)
    for row in ROWS:
        check(row, row.locked, file, values(account, server, file, False) | {"token": re.escape(token)})
    assert tree.unlock(taken_on, token).status_code == 204
    assert client.stat("file.txt", ALL).text("lock", "{http://nextcloud.org/ns}") == "0"


def test_a_lock_keeps_its_time_when_it_is_refreshed(account, tree):
    token = tree.locked("file.txt", Timeout="Second-600")
    props = '<lock-time xmlns="http://nextcloud.org/ns"/><lock-timeout xmlns="http://nextcloud.org/ns"/>'
    before = tree.stat("file.txt", props).text("lock-time", "{http://nextcloud.org/ns}")
    time.sleep(1.1)
    assert tree.refresh("file.txt", token, Timeout="Second-600").status_code == 200
    after = tree.stat("file.txt", props)
    assert after.text("lock-time", "{http://nextcloud.org/ns}") == before
    assert 601 <= int(after.text("lock-timeout", "{http://nextcloud.org/ns}")) <= 660


def test_allprop_lists_none_of_them(tree):
    answer = tree.propfind("file.txt", props=None)
    assert b"<oc:" not in answer.content and b"<nc:" not in answer.content


def test_members_are_counted_whatever_becomes_of_them(account, tree):
    nc = "{http://nextcloud.org/ns}"
    props = "".join(f'<contained-{kind}-count xmlns="{NAMESPACES["nc"]}"/>' for kind in ("file", "folder"))

    def count(path: str) -> tuple[int, int]:
        folder = tree.stat(path, props)
        return int(folder.text("contained-file-count", nc)), int(folder.text("contained-folder-count", nc))

    assert count("folder") == (2, 1) and count("") == (1, 1)
    tree.make("folder/inner/deep")
    assert count("folder") == (2, 1) and count("folder/inner") == (1, 0)
    tree.make("folder/a", b"again")
    assert count("folder") == (2, 1)
    assert tree.copy("folder", "copy").status_code == 201
    assert count("copy") == (2, 1) and count("copy/inner") == (1, 0) and count("") == (1, 2)
    assert tree.copy("folder", "shallow", Depth="0").status_code == 201
    assert count("shallow") == (0, 0)
    assert tree.move("folder/inner", "shallow/inner").status_code == 201
    assert count("folder") == (2, 0) and count("shallow") == (0, 1) and count("shallow/inner") == (1, 0)
    assert tree.move("folder/a", "folder/b").status_code == 204
    assert count("folder") == (1, 0)
    assert tree.delete("copy").status_code == 204
    assert count("") == (1, 2)


@pytest.mark.parametrize("mount", ["/dav/", "/webdav/"])
def test_without_a_quota_other_clients_are_told_of_none(account, mount):
    root = account.dav(mount=mount).stat("", "<d:quota-available-bytes/>")
    assert DAV + "quota-available-bytes" in root.props[404]


def test_a_private_link_leads_to_the_file_wherever_it_is(account, server, tree):
    prop = f'<privatelink xmlns="{NAMESPACES["oc"]}"/>'
    link = tree.stat("folder/a", prop).text("privatelink", OC)
    tree.move("folder/a", "folder/inner/with%20space")
    answer = tree.get(link)
    assert (answer.status_code, answer.headers["location"]) == (302, "/dav/folder/inner/with%20space")
    folder = tree.stat("folder", prop).text("privatelink", OC)
    assert tree.get(folder).headers["location"] == "/dav/folder/"
    assert tree.get(link, auth=("me", "nonsense")).status_code == 401
    assert tree.get(server.url + "/f/999999999999").status_code == 404
    assert tree.get(server.url + "/f/nonsense").status_code == 404
    assert server.account().dav().get(link).status_code == 404


def test_a_private_link_is_told_as_the_client_knows_the_server(tree):
    prop = f'<privatelink xmlns="{NAMESPACES["oc"]}"/>'

    def link(**headers: str) -> str:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return tree.list("file.txt", "0", prop, headers=headers)[0].text("privatelink", OC)

    own = link()
    number = own.rsplit("/", 1)[1]
    told = link(X_Forwarded_Proto="https", X_Forwarded_Prefix="/api")
    assert told == f"https://{tree.base_url.netloc.decode()}/api/f/{number}"
    assert link(X_Forwarded_Proto="javascript", X_Forwarded_Prefix="/<b>?") == own

"""Behind a real nginx with the two documented blocks: the drive is where the user sees it."""

import os

import httpx
import pytest

from support.dav import Dav, condition, granted
from support.multistatus import Multistatus
from support.tools import Rclone

MOUNTS = ["/api/dav/", "/OpenCoper/"]


@pytest.fixture(params=MOUNTS)
def outside(request, nginx, account):
    """A WebDAV client that knows the public URL only."""
    client = Dav(nginx, account.token(), request.param)
    yield client
    client.close()


def test_hrefs_keep_the_prefix_and_lead_back(outside):
    outside.folder("d")
    outside.make("d/%C3%A4%20%23.txt", b"found")
    listing = outside.list("", "infinity")
    assert listing.hrefs == [outside.mount, f"{outside.mount}d/", f"{outside.mount}d/%C3%A4%20%23.txt"]
    for entry in listing:
        assert outside.propfind(entry.href.removeprefix(outside.mount)).status_code == 207
    assert outside.get(listing[2].href.removeprefix(outside.mount)).content == b"found"


def test_move_and_copy_by_public_urls(outside):
    outside.make("f", b"content")
    assert outside.copy("f", "g").status_code == 201
    assert outside.move("g", "h").status_code == 201
    assert outside.move("f", "h").status_code == 204
    assert outside.names() == {"h"}


def test_locks_name_public_urls(outside):
    outside.make("f")
    answer = outside.lock("f")
    assert granted(answer)["root"] == f"{outside.mount}f"
    token = answer.headers["lock-token"].strip("<>")
    refused = outside.put("f", content=b"x")
    assert refused.status_code == 423 and condition(refused)[1] == [f"{outside.mount}f"]
    assert outside.put("f", content=b"x", headers={"If": f"<{outside.absolute('f')}> (<{token}>)"}).status_code == 204
    assert outside.unlock("f", token).status_code == 204


def test_what_a_client_says_of_the_prefix_is_overwritten(outside):
    for prefix in ("/evil", "//evil.example", '/x"><script>'):
        assert outside.list("", "0", headers={"X-Forwarded-Prefix": prefix}).hrefs == [outside.mount]


def test_large_bodies_pass_in_both_transfer_codings(outside):
    content = os.urandom(3_000_000)
    assert outside.put("known", content=content).status_code == 201
    assert (
        outside.put("unknown", content=(content[at : at + 50_000] for at in range(0, len(content), 50_000))).status_code
        == 201
    )
    assert outside.get("known").content == content and outside.get("unknown").content == content
    assert outside.get("known", headers={"Range": "bytes=1000000-1000009"}).content == content[1_000_000:1_000_010]


def test_the_challenge_passes(nginx):
    for mount in MOUNTS:
        answer = httpx.request("OPTIONS", nginx + mount)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].lower().startswith("basic") and "1" in answer.headers["dav"]


def test_rest_passes(nginx, account):
    answer = httpx.get(f"{nginx}/api/api/v1/me", headers={"Authorization": f"Bearer {account.token()}"})
    assert answer.status_code == 200 and answer.json()["user"]["id"] == account.id


def test_the_list_for_browsers_links_inside_the_mount(outside):
    outside.folder("d")
    outside.make("d/f", b"f")
    page = outside.get("d/").text
    assert f'"{outside.mount}d/f"' in page or '"f"' in page or '"./f"' in page
    assert '"/dav/' not in page


@pytest.mark.parametrize("mount", MOUNTS)
def test_rclone(nginx, account, tmp_path, mount):
    tree = tmp_path / "tree"
    (tree / "папка #1 %").mkdir(parents=True)
    for number in range(20):
        (tree / "папка #1 %" / f"f + {number}.txt").write_text("x" * number * 100)
    rclone = Rclone(tmp_path / "rclone", nginx + mount, account.token())
    rclone("copy", str(tree), "drive:tree")
    rclone.same(tree, "drive:tree")
    rclone("moveto", "drive:tree/папка #1 %", "drive:tree/renamed")
    (tree / "папка #1 %").rename(tree / "renamed")
    rclone.same(tree, "drive:tree")


def test_a_dirty_prefix_from_a_proxy_is_ignored(dav):
    """As a careless proxy might send it, straight to the server."""
    for prefix in ("http://evil.example", "//evil.example/x", "/a/../b", "/a b", "/a?b", "api"):
        answer = dav.propfind("", "0", headers={"X-Forwarded-Prefix": prefix})
        assert Multistatus(answer.content).hrefs == ["/dav/"], prefix

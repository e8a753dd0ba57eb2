"""LOCK and UNLOCK (RFC 4918, 6, 7, 9.10 and 9.11)."""

import re
import time

import pytest

from support.dav import active_locks, condition, granted, lockinfo
from support.multistatus import DAV, Multistatus, parse


@pytest.fixture
def tree(dav):
    """/d/f, /d/e/g and /file"""
    dav.folder("d")
    dav.make("d/f", b"f")
    dav.folder("d/e")
    dav.make("d/e/g", b"g")
    dav.make("file", b"file")
    return dav


def locks(dav, path):
    return active_locks(dav.stat(path).prop("lockdiscovery"))


def seconds(timeout: str) -> int:
    match = re.fullmatch(r"Second-(\d+)", timeout)
    assert match, timeout
    return int(match[1])


def test_an_exclusive_lock(tree):
    answer = tree.lock("file", Timeout="Second-600")
    assert answer.status_code == 200
    assert "xml" in answer.headers["content-type"]
    header = answer.headers["lock-token"]
    assert re.fullmatch(r"<(urn:uuid|opaquelocktoken):[0-9a-fA-F-]{36}>", header)
    lock = granted(answer)
    assert lock["scope"] == "exclusive" and lock["type"] == "write"
    assert lock["depth"] == "0"
    assert lock["owner"].text == "me"
    assert 590 <= seconds(lock["timeout"]) <= 600
    assert f"<{lock['token']}>" == header
    assert lock["root"] == "/dav/file"
    [shown] = locks(tree, "file")
    assert shown["token"] == lock["token"] and shown["root"] == "/dav/file"
    assert tree.unlock("file", lock["token"]).status_code == 204
    assert locks(tree, "file") == []


def test_tokens_are_never_the_same(tree):
    assert tree.locked("file", scope="shared") != tree.locked("file", scope="shared")


def test_the_owner_is_kept_to_the_letter(tree):
    owner = "<d:owner>a &amp; b<d:href>mailto:имя@example.org</d:href><y:o xmlns:y='urn:y' z='1'/></d:owner>"
    answer = tree.lock("file", body=lockinfo(owner=owner))
    assert answer.status_code == 200
    kept = locks(tree, "file")[0]["owner"]
    assert kept.text == "a & b"
    assert kept[0].tag == DAV + "href" and kept[0].text == "mailto:имя@example.org"
    assert kept[1].tag == "{urn:y}o" and kept[1].get("z") == "1"


def test_an_owner_is_not_needed(tree):
    assert tree.lock("file", body=lockinfo(owner="")).status_code == 200


@pytest.mark.parametrize(
    "timeout",
    [
        None,
        "Infinite",
        "Infinite, Second-4100000000",
        "Second-4100000000",
        "Second-4294967295",
        "Second-0",
        "nonsense",
        "Second-99999999999999999999",
    ],
)
def test_any_timeout_gives_a_lock_with_an_end(tree, timeout):
    answer = tree.lock("file", **({"Timeout": timeout} if timeout else {}))
    if answer.status_code == 400:
        assert timeout in ("nonsense", "Second-99999999999999999999", "Second-0")
        return
    assert answer.status_code == 200
    told = granted(answer)["timeout"]
    assert told == "Infinite" or 1 <= seconds(told) <= 4_294_967_295


def test_a_lock_ends_by_itself(tree):
    answer = tree.lock("file", Timeout="Second-1")
    assert answer.status_code == 200
    end = seconds(granted(answer)["timeout"])
    assert end <= 5, "a client may ask for a short lock"
    time.sleep(end + 1.1)
    assert locks(tree, "file") == []
    assert tree.put("file", content=b"x").status_code == 204
    assert tree.lock("file").status_code == 200


def test_refresh(tree):
    token = tree.locked("file", Timeout="Second-30")
    answer = tree.refresh("file", token, Timeout="Second-900")
    assert answer.status_code == 200
    [lock] = active_locks(parse(answer.content).find(f"{DAV}lockdiscovery"))
    assert lock["token"] == token and lock["owner"].text == "me" and lock["scope"] == "exclusive"
    assert 890 <= seconds(lock["timeout"]) <= 900
    assert 800 <= seconds(locks(tree, "file")[0]["timeout"]) <= 900


def test_refresh_through_a_member_refreshes_the_lock_of_the_folder(tree):
    token = tree.locked("d", depth="infinity", Timeout="Second-30")
    assert tree.refresh("d/e/g", token, Timeout="Second-900").status_code == 200
    assert seconds(locks(tree, "d")[0]["timeout"]) > 800


def test_refresh_of_what_is_not_held_is_412(tree):
    assert tree.refresh("file", "urn:uuid:00000000-0000-0000-0000-000000000000").status_code == 412
    token = tree.locked("file")
    assert tree.refresh("d/f", token).status_code == 412
    assert tree.unlock("file", token).status_code == 204
    assert tree.refresh("file", token).status_code == 412


def test_neither_body_nor_if_is_400(tree):
    assert tree.request("LOCK", "file").status_code == 400


def test_exclusive_keeps_out_both(tree):
    tree.locked("file")
    for scope in ("exclusive", "shared"):
        answer = tree.lock("file", scope)
        assert answer.status_code == 423
        assert condition(answer) == ("no-conflicting-lock", ["/dav/file"])


def test_shared_locks_live_together(tree):
    first, second = tree.locked("file", scope="shared"), tree.locked("file", scope="shared")
    assert {lock["token"] for lock in locks(tree, "file")} == {first, second}
    assert tree.lock("file", "exclusive").status_code == 423
    assert tree.put("file", content=b"x").status_code == 423
    assert tree.put("file", content=b"x", headers={"If": f"(<{first}>)"}).status_code == 204
    assert tree.unlock("file", first).status_code == 204
    assert tree.lock("file", "exclusive").status_code == 423
    assert tree.unlock("file", second).status_code == 204
    assert tree.lock("file", "exclusive").status_code == 200


def test_depth_infinity_covers_everything_below(tree):
    token = tree.locked("d", depth="infinity")
    assert granted(tree.refresh("d", token))["depth"].lower() == "infinity"
    for path in ("d/f", "d/e", "d/e/g"):
        [lock] = locks(tree, path)
        assert lock["token"] == token and lock["root"] == "/dav/d/"
    assert tree.put("d/e/g", content=b"x").status_code == 423
    answer = tree.put("d/e/new", content=b"x")
    assert answer.status_code == 423 and condition(answer)[0] == "lock-token-submitted"
    assert tree.lock("d/e/g").status_code == 423
    assert tree.put("file", content=b"x").status_code == 204
    tagged = {"If": f"<{tree.absolute('d')}> (<{token}>)"}
    assert tree.put("d/e/g", content=b"x", headers=tagged).status_code == 204
    assert tree.put("d/e/new", content=b"x", headers=tagged).status_code == 201
    assert locks(tree, "d/e/new")[0]["token"] == token


def test_infinity_is_the_default_depth(tree):
    answer = tree.lock("d", depth=None)
    assert answer.status_code == 200 and granted(answer)["depth"].lower() == "infinity"
    assert tree.put("d/f", content=b"x").status_code == 423


@pytest.mark.parametrize("depth", [None, "infinity"])
@pytest.mark.parametrize("path", ["file", "new", "d/e"])
def test_a_lock_tells_the_depth_that_was_asked_for(tree, path, depth):
    """Of a file, too, which has nothing below it (RFC 4918, 9.10.3 and 9.10.7)."""
    answer = tree.lock(path, depth=depth)
    assert answer.status_code in (200, 201)
    assert granted(answer)["depth"] == locks(tree, path)[0]["depth"] == "infinity"
    assert granted(tree.refresh(path, granted(answer)["token"]))["depth"] == "infinity"
    assert tree.unlock(path, granted(answer)["token"]).status_code == 204


@pytest.mark.parametrize("depth", ["1", "2", "foo"])
def test_any_other_depth_is_400(tree, depth):
    assert tree.lock("d", depth=depth).status_code == 400
    assert locks(tree, "d") == []


def test_depth_0_covers_the_members_of_a_folder_but_not_their_content(tree):
    token = tree.locked("d", depth="0")
    assert tree.put("d/f", content=b"x").status_code == 204
    assert tree.put("d/e/new", content=b"x").status_code == 201
    for answer in (
        tree.put("d/new", content=b"x"),
        tree.mkcol("d/new"),
        tree.delete("d/f"),
        tree.move("d/f", "elsewhere"),
        tree.lock("d/lock-null"),
    ):
        assert answer.status_code == 423
    assert tree.put("d/new", content=b"x", headers={"If": f"<{tree.absolute('d')}> (<{token}>)"}).status_code == 201
    assert tree.lock("d/f").status_code == 200, "a member may have a lock of its own"


def test_a_deep_lock_meets_a_locked_member(tree):
    tree.locked("d/e/g")
    answer = tree.lock("d", depth="infinity")
    assert answer.status_code == 207
    statuses = {resource.href: resource.status for resource in Multistatus(answer.content)}
    assert statuses["/dav/d/e/g"] == 423
    assert statuses.get("/dav/d/", 424) == 424
    assert locks(tree, "d") == []
    assert tree.lock("d", depth="0").status_code == 200


def test_a_deep_shared_lock_goes_with_a_shared_member(tree):
    tree.locked("d/f", scope="shared")
    assert tree.lock("d", "shared", depth="infinity").status_code == 200
    assert len(locks(tree, "d/f")) == 2


def test_a_lock_on_a_missing_name_makes_an_empty_file(tree):
    answer = tree.lock("new")
    assert answer.status_code == 201
    token = granted(answer)["token"]
    got = tree.get("new")
    assert got.status_code == 200 and got.content == b""
    assert "new" in tree.names()
    assert tree.put("new", content=b"x").status_code == 423
    assert tree.mkcol("new").status_code == 405
    assert tree.put("new", content=b"x", headers={"If": f"(<{token}>)"}).status_code in (201, 204)
    assert tree.unlock("new", token).status_code == 204
    assert tree.get("new").content == b"x"


def test_an_empty_file_stays_when_its_lock_goes(tree):
    token = tree.locked("new")
    assert tree.unlock("new", token).status_code == 204
    assert tree.get("new").status_code == 200


def test_a_missing_parent_is_409(tree):
    assert tree.lock("missing/new").status_code == 409
    assert tree.lock("file/new").status_code == 409
    assert not tree.exists("missing")


def test_unlock_without_the_right_token(tree):
    token = tree.locked("file")
    assert tree.request("UNLOCK", "file").status_code == 400
    assert tree.request("UNLOCK", "file", headers={"Lock-Token": token}).status_code == 400, "not a Coded-URL"
    wrong = tree.unlock("file", "urn:uuid:00000000-0000-0000-0000-000000000000")
    assert wrong.status_code == 409 and condition(wrong)[0] == "lock-token-matches-request-uri"
    assert tree.unlock("d/f", token).status_code == 409
    assert tree.unlock("missing", token).status_code in (404, 409)
    assert len(locks(tree, "file")) == 1


def test_a_lock_can_be_ended_through_any_member(tree):
    token = tree.locked("d", depth="infinity")
    assert tree.unlock("d/e/g", token).status_code == 204
    assert locks(tree, "d") == []


def test_a_lock_outlives_a_put(tree):
    token = tree.locked("file")
    for content in (b"1", b"2"):
        assert tree.put("file", content=content, headers={"If": f"(<{token}>)"}).status_code == 204
    assert locks(tree, "file")[0]["token"] == token


def test_the_root_can_be_locked(tree):
    token = tree.locked("", depth="infinity")
    assert tree.put("d/e/g", content=b"x").status_code == 423
    assert tree.mkcol("new").status_code == 423
    assert locks(tree, "d/f")[0]["root"] == "/dav/"
    assert tree.unlock("", token).status_code == 204


def test_another_token_of_the_account_needs_the_lock_token_too(account, tree):
    token = tree.locked("file")
    other = account.dav()
    assert other.put("file", content=b"x").status_code == 423
    assert other.lock("file").status_code == 423
    assert locks(other, "file")[0]["token"] == token


def test_rest_respects_locks(tree, rest):
    tree.locked("file")
    [file] = rest.files()
    assert rest.patch(f"files/{file['id']}", json={"name": "renamed"}).status_code == 423
    assert rest.delete(f"files/{file['id']}").status_code == 423
    assert rest.try_upload("file", b"x").status_code == 423
    assert tree.get("file").content == b"file"


@pytest.mark.parametrize(
    "body",
    [
        "<",
        "<d:lockinfo xmlns:d='DAV:'>",
        "<d:propfind xmlns:d='DAV:'/>",
        "<d:lockinfo xmlns:d='DAV:'/>",
        "<d:lockinfo xmlns:d='DAV:'><d:locktype><d:write/></d:locktype></d:lockinfo>",
        "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope></d:lockinfo>",
        "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:local/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>",
        "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:read/></d:locktype></d:lockinfo>",
        "<x:lockinfo xmlns:x='urn:x'><x:lockscope><x:exclusive/></x:lockscope></x:lockinfo>",
    ],
)
def test_a_body_that_asks_for_no_known_lock_is_refused(tree, body):
    assert tree.lock("file", body=body).status_code in (400, 422)
    assert tree.lock("new", body=body).status_code in (400, 422)
    assert locks(tree, "file") == [] and not tree.exists("new")


def test_conditions_are_obeyed(tree):
    assert tree.lock("file", If='(["other"])').status_code == 412
    etag = tree.head("file").headers["etag"]
    assert tree.lock("file", If=f"([{etag}])").status_code == 200


def test_the_lock_of_what_is_deleted_is_gone(tree):
    token = tree.locked("d", depth="infinity")
    assert tree.delete("d", headers={"If": f"<{tree.absolute('d')}> (<{token}>)"}).status_code == 204
    tree.folder("d")
    tree.make("d/f")


def test_an_overlong_owner_is_refused_or_kept(tree):
    owner = "x" * 200_000
    answer = tree.lock("file", body=lockinfo(owner=f"<d:owner>{owner}</d:owner>"))
    assert answer.status_code in (200, 400, 413)
    if answer.status_code == 200:
        assert locks(tree, "file")[0]["owner"].text == owner

"""What is moved or copied onto something that is locked comes under that lock (RFC 4918, 7.6): it holds for a URL, and ends
when nothing is there any more (6.1)."""

import pytest

from support.dav import active_locks


def shape(dav, path=""):
    return {href.removeprefix(dav.href(path)) for href in dav.list(path, "infinity").hrefs[1:]}


@pytest.fixture
def tree(dav):
    """A file and a folder with a member, and once more as what they are to replace."""
    for end in ("", "-old"):
        dav.make(f"file{end}", f"file{end}".encode())
        dav.folder(f"folder{end}")
        dav.make(f"folder{end}/member", b"member")
    return dav


@pytest.fixture(params=["COPY", "MOVE", "MOVE out of the trash"])
def transfer(request, tree, account):
    """Puts something to where another is, and gives the answer."""

    def over(source, destination, **headers):
        headers = {"Destination": tree.absolute(destination), **headers}
        if request.param != "MOVE out of the trash":
            return tree.request(request.param, source, headers=headers)
        trash = account.dav(mount=f"/remote.php/dav/trashbin/{account.login}/trash/")
        assert tree.delete(source).status_code == 204
        [item] = [name for name in trash.names() if name.startswith(f"{source}.d")]
        return trash.request("MOVE", item, headers=headers)

    return over


@pytest.mark.parametrize("scope", ["exclusive", "shared"])
@pytest.mark.parametrize("old", ["file-old", "folder-old"])
@pytest.mark.parametrize("new", ["file", "folder"])
def test_the_lock_of_what_is_replaced_stays(tree, transfer, new, old, scope):
    answer = tree.lock(old, scope, depth="infinity", Timeout="Second-900")
    token = answer.headers["lock-token"].strip("<>")
    assert transfer(new, old, If=f"<{tree.absolute(old)}> (<{token}>)").status_code == 204
    [lock] = active_locks(tree.stat(old).prop("lockdiscovery"))
    assert lock["token"] == token and lock["scope"] == scope and lock["depth"] == "infinity"
    assert lock["root"].rstrip("/") == f"/dav/{old}" and lock["owner"].text == "me"
    stranger = f"{old}/member" if new == "folder" else old
    assert tree.put(stranger, content=b"stranger").status_code == 423
    tagged = {"If": f"<{tree.absolute(old)}> (<{token}>)"}
    assert tree.put(stranger, content=b"holder", headers=tagged).status_code == 204
    assert tree.refresh(old, token).status_code == 200
    assert tree.unlock(old, token).status_code == 204
    assert tree.put(stranger, content=b"anybody").status_code == 204


def test_all_of_several_locks_stay(tree, transfer):
    tokens = {tree.locked("file-old", scope="shared") for _ in range(3)}
    assert transfer("file", "file-old", If=f"<{tree.absolute('file-old')}> (<{min(tokens)}>)").status_code == 204
    assert {lock["token"] for lock in active_locks(tree.stat("file-old").prop("lockdiscovery"))} == tokens


def test_locks_below_what_is_replaced_end(tree, transfer):
    token = tree.locked("folder-old/member")
    headers = {"If": f"<{tree.absolute('folder-old/member')}> (<{token}>)"}
    assert transfer("folder", "folder-old", **headers).status_code == 204
    assert active_locks(tree.stat("folder-old/member").prop("lockdiscovery")) == []


def test_the_locks_of_what_is_moved_do_not_come_with_it(tree):
    own, there = tree.locked("file"), tree.locked("file-old")
    headers = {"If": f"<{tree.absolute('file')}> (<{own}>) <{tree.absolute('file-old')}> (<{there}>)"}
    assert tree.move("file", "file-old", **headers).status_code == 204
    assert [lock["token"] for lock in active_locks(tree.stat("file-old").prop("lockdiscovery"))] == [there]


def test_what_was_there_goes_to_the_trash_without_it(tree, transfer, account):
    token = tree.locked("folder-old", depth="infinity")
    assert transfer("folder", "folder-old", If=f"<{tree.absolute('folder-old')}> (<{token}>)").status_code == 204
    trash = account.dav(mount=f"/remote.php/dav/trashbin/{account.login}/trash/")
    [item] = [name for name in trash.names() if name.startswith("folder-old")]
    assert active_locks(trash.stat(item).prop("lockdiscovery")) == []
    assert shape(tree, "folder-old/") == {"member"}

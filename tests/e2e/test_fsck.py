"""`scripts/admin fsck`, and what it asks: the database held against the object storage, which is damaged past the server."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.recount import recount_over_http
from support.rest import assert_error
from support.state import drive_database, objects, snapshot

ADMIN = Path(__file__).parents[2] / "scripts" / "admin"


@pytest.fixture
def check(server):
    """Checks all stretches, and gives the keys of orphans and the losses by their keys."""

    def check(repair: bool = False) -> tuple[list[str], dict[str, dict]]:
        orphans, losses, after = [], {}, ""
        while after is not None:
            answer = server.admin.post("fsck", json={"after": after, "repair": repair})
            assert answer.status_code == 200, answer.text
            report = answer.json()
            orphans += [orphan["key"] for orphan in report["orphans"]]
            losses |= {loss["key"]: loss for loss in report["losses"]}
            after = report["next"]
        return orphans, losses

    return check


@pytest.fixture
def admin(server):
    """Runs scripts/admin fsck."""

    def run(*options: str) -> subprocess.CompletedProcess:
        settings = {"EDGEDRIVE_URL": server.url, "ADMIN_TOKEN": server.admin_token}
        command = [ADMIN, "fsck", *options]
        return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=300)

    return run


def blob_of(dav, name: str, content: bytes) -> str:
    """Stores a file, and gives the key of its blob."""
    before = set(objects().sizes())
    dav.make(name, content)
    [blob] = set(objects().sizes()) - before
    return blob


def busy(dav, rest):
    """Uploads, copies, overwrites, moves and deletions, large and small."""
    dav.folder("d")
    for round in range(3):
        dav.make("d/versions", os.urandom(1000 * round + 1))
        dav.make(f"d/{round}", os.urandom(300_000))
        rest.upload(f"form-{round}", os.urandom(5000))
    dav.make("empty", b"")
    assert dav.put("chunked", content=iter([os.urandom(1_000_000)] * 10)).status_code == 201
    assert dav.copy("d", "copy").status_code == 201
    assert dav.move("copy/1", "moved").status_code == 201
    assert dav.delete("d/2").status_code == 204


def test_nothing_is_found_in_a_drive_that_was_only_used(dav, rest, check, admin):
    busy(dav, rest)
    assert check() == ([], {})
    done = admin()
    assert (done.returncode, done.stderr) == (0, "")
    assert " blobs, " in done.stdout and len(done.stdout.splitlines()) == 1


def test_nothing_is_found_in_a_drive_in_use(server, check):
    def use(_):
        account = server.account()
        for _ in range(2):
            dav, rest = account.dav(), account.rest()
            busy(dav, rest)
            for name in ("d", "copy", "moved", "chunked"):
                assert dav.delete(name).status_code == 204
            assert server.admin.post(f"{server.url}/internal/jobs/run").status_code == 200
        account.close()

    with ThreadPoolExecutor(4) as pool:
        users = [pool.submit(use, number) for number in range(4)]
        while not all(user.done() for user in users):
            assert check() == ([], {})
        for user in users:
            user.result()


def test_an_orphan_becomes_garbage_and_goes_when_the_grace_is_over(server, account, dav, check, admin):
    content = os.urandom(1000)
    dav.make("f", content)
    orphan = f"{account.id}/{os.urandom(20).hex()}"
    objects().add(orphan, b"a blob that nobody knows")
    assert check() == ([orphan], {})
    done = admin()
    assert done.returncode == 1 and orphan in done.stdout
    done = admin("--repair")
    assert done.returncode == 0 and orphan in done.stdout, done.stdout + done.stderr
    assert orphan in objects().sizes(), "it went before its time"
    assert check() == ([], {})

    grace = os.environ.get("EDGEDRIVE_BLOB_GRACE_SECONDS")
    if not grace:
        pytest.skip("EDGEDRIVE_BLOB_GRACE_SECONDS does not tell how long garbage stays")
    time.sleep(int(grace) + 0.1)
    assert server.admin.post(f"{server.url}/internal/jobs/run").status_code == 200
    assert orphan not in objects().sizes()
    assert dav.get("f").content == content
    assert check() == ([], {})


def test_a_loss_is_named_and_mended(account, dav, rest, check, admin):
    dav.folder("d")
    earlier = os.urandom(500)
    dav.make("d/f", earlier)
    latest = blob_of(dav, "d/f", os.urandom(600))
    assert dav.copy("d/f", "copy").status_code == 201
    only = blob_of(dav, "d/only", os.urandom(70_000))
    dav.make("d/stays", b"stays")
    tag = dav.stat("d").text("getetag")
    for key in (latest, only):
        objects().remove(key)
    orphans, losses = check()
    assert orphans == [] and set(losses) == {latest, only}
    files = {(file["accountId"], file["path"]) for loss in losses.values() for file in loss["files"]}
    assert files == {(account.id, path) for path in ("/d/f", "/copy", "/d/only")}
    done = admin()
    assert done.returncode == 1 and all(text in done.stdout for text in (latest, only, "/d/only", "/copy"))
    assert dav.stat("d").text("getetag") == tag, "nothing was to be mended yet"

    done = admin("--repair")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/d/f: restored" in done.stdout and "/d/only: deleted" in done.stdout and "/copy: deleted" in done.stdout
    assert dav.get("d/f").content == earlier
    assert dav.get("d/stays").content == b"stays"
    assert dav.get("d/only").status_code == dav.get("copy").status_code == 404
    assert dav.stat("d").text("getetag") != tag
    recount_over_http(dav, rest)
    assert check() == ([], {})
    with snapshot(drive_database()) as database:
        assert database.execute("SELECT count(*) FROM parts WHERE blob_key IN (?, ?)", (latest, only)).fetchone() == (0,)


def test_who_may_ask_and_how(server, rest):
    assert_error(rest.post("admin/fsck", json={}), 401)
    assert_error(server.admin.post("fsck", json={"repair": "yes"}), 422)
    assert_error(server.admin.get("fsck"), 405, "METHOD_NOT_ALLOWED")

"""The server is killed at random, again and again, while it is used: nothing that it answered for is lost, nothing is
done by half, nothing is left behind.

The tests look at what one storm left (conftest.py), each at something else.
"""

import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from support import store
from support.mortal import Mortal
from support.recount import blob_breaches, breaches, recount_over_http
from support.state import drive_database, objects, snapshot
from support.storm import KILLS
from support.tree import Event
from support.writer import picture

pytestmark = pytest.mark.timeout(300 + 10 * KILLS)


def test_every_request_was_done_whole_or_not_at_all(tenants):
    assert [wrong for tenant in tenants for writer in tenant.writers for wrong in writer.wrong] == []


def test_what_was_answered_is_there_with_equal_bytes(tenants):
    for tenant in tenants:
        for writer in tenant.writers:
            assert writer.look() == picture(writer.tree), writer.name
            for path, content in writer.tree.items():
                if content:
                    writer.read(path, writer.tree)
            assert writer.wrong == []


def test_each_change_was_announced_and_nothing_else(tenants):
    """At least once each. An event has one id, however often it is told."""
    for tenant in tenants:
        told = Counter(Event.of(body) for body in tenant.hook.events())
        expected = sum((writer.events for writer in tenant.writers), Counter())
        assert {"not told": expected - told, "told of nothing": told - expected} == {
            "not told": Counter(),
            "told of nothing": Counter(),
        }


def test_an_event_that_comes_again_is_the_same(tenants):
    for tenant in tenants:
        bodies: dict[str, set[bytes]] = {}
        for request in tenant.hook.requests():
            bodies.setdefault(request.id, set()).add(request.body)
        assert [bodies for bodies in bodies.values() if len(bodies) > 1] == []


def test_every_blob_is_in_use_and_there(tenants):
    with snapshot(drive_database()) as database:
        assert blob_breaches(database, objects().sizes()) == {}
        assert database.execute("SELECT * FROM blob_garbage").fetchall() == []


def test_no_multipart_upload_is_open(tenants):
    assert store.open_uploads() == []


def test_no_job_is_left(tenants, server):
    assert server.admin.get("jobs").json()["jobs"] == []


def test_everything_counted_again_agrees(tenants):
    with snapshot(drive_database()) as database:
        assert breaches(database) == {}
    for tenant in tenants:
        recount_over_http(tenant.account.dav(), tenant.account.rest())


def test_fsck_finds_nothing(tenants, server):
    admin = Path(__file__).parents[2] / "scripts" / "admin"
    environment = {**os.environ, "EDGEDRIVE_URL": server.url, "ADMIN_TOKEN": server.admin_token}
    done = subprocess.run([admin, "fsck"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_panicked(tenants, mortal: Mortal):
    assert [line for log in mortal.logs for line in log.splitlines() if "panicked" in line] == []

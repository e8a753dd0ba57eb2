"""Scanners that fail in every way. Uploads work, their files wait, and are scanned when the scanner is well again."""

import os
import statistics
import time

import pytest

from support import clamd as clamds
from support import scanner as scanners
from support.clamd import EICAR
from support.raw import Connection
from support.scanning import MIB, av_status, wait_for, wait_for_av_status

# Bytes of a file that is more than the sockets hold.
LONG = 7 * MIB

# How long an upload may be held up, however bad the scanner is: half of what clients wait.
MOST_PATIENCE = 15

# What each does, and how long the file is.
BAD = {
    "hangs at once": (scanners.hang, LONG),
    "hangs in the middle": (clamds.stuck(MIB), LONG),
    "hangs in the end": (clamds.silent, 1000),
    "answers for ever": (clamds.trickling, 1000),
    "closes at once": (scanners.close, 1000),
    "closes in the middle": (clamds.leaving(MIB), LONG),
    "closes in the end": (clamds.answering(b""), 1000),
    "resets": (scanners.reset, 1000),
    "half an answer": (clamds.answering(b"stream: O"), 1000),
    "no zero byte": (clamds.answering(b"stream: OK\n"), 1000),
    "an empty answer": (clamds.answering(b"\0"), 1000),
    "no prefix": (clamds.answering(b"OK\0"), 1000),
    "another word": (clamds.answering(b"stream: OKAY\0"), 1000),
    "no text": (clamds.answering(b"\xff\xfe\x80" * 100 + b"\0"), 1000),
    "HTTP": (clamds.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"), 1000),
    "an error": (clamds.answering(b"stream: Can't allocate memory ERROR\0"), 1000),
    "a verdict before the file": (scanners.early(b"stream: OK\0"), LONG),
    "a virus before the file": (scanners.early(b"stream: Eicar FOUND\0"), LONG),
    "two verdicts": (clamds.answering(b"stream: OK\0stream: Eicar FOUND\0"), 1000),
    "a gigabyte": (clamds.endless, 1000),
}


@pytest.fixture(scope="module")
def tenant(server):
    """An account for them all."""
    account = server.account()
    yield account
    account.close()


@pytest.mark.parametrize("name", BAD)
def test_the_file_is_stored_and_waits(scanner, scanning, tenant, name):
    behaviour, size = BAD[name]
    rest, content = tenant.rest(), os.urandom(size)
    with scanner.misbehaving(behaviour):
        began = time.monotonic()
        file = rest.upload(name, content)
        took = time.monotonic() - began
        assert file["avStatus"] == "PENDING"
        assert rest.get(f"files/{file['id']}/download").content == content
        assert scanning.ready()["pendingScans"] == 1
        scanning.wait(scanner="unavailable")
        assert scanner.sessions, "it was asked"
    print(f"the upload took {took:.1f} s")
    assert took < MOST_PATIENCE
    assert max(session.sent for session in scanner.sessions) < 16 * MIB, "what the sockets hold, and no more"
    scanning.settle()
    assert av_status(rest, file["id"]) == "CLEAN"


def test_a_scanner_that_is_not_there(scanner, scanning, rest, dav, jobs):
    """Nobody does anything but wait until all is well again."""
    with scanner.away():
        clean, infected = rest.upload("clean", b"x"), rest.upload("infected", EICAR)
        dav.make("dav", EICAR)
        assert [job["kind"] for job in jobs.all()] == ["scan"] * 3
        body = scanning.wait(scanner="unavailable", pendingScans=3)
        assert body["backlog"] >= 3 and body["deadJobs"] == 0
        assert wait_for(scanning.ready, lambda body: body["oldestSeconds"] >= 1)
        assert {file["avStatus"] for file in rest.files()} == {"PENDING"}
    scanning.wait(scanner="ok", pendingScans=0)
    assert {file["name"]: file["avStatus"] for file in rest.files()} == {
        "clean": "CLEAN",
        "infected": "INFECTED",
        "dav": "INFECTED",
    }
    assert jobs.all() == []


def test_a_scanner_that_is_known_to_fail_is_not_waited_for(scanner, scanning, rest):
    with scanner.misbehaving(scanners.hang):
        rest.upload("first", b"x")
        scanning.wait(scanner="unavailable")
        before, times = len(scanner.sessions), []
        for number in range(30):
            began = time.monotonic()
            rest.upload(f"f{number}", b"x")
            times.append(time.monotonic() - began)
        print(f"uploads took {statistics.median(times) * 1000:.0f} ms, at most {max(times) * 1000:.0f} ms")
        assert len(scanner.sessions) - before <= 3, "a job tries it again, uploads do not"
        assert statistics.median(times) < 1


def test_a_scanner_that_works_for_a_job_but_not_for_a_file(scanner, scanning, clamd, rest):
    """So it is found to be well each time, and never is."""
    with scanner.misbehaving(clamds.good_at_versions(clamd, scanners.close)):
        files = [rest.upload(f"f{number}", b"x") for number in range(5)]
        for _ in range(5):
            scanning.push()
            time.sleep(0.5)
        assert {av_status(rest, file["id"]) for file in files} == {"PENDING"}
    scanning.settle()
    assert {av_status(rest, file["id"]) for file in files} == {"CLEAN"}


def test_one_file_that_cannot_be_scanned_holds_up_no_other(scanner, scanning, clamd, rest, dav):
    poison = os.urandom(16)
    with scanner.misbehaving(clamds.failing_on(poison, clamd)):
        poisoned = rest.upload("poisoned", poison)
        others = [rest.upload(f"f{number}", b"x") for number in range(10)]
        for file in others:
            wait_for_av_status(rest, file["id"], "CLEAN")
        assert av_status(rest, poisoned["id"]) == "PENDING"
    scanning.settle()
    assert av_status(rest, poisoned["id"]) == "CLEAN"


def test_a_client_that_leaves_is_no_fault_of_the_scanner(server, scanner, scanning, account, dav):
    for _ in range(3):
        with Connection(server.url) as connection:
            connection.send_head("PUT", "/dav/f", dav.token, {"Content-Length": MIB})
            connection.send(bytes(MIB // 2))
            time.sleep(0.2)
    time.sleep(0.5)
    assert not dav.exists("f")
    assert scanning.ready()["scanner"] == "ok"
    dav.make("g", b"x")
    assert scanning.ready()["pendingScans"] == 0

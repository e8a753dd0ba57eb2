"""Scanners that fail in every way. Uploads work, their files wait, and are scanned when the scanner is well again."""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import clamd as clamds
from support import scanner as scanners
from support.clamd import EICAR
from support.raw import Connection
from support.scanning import INLINE_MAX, MIB, av_status, wait_for, wait_for_av_status

# Bytes of a file that is more than the sockets hold.
LONG = 7 * MIB

# How long an upload may be held up, however bad the scanner is: half of what clients wait.
MOST_PATIENCE = 15

# What each does, and how long the file is.
BAD = {
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

# They are waited for.
HANGING = [scanners.hang, clamds.stuck(MIB), clamds.silent, clamds.trickling]


@pytest.fixture(scope="module")
def tenant(server):
    """An account for them all."""
    account = server.account()
    yield account
    account.close()
    assert server.admin.delete(f"accounts/{account.id}").status_code == 204


@pytest.mark.parametrize("name", BAD)
def test_the_file_is_stored_and_waits(scanner, scanning, tenant, name):
    behaviour, size = BAD[name]
    rest, content = tenant.rest(), os.urandom(size)
    with scanner.misbehaving(behaviour):
        file = rest.upload(name, content)
        assert file["avStatus"] == "PENDING"
        assert rest.get(f"files/{file['id']}/download").content == content
        assert scanning.ready()["pendingScans"] == 1
        scanning.wait(scanner="unavailable")
        assert scanner.sessions, "it was asked"
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


def test_a_scanner_that_hangs_is_waited_for_once_and_not_for_long(scanner, scanning, account, rest):
    """In all the ways at once, since it takes its time. Who comes later does not wait at all."""
    clients, content = [account.rest() for _ in HANGING], os.urandom(LONG)

    def upload(number: int) -> float:
        began = time.monotonic()
        clients[number].upload(f"hanging-{number}", content)
        return time.monotonic() - began

    with scanner.misbehaving(scanners.in_turn(*HANGING)):
        with ThreadPoolExecutor(len(HANGING)) as pool:
            waited = list(pool.map(upload, range(len(HANGING))))
        scanning.wait(scanner="unavailable", pendingScans=len(HANGING))
        before, times = len(scanner.sessions), []
        assert before >= len(HANGING), "each was asked"
        for number in range(30):
            began = time.monotonic()
            rest.upload(f"later-{number}", b"x")
            times.append(time.monotonic() - began)
        assert len(scanner.sessions) - before <= 5, "jobs ask again, uploads do not"
        assert {file["avStatus"] for file in rest.files()} == {"PENDING"}
    print(f"{max(waited):.1f} s; then {statistics.median(times) * 1000:.0f} ms, at most {max(times) * 1000:.0f} ms")
    assert max(waited) < MOST_PATIENCE
    assert statistics.median(times) < min(waited) / 5
    scanning.settle()
    assert {file["avStatus"] for file in rest.files()} == {"CLEAN"}


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


def test_one_file_that_cannot_be_scanned_holds_up_no_other(scanner, clamd, rest, jobs):
    poison = os.urandom(16)
    with scanner.misbehaving(clamds.failing_on(poison, clamd)):
        poisoned = rest.upload("poisoned", poison)
        others = [rest.upload(f"f{number}", b"x") for number in range(10)]
        for file in others:
            wait_for_av_status(rest, file["id"], "CLEAN")
        assert av_status(rest, poisoned["id"]) == "PENDING"
        [job] = jobs.wait(lambda jobs: len(jobs) == 1 and jobs[0]["error"])
        assert job["tries"] <= 3, "that others are scanned is no reason to try it again"
    assert jobs.retry(job).status_code == 204
    wait_for_av_status(rest, poisoned["id"], "CLEAN")


def test_a_scan_that_is_under_way_is_not_begun_again(scanner, clamd, rest, dav, hook, jobs):
    """However impatient the administrator is."""
    hook = hook(events=["file.created", "file.updated", "file.infected"])
    with clamd.stopped():
        for name, end in (("clean", b"x"), ("infected", EICAR)):
            dav.make(name, bytes(INLINE_MAX) + end)
        wait_for(lambda: len(scanner.sessions), lambda count: count == 2)
        for job in jobs.all():
            assert jobs.retry(job).status_code == 204
        time.sleep(2)
        assert len(scanner.sessions) == 2
    for file in rest.files():
        wait_for_av_status(rest, file["id"], file["name"].upper())
    assert [event["file"]["name"] for event in hook.wait(1, "file.infected")] == ["infected"]
    assert [event["file"]["name"] for event in hook.settled("file.created", "file.updated")] == ["clean"]


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

"""A scanner behind HTTP, and SCAN_PENDING=block; and before that, on the same drive, no scanner at all.

The server is one of this module's own. It runs without a scanner, then with one, and once more after its database was
changed so that a job has no try left.
"""

import os
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from support import http_scanner as https
from support import scanner as scanners
from support.clamd import EICAR
from support.dav import Dav
from support.hooks import Hook, Jobs, Sweeper
from support.multistatus import DAV, parse
from support.receiver import Receiver
from support.rest import Rest, assert_error
from support.scanner import Scanner
from support.scanning import (
    INLINE_MAX,
    MIB,
    Scanning,
    assert_infected,
    av_status,
    dav_av_status,
    wait_for,
    wait_for_av_status,
)
from support.serving import database_at_rest, serving
from support.uploads import pieces

NAME = "Eicar-By-Http"
POISON = os.urandom(16)


def find(content: bytes) -> str | None:
    return NAME if EICAR in content else None


@pytest.fixture(scope="module")
def http_scanner():
    scanner = Scanner(0, https.finding(find))
    yield scanner
    scanner.close()


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def unscanned(server, state):
    """What the server without a scanner says of some files, and the token that reads them."""
    with serving(state, server.admin_token, WEBHOOK_ALLOW_PRIVATE="1") as off, Receiver() as receiver:
        account = off.account()
        token = account.token()
        rest, dav = account.rest(token), account.dav(token)
        hook = Hook(rest, receiver)
        answers = [rest.try_upload("clean", b"x"), rest.try_upload("infected", EICAR), dav.put("dav", content=b"x")]
        seen = SimpleNamespace(
            token=token,
            statuses=[answer.status_code for answer in answers],
            states={file["name"]: file["avStatus"] for file in rest.files()},
            dav_state=dav_av_status(dav, "dav"),
            content=dav.get("infected").content,
            told={event["file"]["name"]: event["file"]["avStatus"] for event in hook.wait(3)},
            ready=Scanning(off).ready(),
        )
        hook.delete()
        account.close()
    return seen


@pytest.fixture(scope="module")
def blocking(server, state, unscanned, http_scanner):
    """The server with the scanner, an account on it with its clients, and what stops all of that."""
    settings = {"SCANNER": f"http://127.0.0.1:{http_scanner.port}/scan?key=k", "SCAN_PENDING": "block"}
    with ExitStack() as stack:
        again = stack.enter_context(serving(state, server.admin_token, **settings))
        account, sweeper = again.account(), Sweeper(again)
        stack.callback(sweeper.stop)
        stack.callback(account.close)
        yield SimpleNamespace(
            server=again,
            settings=settings,
            scanning=Scanning(again),
            account=account,
            rest=account.rest(),
            dav=account.dav(),
            stop=stack.close,
        )


@pytest.fixture
def scanner(http_scanner, blocking):
    """The scanner, which works before the test and after it."""
    http_scanner.sessions.clear()
    yield http_scanner
    http_scanner.recover()
    blocking.scanning.settle()


def assert_pending(answer):
    """425, to be tried again."""
    assert int(answer.headers["retry-after"]) > 0
    if answer.request.method == "HEAD":
        assert answer.status_code == 425
    elif "/api/" in answer.request.url.path:
        assert_error(answer, 425, "SCAN_PENDING")
    else:
        assert answer.status_code == 425 and parse(answer.content).tag == f"{DAV}error"


# --- without a scanner ---


def test_without_a_scanner_everything_is_stored_and_told(unscanned):
    assert unscanned.statuses == [201, 201, 201]
    assert unscanned.states == unscanned.told == dict.fromkeys(("clean", "infected", "dav"), "SKIPPED")
    assert unscanned.dav_state == "skipped"
    assert unscanned.content == EICAR
    assert (unscanned.ready["scanner"], unscanned.ready["pendingScans"]) == ("off", 0)


def test_a_first_rescan_finds_what_came_without_a_scanner(unscanned, blocking, scanner):
    rest = blocking.account.rest(unscanned.token)
    files = {file["name"]: file["id"] for file in rest.files()}
    assert {av_status(rest, id) for id in files.values()} == {"SKIPPED"}
    assert rest.get(f"files/{files['infected']}/download").content == EICAR
    blocking.scanning.rescan()
    assert {name: av_status(rest, id) for name, id in files.items()} == {
        "clean": "CLEAN",
        "dav": "CLEAN",
        "infected": "INFECTED",
    }
    assert_infected(rest.get(f"files/{files['infected']}/download"))
    assert rest.get(f"files/{files['clean']}/download").content == b"x"


# --- a scanner behind HTTP ---


def test_it_is_asked_as_documented(blocking, scanner):
    assert blocking.rest.upload("asked", b"x")["avStatus"] == "CLEAN"
    assert [session.request for session in scanner.sessions] == ["POST /scan?key=k HTTP/1.1"]


@pytest.mark.parametrize("size", [0, MIB, INLINE_MAX - len(EICAR)])
def test_a_virus_is_refused(blocking, scanner, size):
    content = os.urandom(size) + EICAR
    for answer in (
        blocking.rest.try_upload("refused", content),
        blocking.dav.put("refused", content=content),
        blocking.dav.put("refused", content=pieces(content)),
    ):
        assert_infected(answer, 422)
        assert NAME in answer.text
    assert not blocking.dav.exists("refused")


def test_what_is_larger_waits_and_cannot_be_read_until_it_is_clean(blocking, scanner):
    content = os.urandom(INLINE_MAX + 1)
    blocking.dav.make("large", content)
    answer = blocking.dav.get("large")
    if answer.status_code != 200:
        assert_pending(answer)
    wait_for(lambda: dav_av_status(blocking.dav, "large"), lambda state: state == "clean")
    assert blocking.dav.get("large").content == content


def test_a_virus_in_what_is_larger_can_never_be_read(blocking, scanner):
    file = blocking.rest.upload("large virus", os.urandom(INLINE_MAX) + EICAR)
    assert file["avStatus"] == "PENDING"
    wait_for_av_status(blocking.rest, file["id"], "INFECTED")
    assert_infected(blocking.rest.get(f"files/{file['id']}/download"))


# What each does. A scanner lies, too, if it knows of a file that it does not have.
BAD = {
    "hangs": https.silent,
    "closes": scanners.close,
    "resets": scanners.reset,
    "no HTTP": https.answering(b"stream: OK\0"),
    "500": https.answering(https.response(b'{"infected": false}', 500)),
    "404": https.answering(https.response(b'{"infected": false}', 404)),
    "204": https.answering(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a redirect": https.answering(b"HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n"),
    "no JSON": https.answering(https.response(b"clean")),
    "HTML": https.answering(https.response(b"<!doctype html><title>clean</title>")),
    "no verdict": https.answering(https.response(b"{}")),
    "another type": https.answering(https.response(b'{"infected": "no"}')),
    "null": https.answering(https.response(b'{"infected": null}')),
    "a list": https.answering(https.response(b'[{"infected": false}]')),
    "half an answer": https.answering(https.response(b'{"infected": false', length=100)),
    "a gigabyte": https.endless,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_scanner_keeps_files_waiting(blocking, scanner, name):
    rest, dav = blocking.rest, blocking.dav
    with scanner.misbehaving(BAD[name]):
        file = rest.upload(name, EICAR)
        assert file["avStatus"] == "PENDING"
        blocking.scanning.wait(scanner="unavailable", pendingScans=1)
        assert scanner.sessions, "it was asked"
    assert max(session.sent for session in scanner.sessions) < 16 * MIB, "what the sockets hold, and no more"
    blocking.scanning.settle()
    assert av_status(rest, file["id"]) == "INFECTED"


def test_what_waits_cannot_be_read_and_can_be_copied_and_moved(blocking, scanner):
    rest, dav = blocking.rest, blocking.dav
    with scanner.misbehaving(scanners.close):
        file = rest.upload("waits", b"x" * 1000)
        download = f"files/{file['id']}/download"
        for headers in ({}, {"Range": "bytes=0-1"}):
            assert_pending(rest.get(download, headers=headers))
            assert_pending(dav.get("waits", headers=headers))
        for head in (rest.head(download), dav.head("waits")):
            assert_pending(head)
        assert dav.copy("waits", "copy").status_code == 201
        assert dav.move("waits", "moved").status_code == 201
        assert_pending(dav.get("copy"))
        assert rest.upload("waits", b"")["avStatus"] == "CLEAN"
        assert dav.get("waits").status_code == 200
    blocking.scanning.settle()
    for name in ("copy", "moved"):
        assert dav.get(name).content == b"x" * 1000


def test_a_version_that_waits_cannot_be_read(blocking, scanner):
    rest = blocking.rest
    with scanner.misbehaving(scanners.close):
        file = rest.upload("versions", b"first")
        rest.upload("versions", b"second")
        [version] = rest.get(f"files/{file['id']}/versions").json()["versions"]
        download = f"files/{file['id']}/versions/{version['id']}/download"
        assert_pending(rest.get(download))
    blocking.scanning.settle()
    assert rest.get(download).content == b"first"


def test_a_scan_that_is_given_up_leaves_an_error(server, state, blocking, http_scanner):
    """The last test of this module: it stops the server, takes the tries of a job away, and runs the server again."""
    token = blocking.account.token()
    http_scanner.behave(https.failing_on(POISON, find))
    poisoned = blocking.rest.upload("poisoned", POISON)
    assert poisoned["avStatus"] == "PENDING"
    jobs = Jobs(blocking.server, blocking.account)
    jobs.wait(lambda jobs: any(job["kind"] == "scan" and job["error"] for job in jobs))
    blocking.stop()
    with database_at_rest(state) as database:
        changed = database.execute("UPDATE jobs SET tries = 1000, due_at = 0, lease = NULL WHERE kind = 'scan'")
        assert changed.rowcount == 1
        # What waits behind a scanner that fails waits the longer, the more often it failed before the server stopped.
        database.execute("UPDATE scanner SET not_before = 0")

    with serving(state, server.admin_token, **blocking.settings) as again:
        with Rest(again.url, token) as rest, Dav(again.url, token) as dav:
            Scanning(again).run_jobs()
            wait_for_av_status(rest, poisoned["id"], "ERROR")
            assert dav_av_status(dav, "poisoned") == "error"
            for headers in ({}, {"Range": "bytes=0-1"}):
                download = rest.get(f"files/{poisoned['id']}/download", headers=headers)
                assert_error(download, 403, "SCAN_ERROR")
                assert dav.get("poisoned", headers=headers).status_code == 403
            ready = Scanning(again).ready()
            assert ready["deadJobs"] == 1 and ready["pendingScans"] == 0
            [job] = Jobs(again, blocking.account).all("dead")
            assert job["kind"] == "scan" and job["error"]
            # A person who has mended the scanner has it tried again.
            http_scanner.recover()
            assert Jobs(again, blocking.account).retry(job).status_code == 204
            wait_for_av_status(rest, poisoned["id"], "CLEAN")
            assert rest.get(f"files/{poisoned['id']}/download").content == POISON

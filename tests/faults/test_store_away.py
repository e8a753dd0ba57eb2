"""The object store is away altogether, or holds still."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from support import faults
from support.raw import Connection
from support.uploads import CHUNKED, FORM, SMALL, SMALL_FORM, STREAMED, pieces

WAYS = (SMALL, SMALL_FORM, STREAMED, FORM, CHUNKED)

# How long a client may have to wait for the news.
SOON = 15

# How long the store may hold still.
PATIENCE = 30


def assert_away(answer: httpx.Response):
    """The client is told to come again."""
    assert answer.status_code in (502, 503), f"{answer.status_code} {answer.text}"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.elapsed.total_seconds() < SOON


def test_a_store_that_is_away_for_a_while(proxy, drive, log):
    dav, rest = drive.dav, drive.rest
    content = {way: os.urandom(way.size) for way in WAYS}
    dav.make("large", content[STREAMED])
    with ThreadPoolExecutor(8) as pool:
        with proxy.away(), drive.unchanged():
            uploads = [pool.submit(way.send, dav, rest, way.name, content[way]) for way in WAYS]
            ranged = {"Range": "bytes=1000000-3000000"}
            downloads = [
                pool.submit(dav.get, name, headers=headers) for name, headers in [("old", {}), ("large", ranged)]
            ]
            for request in [*uploads, *downloads]:
                assert_away(request.result())
        assert len(log.lines("PutObject", 4)) == 4
        assert len(log.lines("CreateMultipartUpload", 1)) == 1
        assert len(log.lines("GetObject", 2)) == 2

        # All works again at once.
        for way, answer in zip(WAYS, pool.map(lambda way: way.send(dav, rest, way.name, content[way]), WAYS)):
            assert answer.status_code == 201, answer.text
            assert dav.get(way.name).content == content[way]
    assert dav.get("old").content == drive.former


def test_what_needs_no_bytes_works_without_the_store(proxy, drive):
    dav = drive.dav
    with proxy.away():
        dav.folder("folder")
        assert dav.move("old", "folder/moved").status_code == 201
        assert dav.copy("folder", "copy").status_code == 201
        assert dav.names() == {"folder/", "copy/"}
        assert dav.put("empty", content=b"").status_code == 201
        assert dav.get("empty").content == b""
        assert dav.head("copy/moved").headers["content-length"] == "18"
        assert dav.delete("folder").status_code == 204
        assert drive.rest.mkdir("another")["name"] == "another"
    assert dav.get("copy/moved").content == drive.former


def test_who_holds_still_is_given_up_and_who_is_slow_is_not(proxy, server, log):
    """Half a minute each, so all at once, each in a drive of its own."""
    with ThreadPoolExecutor(len(HOLDING_STILL)) as pool:
        running = {case.__name__: pool.submit(case, proxy, server.account()) for case in HOLDING_STILL}
    assert {name: case.exception() for name, case in running.items() if case.exception()} == {}
    assert len(log.lines("PutObject", 2)) == 2
    assert len(log.lines("UploadPart", 1)) == 1
    assert log.lines("GetObject") == []


def assert_given_up(dav, start: float, answer: httpx.Response):
    """The client has waited long enough, and sees nothing of what it sent."""
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    assert PATIENCE <= time.monotonic() - start < PATIENCE + 15
    assert dav.names() == set()


def a_store_that_takes_no_more_bytes(proxy, account):
    dav, start = account.dav(), time.monotonic()
    with proxy.failing("PutObject", faults.stuck_request(1_000_000), prefix=f"{account.id}/") as failing:
        answer = dav.put("f", content=os.urandom(50_000_000))
    assert failing.hits == 1
    assert_given_up(dav, start, answer)


def a_store_that_does_not_answer(proxy, account):
    dav, start = account.dav(), time.monotonic()
    with proxy.failing("PutObject", faults.silence, prefix=f"{account.id}/") as failing:
        answer = dav.put("f", content=os.urandom(SMALL.size))
    assert failing.hits == 1, "nobody waits that long four times"
    assert_given_up(dav, start, answer)


def a_store_that_does_not_answer_to_a_part(proxy, account):
    dav, start = account.dav(), time.monotonic()
    with proxy.failing("UploadPart", faults.silence, spare=1, prefix=f"{account.id}/") as failing:
        answer = dav.put("f", content=pieces(os.urandom(CHUNKED.size)))
    assert failing.hits == 1
    assert_given_up(dav, start, answer)


def a_download_that_stops(proxy, account):
    dav, content = account.dav(), os.urandom(STREAMED.size)
    dav.make("f", content)
    with proxy.failing("GetObject", faults.stuck_answer(2_000_000), times=1, prefix=f"{account.id}/") as failing:
        assert dav.get("f").content == content
    assert failing.hits == 1


def a_client_that_sends_slowly(_, account):
    dav, content = account.dav(), os.urandom(STREAMED.size)
    with Connection(account.server.url, timeout=60) as connection:
        connection.send_head("PUT", "/dav/f", dav.token, {"Content-Length": len(content)})
        connection.send(content[:2_000_000])
        time.sleep(PATIENCE + 3)
        connection.send(content[2_000_000:])
        assert connection.answer().status == 201
    assert dav.get("f").content == content


def a_client_that_reads_slowly(_, account):
    dav, content = account.dav(), os.urandom(20_000_000)
    dav.make("f", content)
    with dav.stream("GET", "f") as answer:
        read = answer.iter_raw()
        body = next(read)
        time.sleep(PATIENCE + 3)
        assert body + b"".join(read) == content


HOLDING_STILL = (
    a_store_that_takes_no_more_bytes,
    a_store_that_does_not_answer,
    a_store_that_does_not_answer_to_a_part,
    a_download_that_stops,
    a_client_that_sends_slowly,
    a_client_that_reads_slowly,
)

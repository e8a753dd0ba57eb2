"""Uploads whose requests to the object store fail, in passing or for good."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import httpx
import pytest

from support import faults
from support.uploads import CHUNKED, FORM, LARGE_FORM, SMALL, SMALL_CHUNKED, SMALL_FORM, STREAMED

# A call is repeated three times.
ATTEMPTS = 4

PASSING = {
    "closed": faults.closed,
    "cut": faults.cut_request(1000),
    "swallowed": faults.swallowed,
    "unanswered": faults.unanswered,
    "500": faults.refused(500, "InternalError", "We encountered an internal error."),
    "503": faults.refused(503, "SlowDown", "Please reduce your request rate."),
    "503 early": faults.refused_early(503, "SlowDown"),
    "garbage": faults.garbage,
}
LASTING = {
    "wrong secret": faults.refused(403, "SignatureDoesNotMatch", "The request signature does not match."),
    "wrong key": faults.refused(403, "InvalidAccessKeyId", "The access key does not exist."),
    "no bucket": faults.refused(404, "NoSuchBucket", "The specified bucket does not exist."),
    "skew": faults.refused(403, "RequestTimeTooSkewed", "The difference between the clocks is too large."),
    "skew early": faults.refused_early(403, "RequestTimeTooSkewed"),
    "redirect": faults.redirected("/elsewhere"),
}
# With the request that fails, and how many of its kind succeed before it.
PUT = (SMALL, "PutObject", 0)
CREATE = (CHUNKED, "CreateMultipartUpload", 0)
PART = (CHUNKED, "UploadPart", 1)
COMPLETE = (CHUNKED, "CompleteMultipartUpload", 0)
REPEATABLE = [PUT, CREATE, PART, COMPLETE]
# The same by other ways.
REPEATABLE_TOO = [
    (SMALL_CHUNKED, "PutObject", 0),
    (SMALL_FORM, "PutObject", 0),
    (FORM, "PutObject", 0),
    (LARGE_FORM, "UploadPart", 1),
]
# This cannot be repeated.
STREAM = (STREAMED, "PutObject", 0)


def each(*groups: tuple[list, dict]):
    """Each way of a group with each of the group's faults."""
    return pytest.mark.parametrize(
        "way, operation, spare, fault",
        [
            pytest.param(*way, fault, id=f"{way[0].name}-{way[1]}-{name}")
            for ways, faults_by_name in groups
            for way in ways
            for name, fault in faults_by_name.items()
        ],
    )


def assert_away(answer: httpx.Response):
    """The client is told to come again."""
    assert answer.status_code in (502, 503), f"{answer.status_code} {answer.text}"
    assert int(answer.headers["retry-after"]) > 0


def upload_both(drive, way) -> list[httpx.Response]:
    """Uploads a new file and another content of `old`, at the same time."""
    content = os.urandom(way.size)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda name: way.send(drive.dav, drive.rest, name, content), ("new", "old")))


def assert_refused(drive, log, way, operation):
    """Both uploads fail, a client sees nothing of it, and the operator reads of each."""
    with drive.unchanged():
        for answer in upload_both(drive, way):
            assert_away(answer)
    assert drive.dav.get("new").status_code == 404
    assert drive.dav.get("old").content == drive.former
    lines = log.lines(operation, 2)
    assert len(lines) == 2, lines


# The store completes an upload once, and need not tell twice that it has.
LOST = {"cut": faults.cut_request(1000), "unanswered": faults.unanswered}
HEARD = {name: fault for name, fault in PASSING.items() if name not in LOST}


@each(([PUT, CREATE, PART], PASSING), ([COMPLETE], HEARD), (REPEATABLE_TOO, {"closed": faults.closed}))
def test_what_fails_once_is_repeated(proxy, drive, way, operation, spare, fault):
    content = os.urandom(way.size)
    with proxy.failing(operation, fault, times=1, spare=spare) as failing:
        answer = way.send(drive.dav, drive.rest, "new", content)
    assert answer.status_code == 201, answer.text
    assert failing.hits == 1
    parts = {CHUNKED: 2, LARGE_FORM: 3}
    assert proxy.count(operation) == 1 + (parts[way] if operation == "UploadPart" else 1)
    assert drive.dav.get("new").content == content
    assert drive.dav.get("old").content == drive.former


@pytest.mark.parametrize("way, operation, spare", [PUT, PART], ids=["PutObject", "UploadPart"])
def test_what_fails_three_times_succeeds_the_fourth_time(proxy, drive, way, operation, spare):
    content = os.urandom(way.size)
    with proxy.failing(operation, PASSING["503"], times=3, spare=spare) as failing:
        answer = way.send(drive.dav, drive.rest, "old", content)
    assert failing.hits == 3
    assert answer.status_code == 204, answer.text
    assert drive.dav.get("old").content == content


@each((REPEATABLE, {"503": PASSING["503"]}))
def test_what_fails_on_and_on_is_given_up(proxy, drive, log, way, operation, spare, fault):
    with proxy.failing(operation, fault, spare=spare) as failing:
        assert_refused(drive, log, way, operation)
    assert failing.hits == 2 * ATTEMPTS


@each((REPEATABLE + [STREAM], LASTING), (REPEATABLE_TOO, {"skew": LASTING["skew"]}))
def test_what_will_not_pass_is_not_repeated(proxy, drive, log, way, operation, spare, fault):
    with proxy.failing(operation, fault, spare=spare) as failing:
        assert_refused(drive, log, way, operation)
    assert failing.hits == 2
    assert not any("elsewhere" in seen.path for seen in proxy.seen), "a redirect was followed"


CUT_LATE = {"cut late": faults.cut_request(4_999_000), "cut at the end": faults.cut_request(10_000_000)}


@each(([STREAM], PASSING | CUT_LATE))
def test_a_stream_cannot_be_repeated(proxy, drive, log, way, operation, spare, fault):
    with proxy.failing(operation, fault, spare=spare) as failing:
        assert_refused(drive, log, way, operation)
    assert failing.hits == 2


@pytest.mark.parametrize("way", [STREAMED, CHUNKED], ids=lambda way: way.name)
def test_a_slow_store_is_waited_for(proxy, drive, way):
    operation = "PutObject" if way is STREAMED else "UploadPart"
    content = os.urandom(way.size)
    for fault in (faults.slow_request(1_000_000, 1), faults.late_answer(1)):
        with proxy.failing(operation, fault, times=1) as failing:
            assert way.send(drive.dav, drive.rest, "old", content).status_code == 204
        assert failing.hits == 1
        assert drive.dav.get("old").content == content


PAGE = faults.instead(200, "<html><body>Please log in to this hotel's network</body></html>", "text/html")


@each((REPEATABLE + [STREAM], {"page": PAGE}))
def test_a_web_page_is_not_taken_for_success(proxy, drive, log, way, operation, spare, fault):
    with proxy.failing(operation, fault, spare=spare):
        assert_refused(drive, log, way, operation)


def test_an_error_behind_a_status_of_success(proxy, drive, log):
    """CompleteMultipartUpload may send its status before it knows how it ends."""
    with proxy.failing("CompleteMultipartUpload", faults.refused(200, "InternalError", "We encountered an error.")):
        assert_refused(drive, log, CHUNKED, "CompleteMultipartUpload")
    assert proxy.count("AbortMultipartUpload") == 2


@pytest.mark.parametrize("again", [None, faults.refused(404, "NoSuchUpload")], ids=["told twice", "told once"])
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_an_upload_that_is_completed_unheard(proxy, drive, log, fault, again):
    """There is a file, and it is whole; or there is none, and the client comes again."""
    content = os.urandom(CHUNKED.size)
    before = drive.picture()
    with proxy.failing("CompleteMultipartUpload", fault, times=1) as failing:
        with proxy.failing("CompleteMultipartUpload", again) if again else nullcontext():
            answer = CHUNKED.send(drive.dav, drive.rest, "new", content)
    assert failing.hits == 1
    assert_whole_or_away(drive, log, "CompleteMultipartUpload", answer, content, before)


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "CompleteMultipartUpload"])
@pytest.mark.parametrize("after", [0, 60])
def test_a_document_that_breaks_off(proxy, drive, log, operation, after):
    content = os.urandom(CHUNKED.size)
    before = drive.picture()
    with proxy.failing(operation, faults.cut_answer(after), times=1) as failing:
        answer = CHUNKED.send(drive.dav, drive.rest, "new", content)
    assert failing.hits == 1
    assert_whole_or_away(drive, log, operation, answer, content, before)


def assert_whole_or_away(drive, log, operation, answer, content, before):
    if answer.status_code == 201:
        assert drive.dav.get("new").content == content
    else:
        assert_away(answer)
        assert drive.picture() == before
        assert len(log.lines(operation, 1)) == 1


@pytest.mark.parametrize("name", ["closed", "unanswered", "503", "garbage"])
def test_an_abort_that_fails_once_is_repeated(proxy, drive, log, name):
    with (
        proxy.failing("UploadPart", LASTING["wrong secret"], spare=1),
        proxy.failing("AbortMultipartUpload", PASSING[name], times=2) as aborting,
    ):
        assert_refused(drive, log, CHUNKED, "UploadPart")
    assert aborting.hits == 2
    assert 3 <= proxy.count("AbortMultipartUpload") <= 4
    assert log.lines("AbortMultipartUpload") == []


@pytest.mark.parametrize("operation", ["UploadPart", "CompleteMultipartUpload"])
def test_an_abort_that_fails_for_good_is_logged(proxy, drive, log, stays_open, operation):
    with (
        proxy.failing(operation, LASTING["wrong secret"]),
        proxy.failing("AbortMultipartUpload", LASTING["wrong secret"]) as aborting,
    ):
        assert_refused(drive, log, CHUNKED, operation)
    assert aborting.hits == 2
    assert len(log.lines("AbortMultipartUpload", 2)) == 2
    stays_open |= {seen.key for seen in proxy.seen if seen.operation == "AbortMultipartUpload"}


def test_a_lost_upload_that_cannot_be_looked_for_is_logged(proxy, drive, log, stays_open):
    """The store has begun an upload, and nobody knows its id."""
    with (
        proxy.failing("CreateMultipartUpload", faults.unanswered),
        proxy.failing("ListMultipartUploads", LASTING["wrong secret"]) as listing,
    ):
        assert_refused(drive, log, CHUNKED, "CreateMultipartUpload")
    assert listing.hits >= 2
    assert len(log.lines("ListMultipartUploads", 2)) >= 2
    stays_open |= {seen.key for seen in proxy.seen if seen.operation == "CreateMultipartUpload"}

"""Downloads whose requests to the object store fail, before or behind the first byte."""

import os
from dataclasses import dataclass, field

import httpx
import pytest

from support import faults
from support.uploads import MIB

SIZE = 5_000_000
SMALL_SIZE = 100_000
CONTENT = os.urandom(SIZE)

# By name: the file, and the wanted bytes.
WANTED = {
    "small": ("small", slice(0, SMALL_SIZE)),
    "large": ("large", slice(0, SIZE)),
    "range": ("large", slice(1_000_000, 4_000_001)),
}
PASSING = {
    "closed": faults.closed,
    "unanswered": faults.unanswered,
    "500": faults.refused(500, "InternalError"),
    "503": faults.refused(503, "SlowDown"),
    "garbage": faults.garbage,
}
LASTING = {
    "wrong secret": faults.refused(403, "SignatureDoesNotMatch", "The request signature does not match."),
    "wrong key": faults.refused(403, "InvalidAccessKeyId", "The access key does not exist."),
    "no bucket": faults.refused(404, "NoSuchBucket", "The specified bucket does not exist."),
    "skew": faults.refused(403, "RequestTimeTooSkewed", "The difference between the clocks is too large."),
    "redirect": faults.redirected("/elsewhere"),
}
PAGE = faults.instead(200, "<html><body>Please log in to this hotel's network</body></html>", "text/html")

each_wanted = pytest.mark.parametrize("wanted", WANTED)


@pytest.fixture(scope="module")
def stored(tenant):
    """A client of a drive with the files `small` and `large`."""
    tenant.dav.make("small", CONTENT[:SMALL_SIZE])
    tenant.dav.make("large", CONTENT)
    return tenant.dav


@dataclass
class Download:
    """What a client gets; without a status, the connection broke before it came."""

    status: int | None = None
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    whole: bool = False


def download(dav, wanted: str) -> Download:
    name, part = WANTED[wanted]
    got = Download()
    try:
        with dav.stream("GET", name, headers=range_header(part) if wanted == "range" else {}) as answer:
            got.status, got.headers = answer.status_code, answer.headers
            for piece in answer.iter_raw():
                got.body += piece
            got.whole = True
    except httpx.RemoteProtocolError:
        pass
    return got


def range_header(part: slice) -> dict[str, str]:
    return {"Range": f"bytes={part.start}-{part.stop - 1}"}


def expected(wanted: str) -> bytes:
    return CONTENT[WANTED[wanted][1]]


def assert_whole(dav, wanted: str):
    got = download(dav, wanted)
    assert got.status == (206 if wanted == "range" else 200)
    assert got.whole and got.body == expected(wanted)


def assert_away(dav, wanted: str):
    """The client is told to come again."""
    got = download(dav, wanted)
    assert got.whole and got.status in (502, 503), got.status
    assert int(got.headers["retry-after"]) > 0


def assert_broken(dav, wanted: str):
    """The client notices that the download has failed, perhaps after it began; what came is right."""
    got = download(dav, wanted)
    if got.status is None or got.status >= 500:
        return
    assert got.status == (206 if wanted == "range" else 200)
    assert not got.whole and len(got.body) < len(expected(wanted))
    assert expected(wanted).startswith(got.body)


@each_wanted
@pytest.mark.parametrize("name", PASSING)
def test_what_fails_once_is_repeated(proxy, stored, wanted, name):
    with proxy.failing("GetObject", PASSING[name], times=1) as failing:
        assert_whole(stored, wanted)
    assert failing.hits == 1
    assert proxy.count("GetObject") == 2


@pytest.mark.parametrize("wanted, name", [("small", "503"), ("range", "500")])
def test_what_fails_on_and_on_is_given_up(proxy, stored, log, wanted, name):
    with proxy.failing("GetObject", PASSING[name]) as failing:
        assert_away(stored, wanted)
    assert failing.hits == 4
    assert len(log.lines("GetObject", 1)) == 1
    assert_whole(stored, wanted)


@each_wanted
@pytest.mark.parametrize("name", LASTING)
def test_what_will_not_pass_is_not_repeated(proxy, stored, log, wanted, name):
    with proxy.failing("GetObject", LASTING[name]) as failing:
        assert_away(stored, wanted)
    assert failing.hits == 1
    assert not any("elsewhere" in seen.path for seen in proxy.seen), "a redirect was followed"
    assert len(log.lines("GetObject", 1)) == 1
    assert_whole(stored, wanted)


@each_wanted
def test_a_web_page_is_not_taken_for_the_file(proxy, stored, log, wanted):
    with proxy.failing("GetObject", PAGE):
        assert_away(stored, wanted)
    assert len(log.lines("GetObject", 1)) == 1
    assert_whole(stored, wanted)


@pytest.mark.parametrize(
    "wanted, after, times",
    [
        ("small", 0, 2),
        ("small", 99_999, 1),
        ("large", 0, 1),
        ("large", 1, 2),
        ("large", 262_160, 2),
        ("large", 2_400_000, 2),
        ("range", 0, 2),
        ("range", 99_999, 1),
        ("range", 1_400_000, 2),
        ("range", 2_500_000, 1),
    ],
)
def test_a_download_is_taken_up_where_it_broke_off(proxy, stored, wanted, after, times):
    with proxy.failing("GetObject", faults.cut_answer(after), times=times) as failing:
        assert_whole(stored, wanted)
    assert failing.hits == times
    ranges = [range_of(seen) for seen in proxy.seen]
    assert len(ranges) == times + 1
    for broken, taken_up in zip(ranges, ranges[1:]):
        assert broken[0] <= taken_up[0] <= broken[0] + after, "bytes were left out"
        assert taken_up[1] == broken[1]
        assert taken_up[0] > broken[0] or after < MIB, "what had come was asked for again"


def range_of(seen) -> tuple[int, int]:
    """The bytes that a request asks for."""
    first, last = seen.headers["range"].removeprefix("bytes=").split("-")
    return int(first), int(last)


def test_a_download_that_breaks_off_again_and_again_arrives(proxy, stored):
    with proxy.failing("GetObject", faults.cut_answer(600_000)) as failing:
        assert_whole(stored, "large")
    assert failing.hits >= 8


@each_wanted
def test_a_download_that_brings_nothing_breaks_off(proxy, stored, log, wanted):
    with proxy.failing("GetObject", faults.cut_answer(0)) as failing:
        assert_broken(stored, wanted)
    assert failing.hits == 4
    assert len(log.lines("GetObject", 1)) == 1


@pytest.mark.parametrize("wanted", ["large", "range"])
def test_a_download_that_cannot_be_taken_up_breaks_off(proxy, stored, log, wanted):
    with (
        proxy.failing("GetObject", faults.cut_answer(2_500_000), times=1),
        proxy.failing("GetObject", LASTING["wrong secret"]) as failing,
    ):
        assert_broken(stored, wanted)
    assert failing.hits == 1
    assert len(log.lines("GetObject", 1)) == 1
    assert_whole(stored, wanted)


@pytest.mark.parametrize("wanted", ["range"])
def test_a_slow_store_is_waited_for(proxy, stored, wanted):
    for fault in (faults.late_answer(1), faults.slow_answer(50_000, 1)):
        with proxy.failing("GetObject", fault, times=1) as failing:
            assert_whole(stored, wanted)
        assert failing.hits == 1


@pytest.mark.parametrize(
    "wanted, at", [("small", 70_000), ("large", 0), ("large", 2_500_000), ("range", 70_000), ("range", 2_500_000)]
)
def test_wrong_bytes_are_not_passed_on(proxy, stored, log, wanted, at):
    with proxy.failing("GetObject", faults.garbled_answer(at)):
        assert_broken(stored, wanted)
    assert len(log.lines("the data is corrupt", 1)) == 1
    assert_whole(stored, wanted)


def test_who_needs_no_bytes_does_not_notice(proxy, stored):
    with proxy.failing("GetObject", faults.closed) as failing:
        head = stored.head("large")
        assert head.status_code == 200 and head.headers["content-length"] == str(SIZE)
        assert stored.get("large", headers={"If-None-Match": head.headers["etag"]}).status_code == 304
        assert stored.get("large", headers={"Range": f"bytes={SIZE}-"}).status_code == 416
    assert failing.hits == 0

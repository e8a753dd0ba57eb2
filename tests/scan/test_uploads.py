"""Uploads with a scanner that works: what is small is scanned on its way, what is large afterwards."""

import os
from collections.abc import Iterator

import httpx
import pytest

from support.clamd import EICAR, EICAR_NAME, STREAM_MAX_LENGTH
from support.scanning import (
    INLINE_MAX,
    MIB,
    assert_infected,
    av_status,
    dav_av_status,
    wait_for,
    wait_for_av_status,
)
from support.uploads import pieces

# By name, what comes before the virus.
PLACES = {
    "alone": b"",
    "in the second piece": bytes(MIB),
    "at the end of the longest": os.urandom(INLINE_MAX - len(EICAR)),
}


def form(dav, rest, name: str, content: bytes) -> httpx.Response:
    return rest.try_upload(name, content)


def put(dav, rest, name: str, content: bytes) -> httpx.Response:
    return dav.put(name, content=content)


def put_in_chunks(dav, rest, name: str, content: bytes) -> httpx.Response:
    """Without a length."""
    return dav.put(name, content=pieces(content))


WAYS = [form, put, put_in_chunks]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def send(request, dav, rest):
    """A way to upload a file: gives the answer."""
    return lambda name, content: request.param(dav, rest, name, content)


@pytest.fixture
def unchanged(dav, rest, blobs) -> Iterator[None]:
    """Afterwards, clients see what they saw before, and the object store holds what it held."""

    def picture() -> tuple:
        props = "<d:getetag/><d:getcontentlength/><d:quota-used-bytes/><d:getlastmodified/>"
        entries = {entry.href: [e.text for e in entry.props[200].values()] for entry in dav.list("", "infinity", props)}
        versions = {file["id"]: rest.get(f"files/{file['id']}/versions").json() for file in rest.files()}
        return entries, versions, rest.files(), rest.used(), blobs()

    before = picture()
    yield
    # A blob is thrown away behind the answer.
    wait_for(picture, lambda after: after == before, timeout=5)


def assert_refused(answer: httpx.Response):
    assert_infected(answer, 422)
    assert EICAR_NAME in answer.text


def id_of(rest, name: str) -> str:
    [file] = [file for file in rest.files() if file["name"] == name]
    return file["id"]


@pytest.mark.parametrize("place", PLACES)
def test_a_virus_is_refused_and_leaves_nothing(scanner, unchanged, send, place):
    assert_refused(send("f", PLACES[place] + EICAR))


def test_a_virus_leaves_the_file_of_that_name_alone(scanner, rest, dav, request, send, hook):
    hook = hook(events=["file.updated", "file.deleted", "file.infected"])
    for content in (b"the former", b"the present"):
        dav.make("f", content)
    hook.wait(1)
    request.getfixturevalue("unchanged")
    assert_refused(send("f", EICAR))
    assert dav.get("f").content == b"the present"
    assert len(hook.settled()) == 1


def test_what_is_clean_is_stored_and_announced(scanner, rest, dav, send, hook):
    hook = hook()
    for number, size in enumerate((1, 1000, MIB, INLINE_MAX)):
        content = os.urandom(size)
        answer = send(f"f{number}", content)
        assert answer.status_code == 201, answer.text
        id = id_of(rest, f"f{number}")
        assert av_status(rest, id) == "CLEAN" and dav_av_status(dav, f"f{number}") == "clean"
        assert dav.get(f"f{number}").content == content
        [event] = [event for event in hook.wait(number + 1) if event["file"]["id"] == id]
        assert event["event"] == "file.created" and event["file"]["avStatus"] == "CLEAN"
    assert sum(session.request == "zINSTREAM" for session in scanner.sessions) == 4, "each went to the scanner once"


def test_a_clean_file_is_announced_by_the_batch_that_stores_it(scanner, rest, dav, hook, jobs, sweeper, receiver):
    """So that the announcement cannot be lost in between: it is a job as soon as the upload is answered."""
    receiver.answer("/", lambda exchange: exchange.wait_for_the_end(60))
    hook()
    with sweeper.resting():
        rest.upload("f", b"x")
        assert [job["kind"] for job in jobs.all()] == ["webhook"]
    receiver.close()


def test_an_empty_file_needs_no_scanner(failing, scanner, rest, dav, hook):
    hook = hook()
    with failing():
        assert rest.upload("form", b"")["avStatus"] == "CLEAN"
        dav.make("put", b"")
        assert dav.put("chunked", content=pieces(b"")).status_code == 201
        for name in ("put", "chunked"):
            assert dav_av_status(dav, name) == "clean"
        assert {event["file"]["name"] for event in hook.wait(3, "file.created")} == {"form", "put", "chunked"}
        assert "zINSTREAM" not in [session.request for session in scanner.sessions]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_one_byte_more_is_scanned_later(scanner, rest, dav, hook, way, sweeper):
    """Of a form and of chunks, the length is not known before the end."""
    hook, content = hook(), os.urandom(INLINE_MAX + 1)
    with sweeper.resting():
        answer = way(dav, rest, "f", content)
        assert answer.status_code == 201, answer.text
        if way is form:
            assert answer.json()["file"]["avStatus"] == "PENDING"
        id = id_of(rest, "f")
        wait_for_av_status(rest, id, "CLEAN")
        [event] = hook.wait(1)
    assert event["event"] == "file.created" and event["file"]["avStatus"] == "CLEAN"
    assert event["file"]["id"] == id and dav.get("f").content == content


@pytest.mark.parametrize("way", [form, put], ids=lambda way: way.__name__)
def test_a_virus_at_the_end_of_50_mb_is_found_by_the_job(scanner, rest, dav, hook, way, sweeper):
    """Without anybody calling for jobs to be run: the upload does."""
    hook = hook(events=["file.created", "file.infected"])
    content = os.urandom(MIB) * 50 + EICAR
    with sweeper.resting():
        answer = way(dav, rest, "f", content)
        assert answer.status_code == 201, answer.text
        if way is form:
            assert answer.json()["file"]["avStatus"] == "PENDING"
        id = id_of(rest, "f")
        wait_for_av_status(rest, id, "INFECTED")
        [event] = hook.wait(1, "file.infected")
    assert event["file"]["id"] == id and event["file"]["avStatus"] == "INFECTED"
    assert event["signature"] == EICAR_NAME
    for headers in ({}, {"Range": "bytes=0-9"}):
        assert_infected(rest.get(f"files/{id}/download", headers=headers))
        assert_infected(dav.get("f", headers=headers))
    assert hook.settled("file.created") == []


def test_what_is_larger_than_the_scanner_takes_is_skipped(scanner, rest, dav, hook, scanning):
    hook = hook()
    answer = dav.put("f", content=pieces(bytes(STREAM_MAX_LENGTH + MIB), MIB))
    assert answer.status_code == 201, answer.text
    wait_for_av_status(rest, id_of(rest, "f"), "SKIPPED")
    assert dav_av_status(dav, "f") == "skipped"
    [event] = hook.wait(1)
    assert event["event"] == "file.created" and event["file"]["avStatus"] == "SKIPPED"
    assert dav.get("f", headers={"Range": "bytes=5-6"}).content == bytes(2)
    assert scanning.ready()["scanner"] == "ok", "it is no fault of the scanner"

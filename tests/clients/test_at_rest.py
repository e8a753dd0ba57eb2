"""What lies in the object storage: nothing readable, and nothing that could be changed unseen."""

import os
from pathlib import Path

import httpx
import pytest

from support.state import drive_database, objects, state_folder

SEGMENT = 256 * 1024
TAG = 16


@pytest.fixture(autouse=True)
def reachable():
    state_folder()


def readable(needles: list[bytes], folders: list[Path]) -> list[tuple[Path, bytes]]:
    """Where one of the needles can be read."""
    found = []
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                found += [(file, needle) for needle in needles if needle in content]
    return found


def test_no_content_name_or_type_can_be_read(dav, rest):
    dav.put(
        "secret-name-of-a-file.txt",
        content=b"secret content of a file " * 50_000,
        headers={"Content-Type": "application/x-secret-type"},
    )
    rest.upload("secret-name-of-a-form.txt", b"secret content of a form " * 1000, mime="application/x-secret-type")
    dav.put("chunked", content=iter([b"secret content of a chunk " * 1000] * 3))
    needles = [b"secret-name", b"secret content", b"x-secret-type"]
    assert readable(needles, objects().folders()) == []


def test_secrets_are_not_stored(server, account):
    """Of a token, the hash only; of the administrator's, nothing."""
    token = account.token()
    assert account.rest(token).get("me").status_code == 200
    needles = [token.encode(), token.removeprefix("ocl_").encode(), server.admin_token.encode()]
    assert readable(needles, [*objects().folders(), drive_database().parent]) == []


def test_equal_files_do_not_look_equal(dav):
    before = set(objects().sizes())
    for name in ("a", "b"):
        dav.make(name, b"the same" * 1000)
    first, second = map(objects().read, set(objects().sizes()) - before)
    assert first != second and first[:16] != second[:16]


@pytest.fixture
def stored(dav):
    """A file of five segments, the last one short, with the key of its one blob."""
    content = os.urandom(4 * SEGMENT + 5000)
    before = set(objects().sizes())
    dav.make("f", content)
    after = objects().sizes()
    [blob] = set(after) - before
    assert 0 <= after[blob] - len(content) - 5 * TAG <= 256, "the sealed length"
    return dav, content, blob


def received(dav, **headers) -> tuple[int, bytes, bool]:
    """The status, what came of the body, and whether it came to its end."""
    body = b""
    try:
        with dav.stream("GET", "f", headers=headers, timeout=60) as answer:
            for piece in answer.iter_raw():
                body += piece
            whole = answer.is_success and len(body) == int(answer.headers.get("content-length", len(body)))
            return answer.status_code, body, whole
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return 0, body, False


def swapped(sealed: bytes, header: int) -> bytes:
    """The first and the second segment in each other's place."""
    size = SEGMENT + TAG
    first, second = sealed[header : header + size], sealed[header + size : header + 2 * size]
    return sealed[:header] + second + first + sealed[header + 2 * size :]


def flipped(sealed: bytes, at: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


DAMAGES = {
    "the first byte flipped": lambda sealed, header: flipped(sealed, header),
    "a byte in the middle flipped": lambda sealed, header: flipped(sealed, header + 2 * SEGMENT + 100),
    "the last byte flipped": lambda sealed, header: flipped(sealed, len(sealed) - 1),
    "one byte cut": lambda sealed, header: sealed[:-1],
    "the last segment cut": lambda sealed, header: sealed[: header + 4 * (SEGMENT + TAG)],
    "half cut": lambda sealed, header: sealed[: len(sealed) // 2],
    "everything cut": lambda sealed, header: b"",
    "two segments swapped": swapped,
    "a segment twice": lambda sealed, header: (
        sealed[:header] + 2 * sealed[header : header + SEGMENT + TAG] + sealed[header + 2 * (SEGMENT + TAG) :]
    ),
    "zeros": lambda sealed, header: bytes(len(sealed)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damage_breaks_the_download_off(stored, damage):
    dav, content, blob = stored
    sealed = objects().read(blob)
    header = len(sealed) - len(content) - 5 * TAG
    objects().replace(blob, damage(sealed, header))
    status, body, whole = received(dav)
    if status in (0, 200):
        assert not whole, "the download came to its end"
        assert content.startswith(body), "wrong bytes were given"
    else:
        assert status >= 500
    objects().replace(blob, sealed)
    assert received(dav) == (200, content, True)


def test_a_range_next_to_the_damage_is_served_and_one_inside_is_not(stored):
    dav, content, blob = stored
    sealed = objects().read(blob)
    header = len(sealed) - len(content) - 5 * TAG
    objects().replace(blob, flipped(sealed, header + SEGMENT + TAG + 5))
    status, body, whole = received(dav, Range=f"bytes={3 * SEGMENT}-{3 * SEGMENT + 99}")
    assert (status, body, whole) == (206, content[3 * SEGMENT : 3 * SEGMENT + 100], True)
    status, body, whole = received(dav, Range=f"bytes={SEGMENT + 100}-{SEGMENT + 199}")
    assert not whole or status >= 500
    assert status >= 500 or body == b""
    objects().replace(blob, sealed)
    assert received(dav) == (200, content, True)


def test_the_blob_of_another_file_is_not_taken(stored):
    dav, content, blob = stored
    before = set(objects().sizes())
    dav.make("other", os.urandom(len(content)))
    [other] = set(objects().sizes()) - before
    own, foreign = objects().read(blob), objects().read(other)
    objects().replace(blob, foreign)
    status, body, whole = received(dav)
    assert body == b"" or status >= 500
    assert not (whole and status == 200)
    objects().replace(blob, own)
    assert received(dav) == (200, content, True)

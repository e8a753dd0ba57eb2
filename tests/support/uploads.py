"""The ways in which a file's bytes come to the server, by what they ask of the object store."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from support.dav import Dav
from support.rest import Rest

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True)
class Way:
    """How `size` bytes are sent."""

    name: str
    size: int
    send: Callable[[Dav, Rest, str, bytes], httpx.Response]


def pieces(content: bytes, length: int = 64 * KIB) -> Iterator[bytes]:
    """The content, bit by bit: httpx then announces no length."""
    for start in range(0, len(content), length):
        yield content[start : start + length]


def _put(dav: Dav, _: Rest, name: str, content: bytes) -> httpx.Response:
    return dav.put(name, content=content)


def _chunked(dav: Dav, _: Rest, name: str, content: bytes) -> httpx.Response:
    return dav.put(name, content=pieces(content))


def _form(_: Dav, rest: Rest, name: str, content: bytes) -> httpx.Response:
    return rest.try_upload(name, content)


# One PutObject of bytes that are in memory, and so can be sent again: up to 1 MiB of them, or 8 MiB where no length is
# announced.
SMALL = Way("small", 300 * KIB, _put)
SMALL_CHUNKED = Way("small chunked", 300 * KIB, _chunked)
SMALL_FORM = Way("small form", 300 * KIB, _form)
FORM = Way("form", 5_000_000, _form)
# One PutObject that cannot be sent again.
STREAMED = Way("streamed", 5_000_000, _put)
# A multipart upload of two parts, and one of three.
CHUNKED = Way("chunked", 10_000_000, _chunked)
LARGE_FORM = Way("large form", 20_000_000, _form)

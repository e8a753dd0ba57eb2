"""A scanner behind HTTP, as `src/scan/http.rs` describes it, and how one in its place misbehaves."""

import json
from collections.abc import Callable

from support.scanner import Behaviour, Session


def take(session: Session) -> bytes:
    """Takes a request, and gives its body. The session knows its first line."""
    head = session.until(b"\r\n\r\n").decode("latin-1")
    session.request, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("expect") == "100-continue":
        session.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding") != "chunked":
        return session.exactly(int(headers["content-length"]))
    body = bytearray()
    while length := int(session.until(b"\r\n").split(b";")[0], 16):
        body += session.exactly(length)
        session.until(b"\r\n")
    session.until(b"\r\n")
    return bytes(body)


def response(body: bytes, status: int = 200, length: int | None = None) -> bytes:
    """An answer; `length` is what it says of its length, if that is a lie."""
    length = len(body) if length is None else length
    head = f"HTTP/1.1 {status} Something\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def verdict(signature: str | None) -> bytes:
    """The answer that a scanner should give."""
    found = {"infected": True, "signature": signature} if signature else {"infected": False}
    return response(json.dumps(found).encode())


def finding(find: Callable[[bytes], str | None]) -> Behaviour:
    """A good scanner; `find` names what it finds in a file."""

    def behave(session: Session):
        session.send(verdict(find(take(session))))

    return behave


def answering(answer: bytes) -> Behaviour:
    """Takes the file, and answers this."""

    def behave(session: Session):
        take(session)
        session.send(answer)

    return behave


def silent(session: Session):
    """Takes the file, and says nothing."""
    take(session)
    session.wait()


def endless(session: Session):
    """Answers with a gigabyte."""
    take(session)
    session.send(response(b'{"infected": false, "signature": "', length=1 << 30))
    while session.sent < 1 << 30:
        session.send(b"x" * 65536)


def failing_on(marker: bytes, good: Callable[[bytes], str | None]) -> Behaviour:
    """Answers 500 to files that hold the marker, and well to all others."""

    def behave(session: Session):
        body = take(session)
        session.send(response(b"{}", 500) if marker in body else verdict(good(body)))

    return behave

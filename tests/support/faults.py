"""What can go wrong between the server and its object store, for `FaultProxy.failing`."""

import asyncio
from collections.abc import AsyncIterator

from support.fault_proxy import Cut, Exchange, Fault, Filter

# --- of a request ---


async def closed(exchange: Exchange):
    """The connection ends before anything was sent on."""


def cut_request(after: int) -> Fault:
    """The connection breaks when the store has so many bytes of the body."""
    return lambda exchange: exchange.pass_on(request=first(after))


def slow_request(after: int, seconds: float) -> Fault:
    """After so many bytes of the body, nothing happens for a while."""
    return lambda exchange: exchange.pass_on(request=held_up(after, seconds))


def stuck_request(after: int) -> Fault:
    """After so many bytes of the body, no more are taken, for ever."""
    return lambda exchange: exchange.pass_on(request=held_up(after, None))


async def swallowed(exchange: Exchange):
    """The whole request is taken, the store gets none of it, and the connection ends."""
    await exchange.take_request()


# --- of an answer ---


async def unanswered(exchange: Exchange):
    """The store does what it is asked to, and its answer is lost."""
    await exchange.pass_on(answered=cut)


async def silence(exchange: Exchange):
    """The store does what it is asked to, and its answer never comes."""
    await exchange.pass_on(answered=asyncio.Event().wait)


def late_answer(seconds: float) -> Fault:
    """The answer comes later."""
    return lambda exchange: exchange.pass_on(answered=lambda: asyncio.sleep(seconds))


def cut_answer(after: int) -> Fault:
    """The connection breaks after so many bytes of the answer's body."""
    return lambda exchange: exchange.pass_on(answer=first(after))


def slow_answer(after: int, seconds: float) -> Fault:
    """After so many bytes of the answer's body, nothing comes for a while."""
    return lambda exchange: exchange.pass_on(answer=held_up(after, seconds))


def stuck_answer(after: int) -> Fault:
    """After so many bytes of the answer's body, nothing comes any more, and the connection stays."""
    return lambda exchange: exchange.pass_on(answer=held_up(after, None))


def garbled_answer(at: int) -> Fault:
    """One byte of the answer's body is another."""
    return lambda exchange: exchange.pass_on(answer=garbled(at))


# --- instead of an answer ---


def refused(status: int, code: str, message: str = "") -> Fault:
    """An error of S3, for a request that was taken and not passed on."""
    return instead(status, error(code, message), "application/xml")


def refused_early(status: int, code: str) -> Fault:
    """The same, said before the body was read."""

    async def fault(exchange: Exchange):
        await exchange.reply(http_answer(status, error(code), "application/xml"))
        # Whoever closes a connection with unread bytes breaks it, and the answer with it.
        await exchange.take_request()

    return fault


def redirected(location: str) -> Fault:
    """The store is said to be elsewhere."""
    return instead(307, error("TemporaryRedirect"), "application/xml", f"Location: {location}\r\n")


def instead(status: int, document: str, mime: str, headers: str = "") -> Fault:
    """Any other answer, to a request that was taken and not passed on."""

    async def fault(exchange: Exchange):
        await exchange.take_request()
        await exchange.reply(http_answer(status, document, mime, headers))

    return fault


async def garbage(exchange: Exchange):
    """What comes back is not HTTP."""
    await exchange.take_request()
    await exchange.reply(b"\x16\x03\x01\x00\xa5 this is not the protocol that you are looking for\r\n\r\n")


def error(code: str, message: str = "") -> str:
    """The document of an error. Stores tell more in it than belongs into a log."""
    request = "GET&#10;/bucket/key&#10;X-Amz-Signature=0123456789abcdef"
    return f"<Error><Code>{code}</Code><Message>{message}</Message><StringToSign>{request}</StringToSign></Error>"


def http_answer(status: int, document: str, mime: str, headers: str = "") -> bytes:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode()
    head = f"HTTP/1.1 {status} \r\nContent-Type: {mime}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}"
    return head.encode() + b"\r\n" + body


# --- what happens to a body on its way ---


def first(length: int) -> Filter:
    """So many bytes, then a cut; a body that is shorter is cut at its end."""

    async def through(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        left = length
        async for piece in pieces:
            yield piece[:left]
            left -= len(piece[:left])
            if left == 0:
                break
        raise Cut

    return through


def held_up(after: int, seconds: float | None) -> Filter:
    """A pause behind so many bytes; without `seconds` it lasts for ever."""

    async def through(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        passed = 0
        async for piece in pieces:
            if passed <= after < passed + len(piece):
                yield piece[: after - passed]
                await (asyncio.Event().wait() if seconds is None else asyncio.sleep(seconds))
                yield piece[after - passed :]
            else:
                yield piece
            passed += len(piece)

    return through


def garbled(at: int) -> Filter:
    """The byte at that place is another."""

    async def through(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        passed = 0
        async for piece in pieces:
            if passed <= at < passed + len(piece):
                piece = bytearray(piece)
                piece[at - passed] ^= 1
            yield bytes(piece)
            passed += len(piece)

    return through


async def cut():
    raise Cut

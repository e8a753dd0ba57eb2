"""A proxy between the server and its object store that spoils requests when a test wants it to.

It passes HTTP/1.1 on byte by byte as it comes, Host included since signatures cover it, and keeps a list of what it has
seen. What it does to a request that it is to spoil is one of `support.faults`, made of the parts of an `Exchange`.
"""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

ALWAYS = sys.maxsize
PIECE = 64 * 1024

# What changes a body that is passed on: cuts it off, holds it up, …
Filter = Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]


class Cut(ConnectionError):
    """A fault broke the connection."""


@dataclass
class Head:
    """What a message begins with, and as it was sent."""

    raw: bytes
    first: list[str]
    headers: dict[str, str]

    @staticmethod
    def parse(raw: bytes) -> "Head":
        first, *lines = raw.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        return Head(raw, first.split(" ", 2), headers)

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.first[1])


def operation(method: str, target: str) -> str:
    """What S3 calls the request, as far as the drive sends it."""
    url = urlsplit(target)
    query = parse_qs(url.query, keep_blank_values=True)
    if "uploadId" in query:
        names = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}
    elif "uploads" in query:
        names = {"POST": "CreateMultipartUpload", "GET": "ListMultipartUploads"}
    elif "delete" in query:
        names = {"POST": "DeleteObjects"}
    else:
        names = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
    return names.get(method, f"{method} {url.path}")


@dataclass(frozen=True)
class Seen:
    """A request that came by."""

    operation: str
    path: str
    headers: dict[str, str] = field(repr=False)

    @property
    def key(self) -> str:
        """The key of its object, where the bucket is the first segment of the path."""
        return self.path.removeprefix("/").partition("/")[2]


class Peer:
    """One end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer
        # Whoever has awaited `send` knows that the bytes are on their way, so that a cut is where it is meant to be.
        writer.transport.set_write_buffer_limits(0)

    async def head(self) -> Head:
        return Head.parse(await self.reader.readuntil(b"\r\n\r\n"))

    async def body(self, head: Head, until_closed: bool) -> AsyncIterator[bytes]:
        """The body that follows `head`, as it is sent; without a length it may last until the connection ends."""
        if "chunked" in head.headers.get("transfer-encoding", ""):
            async for piece in self._chunked():
                yield piece
        elif "content-length" in head.headers:
            async for piece in self._exactly(int(head.headers["content-length"])):
                yield piece
        elif until_closed:
            while piece := await self.reader.read(PIECE):
                yield piece

    async def _exactly(self, length: int) -> AsyncIterator[bytes]:
        while length > 0:
            piece = await self.reader.read(min(length, PIECE))
            if not piece:
                raise asyncio.IncompleteReadError(b"", length)
            length -= len(piece)
            yield piece

    async def _chunked(self) -> AsyncIterator[bytes]:
        size = -1
        while size != 0:
            line = await self.reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            yield line
            if size > 0:
                async for piece in self._exactly(size + 2):
                    yield piece
        while line != b"\r\n":
            line = await self.reader.readuntil(b"\r\n")
            yield line

    async def send(self, data: bytes):
        self.writer.write(data)
        await self.writer.drain()

    def cut(self):
        """Breaks the connection; what is still to be sent is lost."""
        self.writer.transport.abort()


def unchanged(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The filter that does nothing."""
    return pieces


async def at_once():
    """The pause that is none."""


class Exchange:
    """A request whose head has been read, and what can be done with it."""

    def __init__(self, request: Head, client: Peer, upstream: tuple[str, int]):
        self.request = request
        self.client = client
        self.upstream = upstream
        # Whether another request may follow on the client's connection.
        self.complete = False

    async def take_request(self):
        """Reads the body, and sends it nowhere."""
        async for _ in self.client.body(self.request, until_closed=False):
            pass

    async def pass_on(
        self,
        request: Filter = unchanged,
        answer: Filter = unchanged,
        answered: Callable[[], Awaitable[None]] = at_once,
    ):
        """Passes the request on, and the answer back, through filters; `answered` is awaited in between."""
        store = Peer(*await asyncio.open_connection(*self.upstream))
        sending = asyncio.create_task(self._pass_request(store, request))
        try:
            head = await store.head()
            while head.status == 100:
                await self.client.send(head.raw)
                head = await store.head()
            await answered()
            await self.client.send(head.raw)
            if self.request.first[0] != "HEAD" and head.status not in (204, 304):
                async for piece in answer(store.body(head, until_closed=True)):
                    await self.client.send(piece)
            self.complete = sending.done() and (head.status == 204 or "content-length" in head.headers)
        finally:
            sending.cancel()
            store.cut()

    async def _pass_request(self, store: Peer, through: Filter):
        try:
            await store.send(self.request.raw)
            async for piece in through(self.client.body(self.request, until_closed=False)):
                await store.send(piece)
        except (ConnectionError, asyncio.IncompleteReadError):
            # The store must not take for complete what is not; and with it, the answer breaks off.
            store.cut()

    async def reply(self, raw: bytes):
        """Answers in place of the store; the connection ends after it."""
        await self.client.send(raw)
        self.client.writer.write_eof()


Fault = Callable[[Exchange], Coroutine[None, None, None]]


@dataclass
class Armed:
    """A fault that waits for requests."""

    operation: str
    fault: Fault
    times: int
    spare: int
    prefix: str
    hits: int = 0
    spared: Counter[str] = field(default_factory=Counter)

    def meets(self, request: Seen) -> bool:
        """Whether it is to happen to this request."""
        if request.operation != self.operation or not request.key.startswith(self.prefix) or self.hits == self.times:
            return False
        if self.spared[request.key] < self.spare:
            self.spared[request.key] += 1
            return False
        self.hits += 1
        return True


class FaultProxy:
    """Listens on a port of 127.0.0.1 for requests to the store at `store_url`, in a thread of its own."""

    def __init__(self, port: int, store_url: str):
        url = urlsplit(store_url)
        assert url.scheme == "http" and url.hostname, "the proxy speaks no TLS"
        self.port = port
        self.upstream = (url.hostname, url.port or 80)
        self.seen: list[Seen] = []
        self._armed: list[Armed] = []
        # By the task that serves it, whether something is going on on a connection.
        self._connections: dict[asyncio.Task, bool] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen())

    def close(self):
        self._run(self._deafen())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def failing(
        self, operation: str, fault: Fault, times: int = ALWAYS, spare: int = 0, prefix: str = ""
    ) -> Iterator[Armed]:
        """Meanwhile, `fault` happens to requests of that operation on keys that begin with `prefix`: to so many, not
        counting the first `spare` on each key, which it spares."""
        armed = Armed(operation, fault, times, spare, prefix)
        self._armed.append(armed)
        try:
            yield armed
        finally:
            self._armed.remove(armed)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Meanwhile, connections are refused, and those that were open are broken."""
        self._run(self._deafen())
        try:
            yield
        finally:
            self._run(self._listen())

    def forget(self):
        """Forgets what was seen, and breaks the connections on which something goes on or hangs."""
        self._run(self._break([task for task, busy in self._connections.items() if busy]))
        self.seen.clear()

    def count(self, operation: str) -> int:
        """How many requests of that operation came by."""
        return sum(seen.operation == operation for seen in self.seen)

    def idle(self) -> bool:
        """Whether nothing goes on."""
        return not any(self._connections.values())

    def _run(self, work: Coroutine):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _deafen(self):
        self._server.close()
        await self._break(list(self._connections))
        await self._server.wait_closed()

    async def _break(self, tasks: list[asyncio.Task]):
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        """All requests on a connection, each with one of its own to the store."""
        client, task = Peer(reader, writer), asyncio.current_task()
        try:
            while True:
                self._connections[task] = False
                request = await client.head()
                self._connections[task] = True
                exchange = Exchange(request, client, self.upstream)
                await self._fault(request)(exchange)
                if not exchange.complete:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            client.cut()
        finally:
            del self._connections[task]
            writer.close()

    def _fault(self, request: Head) -> Fault:
        """Notes the request, and says what is to happen to it."""
        method, target, _ = request.first
        seen = Seen(operation(method, target), urlsplit(target).path, request.headers)
        self.seen.append(seen)
        armed = next((armed for armed in list(self._armed) if armed.meets(seen)), None)
        return armed.fault if armed else Exchange.pass_on

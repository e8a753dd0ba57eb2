"""A virus scanner as a server sees one: a TCP port behind which somebody behaves well, or badly, as a test wants it.

What happens on a connection is a `Behaviour`. Those of this file suit any dialect; `support.clamd` and
`support.http_scanner` have those that understand what the server says.
"""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import contextmanager


class Session:
    """A connection of the server. What goes wrong on it is an OSError or an EOFError."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.reader = connection.makefile("rb")
        self._ended = threading.Event()
        # What the server wanted, once that is known, and how many bytes it got.
        self.request = ""
        self.sent = 0

    def exactly(self, length: int) -> bytes:
        """The next bytes from the server."""
        data = self.reader.read(length)
        if len(data) < length:
            raise EOFError
        return data

    def until(self, end: bytes) -> bytes:
        """The bytes from the server up to `end`, which is left out."""
        data = bytearray()
        while not data.endswith(end):
            data += self.exactly(1)
        return bytes(data.removesuffix(end))

    def send(self, data: bytes):
        self.connection.sendall(data)
        self.sent += len(data)

    def wait(self, seconds: float = 300):
        """Does nothing until the session is ended, whatever comes."""
        self._ended.wait(seconds)

    def reset(self):
        """Breaks the connection; the server gets an error instead of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def end(self):
        """Ends the connection, whoever is using it."""
        self._ended.set()
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already


Behaviour = Callable[[Session], None]


def hang(session: Session):
    """Takes nothing, says nothing, and stays."""
    session.wait()


def close(session: Session):
    """Ends the connection at once."""


def reset(session: Session):
    """Breaks the connection at once."""
    session.reset()


def early(answer: bytes) -> Behaviour:
    """Answers before it was asked, and ends the connection."""

    def behave(session: Session):
        session.send(answer)

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other, each on one connection; from the last one on, the last."""
    left = list(behaviours)

    def behave(session: Session):
        # Lists are safe between threads.
        (left.pop(0) if len(left) > 1 else left[0])(session)

    return behave


class Scanner:
    """Listens on a port of 127.0.0.1, any free one if `port` is 0. It behaves well until it is told otherwise."""

    def __init__(self, port: int, good: Behaviour):
        self.good = self._behaviour = good
        self.sessions: list[Session] = []
        self._open: set[Session] = set()
        self._lock = threading.Lock()
        self._listen(port)
        self.port: int = self._listener.getsockname()[1]

    def behave(self, behaviour: Behaviour):
        """What happens from now on. Who misbehaved until now goes away."""
        with self._lock:
            ended = [] if self._behaviour is self.good else list(self._open)
            self._behaviour = behaviour
        for session in ended:
            session.end()

    def recover(self):
        self.behave(self.good)

    @contextmanager
    def misbehaving(self, behaviour: Behaviour):
        """Meanwhile, it behaves like this."""
        self.behave(behaviour)
        try:
            yield
        finally:
            self.recover()

    @contextmanager
    def away(self):
        """Meanwhile, connections are refused."""
        self._deafen()
        try:
            yield
        finally:
            self._listen(self.port)

    def close(self):
        self._deafen()
        with self._lock:
            sessions = list(self._open)
        for session in sessions:
            session.end()

    def _listen(self, port: int):
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def _deafen(self):
        # Wakes the thread that accepts; closing alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self, listener: socket.socket):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(Session(connection),), daemon=True).start()

    def _serve(self, session: Session):
        with self._lock:
            self.sessions.append(session)
            self._open.add(session)
            behaviour = self._behaviour
        try:
            behaviour(session)
        except (OSError, EOFError):
            pass  # the server has gone, or the session was ended
        finally:
            with self._lock:
                self._open.discard(session)
            session.reader.close()
            session.connection.close()

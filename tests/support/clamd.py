"""clamd: the real one, which EDGEDRIVE_CLAMD… name (see tests/scan/conftest.py), and how one in its place misbehaves.

A command is `zNAME` and a zero byte; INSTREAM is followed by the file in chunks, each behind its length in four bytes,
and a chunk of no bytes. The answer ends with a zero byte, too.
"""

import os
import secrets
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from support.scanner import Behaviour, Session

# In hexadecimal, or any scanner would find this file.
EICAR = bytes.fromhex(
    "58354f2150254041505b345c505a58353428505e2937434329377d24"
    "45494341522d5354414e444152442d414e544956495255532d544553542d46494c452124482b482a"
)
EICAR_NAME = "Eicar-Test.UNOFFICIAL"

# What clamd takes, by scripts/lib.sh.
STREAM_MAX_LENGTH = 64 << 20

CHUNK = 256 * 1024


class Clamd:
    """A clamd at an address of this machine, the folder of its signatures, and its process."""

    def __init__(self, address: str, signatures: Path, pid: int):
        host, _, port = address.rpartition(":")
        self.address = (host, int(port))
        self.signatures = signatures
        self.pid = pid

    def ask(self, command: str, content: bytes | None = None) -> str:
        """The answer to a command, with a file behind it if there is one."""
        with socket.create_connection(self.address, 30) as connection:
            connection.sendall(f"z{command}\0".encode())
            if content is not None:
                for start in range(0, len(content), CHUNK):
                    chunk = content[start : start + CHUNK]
                    connection.sendall(struct.pack(">I", len(chunk)) + chunk)
                connection.sendall(bytes(4))
            answer = b""
            while not answer.endswith(b"\0"):
                piece = connection.recv(4096)
                assert piece, f"clamd ended the connection after {answer}"
                answer += piece
            return answer.decode().removesuffix("\0")

    def finds(self, content: bytes) -> bool:
        return self.ask("INSTREAM", content).endswith(" FOUND")

    @contextmanager
    def knowing(self, content: bytes, name: str = "Learned"):
        """Meanwhile, it has a signature of this content, which it calls NAME.UNOFFICIAL."""
        file = self.signatures / f"{secrets.token_hex(8)}.ndb"
        file.write_text(f"{name}:0:*:{content.hex()}\n")
        try:
            self._reload(lambda: self.finds(content))
            yield f"{name}.UNOFFICIAL"
        finally:
            file.unlink()
            self._reload(lambda: not self.finds(content))

    def _reload(self, done):
        """Has it read its signatures; that takes a moment."""
        assert self.ask("RELOAD") == "RELOADING"
        until = time.monotonic() + 30
        while not done():
            assert time.monotonic() < until, "clamd does not reload its signatures"
            time.sleep(0.05)

    @contextmanager
    def stopped(self):
        """Meanwhile, it stands still: the system takes connections for it, and nobody serves them."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def behaviour(self) -> Behaviour:
        """The behaviour of one that passes everything on to this clamd."""

        def behave(session: Session):
            command = take_command(session)
            with socket.create_connection(self.address, 30) as clamd:
                clamd.settimeout(None)
                clamd.sendall(f"{command}\0".encode())
                pass_on(session, clamd)

        return behave


def pass_on(session: Session, clamd: socket.socket):
    """Passes on what comes from both sides, until clamd ends the connection."""

    def to_clamd():
        try:
            while piece := session.reader.read1(CHUNK):
                clamd.sendall(piece)
            clamd.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            pass  # one of them has gone

    sending = threading.Thread(target=to_clamd, daemon=True)
    sending.start()
    try:
        while piece := clamd.recv(CHUNK):
            session.send(piece)
    finally:
        session.end()
        sending.join()


# --- behaviours in place of a clamd ---


def take_command(session: Session) -> str:
    """The command, with its `z`; nothing is read if it has been taken before."""
    if not session.request:
        session.request = session.until(b"\0").decode()
    return session.request


def take(session: Session, most: int = sys.maxsize) -> bytes:
    """Takes the command, and of its file so many bytes or a few more."""
    content = bytearray()
    if take_command(session) == "zINSTREAM":
        while len(content) < most and (length := struct.unpack(">I", session.exactly(4))[0]):
            content += session.exactly(length)
    return bytes(content)


def answering(answer: bytes) -> Behaviour:
    """Takes everything, answers this to anything, and ends the connection."""

    def behave(session: Session):
        take(session)
        session.send(answer)

    return behave


def silent(session: Session):
    """Takes everything, and says nothing."""
    take(session)
    session.wait()


def leaving(after: int) -> Behaviour:
    """Ends the connection when it has so many bytes of the file."""

    def behave(session: Session):
        take(session, after)

    return behave


def stuck(after: int) -> Behaviour:
    """Takes so many bytes of the file, and stays."""

    def behave(session: Session):
        take(session, after)
        session.wait()

    return behave


def trickling(session: Session):
    """Answers with a letter five times a second, which never ends."""
    take(session)
    for letter in "stream: " + "x" * 1000:
        session.send(letter.encode())
        time.sleep(0.2)


def endless(session: Session):
    """Answers with a gigabyte."""
    take(session)
    session.send(b"stream: ")
    while session.sent < 1 << 30:
        session.send(b"x" * 65536)


def failing_on(marker: bytes, clamd: Clamd) -> Behaviour:
    """Fails on files that hold the marker; asks a clamd about all others."""

    def behave(session: Session):
        content = take(session)
        if marker in content:
            answer = "stream: Can't parse it ERROR"
        else:
            answer = clamd.ask(session.request[1:], content if session.request == "zINSTREAM" else None)
        session.send(answer.encode() + b"\0")

    return behave


def good_at_versions(clamd: Clamd, otherwise: Behaviour) -> Behaviour:
    """Says which version it is when it is asked; misbehaves on files."""

    def behave(session: Session):
        if take_command(session) == "zINSTREAM":
            otherwise(session)
        else:
            session.send(clamd.ask(session.request[1:]).encode() + b"\0")

    return behave

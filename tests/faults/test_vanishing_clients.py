"""Clients that go away in the middle, seen from the object store."""

import os
import socket
import struct
import time
from collections.abc import Callable

import pytest

from support import faults, store
from support.raw import Connection
from support.uploads import MIB

endings = pytest.mark.parametrize("ending", ["closed", "reset"])


def wait_until(condition: Callable[[], bool]):
    """Waits a moment for something that is about to happen."""
    for _ in range(100):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen")


def vanish(connection: Connection, ending: str):
    """Closes the connection, with a packet that says so or with a reset."""
    if ending == "reset":
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()


def keys(proxy) -> set[str]:
    """Of the objects that requests were about."""
    return {seen.key for seen in proxy.seen}


@endings
@pytest.mark.parametrize("sent", [2 * MIB, 5 * MIB - 1])
def test_during_a_stream(proxy, server, drive, ending, sent):
    with drive.unchanged():
        with Connection(server.url) as connection:
            connection.send_head("PUT", "/dav/old", drive.dav.token, {"Content-Length": 5 * MIB})
            connection.send(os.urandom(sent))
            wait_until(lambda: proxy.count("PutObject") == 1)
            vanish(connection, ending)
        wait_until(proxy.idle)
    # SeaweedFS now and then keeps an empty object of a request that broke off; the drive knows it as garbage.
    stored = store.objects()
    assert not any(stored.get(key) for key in keys(proxy)), "the store has an object of half a body"
    assert proxy.count("PutObject") == 1


@endings
def test_during_a_multipart_upload(proxy, server, drive, ending):
    with drive.unchanged():
        with Connection(server.url) as connection:
            connection.send_head("PUT", "/dav/old", drive.dav.token, {"Transfer-Encoding": "chunked"})
            for _ in range(18):
                connection.send(b"%x\r\n" % MIB + os.urandom(MIB) + b"\r\n")
            wait_until(lambda: proxy.count("UploadPart") == 2)
            vanish(connection, ending)
        wait_until(lambda: proxy.count("AbortMultipartUpload") == 1 and proxy.idle())
    assert proxy.count("CompleteMultipartUpload") == 0
    assert not keys(proxy) & set(store.objects())


@endings
def test_while_a_part_is_on_its_way(proxy, server, drive, ending):
    with drive.unchanged(), proxy.failing("UploadPart", faults.late_answer(2)):
        with Connection(server.url) as connection:
            connection.send_head("PUT", "/dav/old", drive.dav.token, {"Transfer-Encoding": "chunked"})
            for _ in range(9):
                connection.send(b"%x\r\n" % MIB + os.urandom(MIB) + b"\r\n")
            wait_until(lambda: proxy.count("UploadPart") == 1)
            vanish(connection, ending)
        wait_until(lambda: proxy.count("AbortMultipartUpload") == 1 and proxy.idle())
    assert not keys(proxy) & set(store.objects())


@endings
def test_before_the_first_part_is_full(proxy, server, drive, ending):
    with drive.unchanged():
        with Connection(server.url) as connection:
            connection.send_head("PUT", "/dav/new", drive.dav.token, {"Transfer-Encoding": "chunked"})
            connection.send(b"%x\r\n" % MIB + os.urandom(MIB) + b"\r\n")
            time.sleep(0.5)
            vanish(connection, ending)
        time.sleep(0.5)
    assert proxy.seen == [], "the store was asked for something before there was something to store"


@endings
def test_while_the_store_is_about_to_answer(proxy, server, drive, ending):
    """The upload is linked or not, and what is linked is whole."""
    content = os.urandom(2 * MIB)
    with proxy.failing("PutObject", faults.late_answer(1)) as failing:
        with Connection(server.url) as connection:
            connection.send_head("PUT", "/dav/old", drive.dav.token, {"Content-Length": len(content)})
            connection.send(content)
            wait_until(lambda: failing.hits == 1)
            time.sleep(0.3)
            vanish(connection, ending)
        wait_until(proxy.idle)
    assert drive.dav.get("old").content in (content, drive.former)


@endings
def test_during_a_download(proxy, server, drive, ending):
    """Nobody goes on to read from the store."""
    drive.dav.make("large", os.urandom(30 * MIB))
    proxy.forget()
    with Connection(server.url) as connection:
        connection.send_head("GET", "/dav/large", drive.dav.token)
        assert connection.socket.recv(1000).startswith(b"HTTP/1.1 200")
        vanish(connection, ending)
    wait_until(proxy.idle)
    assert proxy.count("GetObject") == 1

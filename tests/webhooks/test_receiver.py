"""The receiver that the other tests rely on: it knows a good signature from a bad one, and misbehaves as told.

The server has no part in this.
"""

import socket
import time
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest

from support import receiver as receivers
from support.receiver import Receiver, Request, verify_opencoperlock, verify_standard

# The example with which the libraries of Standard Webhooks are tested.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EXAMPLE = Request(
    "POST",
    "/",
    [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        # RFC 4231, test case 2.
        ("x-opencoperlock-signature", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ],
    b'{"test": 2432232314}',
    1614265330.5,
)


def changed(name: str, value: str | None) -> Request:
    """The example with another header, or without it."""
    headers = [(other, value if other == name else old) for other, old in EXAMPLE.headers]
    return replace(EXAMPLE, headers=[(other, text) for other, text in headers if text is not None])


def test_the_example_of_standard_webhooks_is_good():
    verify_standard(EXAMPLE, SECRET)
    verify_standard(changed("webhook-signature", "v1,x v1a,y " + EXAMPLE.header("webhook-signature")), SECRET)


@pytest.mark.parametrize(
    "request_",
    [
        replace(EXAMPLE, body=EXAMPLE.body + b" "),
        replace(EXAMPLE, at=EXAMPLE.at + 600),
        replace(EXAMPLE, at=EXAMPLE.at - 600),
        replace(EXAMPLE, headers=EXAMPLE.headers * 2),
        changed("webhook-id", "msg_other"),
        changed("webhook-id", ""),
        changed("webhook-timestamp", "1614265331"),
        changed("webhook-timestamp", "1614265330.0"),
        changed("webhook-timestamp", None),
        changed("webhook-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        changed("webhook-signature", "v1,"),
        changed("webhook-signature", None),
    ],
)
def test_any_other_is_bad(request_):
    with pytest.raises(AssertionError):
        verify_standard(request_, SECRET)


def test_the_signature_of_opencoperlock():
    good = replace(EXAMPLE, body=b"what do ya want for nothing?")
    verify_opencoperlock(good, "Jefe")
    for bad, secret in [
        (good, "jefe"),
        (replace(good, body=b"what"), "Jefe"),
        (replace(good, headers=[]), "Jefe"),
        (replace(good, headers=[(name, value.upper()) for name, value in good.headers]), "Jefe"),
    ]:
        with pytest.raises(AssertionError):
            verify_opencoperlock(bad, secret)


def test_it_records_and_answers_in_turn(receiver):
    receiver.answer("/a", receivers.status(500, b"no"), receivers.redirect("/b"), receivers.status(200, b"yes"))
    with httpx.Client() as client:
        for code, body in ((500, b"no"), (302, b"over there"), (200, b"yes"), (200, b"yes")):
            answer = client.post(receiver.url("/a"), content=b"content", headers={"X-Name": "value"})
            assert (answer.status_code, answer.content) == (code, body)
        assert client.post(receiver.url("/other"), content=iter([b"in ", b"chunks"])).status_code == 204
    assert [request.path for request in receiver.wait(5)] == ["/a"] * 4 + ["/other"]
    [first, *_] = receiver.requests("/a")
    assert (first.method, first.body, first.header("x-name")) == ("POST", b"content", "value")
    [other] = receiver.requests("/other")
    assert other.body == b"in chunks"


def one_second(url: str) -> bytes:
    """What a sender gets that hangs up after a second."""
    address, got = urlsplit(url), b""
    with socket.create_connection((address.hostname, address.port), 10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
        until = time.monotonic() + 1
        while (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                data = connection.recv(1 << 20)
            except TimeoutError:
                break
            if not data:
                break
            got += data
    return got


@pytest.mark.parametrize(
    "answer, start",
    [
        (receivers.hang(), b""),
        (receivers.trickle(), b"HTTP/1.1 200 OK\r\nX-Slow: xxx"),
        (receivers.trickle(head=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), b"HTTP/1.1 200 OK"),
        (receivers.endless(), b"HTTP/1.1 200 Long\r\nContent-Length: 1073741824\r\n\r\nxxx"),
    ],
    ids=["hang", "trickle", "trickling body", "endless"],
)
def test_it_keeps_the_sender_waiting(receiver, answer, start):
    receiver.answer("/", answer)
    got = one_second(receiver.url())
    assert got.startswith(start) and bool(got) == bool(start)
    [request] = receiver.requests()
    receiver.wait_until(lambda _: request.left_after is not None, timeout=5)
    assert 0.5 < request.left_after < 3
    assert request.sent == 0 or len(got) <= request.sent + 100 < 1 << 30


@pytest.mark.parametrize("data", [b"", b"hello\r\n\r\n"], ids=["nothing", "no HTTP"])
def test_it_closes(receiver, data):
    receiver.answer("/", receivers.raw(data) if data else receivers.close())
    began = time.monotonic()
    assert one_second(receiver.url()) == data
    assert time.monotonic() - began < 0.9


def test_nobody_trusts_its_certificate(tmp_path):
    with Receiver(certificate=receivers.self_signed(tmp_path)) as receiver:
        with pytest.raises(httpx.ConnectError, match="self-signed"):
            httpx.post(receiver.url())
        receiver.wait_until(lambda _: receiver.refused == 1)
        assert receiver.requests() == []
        assert httpx.post(receiver.url(), verify=False).status_code == 204


def test_it_can_be_closed_while_it_hangs():
    with Receiver() as receiver:
        receiver.answer("/", receivers.hang())
        address = urlsplit(receiver.url())
        connection = socket.create_connection((address.hostname, address.port), 10)
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        receiver.wait(1)
    assert connection.recv(1) == b""
    connection.close()
    with pytest.raises(ConnectionError):
        socket.create_connection((address.hostname, address.port), 10)

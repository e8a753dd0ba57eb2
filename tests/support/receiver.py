"""A receiver of webhooks: an HTTP server on the loopback interface that records what it gets and answers as it is told.

Signatures are verified by what the API's documentation and Standard Webhooks 1.0 say, and by nothing of edgedrive.
"""

import base64
import binascii
import hashlib
import hmac
import json
import select
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# How far the clocks of sender and receiver may differ, as the libraries of Standard Webhooks have it.
TOLERANCE = 300


@dataclass
class Request:
    """A request as it came. Names of headers are in lower case; `at` is the time when all of it was there."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    at: float
    # What became of the answer: bytes of a long one that were sent, seconds until the sender hung up.
    sent: int = 0
    left_after: float | None = None

    def header(self, name: str) -> str:
        """The value of a header that must be there once."""
        values = [value for other, value in self.headers if other == name]
        assert len(values) == 1, f"{name} is there {len(values)} times"
        return values[0]

    @property
    def id(self) -> str:
        """The id of the event."""
        return self.header("webhook-id")

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    def verify(self, secret: str):
        """Fails unless this is a webhook that the holder of `secret` has sent, just now."""
        assert self.method == "POST", self.method
        verify_opencoperlock(self, secret)
        verify_standard(self, secret)


def verify_opencoperlock(request: Request, secret: str):
    """`X-OpenCoperLock-Signature: sha256=<hex>`, the HMAC-SHA256 of the raw body."""
    expected = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.header("x-opencoperlock-signature") == f"sha256={expected}"


def verify_standard(request: Request, secret: str):
    """Standard Webhooks 1.0: one of the signatures of version 1 is that of id, timestamp and body; the time is near."""
    identifier, timestamp = request.id, request.header("webhook-timestamp")
    assert identifier and "." not in identifier, identifier
    assert timestamp.isascii() and timestamp.isdigit(), timestamp
    assert abs(request.at - int(timestamp)) <= TOLERANCE, f"sent at {timestamp}, received at {request.at}"
    signed = f"{identifier}.{timestamp}.".encode() + request.body
    expected = base64.b64encode(hmac.new(standard_key(secret), signed, hashlib.sha256).digest()).decode()
    assert f"v1,{expected}" in request.header("webhook-signature").split(" ")


def standard_key(secret: str) -> bytes:
    """The base64 behind `whsec_`; a secret of another form is the key itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True) or secret.encode()
        except binascii.Error:
            pass
    return secret.encode()


class Exchange(BaseHTTPRequestHandler):
    """One connection of a sender, and the requests on it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"
    request_in_hand: Request

    def take(self):
        """Records a request of any method, and answers."""
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        self.request_in_hand = Request(self.command, self.path, headers, self.read_body(), time.time())
        self.server.receiver.take(self.request_in_hand)(self)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = take

    def read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while length := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def send(self, data: bytes):
        """Bytes as they are. Fails with an OSError when the sender of the request has gone."""
        self.wfile.write(data)

    def wait_for_the_end(self, seconds: float) -> bool:
        """Waits that long, less if the sender hangs up: then it is true, and the request knows when."""
        self.close_connection = True
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.server.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.1))
            if readable and self.has_hung_up():
                self.hung_up()
                return True
        return False

    def has_hung_up(self) -> bool:
        try:
            return not self.connection.recv(1000)
        except OSError:
            return True

    def hung_up(self):
        self.request_in_hand.left_after = time.time() - self.request_in_hand.at

    def log_message(self, *_):
        """Not to the output of the tests."""


Answer = Callable[[Exchange], None]


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An ordinary answer. Names of headers have `_` for `-`."""

    def answer(exchange: Exchange):
        exchange.send_response(code)
        for name, value in headers.items():
            exchange.send_header(name.replace("_", "-"), value)
        if code != 204:
            exchange.send_header("Content-Length", str(len(body)))
        exchange.end_headers()
        exchange.send(body)

    return answer


def redirect(url: str, code: int = 302) -> Answer:
    return status(code, b"over there", Location=url)


def hang(seconds: float = 60) -> Answer:
    """No answer, and the connection stays open."""

    def answer(exchange: Exchange):
        exchange.wait_for_the_end(seconds)

    return answer


def trickle(seconds: float = 60, head: bytes = b"HTTP/1.1 200 OK\r\nX-Slow: ", piece: bytes = b"x") -> Answer:
    """`head`, then a `piece` five times a second: a header that never ends, or a body if `head` is a whole head."""

    def answer(exchange: Exchange):
        exchange.send(head)
        until = time.monotonic() + seconds
        while time.monotonic() < until and not exchange.wait_for_the_end(0.2):
            try:
                exchange.send(piece)
            except OSError:
                exchange.hung_up()
                return

    return answer


def endless(code: int = 200, length: int = 1 << 30) -> Answer:
    """A body of a gigabyte, as fast as it is taken."""

    def answer(exchange: Exchange):
        exchange.close_connection = True
        exchange.send(f"HTTP/1.1 {code} Long\r\nContent-Length: {length}\r\n\r\n".encode())
        piece = b"x" * 65536
        try:
            while exchange.request_in_hand.sent < length and not exchange.server.closing.is_set():
                exchange.send(piece)
                exchange.request_in_hand.sent += len(piece)
        except OSError:
            exchange.hung_up()

    return answer


def close() -> Answer:
    """The connection ends without an answer."""

    def answer(exchange: Exchange):
        exchange.close_connection = True

    return answer


def raw(data: bytes) -> Answer:
    """These bytes, whatever they are, and the end of the connection."""

    def answer(exchange: Exchange):
        exchange.close_connection = True
        exchange.send(data)

    return answer


class Server(ThreadingHTTPServer):
    """The sockets of a receiver; a thread for each connection."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, host: str, receiver: "Receiver", context: ssl.SSLContext | None):
        super().__init__((host, 0), Exchange)
        self.receiver = receiver
        self.closing = threading.Event()
        if context:
            # The handshake is left to the thread of the connection.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def finish_request(self, request: socket.socket, client_address):
        if isinstance(request, ssl.SSLSocket):
            try:
                request.do_handshake()
            except OSError:
                self.receiver.refuse()
                return
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        """A sender that goes away is no fault of the receiver."""


@dataclass
class Receiver:
    """A receiver at a loopback address, 127.0.0.1 unless another is named; `certificate` makes it speak TLS.

    Answers are told by path: the first to the first request, and so on; the last one stays. Paths without any get 204.
    """

    host: str = "127.0.0.1"
    certificate: Path | None = None
    # How often the sender refused the certificate.
    refused: int = 0
    _requests: list[Request] = field(default_factory=list)
    _answers: dict[str, list[Answer]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
        self._server = Server(self.host, self, context)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stops listening, and ends the answers that are under way."""
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str = "/") -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{self.host}:{self._server.server_port}{path}"

    def answer(self, path: str, *answers: Answer):
        """What the next requests to `path` get."""
        with self._lock:
            self._answers[path] = list(answers)

    def take(self, request: Request) -> Answer:
        """Records a request and gives the answer to it."""
        with self._lock:
            self._requests.append(request)
            answers = self._answers.get(request.path, [status(204)])
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def refuse(self):
        """Records that the sender did not like the certificate."""
        with self._lock:
            self.refused += 1

    def requests(self, path: str | None = None) -> list[Request]:
        """What came so far, to `path` or to any."""
        with self._lock:
            return [request for request in self._requests if path in (None, request.path)]

    def wait(self, count: int, path: str | None = None, timeout: float = 30) -> list[Request]:
        """All requests to `path`, as soon as there are `count` of them."""
        return self.wait_until(lambda requests: len(requests) >= count, path, timeout)

    def wait_until(
        self, enough: Callable[[list[Request]], bool], path: str | None = None, timeout: float = 30
    ) -> list[Request]:
        """All requests to `path`, as soon as they are `enough`. Fails if that takes longer than `timeout` seconds."""
        until = time.monotonic() + timeout
        while not enough(requests := self.requests(path)):
            last = [request.body[:200] for request in requests[-5:]]
            assert time.monotonic() < until, f"after {timeout} s there are {len(requests)} requests: {last}"
            time.sleep(0.02)
        return requests


def self_signed(folder: Path, host: str = "127.0.0.1") -> Path:
    """A key and a certificate for `host` that nobody has reason to trust, in one file."""
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=receiver", "-addext", f"subjectAltName=IP:{host}"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both

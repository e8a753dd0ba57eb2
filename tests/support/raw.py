"""Requests that no decent HTTP client would send, over a bare socket."""

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    """The start of an answer; `body` is what came before the connection closed or the length was reached."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection to the server, over which bytes are sent as they are."""

    def __init__(self, url: str, timeout: float = 30):
        parts = urlsplit(url)
        self.host = parts.netloc
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self.socket = socket.create_connection((parts.hostname, port), timeout)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self.socket = context.wrap_socket(self.socket, server_hostname=parts.hostname)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send_head(self, method: str, target: str | bytes, token: str | None, headers: dict | None = None):
        """The request line and the headers, with Host and the token as Bearer added."""
        target = target.encode() if isinstance(target, str) else target
        lines = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: " + self.host.encode()]
        if token:
            lines.append(f"Authorization: Bearer {token}".encode())
        for name, value in (headers or {}).items():
            value = value if isinstance(value, bytes) else str(value).encode()
            lines.append(name.encode() + b": " + value)
        self.socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n")

    def send(self, data: bytes):
        self.socket.sendall(data)

    def end(self):
        """Says that nothing more will come, and keeps listening."""
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self) -> Answer | None:
        """The answer, None when the server closed without one."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = self._receive()
            if not chunk:
                return None
            data += chunk
        head, body = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0)) if "transfer-encoding" not in headers else None
        while (length is None and b"0\r\n\r\n" not in body) or (length is not None and len(body) < length):
            chunk = self._receive()
            if not chunk:
                break
            body += chunk
        return Answer(int(first.split()[1]), headers, body)

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionError:
            return b""


def request(
    url: str, method: str, target: str | bytes, token: str | None, headers: dict | None = None, body: bytes = b""
) -> Answer | None:
    """One request on a connection of its own; Content-Length is added where there is a body."""
    headers = dict(headers or {})
    if body and "Content-Length" not in headers and "Transfer-Encoding" not in headers:
        headers["Content-Length"] = len(body)
    with Connection(url) as connection:
        connection.send_head(method, target, token, {**headers, "Connection": "close"})
        try:
            connection.send(body)
        except ConnectionError:
            pass  # the server answered before it read all
        return connection.answer()

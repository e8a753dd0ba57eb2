"""One large file up and down: every byte arrives, and memory stays flat.

EDGEDRIVE_LARGE_MIB sets its size. On workerd, memory is that of the Worker's isolate, which the inspector at
EDGEDRIVE_INSPECTOR tells: miniflare keeps the objects in the same process. Elsewhere it is the resident memory of
EDGEDRIVE_PID and the processes below it. Where neither is known, only the bytes are compared.
"""

import hashlib
import http.client
import os
import random
import re
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from support.inspector import Isolate, inspected

MIB = 1024 * 1024
SIZE = int(os.environ.get("EDGEDRIVE_LARGE_MIB", "64")) * MIB
ALLOWED = 64 * 1000 * 1000


def content(size: int):
    """Pseudo-random pieces, always the same."""
    numbers = random.Random(size)
    piece = numbers.randbytes(MIB)
    for number in range(size // MIB):
        yield number.to_bytes(8, "big") + piece[8:]


def digest_of(pieces) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


class Transfer:
    """PUT and GET over plain http.client, which streams and adds nothing."""

    def __init__(self, url: str, token: str):
        self.address = urlsplit(url)
        self.headers = {"Authorization": f"Bearer {token}"}

    def connection(self):
        kind = http.client.HTTPSConnection if self.address.scheme == "https" else http.client.HTTPConnection
        return kind(self.address.netloc, timeout=600)

    def put(self, path: str, size: int, chunked: bool) -> int:
        connection = self.connection()
        length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(size)}
        connection.request("PUT", path, body=content(size), headers={**self.headers, **length}, encode_chunked=chunked)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def get(self, path: str) -> tuple[int, str]:
        """The length and the SHA-256 of what came."""
        connection = self.connection()
        connection.request("GET", path, headers=self.headers)
        answer = connection.getresponse()
        assert answer.status == 200
        digest, length = hashlib.sha256(), 0
        while piece := answer.read(MIB):
            digest.update(piece)
            length += len(piece)
        connection.close()
        return length, digest.hexdigest()


def processes() -> dict[int, int]:
    """All processes and their parents."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    return found


def watched() -> list[int]:
    """The processes of the server under test, where they are known."""
    parents, root = processes(), int(os.environ.get("EDGEDRIVE_PID", "0"))

    def below(process: int) -> bool:
        while process > 1 and process != root:
            process = parents.get(process, 0)
        return process == root

    return [process for process in parents if below(process)] if root else []


def resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class Peak:
    """The most memory there was while the block ran, sampled: of the isolate, and of the processes."""

    def __init__(self, isolate: Isolate | None):
        self.isolate, self.watched = isolate, watched()
        self.heap = self.resident = 0

    def __enter__(self):
        self.running = True
        self.thread = threading.Thread(target=self._sample)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()

    def _sample(self):
        while self.running:
            self.resident = max(self.resident, sum(map(resident, self.watched)))
            if self.isolate:
                self.heap = max(self.heap, self.isolate.heap())
            time.sleep(0.01)


@pytest.fixture
def isolate():
    """The inspector's view of the Worker, None where it has no inspector."""
    url = os.environ.get("EDGEDRIVE_INSPECTOR")
    if not url:
        yield None
        return
    with inspected(url) as isolate:
        yield isolate


def linear_memory(server) -> int:
    """The size of wasm's memory, which never shrinks, in bytes; 0 where the server does not tell it."""
    told = re.search(r'wasm;desc="memory=(\d+)"', httpx.get(f"{server.url}/healthz").headers.get("server-timing", ""))
    return int(told[1]) if told else 0


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_up_and_down_in_flat_memory(server, account, rest, isolate, chunked):
    transfer = Transfer(server.url, account.token())
    expected = digest_of(content(SIZE))

    assert transfer.put("/dav/warm", MIB, chunked) == 201
    transfer.get("/dav/warm")
    with Peak(isolate) as small:
        assert transfer.put("/dav/small", MIB, chunked) == 201
    wasm_before = linear_memory(server)
    with Peak(isolate) as up:
        started = time.monotonic()
        assert transfer.put("/dav/large", SIZE, chunked) == 201
        up_seconds = time.monotonic() - started
    with Peak(isolate) as down:
        started = time.monotonic()
        assert transfer.get("/dav/large") == (SIZE, expected)
        down_seconds = time.monotonic() - started

    [file] = [file for file in rest.files() if file["name"] == "large"]
    assert file["sha256"] == expected and file["sizeBytes"] == SIZE
    print(f"memory of wasm: {wasm_before / 1e6:.0f} MB before, {linear_memory(server) / 1e6:.0f} MB after")
    print(f"{SIZE // MIB} MiB up in {up_seconds:.1f} s, down in {down_seconds:.1f} s")
    for kind, values in {
        "heap of the Worker": (small.heap, up.heap, down.heap),
        "resident memory": (small.resident, up.resident, down.resident),
    }.items():
        print("{}: {:.0f} MB for 1 MiB, {:.0f} MB up, {:.0f} MB down".format(kind, *(value / 1e6 for value in values)))
    if isolate:
        growth = max(up.heap, down.heap) - small.heap + linear_memory(server) - wasm_before
    elif small.resident:
        growth = max(up.resident, down.resident) - small.resident
    else:
        pytest.skip("the bytes are equal; memory was not measured: neither EDGEDRIVE_INSPECTOR nor EDGEDRIVE_PID is set")
    assert growth < ALLOWED, f"{growth / 1e6:.0f} MB more than for 1 MiB"

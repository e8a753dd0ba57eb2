"""The same WebDAV work on several servers, in turn: wall time and CPU time, and their ratios.

Each server is named as `NAME URL PASSWORD PID`. The process of that id and all below it are taken
for the server. Every answer is checked, so that no server wins by failing fast. `scripts/bench`
starts the servers and this; nothing here leaves the loopback interface.
"""

import argparse
import base64
import hashlib
import http.client
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

SMALL = os.urandom(4 * 1024)
LARGE = os.urandom(64 * 1024 * 1024)
FILES = 500
RANGES = 100
RANGE = 64 * 1024
TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """A WebDAV server and the processes that it is made of."""

    def __init__(self, name: str, url: str, password: str, pid: str):
        self.name, self.pid = name, int(pid)
        self.url = urlsplit(url.rstrip("/"))
        # The path of the folder that the work is done in.
        self.root = self.url.path
        self.authorization = "Basic " + base64.b64encode(f"bench:{password}".encode()).decode()

    def connect(self) -> "Connection":
        """A new connection, which is kept alive."""
        return Connection(self)

    def cpu(self) -> float:
        """Seconds of CPU that the server's processes have used so far."""
        children, times = {}, {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry))
            # utime and stime; cutime and cstime are those of children that have ended.
            times[int(entry)] = sum(map(int, fields[11:15]))
        todo, total = [self.pid], 0
        while todo:
            pid = todo.pop()
            total += times.get(pid, 0)
            todo += children.get(pid, [])
        return total / TICK


class Connection:
    """One keep-alive connection to a server."""

    def __init__(self, server: Server):
        self.server = server
        self.http = http.client.HTTPConnection(server.url.hostname, server.url.port, timeout=120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def ask(self, method: str, path: str, expected: tuple[int, ...], body: bytes | None = None, **headers: str) -> bytes:
        """Sends a request below the server's root and gives the body of the answer, which must have an expected status."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = self.server.authorization
        self.http.request(method, f"{self.server.root}/{path}", body, headers)
        answer = self.http.getresponse()
        content = answer.read()
        if answer.status not in expected:
            sys.exit(f"{self.server.name}: {method} {path}: {answer.status} {content[:300]!r}")
        return content


def check(holds: bool, what: str):
    """Ends the program where a server answered something wrong."""
    if not holds:
        sys.exit(f"wrong answer: {what}")


def in_parallel(server: Server, connections: int, work):
    """Calls `work(connection, number)` for each of the small files, shared out among connections."""

    def some(first: int):
        with server.connect() as connection:
            for number in range(first, FILES, connections):
                work(connection, number)

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(some, range(connections)))


def put_small(server: Server, connections: int):
    in_parallel(server, connections, lambda c, n: c.ask("PUT", f"small{connections}/{n:03}.bin", (201, 204), SMALL))


def get_small(server: Server, connections: int):
    def get(connection: Connection, number: int):
        check(connection.ask("GET", f"small{connections}/{number:03}.bin", (200,)) == SMALL, "GET of a small file")

    in_parallel(server, connections, get)


def list_folder(server: Server, depth: int, times: int):
    with server.connect() as connection:
        for _ in range(times):
            listing = connection.ask("PROPFIND", "small1/", (207,), Depth=str(depth))
            entries = listing.lower().count(b"response>") // 2
            check(entries == 1 + depth * FILES, f"a listing of {entries} entries")


def put_large(server: Server):
    with server.connect() as connection:
        connection.ask("PUT", "large.bin", (201, 204), LARGE)


def get_large(server: Server):
    with server.connect() as connection:
        content = connection.ask("GET", "large.bin", (200,))
    check(hashlib.sha256(content).digest() == hashlib.sha256(LARGE).digest(), "GET of a large file")


def get_ranges(server: Server):
    with server.connect() as connection:
        for number in range(RANGES):
            # Odd places, so that ranges straddle whatever the server stores in.
            start = number * (len(LARGE) - RANGE) // RANGES
            part = connection.ask("GET", "large.bin", (206,), Range=f"bytes={start}-{start + RANGE - 1}")
            check(part == LARGE[start : start + RANGE], "GET of a range")


def copy_folder(server: Server):
    with server.connect() as connection:
        connection.ask("COPY", "small1", (201,), Destination=f"{server.root}/copy", Depth="infinity")


def move_folder(server: Server):
    with server.connect() as connection:
        connection.ask("MOVE", "copy", (201,), Destination=f"{server.root}/moved")


def delete_folder(server: Server):
    with server.connect() as connection:
        connection.ask("DELETE", "moved", (200, 204))


# In this order: each may use what those before it made.
WORK = [
    (f"PUT 4 KiB × {FILES}, 1 connection", lambda server: put_small(server, 1)),
    (f"PUT 4 KiB × {FILES}, 8 connections", lambda server: put_small(server, 8)),
    (f"GET 4 KiB × {FILES}, 1 connection", lambda server: get_small(server, 1)),
    (f"GET 4 KiB × {FILES}, 8 connections", lambda server: get_small(server, 8)),
    (f"PROPFIND Depth 0 × 50, folder of {FILES}", lambda server: list_folder(server, 0, 50)),
    (f"PROPFIND Depth 1 × 10, folder of {FILES}", lambda server: list_folder(server, 1, 10)),
    ("PUT 64 MiB", put_large),
    ("GET 64 MiB", get_large),
    (f"GET 64 KiB × {RANGES}, ranges of 64 MiB", get_ranges),
    (f"COPY folder of {FILES}", copy_folder),
    (f"MOVE folder of {FILES}", move_folder),
    (f"DELETE folder of {FILES}", delete_folder),
]


def prepare(server: Server, number: int):
    """Makes the folder that a round's work is done in, and deletes the one before it. The name is new: rclone remembers for a
    while what there was."""
    with server.connect() as connection:
        if number > 0:
            connection.ask("DELETE", "", (200, 204))
        server.root = f"{server.url.path}/bench{number}"
        for folder in ("", "small1", "small8"):
            connection.ask("MKCOL", folder, (201,))


def measure(servers: list[Server], rounds: int) -> dict:
    """(wall, CPU) in seconds of every round, by work and server."""
    times = {}
    for number in range(rounds):
        for server in servers:
            prepare(server, number)
        for name, work in WORK:
            # Who goes first may find the machine in another state than who goes second.
            for server in servers if number % 2 == 0 else reversed(servers):
                cpu, wall = server.cpu(), time.perf_counter()
                work(server)
                wall = time.perf_counter() - wall
                # What a server does after it has answered counts, too.
                time.sleep(0.2)
                times.setdefault((name, server.name), []).append((wall, server.cpu() - cpu))
                print(f"{server.name}: {name}: {wall:.3f} s", file=sys.stderr)
    return times


def table(servers: list[Server], times: dict) -> str:
    """A Markdown table of medians; the ratios are those of the first server to the second."""
    first, second = servers
    lines = [
        f"| Work | wall: {first.name} | {second.name} | ratio | CPU: {first.name} | {second.name} | ratio |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, _ in WORK:
        cells = []
        for what in (0, 1):
            a, b = (statistics.median(entry[what] for entry in times[name, server.name]) for server in servers)
            # Below a tick of the kernel's clock, a ratio says nothing.
            ratio = f"{a / b:.2f}" if min(a, b) >= 1 / TICK or what == 0 else "–"
            cells += [seconds(a), seconds(b), ratio]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", nargs=4, action="append", required=True, metavar=("NAME", "URL", "PASSWORD", "PID"))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    servers = [Server(*words) for words in options.server]
    if len(servers) != 2:
        parser.error("two servers are compared")
    print(table(servers, measure(servers, options.rounds)))


if __name__ == "__main__":
    main()

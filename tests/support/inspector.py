"""The memory of the Worker's isolate, told by the inspector of workerd.

The resident memory of the process says little about the Worker: wrangler runs its simulation of R2 and
D1 in the same process, and a Worker of three lines that passes 1 GiB through makes it grow by a gigabyte.
"""

import itertools
import json
import urllib.request
from contextlib import contextmanager

from websockets.sync.client import connect


@contextmanager
def inspected(url: str):
    """The isolate behind the inspector at `url` (`http://host:port`)."""
    [target, *_] = json.load(urllib.request.urlopen(f"{url}/json", timeout=10))
    with connect(
        target["webSocketDebuggerUrl"], origin=url, compression=None, max_size=None, close_timeout=0.1
    ) as socket:
        yield Isolate(socket)


class Isolate:
    """Asks over a connection to the inspector."""

    def __init__(self, socket):
        self.socket = socket
        self.numbers = itertools.count(1)

    def call(self, method: str, **params) -> dict:
        """The result of a method of the Chrome DevTools protocol."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv(timeout=30))
            if answer.get("id") == number:
                return answer["result"]

    def heap(self) -> int:
        """Bytes of objects, of what they hold outside of the heap, and of buffers. The linear memory of wasm is
        not among them."""
        usage = self.call("Runtime.getHeapUsage")
        return int(usage["usedSize"] + usage.get("embedderHeapUsedSize", 0) + usage.get("backingStorageSize", 0))

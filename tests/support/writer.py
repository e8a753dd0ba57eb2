"""A client that changes a drive all the time while the server is killed again and again.

It works below a folder of its own, one request after the other, so that it knows what must be there. After a request
that got no answer it looks: all of it was done, or nothing.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import httpx

from support import tree as trees
from support.dav import Dav
from support.multistatus import Multistatus
from support.rest import Rest
from support.server import Account
from support.tree import Change, Content, Event, Tree
from support.uploads import KIB, MIB, pieces

# A folder with more entries than this shrinks.
MOST = 40

# Lengths of contents, and how often: in memory, streamed, and, without a length, in parts.
LENGTHS = [((KIB, 100 * KIB), 90), ((MIB, 3 * MIB), 8), ((9 * MIB, 11 * MIB), 2)]


class Stage:
    """What all who act at once share."""

    def __init__(self):
        # The server can be asked; in this life, it has answered; no new requests are wanted.
        self.up, self.answered, self.over = threading.Event(), threading.Event(), threading.Event()
        self.figures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, what: str, number: int = 1):
        with self._lock:
            self.figures[what] += number


class Writer(threading.Thread):
    """A client, what must be in its folder, and what must have been told of that."""

    def __init__(self, stage: Stage, account: Account, name: str, seed: str):
        super().__init__(name=name, daemon=True)
        self.stage, self.account = stage, account
        self.random = random.Random(seed)
        self.token = account.token()
        self._connect()
        self.folder = self.rest.mkdir(name)["id"]
        self.tree: Tree = {}
        self.events: Counter[Event] = Counter()
        # What should not be.
        self.wrong: list[str] = []
        self._names = 0
        self._lengths: set[int] = set()

    def _connect(self):
        self.dav, self.rest = Dav(self.account.server.url, self.token), Rest(self.account.server.url, self.token)

    def run(self):
        try:
            while not self.stage.over.is_set():
                change = self.choose()
                # What changes nothing cannot be told from what did not happen.
                if change and picture(change.after) != picture(self.tree):
                    self.step(change)
        except Exception as error:  # a thread must not die without a word
            self.wrong.append(repr(error))

    def step(self, change: Change):
        """Makes a request; afterwards it is known whether it was done."""
        answer = self.attempt(lambda: change.send(self.dav, self.rest))
        if answer is not None:
            self.stage.count("requests answered")
            self.stage.answered.set()
            is_done = answer.status_code in (200, 201, 204)
            if not is_done:
                self.wrong.append(f"{change.what}: {answer.status_code} {answer.text}")
        else:
            is_done = self.find_out(change)
            self.stage.count("unanswered and done" if is_done else "unanswered and not done")
        if is_done:
            self.tree = change.after
            self.events += change.events

    def attempt(self, request: Callable[[], httpx.Response]) -> httpx.Response | None:
        """The answer to a request. None where the server was killed meanwhile; it is up again then."""
        try:
            return request()
        except httpx.TransportError:
            self.dav.close()
            self.rest.close()
            self.stage.up.wait()
            self._connect()
            return None

    def insist(self, request: Callable[[], httpx.Response], patience: float = 60) -> httpx.Response:
        """The answer to a request that is made until there is one."""
        until = time.monotonic() + patience
        while (answer := self.attempt(request)) is None:
            assert time.monotonic() < until, f"no answer for {patience} s"
        return answer

    def find_out(self, change: Change) -> bool:
        """Whether a request without an answer was done; in part is wrong."""
        seen = self.look()
        if seen == picture(self.tree):
            return False
        if seen != picture(change.after):
            self.wrong.append(f"{change.what}, unanswered: {seen} instead of {picture(change.after)}")
        elif change.brings:
            self.read(change.brings, change.after)
        return True

    def look(self) -> dict[str, int | None]:
        """What is in the folder: paths and lengths, None for a folder."""
        props = "<d:getcontentlength/><d:resourcetype/>"
        answer = self.insist(lambda: self.dav.propfind(self.name, "infinity", props))
        assert answer.status_code == 207, f"{answer.status_code} {answer.text}"
        base = self.dav.href(f"{self.name}/")
        return {
            entry.href.removeprefix(base).rstrip("/"): None if entry.is_folder else int(entry.text("getcontentlength"))
            for entry in Multistatus(answer.content)
            if entry.href != base
        }

    def read(self, path: str, tree: Tree):
        """Compares the bytes of a file."""
        answer = self.insist(lambda: self.dav.get(f"{self.name}/{path}"))
        if answer.status_code != 200 or answer.content != tree[path].bytes():
            self.wrong.append(f"GET {path}: {answer.status_code}, and {len(answer.content)} bytes, not those sent")

    # --- what it does ---

    def choose(self) -> Change | None:
        """The next request; None where there is nothing to do it with."""
        kinds = {self.create: 30, self.upload: 10, self.overwrite: 14, self.make_folder: 6, self.move: 14, self.copy: 10}
        kinds[self.delete] = 16 if len(self.tree) < MOST else 200
        [kind] = self.random.choices(list(kinds), list(kinds.values()))
        return kind()

    def create(self) -> Change:
        return self._put(self._new_path("f"))

    def overwrite(self) -> Change | None:
        path = self._some(lambda content: content is not None)
        return path and self._put(path)

    def _put(self, path: str) -> Change:
        content = self._content()
        after, told = trees.put(self.tree, path, content)

        def send(dav: Dav, _: Rest) -> httpx.Response:
            data = content.bytes()
            return dav.put(f"{self.name}/{path}", content=data if content.length < 9 * MIB else pieces(data))

        return Change(f"PUT {path}", send, after, told, path)

    def upload(self) -> Change:
        """By a form, which REST takes; into the folder itself, whose id is known."""
        self._names += 1
        path, content = f"u{self._names}", self._content()
        after, told = trees.put(self.tree, path, content)
        return Change(
            f"POST {path}", lambda _, rest: rest.try_upload(path, content.bytes(), self.folder), after, told, path
        )

    def make_folder(self) -> Change:
        path = self._new_path("d")
        after = {**self.tree, path: None}
        return Change(f"MKCOL {path}", lambda dav, _: dav.mkcol(f"{self.name}/{path}"), after, Counter())

    def delete(self) -> Change | None:
        path = self._some()
        if not path:
            return None
        after, told = trees.delete(self.tree, path)
        return Change(f"DELETE {path}", lambda dav, _: dav.delete(f"{self.name}/{path}"), after, told)

    def move(self) -> Change | None:
        return self._transfer("MOVE", trees.move)

    def copy(self) -> Change | None:
        return self._transfer("COPY", trees.copy)

    def _transfer(self, method: str, made: Callable[[Tree, str, str], tuple[Tree, Counter[Event]]]) -> Change | None:
        """To a new name, or, now and then, to one that something has."""
        source = self._some()
        destination = self._some() if self.random.random() < 0.3 else self._new_path("m")
        if not source or not destination or trees.is_within(source, destination) or trees.is_within(destination, source):
            return None

        def send(dav: Dav, _: Rest) -> httpx.Response:
            headers = {"Destination": dav.absolute(f"{self.name}/{destination}")}
            return dav.request(method, f"{self.name}/{source}", headers=headers)

        return Change(f"{method} {source} {destination}", send, *made(self.tree, source, destination))

    def _content(self) -> Content:
        [(least, most)] = self.random.choices([bounds for bounds, _ in LENGTHS], [weight for _, weight in LENGTHS])
        length = self.random.randint(least, most)
        while length in self._lengths:
            length += 1
        self._lengths.add(length)
        return Content.of(self.random.getrandbits(60), length)

    def _new_path(self, letter: str) -> str:
        """A name that was never there, in any of the folders."""
        self._names += 1
        name = f"{letter}{self._names}"
        folders = ["", *(path for path, content in self.tree.items() if content is None)]
        folder = self.random.choice(folders)
        return f"{folder}/{name}" if folder else name

    def _some(self, wanted: Callable[[Content | None], bool] = lambda _: True) -> str | None:
        """Some path whose content is wanted."""
        paths = [path for path, content in self.tree.items() if wanted(content)]
        return self.random.choice(paths) if paths else None


def picture(tree: Tree) -> dict[str, int | None]:
    """What a client can see of a tree with one request."""
    return {path: content and content.length for path, content in tree.items()}

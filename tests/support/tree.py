"""What should be below a folder, and what a change makes of it: the files, and what webhooks are told."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import httpx

from support.dav import Dav
from support.rest import Rest


@dataclass(frozen=True)
class Content:
    """Bytes that follow from a seed. Its length tells it from all others of its folder."""

    seed: int
    length: int
    sha256: str

    @classmethod
    def of(cls, seed: int, length: int) -> Self:
        return cls(seed, length, hashlib.sha256(random.Random(seed).randbytes(length)).hexdigest())

    def bytes(self) -> bytes:
        return random.Random(self.seed).randbytes(self.length)


# Paths and what is there: None is a folder.
Tree = dict[str, Content | None]


@dataclass(frozen=True)
class Event:
    """What a webhook is told of a file."""

    kind: str
    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, body: dict) -> Self:
        file = body["file"]
        return cls(body["event"], file["name"], file["sizeBytes"], file["sha256"])


@dataclass(frozen=True)
class Change:
    """A request, and what is so when it was done."""

    what: str
    send: Callable[[Dav, Rest], httpx.Response]
    after: Tree
    events: Counter[Event]
    # The file whose bytes it brings, if any.
    brings: str | None = None


def part(tree: Tree, path: str) -> Tree:
    """What is at a path or below it."""
    return {other: content for other, content in tree.items() if is_within(other, path)}


def is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def without(tree: Tree, path: str) -> Tree:
    """What is elsewhere."""
    return {other: content for other, content in tree.items() if not is_within(other, path)}


def moved(tree: Tree, source: str, destination: str) -> Tree:
    """What is at `source` or below it, as it would be at `destination`."""
    return {destination + path.removeprefix(source): content for path, content in part(tree, source).items()}


def events(kind: str, tree: Tree) -> Counter[Event]:
    """One event for each file of a tree."""
    return Counter(
        Event(kind, path.rpartition("/")[2], content.length, content.sha256) for path, content in tree.items() if content
    )


def put(tree: Tree, path: str, content: Content) -> tuple[Tree, Counter[Event]]:
    """What a content at a path makes of a tree, and the events of that."""
    kind = "file.updated" if path in tree else "file.created"
    return {**tree, path: content}, events(kind, {path: content})


def delete(tree: Tree, path: str) -> tuple[Tree, Counter[Event]]:
    """The same of a DELETE."""
    return without(tree, path), events("file.deleted", part(tree, path))


def move(tree: Tree, source: str, destination: str) -> tuple[Tree, Counter[Event]]:
    """The same of a MOVE, which deletes what was at its destination."""
    rest, told = delete(tree, destination)
    arrived = moved(tree, source, destination)
    return {**without(rest, source), **arrived}, told + events("file.moved", arrived)


def copy(tree: Tree, source: str, destination: str) -> tuple[Tree, Counter[Event]]:
    """The same of a COPY: a file over a file is its next content."""
    if tree[source] and tree.get(destination):
        return put(tree, destination, tree[source])
    rest, told = delete(tree, destination)
    arrived = moved(tree, source, destination)
    return {**rest, **arrived}, told + events("file.created", arrived)

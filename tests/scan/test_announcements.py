"""A file is announced when it may be read: once what it holds has a verdict.

Each test is a story in three parts: what was before, what happens while the scanner fails, and what is told of it. All
stories are told at once, since that takes its time; so each has its own names, which begin with that of the story.
"""

from collections.abc import Generator
from dataclasses import dataclass

import pytest

from support.clamd import EICAR, EICAR_NAME
from support.dav import Dav
from support.hooks import EVENTS, Hook
from support.receiver import Receiver
from support.rest import Rest
from support.scanner import close

CLEAN = b"x"


@dataclass
class Told:
    """What the hooks were told of a story: before the verdicts, and in all."""

    at_first: list[dict]
    in_the_end: list[dict]
    inside: list[dict]


@dataclass
class Stage:
    """A drive, and the names of a story on it. `inside` is a folder that has a hook of its own."""

    dav: Dav
    rest: Rest
    story: str
    inside: str

    def name(self, name: str) -> str:
        return f"{self.story}-{name}"

    def upload(self, name: str, content: bytes = CLEAN) -> dict:
        return self.rest.upload(self.name(name), content)

    def folder(self, name: str) -> str:
        """Makes a folder, and gives its id."""
        return self.rest.mkdir(self.name(name))["id"]

    def make(self, path: str, content: bytes = CLEAN):
        """Makes a file. Each part of a path has the story's name before it."""
        self.dav.make(self.path(path), content)

    def path(self, path: str) -> str:
        return "/".join(self.name(part) for part in path.split("/"))

    def seen(self, events: list[dict]) -> list[tuple[str, str]]:
        """The events and the files, in no order."""
        names = [(event["event"], event["file"]["name"].removeprefix(f"{self.story}-")) for event in events]
        return sorted(names)


Story = Generator[None, Told, None]


def a_new_file_is_announced_after_its_verdict(on: Stage) -> Story:
    yield
    file = on.upload("rest")
    assert file["avStatus"] == "PENDING"
    on.make("dav")
    told = yield
    assert told.at_first == []
    assert on.seen(told.in_the_end) == [("file.created", "dav"), ("file.created", "rest")]
    assert {event["file"]["avStatus"] for event in told.in_the_end} == {"CLEAN"}
    [event] = [event for event in told.in_the_end if event["file"]["id"] == file["id"]]
    assert set(event) == {"event", "at", "file"}
    assert event["file"] == on.rest.get(f"files/{file['id']}").json()["file"]


def a_new_content_is_announced_after_its_verdict(on: Stage) -> Story:
    on.upload("f", b"one")
    yield
    on.upload("f", b"three")
    told = yield
    assert on.seen(told.at_first) == [("file.created", "f")]
    assert on.seen(told.in_the_end) == [("file.created", "f"), ("file.updated", "f")]
    [event] = [event for event in told.in_the_end if event["event"] == "file.updated"]
    assert event["file"]["sizeBytes"] == 5 and event["file"]["avStatus"] == "CLEAN"


def a_file_that_rest_moves_meanwhile_is_announced_where_it_is(on: Stage) -> Story:
    folder = on.folder("folder")
    yield
    file = on.upload("f")
    answer = on.rest.patch(f"files/{file['id']}", json={"name": on.name("g"), "folderId": folder})
    assert answer.status_code == 200, answer.text
    told = yield
    assert told.at_first == []
    assert on.seen(told.in_the_end) == [("file.created", "g")]
    assert told.in_the_end[0]["file"]["folderId"] == folder


def a_file_that_webdav_moves_meanwhile_is_announced_where_it_is(on: Stage) -> Story:
    folder = on.folder("folder")
    yield
    on.make("f")
    assert on.dav.move(on.path("f"), on.path("folder/g")).status_code == 201
    told = yield
    assert told.at_first == []
    assert on.seen(told.in_the_end) == [("file.created", "g")]
    assert told.in_the_end[0]["file"]["folderId"] == folder


def a_file_whose_folder_is_moved_meanwhile_is_announced(on: Stage) -> Story:
    folder = on.folder("a")
    yield
    on.make("a/f")
    assert on.dav.move(on.path("a"), on.path("b")).status_code == 201
    told = yield
    assert told.at_first == []
    assert on.seen(told.in_the_end) == [("file.created", "f")]
    assert told.in_the_end[0]["file"]["folderId"] == folder


def a_file_that_is_deleted_meanwhile_is_not_announced(on: Stage) -> Story:
    on.folder("folder")
    yield
    file = on.upload("rest")
    for path in ("dav", "folder/f"):
        on.make(path)
    assert on.rest.delete(f"files/{file['id']}").status_code == 204
    for path in ("dav", "folder"):
        assert on.dav.delete(on.path(path)).status_code == 204
    told = yield
    assert told.in_the_end == []


def a_content_that_is_replaced_meanwhile_is_not_announced(on: Stage) -> Story:
    yield
    on.upload("f", b"first")
    file = on.upload("f", b"the second")
    told = yield
    assert told.at_first == []
    assert on.seen(told.in_the_end) == [("file.created", "f")]
    [event] = told.in_the_end
    assert event["file"]["sha256"] == file["sha256"] and event["file"]["sizeBytes"] == 10


def a_content_that_a_virus_replaces_meanwhile_is_not_announced(on: Stage) -> Story:
    yield
    on.upload("f", b"first")
    on.upload("f", EICAR)
    told = yield
    assert on.seen(told.in_the_end) == [("file.infected", "f")]


def a_virus_that_is_replaced_meanwhile_is_not_the_files(on: Stage) -> Story:
    yield
    on.upload("f", EICAR)
    on.upload("f", CLEAN)
    told = yield
    assert on.seen(told.in_the_end) == [("file.created", "f")]
    assert told.in_the_end[0]["file"]["avStatus"] == "CLEAN"


def copies_of_a_pending_file_are_announced_with_it(on: Stage) -> Story:
    on.folder("a")
    yield
    on.make("a/f")
    assert on.dav.copy(on.path("a/f"), on.path("g")).status_code == 201
    assert on.dav.copy(on.path("a"), on.path("b")).status_code == 201
    told = yield
    assert told.at_first == []
    assert on.seen(told.in_the_end) == [("file.created", "f"), ("file.created", "f"), ("file.created", "g")]
    assert len({event["file"]["id"] for event in told.in_the_end}) == 3
    assert {event["file"]["avStatus"] for event in told.in_the_end} == {"CLEAN"}


def copies_of_a_pending_file_are_infected_with_it(on: Stage) -> Story:
    yield
    on.make("f", EICAR)
    assert on.dav.copy(on.path("f"), on.path("g")).status_code == 201
    told = yield
    assert on.seen(told.in_the_end) == [("file.infected", "f"), ("file.infected", "g")]
    for path in ("f", "g"):
        assert on.dav.get(on.path(path)).status_code == 403


def each_file_of_a_tree_has_its_own_verdict(on: Stage) -> Story:
    on.folder("t")
    on.make("t/clean")
    yield
    on.make("t/pending", b"y")
    assert on.dav.copy(on.path("t"), on.path("u")).status_code == 201
    told = yield
    assert on.seen(told.at_first) == [("file.created", "clean"), ("file.created", "clean")]
    assert on.seen(told.in_the_end)[2:] == [("file.created", "pending"), ("file.created", "pending")]


def a_virus_is_told_with_its_name(on: Stage) -> Story:
    yield
    file = on.upload("f", EICAR)
    assert on.dav.get(on.path("f")).content == EICAR, "SCAN_PENDING is allow"
    told = yield
    assert told.at_first == []
    [event] = told.in_the_end
    assert set(event) == {"event", "at", "file", "signature"}
    assert event["event"] == "file.infected" and event["signature"] == EICAR_NAME
    assert event["file"] == on.rest.get(f"files/{file['id']}").json()["file"]
    assert event["file"]["avStatus"] == "INFECTED"


def a_hook_hears_of_what_is_in_its_folder_then(on: Stage) -> Story:
    on.folder("folder")
    yield
    for name, content in (("clean", CLEAN), ("infected", EICAR)):
        on.make(name, content)
        on.rest.upload(on.name(f"{name}-inside"), content, on.inside)
        assert on.rest.patch(f"files/{on.upload(f'{name}-moved', content)['id']}", json={"folderId": on.inside})
    told = yield
    assert len(told.in_the_end) == 6
    assert on.seen(told.inside) == [
        ("file.created", "clean-inside"),
        ("file.created", "clean-moved"),
        ("file.infected", "infected-inside"),
        ("file.infected", "infected-moved"),
    ]


STORIES = [
    a_new_file_is_announced_after_its_verdict,
    a_new_content_is_announced_after_its_verdict,
    a_file_that_rest_moves_meanwhile_is_announced_where_it_is,
    a_file_that_webdav_moves_meanwhile_is_announced_where_it_is,
    a_file_whose_folder_is_moved_meanwhile_is_announced,
    a_file_that_is_deleted_meanwhile_is_not_announced,
    a_content_that_is_replaced_meanwhile_is_not_announced,
    a_content_that_a_virus_replaces_meanwhile_is_not_announced,
    a_virus_that_is_replaced_meanwhile_is_not_the_files,
    copies_of_a_pending_file_are_announced_with_it,
    copies_of_a_pending_file_are_infected_with_it,
    each_file_of_a_tree_has_its_own_verdict,
    a_virus_is_told_with_its_name,
    a_hook_hears_of_what_is_in_its_folder_then,
]


@pytest.fixture(scope="module")
def stories(server, running_scanner, scanning, sweeper):
    """The stories, before their last parts, and what was told of each."""
    scanning.settle()
    account = server.account()
    dav, rest = account.dav(), account.rest()
    inside = rest.mkdir("inside")["id"]
    with Receiver() as receiver:
        hook = Hook(rest, receiver, "/", events=EVENTS)
        hook_inside = Hook(rest, receiver, "/inside", events=EVENTS, folderId=inside)
        only_created = Hook(rest, receiver, "/created")
        running = {story.__name__: story(Stage(dav, rest, story.__name__, inside)) for story in STORIES}
        for story in running.values():
            next(story)
        hook.settled()
        with running_scanner.misbehaving(close):
            for story in running.values():
                next(story)
            at_first = hook.settled()
        scanning.settle()
        in_the_end, heard_inside = hook.settled(), hook_inside.wait(4)
        assert {event["event"] for event in only_created.events()} == {"file.created"}, "what it asked for"
    told = {
        name: Told(*(events_of(name, events) for events in (at_first, in_the_end, heard_inside))) for name in running
    }
    yield running, told
    account.close()


def events_of(story: str, events: list[dict]) -> list[dict]:
    return [event for event in events if event["file"]["name"].startswith(f"{story}-")]


@pytest.mark.parametrize("story", [story.__name__ for story in STORIES])
def test_that(stories, story):
    running, told = stories
    with pytest.raises(StopIteration):
        running[story].send(told[story])

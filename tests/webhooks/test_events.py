"""What is told to whom: a body for each event, and the choice of events and of a folder."""

import re

import pytest

from support.hooks import EVENTS

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def all_events(hook):
    """A hook that hears of everything."""
    return hook(events=EVENTS)


def names(events: list[dict]) -> list[tuple[str, str]]:
    """The events and the files, in no order."""
    return sorted((event["event"], event["file"]["name"]) for event in events)


def shown(rest, id: str) -> dict:
    """A file as REST shows it."""
    answer = rest.get(f"files/{id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["file"]


def test_the_body_is_as_documented(rest, hook):
    created = hook()
    file = rest.upload("notes.txt", b"some notes", mime="text/plain")
    created.wait(1)
    [request, *_] = created.requests()
    assert request.header("content-type").split(";")[0] == "application/json"
    assert int(request.header("content-length")) == len(request.body)
    body = request.json
    assert list(body) == ["event", "at", "file"]
    assert body["event"] == "file.created" and TIME.fullmatch(body["at"])
    assert body["file"] == shown(rest, file["id"])
    assert {"id": file["id"], "name": "notes.txt", "sizeBytes": 10, "mimeType": "text/plain"}.items() <= body[
        "file"
    ].items()


def test_without_a_choice_only_new_files_are_told(rest, hook):
    created = hook()
    assert created.created["events"] == ["file.created"]
    file = rest.upload("f", b"one")
    rest.upload("f", b"two")
    rest.patch(f"files/{file['id']}", json={"name": "g"})
    rest.delete(f"files/{file['id']}")
    assert names(created.settled()) == [("file.created", "f")]


def test_an_upload_by_webdav_is_told(rest, dav, all_events):
    dav.folder("d")
    dav.make("d/%D1%84%20%F0%9F%A6%80.txt", b"x" * 1000)
    [event] = all_events.settled()
    [folder] = rest.get("folders").json()["folders"]
    assert event["event"] == "file.created"
    assert event["file"]["name"] == "ф 🦀.txt" and event["file"]["folderId"] == folder["id"]
    assert event["file"] == shown(rest, event["file"]["id"])


def test_an_empty_file_is_told(dav, all_events):
    dav.make("empty", b"")
    [event] = all_events.settled()
    assert event["event"] == "file.created" and event["file"]["sizeBytes"] == 0


def test_overwriting_is_an_update(rest, dav, all_events):
    file = rest.upload("f", b"one")
    rest.upload("f", b"three")
    all_events.wait(1, "file.updated")
    dav.make("f", b"fourfour")
    events = all_events.settled()
    assert names(events) == [("file.created", "f"), ("file.updated", "f"), ("file.updated", "f")]
    assert {event["file"]["id"] for event in events} == {file["id"]}
    assert events[-1]["file"] == shown(rest, file["id"]) and events[-1]["file"]["sizeBytes"] == 8


def test_renaming_is_a_move(rest, dav, all_events):
    file = rest.upload("f", b"x")
    rest.patch(f"files/{file['id']}", json={"name": "g"})
    [event] = all_events.wait(1, "file.moved")
    assert list(event)[:3] == ["event", "at", "file"]
    assert event["from"] == {"folderId": None, "name": "f"}
    assert event["file"] == shown(rest, file["id"]) and event["file"]["name"] == "g"
    assert dav.move("g", "h").status_code == 201
    event = all_events.wait(2, "file.moved")[-1]
    assert event["from"] == {"folderId": None, "name": "g"} and event["file"]["name"] == "h"
    assert names(all_events.settled()) == [("file.created", "f"), ("file.moved", "g"), ("file.moved", "h")]


def test_a_move_tells_both_folders(rest, dav, all_events):
    a, b = rest.mkdir("a"), rest.mkdir("b")
    file = rest.upload("f", b"x", a["id"])
    assert dav.move("a/f", "b/g").status_code == 201
    [event] = all_events.wait(1, "file.moved")
    assert event["from"] == {"folderId": a["id"], "name": "f"}
    assert (event["file"]["folderId"], event["file"]["name"]) == (b["id"], "g")
    rest.patch(f"files/{file['id']}", json={"folderId": None})
    event = all_events.wait(2, "file.moved")[-1]
    assert event["from"] == {"folderId": b["id"], "name": "g"} and event["file"]["folderId"] is None


@pytest.mark.parametrize("interface", ["rest", "dav"])
def test_a_deletion_shows_the_file_as_it_was(rest, dav, all_events, interface):
    file = shown(rest, rest.upload("f", b"some bytes")["id"])
    if interface == "rest":
        assert rest.delete(f"files/{file['id']}").status_code == 204
    else:
        assert dav.delete("f").status_code == 204
    [event] = all_events.wait(1, "file.deleted")
    assert event["file"] == file


def tree(dav):
    """`/t` with three files in three folders, and two empty folders."""
    for folder in ("t", "t/a", "t/a/b", "t/empty", "t/a/empty"):
        dav.folder(folder)
    for number, path in enumerate(("t/1", "t/a/2", "t/a/b/3")):
        dav.make(path, b"x" * number)


@pytest.mark.parametrize("interface", ["rest", "dav"])
def test_the_deletion_of_a_tree_is_one_event_for_each_file(rest, dav, all_events, interface):
    tree(dav)
    [folder] = [folder for folder in rest.get("folders").json()["folders"] if folder["name"] == "t"]
    all_events.wait(3, "file.created")
    if interface == "rest":
        assert rest.delete(f"folders/{folder['id']}").status_code == 204
    else:
        assert dav.delete("t").status_code == 204
    created, deleted = all_events.settled("file.created"), all_events.events("file.deleted")
    assert names(deleted) == [("file.deleted", "1"), ("file.deleted", "2"), ("file.deleted", "3")]
    assert {event["file"]["id"] for event in deleted} == {event["file"]["id"] for event in created}


def test_a_copy_is_one_event_for_each_file(rest, dav, all_events):
    tree(dav)
    before = {event["file"]["id"] for event in all_events.wait(3, "file.created")}
    assert dav.copy("t", "u").status_code == 201
    assert dav.copy("t/1", "v").status_code == 201
    events = [event for event in all_events.settled() if event["file"]["id"] not in before]
    assert names(events) == [("file.created", name) for name in ("1", "2", "3", "v")]
    for event in events:
        assert event["file"] == shown(rest, event["file"]["id"])


def test_a_copy_over_a_file_is_told_of_that_name(dav, all_events):
    dav.make("f", b"f")
    dav.make("g", b"gg")
    assert dav.copy("f", "g").status_code == 204
    made, copied = sorted(
        # They may come in any order.
        (event for event in all_events.settled() if event["file"]["name"] == "g"),
        key=lambda event: event["at"],
    )
    assert (made["event"], made["file"]["sizeBytes"]) == ("file.created", 2)
    assert copied["event"] in ("file.created", "file.updated") and copied["file"]["sizeBytes"] == 1


def test_a_move_over_a_file_tells_of_both(rest, dav, all_events):
    moved = rest.upload("f", b"f")
    rest.upload("g", b"gg")
    assert dav.move("f", "g").status_code == 204
    [event] = [event for event in all_events.settled() if event["event"] == "file.moved"]
    assert (event["file"]["id"], event["file"]["name"], event["from"]["name"]) == (moved["id"], "g", "f")
    [gone] = all_events.events("file.deleted")
    assert gone["file"]["name"] == "g" and gone["file"]["id"] != moved["id"]


def test_what_does_not_change_a_file_is_not_told(rest, dav, all_events):
    rest.mkdir("d")
    dav.make("f", b"x")
    all_events.wait(1)
    assert dav.get("f").status_code == 200
    assert dav.put("f", content=b"y", headers={"If-None-Match": "*"}).status_code == 412
    assert dav.put("missing/f", content=b"y").status_code == 409
    assert dav.proppatch("f", "<d:set><d:prop><x:p>1</x:p></d:prop></d:set>").status_code == 207
    dav.unlock("f", dav.locked("f"))
    assert dav.move("d", "e").status_code == 201
    assert dav.delete("e").status_code == 204
    assert names(all_events.settled()) == [("file.created", "f")]


def test_only_chosen_events_are_told(rest, hook):
    removals = hook("/removals", events=["file.deleted"])
    changes = hook("/changes", events=["file.updated", "file.moved"])
    file = rest.upload("f", b"one")
    rest.upload("f", b"two")
    rest.patch(f"files/{file['id']}", json={"name": "g"})
    rest.delete(f"files/{file['id']}")
    assert names(removals.settled()) == [("file.deleted", "g")]
    assert names(changes.settled()) == [("file.moved", "g"), ("file.updated", "f")]
    changes.patch(events=["file.created"])
    rest.upload("h", b"one")
    rest.upload("h", b"two")
    assert names(changes.settled("file.created", "file.updated")) == [("file.created", "h"), ("file.updated", "f")]


def test_a_folder_counts_with_all_that_is_below_it(rest, dav, hook):
    inside, beside = rest.mkdir("inside"), rest.mkdir("inside-beside")
    below = rest.mkdir("below", inside["id"])
    deep = rest.mkdir("deep", below["id"])
    hook = hook(folderId=inside["id"], events=EVENTS)
    assert hook.created["folderId"] == inside["id"]
    for folder in (None, beside["id"], inside["id"], below["id"], deep["id"]):
        rest.upload(f"f{folder}", b"x", folder)
    dav.make("inside/below/g", b"x")
    dav.make("g", b"x")
    assert names(hook.settled()) == sorted(
        [("file.created", "g")] + [("file.created", f"f{folder['id']}") for folder in (inside, below, deep)]
    )
    for path in ("inside/below/g", "g"):
        dav.make(path, b"other")
        dav.move(path, path + "2")
        dav.delete(path + "2")
    events = hook.settled("file.updated", "file.moved", "file.deleted")
    assert names(events) == [("file.deleted", "g2"), ("file.moved", "g2"), ("file.updated", "g")]
    assert {event["file"]["folderId"] for event in events} == {below["id"]}


def test_a_folder_that_moves_takes_its_hook_along(rest, dav, hook):
    a, b = rest.mkdir("a"), rest.mkdir("b")
    hook = hook(folderId=a["id"])
    assert dav.move("a", "b/c").status_code == 201
    rest.upload("f", b"x", a["id"])
    rest.upload("g", b"x", b["id"])
    assert names(hook.settled()) == [("file.created", "f")]
    hook.patch(folderId=None)
    rest.upload("h", b"x", b["id"])
    assert names(hook.settled()) == [("file.created", "f"), ("file.created", "h")]


def test_nobody_hears_of_the_files_of_others(server, rest, all_events):
    other = server.account()
    other.rest().upload("secret", b"x")
    rest.upload("mine", b"x")
    assert names(all_events.settled()) == [("file.created", "mine")]
    other.close()


def test_a_hook_that_is_switched_off_hears_nothing(rest, hook):
    off = hook(events=EVENTS)
    rest.upload("before", b"x")
    off.wait(1)
    assert off.patch(enabled=False)["enabled"] is False
    rest.upload("meanwhile", b"x")
    assert off.patch(enabled=True)["enabled"] is True
    rest.upload("after", b"x")
    assert ("file.created", "after") in names(off.settled())
    assert ("file.created", "meanwhile") not in names(off.events(*EVENTS))


def test_a_deleted_hook_hears_nothing(rest, hook, receiver):
    gone, stays = hook("/gone"), hook("/stays")
    gone.delete()
    rest.upload("f", b"x")
    stays.settled()
    assert receiver.requests("/gone") == []

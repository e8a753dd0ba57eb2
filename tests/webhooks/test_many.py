"""Many events at once: of large folders, and for a receiver that is slow. The others are served meanwhile."""

import time

import pytest

from support import receiver as receivers
from support.hooks import EVENTS, Hook

FILES, COPIES = 120, 8
# A success, but not before ten seconds have gone by.
SLOW = receivers.trickle(head=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")


@pytest.fixture
def folder(dav):
    """`/d`, a folder of 120 files, half of them in `/d/sub`."""
    dav.folder("d")
    dav.folder("d/sub")
    dav.make("d/f0", b"x")
    for number in range(1, FILES):
        assert dav.copy("d/f0", f"d/sub/f{number}" if number % 2 else f"d/f{number}").status_code == 201
    return {f"f{number}" for number in range(FILES)}


def test_a_slow_receiver_with_a_thousand_events_holds_nobody_up(server, rest, dav, folder, hook, jobs, bad_receiver):
    slow = hook("/slow", bad_receiver, events=["file.created"])
    bad_receiver.answer("/slow", SLOW)
    for number in range(COPIES):
        assert dav.copy("d", f"copy{number}").status_code == 201
    many = FILES * COPIES
    jobs.wait(lambda jobs: len(jobs) >= many - 50, timeout=60)
    neighbour = server.account()
    good = Hook(neighbour.rest(), slow.receiver, "/good")
    neighbour.rest().upload("g", b"x")
    chunks = neighbour.dav(mount=f"/remote.php/dav/uploads/{neighbour.login}/")
    assert chunks.mkcol("u").status_code == 201
    assert chunks.put("u/1", content=b"12345").status_code == 201
    drive = neighbour.dav(mount=f"/remote.php/dav/files/{neighbour.login}/")
    answer = chunks.request("MOVE", "u/.file", headers={"Destination": drive.absolute("chunked")})
    assert answer.status_code == 201

    good.wait(2, timeout=60)
    until = time.monotonic() + 60
    while not all(file["sha256"] for file in neighbour.rest().files()):
        assert time.monotonic() < until, "nobody read the content"
    assert len(jobs.all("ready")) > many // 2, "the slow one has hardly begun"
    slow.delete()
    good.delete()
    neighbour.close()


def test_a_large_folder_is_told_file_by_file(rest, dav, folder, hook):
    everything = hook("/", events=EVENTS)
    names = lambda event: sorted(event["file"]["name"] for event in everything.events(event))  # noqa: E731
    assert dav.move("d", "there").status_code == 201
    moved = everything.wait(FILES, "file.moved", timeout=60)
    assert names("file.moved") == sorted(folder)
    ids = {folder["name"]: folder["id"] for folder in rest.get("folders").json()["folders"]}
    for event in moved:
        number = int(event["file"]["name"][1:])
        inside = ids["sub"] if number % 2 else ids["there"]
        assert event["from"] == {"folderId": inside, "name": event["file"]["name"]}
        assert event["file"]["folderId"] == inside
    assert dav.copy("there", "again").status_code == 201
    everything.wait(FILES, "file.created", timeout=60)
    assert names("file.created") == sorted(folder)
    assert dav.delete("there").status_code == 204
    rest.empty_trash()
    assert rest.get("trash").json()["trash"] == []
    everything.wait(FILES, "file.deleted", timeout=60)
    assert names("file.deleted") == sorted(folder)
    assert len({event["at"] for event in everything.events("file.deleted")}) == 1, "the time of the change"

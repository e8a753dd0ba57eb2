"""A clamd and a receiver of webhooks that stand still: uploads are as fast as before, and all is made up for."""

import statistics
import time

from support import receiver as receivers
from support.clamd import EICAR
from support.scanning import wait_for

UPLOADS = 25
CONTENT = b"x" * 4096

# By how much the median may be longer. What is waited for takes seconds.
MOST = 3


def uploads(rest, kind: str) -> float:
    """Uploads some files; gives the median of the seconds that it took."""
    times = []
    for number in range(UPLOADS):
        began = time.perf_counter()
        rest.upload(f"{kind}-{number}", CONTENT)
        times.append(time.perf_counter() - began)
    print(f"an upload took {statistics.median(times) * 1000:.1f} ms, at most {max(times) * 1000:.0f} ms: {kind}")
    return statistics.median(times)


def test_uploads_are_as_fast_as_before_and_nothing_is_lost(scanner, scanning, clamd, rest, hook, receiver, jobs):
    hook = hook(events=["file.created", "file.infected"])
    uploads(rest, "warming up")
    before = uploads(rest, "before")
    hook.wait(2 * UPLOADS)

    receiver.answer("/", receivers.hang())
    without_receiver = uploads(rest, "without the receiver")
    with clamd.stopped():
        without_both = uploads(rest, "without both")
        assert rest.upload("infected", EICAR)["avStatus"] == "PENDING"
        body = scanning.wait(scanner="unavailable", pendingScans=UPLOADS + 1)
        assert body["backlog"] >= 2 * UPLOADS, "the files to be announced, and those to be scanned"
        wait_for(scanning.ready, lambda body: body["oldestSeconds"] >= 1)
    receiver.answer("/", receivers.status(204))
    scanning.wait(scanner="ok", pendingScans=0, timeout=60)
    # Between the measurements before and after, since the machine does not keep its speed.
    normal = max(before, uploads(rest, "after"))
    print(f"ratios: {without_receiver / normal:.2f} without the receiver, {without_both / normal:.2f} without both")
    assert without_receiver < MOST * normal
    assert without_both < MOST * normal

    assert {file["avStatus"] for file in rest.files() if file["name"] != "infected"} == {"CLEAN"}
    jobs.wait(lambda jobs: jobs == [], timeout=60)
    created = {event["file"]["name"] for event in hook.events("file.created")}
    assert created == {file["name"] for file in rest.files()} - {"infected"}
    assert [event["file"]["name"] for event in hook.events("file.infected")] == ["infected"]
    assert scanning.ready()["deadJobs"] == 0

"""All contents are scanned again, because the signatures have changed."""

import os
import time

from support.rest import Rest, assert_error
from support.scanner import close
from support.scanning import INLINE_MAX, assert_infected, av_status, dav_av_status


def test_new_signatures_find_what_was_clean_and_old_ones_free_it_again(scanner, scanning, clamd, rest, dav, hook):
    hook = hook(events=["file.created", "file.updated", "file.infected"])
    marker = os.urandom(32)
    suspect = rest.upload("suspect", b"before" + marker + b"behind")
    large = rest.upload("large", os.urandom(INLINE_MAX) + marker)
    clean = rest.upload("clean", b"x")
    rest.upload("was suspect", b"in a version: " + marker)
    was_suspect = rest.upload("was suspect", b"x")
    assert dav.copy("suspect", "copy").status_code == 201
    dav.make("empty", b"")
    scanning.settle()
    hook.wait(6, "file.created")
    suspects = {"suspect", "copy", "large"}

    with clamd.knowing(marker, "Suspect") as name:
        done = scanning.rescan()
        assert done["total"] >= 5 and done["startedAt"] <= done["finishedAt"]
        hook.wait(3, "file.infected")
        assert {event["file"]["name"] for event in hook.events("file.infected")} == suspects
        for event in hook.events("file.infected"):
            assert event["signature"] == name and event["file"]["avStatus"] == "INFECTED"
        for file in (suspect, large):
            assert av_status(rest, file["id"]) == "INFECTED"
            assert_infected(rest.get(f"files/{file['id']}/download"))
        assert dav.get("copy").status_code == 403 and dav_av_status(dav, "copy") == "infected"
        for file in (clean, was_suspect):
            assert av_status(rest, file["id"]) == "CLEAN"
            assert rest.get(f"files/{file['id']}/download").content == b"x"
        [version] = rest.get(f"files/{was_suspect['id']}/versions").json()["versions"]
        download = f"files/{was_suspect['id']}/versions/{version['id']}/download"
        assert_infected(rest.get(download))
        assert rest.try_upload("another", marker).status_code == 422

        # While the scanner fails, a rescan finds nothing new, and forgets nothing.
        with scanner.misbehaving(close):
            scanning.start_rescan()
            for _ in range(10):
                running = scanning.last_rescan()
                assert running["finishedAt"] is None and running["done"] <= running["total"]
                time.sleep(0.1)
            assert av_status(rest, clean["id"]) == "CLEAN" and av_status(rest, suspect["id"]) == "INFECTED"
            assert rest.get(f"files/{clean['id']}/download").content == b"x"
        scanning.settle()
        scanning.finish_rescan()
        assert len(hook.settled("file.infected")) == 3

    scanning.rescan()
    assert {file["name"]: file["avStatus"] for file in rest.files() if file["avStatus"] != "CLEAN"} == {}
    assert dav.get("copy").content == b"before" + marker + b"behind"
    assert rest.get(download).content == b"in a version: " + marker
    hook.wait(4, "file.updated")
    updated = [event["file"]["name"] for event in hook.settled("file.updated")]
    assert sorted(updated) == sorted([*suspects, "was suspect"])


def test_it_is_the_administrators(server, scanning, rest):
    with Rest(server.url, None) as nobody, Rest(server.url, "wrong") as stranger:
        for method in ("GET", "POST"):
            assert rest.request(method, "admin/rescan").status_code in (401, 403)
            assert_error(nobody.request(method, "admin/rescan"), 401)
            assert stranger.request(method, "admin/rescan").status_code in (401, 403)

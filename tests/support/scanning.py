"""Virus scanning as clients and the administrator of a server see it."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

from support.dav import Dav
from support.multistatus import DAV, parse
from support.rest import Rest, assert_error
from support.server import Server

MIB = 1 << 20
# The default of SCAN_INLINE_MAX: larger files are scanned by a job.
INLINE_MAX = 8 * MIB

AV_STATUS = '<e:av-status xmlns:e="urn:edgedrive"/>'
NAMESPACE = "{urn:edgedrive}"

Seen = TypeVar("Seen")


def av_status(rest: Rest, id: str) -> str:
    """What REST says of a file."""
    answer = rest.get(f"files/{id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["file"]["avStatus"]


def dav_av_status(dav: Dav, path: str) -> str:
    """What WebDAV says of it."""
    return dav.stat(path, AV_STATUS).text("av-status", NAMESPACE)


def assert_infected(answer: httpx.Response, status: int = 403):
    """The answer says that a virus was found: with its code in JSON, or in XML."""
    if "/api/" in answer.request.url.path:
        assert_error(answer, status, "INFECTED")
    else:
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        assert "xml" in answer.headers["content-type"]
        assert parse(answer.content).tag == f"{DAV}error"


def wait_for(look: Callable[[], Seen], enough: Callable[[Seen], bool], timeout: float = 40, every: float = 0.1) -> Seen:
    """What there is to see, as soon as it is `enough`."""
    until = time.monotonic() + timeout
    while not enough(seen := look()):
        assert time.monotonic() < until, f"after {timeout} s it is still {seen}"
        time.sleep(every)
    return seen


def wait_for_av_status(rest: Rest, id: str, status: str, timeout: float = 40):
    wait_for(lambda: av_status(rest, id), lambda seen: seen == status, timeout)


class Scanning:
    """What a server tells of its scanner and of what is still to be scanned."""

    def __init__(self, server: Server):
        self.server = server

    def ready(self) -> dict:
        """What /readyz says, which must be that all is well: scanners do not count."""
        body = self.server.ready()
        assert body["ok"] is True
        return body

    def wait(self, timeout: float = 40, **wanted) -> dict:
        """What /readyz says, as soon as it says this."""
        return wait_for(self.ready, lambda body: wanted.items() <= body.items(), timeout)

    def run_jobs(self):
        """Has the jobs run that are due, as a clock does."""
        with Rest(self.server.url, self.server.admin_token, "/internal/") as runner:
            assert runner.post("jobs/run").status_code == 200

    def push(self):
        """Has the scans done now that failed, or wait while the scanner fails."""
        for job in self.server.admin.get("jobs", params={"state": "ready"}).json()["jobs"]:
            if job["kind"] == "scan":
                self.server.admin.post(f"jobs/{job['id']}/retry")

    def settle(self, timeout: float = 40):
        """Waits until the scanner works and everything is scanned, and does not let the jobs for that wait."""

        def pushed() -> dict:
            self.push()
            return self.ready()

        wait_for(pushed, lambda body: (body["scanner"], body["pendingScans"]) == ("ok", 0), timeout, every=0.3)

    def start_rescan(self):
        answer = self.server.admin.post("rescan")
        assert answer.status_code == 202, answer.text

    def last_rescan(self) -> dict | None:
        answer = self.server.admin.get("rescan")
        assert answer.status_code == 200, answer.text
        return answer.json()["rescan"]

    def rescan(self, timeout: float = 60) -> dict:
        """Has everything scanned again, to the end."""
        self.start_rescan()
        return self.finish_rescan(timeout)

    def finish_rescan(self, timeout: float = 60) -> dict:
        """The rescan that was started, when it is finished."""
        done = wait_for(self.last_rescan, lambda rescan: rescan is not None and rescan["finishedAt"], timeout)
        assert done["done"] == done["total"]
        return done

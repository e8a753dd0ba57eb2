"""Webhooks as their owner has them over REST, and the runner of jobs as an administrator has it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from support.receiver import Receiver, Request
from support.rest import Rest
from support.server import Account, Server

EVENTS = ["file.created", "file.updated", "file.deleted", "file.moved", "file.infected"]


class Hook:
    """A webhook of an account that points at a path of a receiver."""

    def __init__(self, rest: Rest, receiver: Receiver, path: str = "/", **fields):
        self.rest, self.receiver, self.path = rest, receiver, path
        answer = rest.post("webhooks", json={"url": receiver.url(path), **fields})
        assert answer.status_code == 201, answer.text
        self.created: dict = answer.json()["webhook"]
        self.secret: str = answer.json()["secret"]
        self.id: str = self.created["id"]

    def get(self) -> dict:
        answer = self.rest.get(f"webhooks/{self.id}")
        assert answer.status_code == 200, answer.text
        return answer.json()["webhook"]

    def patch(self, **fields) -> dict:
        answer = self.rest.patch(f"webhooks/{self.id}", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()["webhook"]

    def delete(self):
        assert self.rest.delete(f"webhooks/{self.id}").status_code in (204, 404)

    def test(self):
        """Has it send `webhook.test`."""
        assert self.rest.post(f"webhooks/{self.id}/test").status_code == 202

    def deliveries(self) -> list[dict]:
        """The log, newest first."""
        answer = self.rest.get(f"webhooks/{self.id}/deliveries")
        assert answer.status_code == 200, answer.text
        return answer.json()["deliveries"]

    def redeliver(self, delivery: dict):
        assert self.rest.post(f"webhooks/{self.id}/deliveries/{delivery['id']}/redeliver").status_code == 202

    def requests(self) -> list[Request]:
        """What came, each with good signatures."""
        requests = self.receiver.requests(self.path)
        for request in requests:
            request.verify(self.secret)
        return requests

    def events(self, *names: str) -> list[dict]:
        """The bodies of the events of these names, of all without any; one that came more than once is given once."""
        bodies = {request.id: request.json for request in self.requests()}
        return [body for body in bodies.values() if not names or body["event"] in names]

    def wait(self, count: int, *names: str, timeout: float = 30) -> list[dict]:
        """The events of these names when there are `count`. More than those may be on their way: see `settled`."""
        self.receiver.wait_until(lambda _: len(self.events(*names)) >= count, timeout=timeout)
        return self.events(*names)

    def settled(self, *names: str) -> list[dict]:
        """The events of these names when all that happened before has been told: a test event is sent behind them, and
        what it may have overtaken comes within a second of what came last."""
        before = len(self.events("webhook.test"))
        self.test()
        self.wait(before + 1, "webhook.test")
        count = None
        while count != (count := len(self.receiver.requests(self.path))):
            time.sleep(1)
        return self.events(*(names or EVENTS))

    def wait_for_deliveries(self, enough: Callable[[list[dict]], bool], timeout: float = 30) -> list[dict]:
        """The log, as soon as it is `enough`."""
        until = time.monotonic() + timeout
        while not enough(deliveries := self.deliveries()):
            assert time.monotonic() < until, f"after {timeout} s the log is {deliveries}"
            time.sleep(0.1)
        return deliveries


class Jobs:
    """The jobs of one account."""

    def __init__(self, server: Server, account: Account):
        self.admin, self.account = server.admin, account

    def all(self, state: str | None = None) -> list[dict]:
        answer = self.admin.get("jobs", params={"state": state} if state else {})
        assert answer.status_code == 200, answer.text
        return [job for job in answer.json()["jobs"] if str(job["accountId"]) == str(self.account.id)]

    def wait(self, enough: Callable[[list[dict]], bool], timeout: float = 30) -> list[dict]:
        """The jobs that are ready, as soon as they are `enough`."""
        until = time.monotonic() + timeout
        while not enough(jobs := self.all("ready")):
            assert time.monotonic() < until, f"after {timeout} s the jobs are {jobs}"
            time.sleep(0.1)
        return jobs

    def wait_for_failure(self) -> list[dict]:
        """The jobs that are ready, as soon as an attempt of one has failed."""
        return self.wait(lambda jobs: any(job["error"] for job in jobs))

    def retry(self, job: dict) -> httpx.Response:
        return self.admin.post(f"jobs/{job['id']}/retry")

    def discard(self, job: dict) -> httpx.Response:
        return self.admin.delete(f"jobs/{job['id']}")


class Sweeper:
    """Calls the runner of jobs again and again, as a cron job does, but several times a second.

    A call is not held up by one before it that still runs.
    """

    def __init__(self, server: Server, every: float = 0.3):
        self.client = Rest(server.url, server.admin_token, "/internal/")
        self.every = every
        self.wrong: list[str] = []
        self._stop, self._rest = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(4)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(self.every):
            self._pool.submit(self._sweep)

    def _sweep(self):
        if self._stop.is_set() or self._rest.is_set():
            return
        try:
            answer = self.client.post("jobs/run")
            if answer.status_code != 200 or not {"done", "failed", "left"} <= set(answer.json()):
                self.wrong.append(f"{answer.status_code} {answer.text}")
        except Exception as error:  # a thread must not die without a word
            self.wrong.append(repr(error))

    @contextmanager
    def resting(self):
        """Makes no calls meanwhile: jobs run by what the server does itself."""
        self._rest.set()
        try:
            yield
        finally:
            self._rest.clear()

    def stop(self):
        self._stop.set()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)
        self.client.close()

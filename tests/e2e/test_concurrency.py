"""Many clients at once: races have one winner, nothing fails, and everything still adds up."""

import hashlib
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from support.raw import Connection
from support.recount import breaches, recount_over_http
from support.state import drive_database, snapshot

CLIENTS = 32
SECONDS = float(os.environ.get("EDGEDRIVE_SOAK_SECONDS", "10"))
FOLDERS = ["", "a/", "b/", "a/c/"]
NAMES = ["f", "g", "a", "b", "c"]


def race(account, count, act):
    """Runs `act(client, number)` in `count` clients as near to one moment as can be."""
    clients = [account.dav() for _ in range(count)]
    for client in clients:
        client.propfind()
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        return act(clients[number], number).status_code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(run, range(count)))


def test_one_of_many_creates_a_file(account):
    statuses = race(account, 16, lambda dav, n: dav.put("f", content=b"%d" % n, headers={"If-None-Match": "*"}))
    assert statuses == [201] + [412] * 15


def test_one_of_many_updates_a_file(account, dav):
    etag = dav.make("f", b"old")
    statuses = race(account, 16, lambda dav, n: dav.put("f", content=b"%d" % n, headers={"If-Match": etag}))
    assert statuses == [204] + [412] * 15


def test_one_of_many_makes_a_folder(account):
    assert race(account, 16, lambda dav, n: dav.mkcol("d")) == [201] + [405] * 15


def test_one_of_many_locks(account, dav, rest):
    dav.make("f")
    assert race(account, 16, lambda dav, n: dav.lock("f")) == [200] + [423] * 15
    assert race(account, 16, lambda dav, n: dav.lock("new")) == [201] + [423] * 15


def test_one_of_many_moves_a_file(account, dav):
    dav.make("f", b"only one")
    assert race(account, 16, lambda dav, n: dav.move("f", f"to{n}")) == [201] + [404] * 15
    [name] = dav.names()
    assert dav.get(name).content == b"only one"


def test_one_of_many_deletes(account, dav, rest):
    dav.make("f", b"x" * 100)
    assert race(account, 16, lambda dav, n: dav.delete("f")) == [204] + [404] * 15
    assert len(rest.get("trash").json()["trash"]) == 1
    rest.empty_trash()
    assert rest.used() == 0


def test_many_plain_puts_of_one_name_all_succeed(account, dav, rest):
    statuses = race(account, 16, lambda dav, n: dav.put("f", content=bytes([n]) * 1000))
    assert statuses.count(201) >= 1 and set(statuses) <= {201, 204}
    content = dav.get("f").content
    assert len(content) == 1000 and len(set(content)) == 1
    recount_over_http(dav, rest)


def test_the_quota_lets_through_what_fits_and_no_more(server):
    account = server.account(quota=1000)
    statuses = race(account, 20, lambda dav, n: dav.put(f"f{n}", content=b"x" * 100))
    assert statuses == [201] * 10 + [507] * 10
    assert account.rest().used() == 1000
    account.close()


def test_two_folders_do_not_move_into_each_other(account, dav):
    for round in range(5):
        a, b = f"a{round}", f"b{round}"
        dav.folder(a)
        dav.folder(b)
        race(account, 2, lambda dav, n: dav.move(a, f"{b}/{a}") if n else dav.move(b, f"{a}/{b}"))
        hrefs = dav.list("", "infinity").hrefs
        assert sum(f"/{name}/" in href for href in hrefs for name in (a, b) if href.endswith(f"/{name}/")) == 2, hrefs


def test_two_puts_that_overlap_both_succeed(server, dav):
    """The one that ends last is what remains."""
    with Connection(server.url) as first, Connection(server.url) as second:
        for connection in (first, second):
            connection.send_head("PUT", "/dav/f", dav.token, {"Content-Length": "6", "Connection": "close"})
        first.send(b"aaa")
        second.send(b"bbb")
        time.sleep(0.2)
        second.send(b"BBB")
        assert second.answer().status == 201
        first.send(b"AAA")
        assert first.answer().status == 204
    assert dav.get("f").content == b"aaaAAA"


class Client(threading.Thread):
    """Does random things to few names until the time is up, and remembers what was wrong."""

    EXPECTED = {200, 201, 204, 207, 403, 404, 405, 409, 412, 423}

    def __init__(self, account, number, until):
        super().__init__()
        self.dav, self.until = account.dav(), until
        self.random = random.Random(number)
        self.wrong: list[str] = []
        self.done = 0

    def run(self):
        actions = [self.put, self.put, self.get, self.move, self.copy, self.delete, self.lock, self.mkcol, self.list]
        while time.monotonic() < self.until and len(self.wrong) < 5:
            action = self.random.choice(actions)
            try:
                action()
            except Exception as error:  # a thread must not die without a word
                self.wrong.append(f"{action.__name__}: {error!r}")
            self.done += 1

    def path(self):
        return self.random.choice(FOLDERS) + self.random.choice(NAMES)

    def expect(self, answer):
        if answer.status_code not in self.EXPECTED:
            self.wrong.append(
                f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:200]}"
            )
        return answer

    def put(self):
        payload = self.random.randbytes(self.random.choice([0, 10, 1000, 40_000]))
        self.expect(self.dav.put(self.path(), content=payload + hashlib.sha256(payload).digest()))

    def get(self):
        answer = self.expect(self.dav.get(self.path()))
        kind = answer.headers.get("content-type", "")
        if answer.status_code == 200 and answer.content and not kind.startswith("text/html"):
            payload, digest = answer.content[:-32], answer.content[-32:]
            if hashlib.sha256(payload).digest() != digest:
                self.wrong.append(f"torn content at {answer.request.url.path}")

    def move(self):
        self.expect(self.dav.move(self.path(), self.path(), Overwrite=self.random.choice("TF")))

    def copy(self):
        self.expect(self.dav.copy(self.path(), self.path(), Overwrite=self.random.choice("TF")))

    def delete(self):
        self.expect(self.dav.delete(self.path()))

    def mkcol(self):
        self.expect(self.dav.mkcol(self.path()))

    def list(self):
        self.expect(self.dav.propfind("", self.random.choice(["1", "infinity"])))

    def lock(self):
        path = self.path()
        answer = self.expect(
            self.dav.lock(
                path,
                self.random.choice(["exclusive", "shared"]),
                self.random.choice(["0", "infinity"]),
                Timeout="Second-5",
            )
        )
        if "lock-token" in answer.headers:
            token = answer.headers["lock-token"].strip("<>")
            self.expect(self.dav.put(path, content=b"" + hashlib.sha256(b"").digest(), headers={"If": f"(<{token}>)"}))
            self.expect(self.dav.unlock(path, token))


def test_many_clients_do_everything_at_once(server):
    account = server.account()
    dav, rest = account.dav(), account.rest()
    for folder in FOLDERS[1:]:
        dav.folder(folder)
    until = time.monotonic() + SECONDS
    clients = [Client(account, number, until) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    wrong = [sentence for client in clients for sentence in client.wrong]
    done = sum(client.done for client in clients)
    print(f"{done} actions in {SECONDS:.0f} s")
    assert wrong == []
    assert done > CLIENTS * 2
    recount_over_http(dav, rest)
    account.close()


def test_afterwards_the_database_adds_up(server):
    with snapshot(drive_database()) as database:
        assert breaches(database) == {}

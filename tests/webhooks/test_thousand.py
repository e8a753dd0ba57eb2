"""A thousand files in parallel: each is announced at least once, none is missing, every signature is good."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

FILES = 1000
THREADS = 8


def test_each_of_a_thousand_files_is_announced(account, rest, hook):
    generated, typed = hook("/generated"), hook("/typed", secret="typed-by-hand")
    folder = rest.mkdir("d")["id"]
    clients = [account.rest() for _ in range(THREADS)]

    def upload(number: int) -> dict:
        return clients[number % THREADS].upload(f"f{number}", b"x" * number, folder)

    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        uploaded = {file["id"]: file for file in pool.map(upload, range(FILES))}
    took = time.monotonic() - began
    assert len(uploaded) == FILES
    for one in (generated, typed):
        one.receiver.wait_until(lambda requests: len({request.id for request in requests}) >= FILES, one.path, 300)
        # Verifies every signature.
        requests = one.requests()
        announced = {request.json["file"]["id"]: request.json["file"] for request in requests}
        assert announced == uploaded
        assert {request.json["event"] for request in requests} == {"file.created"}
        # An event has one id, however often it is told.
        assert (
            max(Counter(request.json["file"]["id"] for request in {r.id: r for r in requests}.values()).values()) == 1
        )
    told = time.monotonic() - began
    again = len(generated.requests()) + len(typed.requests()) - 2 * FILES
    print(
        f"{FILES} uploads took {took:.1f} s, all were announced after {told:.1f} s; {again} of {2 * FILES} came again"
    )

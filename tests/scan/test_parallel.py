"""Two hundred uploads at once, clean and infected ones: each ends as it should."""

import os
from concurrent.futures import ThreadPoolExecutor

from support.clamd import EICAR
from support.scanning import wait_for

UPLOADS = 200
THREADS = 16


def test_each_upload_has_its_own_verdict(scanner, scanning, account, blobs, hook):
    hook = hook(events=["file.created", "file.infected"])
    davs, rests = ([make() for _ in range(THREADS)] for make in (account.dav, account.rest))
    contents = [os.urandom(number * 997) + (EICAR if number % 2 else b"") for number in range(UPLOADS)]

    def upload(number: int) -> int:
        name, content = f"f{number}", contents[number]
        if number % 4 < 2:
            return rests[number % THREADS].try_upload(name, content).status_code
        return davs[number % THREADS].put(name, content=content).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        statuses = list(pool.map(upload, range(UPLOADS)))
    assert statuses == [422 if number % 2 else 201 for number in range(UPLOADS)]
    clean = {f"f{number}": content for number, content in enumerate(contents) if number % 2 == 0}
    assert {file["name"]: file["avStatus"] for file in rests[0].files()} == dict.fromkeys(clean, "CLEAN")
    for name, content in clean.items():
        assert davs[0].get(name).content == content
    hook.wait(len(clean))
    assert {event["file"]["name"] for event in hook.settled()} == set(clean)
    # An empty file has no blob.
    wait_for(blobs, lambda keys: len(keys) == len(clean) - 1)
    assert rests[0].used() == sum(map(len, clean.values()))


def test_uploads_to_one_name_end_with_one_that_is_clean(scanner, scanning, account, dav):
    """Whoever comes last: it is never the infected one."""
    davs = [account.dav() for _ in range(8)]
    contents = [b"clean %d" % number if number % 2 else EICAR + b"%d" % number for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: davs[n % 8].put("f", content=contents[n]).status_code, range(24)))
    for content, status in zip(contents, answers):
        assert status == 422 if EICAR in content else status in (201, 204, 409, 412), (content, status)
    assert dav.get("f").content.startswith(b"clean ")
    [file] = account.rest().files()
    assert file["avStatus"] == "CLEAN"

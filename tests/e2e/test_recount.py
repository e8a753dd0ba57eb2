"""After everything else: the database and the object storage are counted again.

The drives that the other tests left behind are the data.
"""

import time

from support.recount import blob_breaches, breaches
from support.state import drive_database, objects, snapshot


def test_the_database_agrees_with_itself(server):
    with snapshot(drive_database()) as database:
        assert database.execute("SELECT count(*) FROM nodes").fetchone()[0] > 0
        assert breaches(database) == {}


def test_every_blob_is_in_use_or_known_as_garbage(server):
    for _ in range(10):  # the two are read one after the other, while uploads may be cleaned up
        stored = objects().sizes()
        with snapshot(drive_database()) as database:
            found = blob_breaches(database, stored)
        if not found:
            return
        time.sleep(0.5)
    assert found == {}

"""What a request cost in SQL, as the server tells it when SERVER_TIMING=1."""

import re
from dataclasses import dataclass

import httpx
import pytest


@dataclass
class Cost:
    """Round trips to the database, and the rows that it says it read and wrote: 0 where it does not say."""

    trips: int
    read: int
    written: int


def cost(answer: httpx.Response) -> Cost:
    """The cost in the Server-Timing header; the test is skipped where there is none."""
    header = answer.headers.get("server-timing", "")
    match = re.search(r'sql;desc="trips=(\d+) read=(\d+) written=(\d+)"', header)
    if not match:
        pytest.skip("the server tells no costs: start it with SERVER_TIMING=1")
    return Cost(*map(int, match.groups()))

"""litmus 0.13, the conformance suite for WebDAV, each part by itself, at every URL below which a drive appears."""

import re

import pytest

from support.mounts import MOUNTS, mount_of
from support.tools import run, tool

# litmus sends a request target with a fragment, which HTTP does not have; a runtime that parses
# targets as URLs removes it before the server sees it.
HARMLESS = "DELETE removed collection resource with Request-URI including fragment; unsafe"

PARTS = {"basic": 16, "copymove": 13, "props": 30, "locks": 41, "http": 4}


@pytest.mark.parametrize("part, count", PARTS.items(), ids=PARTS)
@pytest.mark.parametrize("mount", MOUNTS)
def test_litmus(server, account, tmp_path, mount, part, count):
    printed = run(
        tool("litmus"),
        "-k",
        server.url + mount_of(account, mount),
        "me",
        account.token(),
        cwd=tmp_path,
        home=tmp_path,
        check=False,
        TESTS=part,
    )
    summary = re.search(rf"summary for `{part}': of (\d+) tests run: (\d+) passed, (\d+) failed", printed)
    assert summary, printed
    warnings = [line.strip() for line in printed.splitlines() if "WARNING" in line]
    print("\n".join([summary[0], *warnings]))
    assert tuple(map(int, summary.groups())) == (count, count, 0), printed
    assert [line for line in warnings if not line.endswith(HARMLESS)] == [], printed

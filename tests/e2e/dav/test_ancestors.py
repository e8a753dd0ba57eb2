"""The entity tag of a folder tells of every change below it, and of nothing else: sync clients find changes by it alone."""

import pytest

from support.timing import cost

DEPTH = 10
WAY = [f"d{level}" for level in range(1, DEPTH + 1)]
DEEP = "/".join(WAY)


@pytest.fixture
def drive(dav):
    """Folders ten deep; in each of them, and at the top, a file and another folder with a file."""
    for level in range(DEPTH + 1):
        above = "/".join(WAY[:level])
        prefix = f"{above}/" if above else ""
        if above:
            dav.folder(above)
        dav.make(f"{prefix}beside", b"x")
        dav.folder(f"{prefix}other")
        dav.make(f"{prefix}other/f", b"y")
    return dav


def etags(dav):
    return {entry.href.removeprefix(dav.mount).strip("/"): entry.text("getetag") for entry in dav.list("", "infinity", "<d:getetag/>")}


CHANGES = {
    "a new file": lambda dav: dav.put(f"{DEEP}/new", content=b"z"),
    "another content": lambda dav: dav.put(f"{DEEP}/beside", content=b"z"),
    "a new folder": lambda dav: dav.mkcol(f"{DEEP}/new"),
    "a copy": lambda dav: dav.copy("beside", f"{DEEP}/copy"),
    "a new name": lambda dav: dav.move(f"{DEEP}/beside", f"{DEEP}/renamed"),
    "a deleted file": lambda dav: dav.delete(f"{DEEP}/beside"),
    "a deleted folder": lambda dav: dav.delete(f"{DEEP}/other"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_ten_folders_deep_is_seen_in_each_folder_above_and_nowhere_else(drive, change):
    before = etags(drive)
    answer = CHANGES[change](drive)
    assert answer.status_code in (201, 204)
    assert cost(answer).trips <= 2, "what is read, and one batch"
    after = etags(drive)
    above = {"/".join(WAY[:level]) for level in range(DEPTH + 1)}
    changed = {path for path in before.keys() & after.keys() if before[path] != after[path]}
    assert changed - {f"{DEEP}/beside"} == above
    assert (f"{DEEP}/beside" in changed) == (change == "another content")
    assert len(set(after.values())) == len(after), "no two share one"

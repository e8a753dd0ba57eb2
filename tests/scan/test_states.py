"""What may be done with a file, by what the scanner said of it. SCAN_PENDING is allow."""

import os

import pytest

from support.clamd import EICAR
from support.dav import proppatch_body, set_prop
from support.scanner import close
from support.scanning import AV_STATUS, INLINE_MAX, NAMESPACE, assert_infected, av_status, dav_av_status

CLEAN = b"harmless"

# The files of the table, and their states.
FILES = {"empty": "CLEAN", "small": "CLEAN", "large": "CLEAN", "infected": "INFECTED", "pending": "PENDING"}
SIZES = {"empty": 0, "small": len(CLEAN), "large": INLINE_MAX + 1, "infected": len(EICAR), "pending": len(CLEAN)}
READABLE = [name for name, state in FILES.items() if state != "INFECTED"]


class Drive:
    """A drive with the files of the table."""

    def __init__(self, account):
        self.dav, self.rest = account.dav(), account.rest()
        self.ids: dict[str, str] = {}

    def make(self, name: str, content: bytes):
        self.dav.make(name, content)
        [file] = [file for file in self.rest.files() if file["name"] == name]
        self.ids[name] = file["id"]


@pytest.fixture(scope="module")
def drive(server, running_scanner, scanning, sweeper):
    """The drive. While it is needed, the scanner fails."""
    scanning.settle()
    account = server.account()
    drive = Drive(account)
    running_scanner.behave(close)
    drive.make("infected", EICAR)
    running_scanner.recover()
    scanning.settle()
    drive.make("empty", b"")
    drive.make("small", CLEAN)
    drive.make("large", os.urandom(INLINE_MAX + 1))
    scanning.settle()
    running_scanner.behave(close)
    drive.make("pending", CLEAN)
    yield drive
    running_scanner.recover()
    scanning.settle()
    account.close()


@pytest.fixture
def infected(drive):
    """The path of the infected file. A test that moves it puts it back."""
    yield "infected"
    assert drive.dav.exists("infected")


@pytest.mark.parametrize("name", FILES)
def test_its_state_is_told(drive, name):
    state = FILES[name]
    assert av_status(drive.rest, drive.ids[name]) == state
    assert {file["name"]: file["avStatus"] for file in drive.rest.files()}[name] == state
    assert dav_av_status(drive.dav, name) == state.lower()


def test_it_is_told_in_a_listing(drive):
    told = {entry.href: entry.text("av-status", NAMESPACE) for entry in drive.dav.list("", "1", AV_STATUS)[1:]}
    assert told == {drive.dav.href(name): state.lower() for name, state in FILES.items()}


def test_a_folder_has_none(drive):
    assert f"{NAMESPACE}av-status" in drive.dav.stat("", AV_STATUS).props[404]


@pytest.mark.parametrize("name", ["infected", "small"])
def test_nobody_can_set_it(drive, name):
    value = '<e:av-status xmlns:e="urn:edgedrive">clean</e:av-status>'
    for instruction in (set_prop(value), f"<d:remove><d:prop>{AV_STATUS}</d:prop></d:remove>"):
        answer = drive.dav.request("PROPPATCH", name, content=proppatch_body(instruction))
        assert answer.status_code == 207 and b"403" in answer.content
        assert b"cannot-modify-protected-property" in answer.content
    assert dav_av_status(drive.dav, name) == FILES[name].lower()


@pytest.mark.parametrize("name", READABLE)
def test_it_can_be_read(drive, name):
    download = f"files/{drive.ids[name]}/download"
    for answer in (drive.dav.get(name), drive.rest.get(download)):
        assert answer.status_code == 200 and len(answer.content) == SIZES[name]
    for answer in (drive.dav.head(name), drive.rest.head(download)):
        assert answer.status_code == 200 and int(answer.headers["content-length"]) == SIZES[name]
    if SIZES[name]:
        for answer in (get({"Range": "bytes=1-3"}) for get in readers(drive, name)):
            assert answer.status_code == 206 and len(answer.content) == 3


def readers(drive, name: str) -> list:
    """By WebDAV and REST, what reads the file with some headers."""
    download = f"files/{drive.ids[name]}/download"
    return [
        lambda headers: drive.dav.get(name, headers=headers),
        lambda headers: drive.rest.get(download, headers=headers),
    ]


def test_an_infected_file_cannot_be_read(drive):
    for get in readers(drive, "infected"):
        for headers in ({}, {"Range": "bytes=1-3"}, {"Range": "bytes=0-"}, {"If-Match": "*"}, {"Range": "bytes=900-"}):
            assert_infected(get(headers))
    for head in (drive.dav.head("infected"), drive.rest.head(f"files/{drive.ids['infected']}/download")):
        assert head.status_code == 403 and head.content == b""


@pytest.mark.parametrize("name", READABLE)
def test_it_can_be_copied_with_its_state(drive, name):
    assert drive.dav.copy(name, f"copy-of-{name}").status_code == 201
    assert dav_av_status(drive.dav, f"copy-of-{name}") == FILES[name].lower()
    assert drive.dav.delete(f"copy-of-{name}").status_code == 204


def test_an_infected_file_cannot_be_copied(drive, infected):
    dav = drive.dav
    assert_infected(dav.copy(infected, "copy"))
    assert_infected(dav.copy(infected, "small"))
    assert not dav.exists("copy")
    assert dav.get("small").content == CLEAN


def test_a_folder_with_an_infected_file_cannot_be_copied(drive, infected):
    dav = drive.dav
    for path in ("folder", "folder/below"):
        dav.folder(path)
    dav.make("folder/f", b"")
    assert dav.move(infected, "folder/below/f").status_code == 201
    for source in ("folder", "folder/below"):
        assert_infected(dav.copy(source, "copy"))
    assert not dav.exists("copy")
    assert dav.move("folder/below/f", infected).status_code == 201
    assert dav.copy("folder", "copy").status_code == 201, "it is not the folder's fault"
    for path in ("folder", "copy"):
        assert dav.delete(path).status_code == 204


def test_an_infected_file_can_be_moved_and_stays_infected(drive, infected):
    dav, rest, id = drive.dav, drive.rest, drive.ids["infected"]
    dav.folder("folder")
    assert dav.move(infected, "folder/f").status_code == 201
    assert dav.move("folder", "elsewhere").status_code == 201
    assert_infected(dav.get("elsewhere/f"))
    assert dav_av_status(dav, "elsewhere/f") == "infected"
    answer = rest.patch(f"files/{id}", json={"name": infected, "folderId": None})
    assert answer.status_code == 200, answer.text
    assert answer.json()["file"]["avStatus"] == "INFECTED"
    assert_infected(dav.get(infected))
    assert dav.delete("elsewhere").status_code == 204


def test_an_infected_file_can_be_locked(drive, infected):
    assert drive.dav.unlock(infected, drive.dav.locked(infected)).status_code == 204

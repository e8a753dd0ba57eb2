"""Who holds a lock and submits its token may write by every way that leads to the file (RFC 4918, 7 and 10.4), and who
submits none is told what is locked, by the URL that he used (RFC 4918, 16)."""

import base64
import hashlib
from contextlib import contextmanager

import pytest

from support.dav import condition
from support.mounts import MOUNTS, mount_of

TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {**TUS, "Content-Type": "application/offset+octet-stream"}


class Way:
    """A way to write /d/f, which is there already, and to make a file in /d."""

    def __init__(self, account, files):
        self.account, self.files = account, files
        self.dav = account.dav()

    def prepare(self):
        """What has to be there before anything is locked."""

    def write(self, headers: dict):
        """Gives /d/f a content that is not `before`."""
        raise NotImplementedError

    def make(self, headers: dict):
        """Makes a file in /d; what knows no other names makes none."""
        return None


class Put(Way):
    def write(self, headers):
        return self.files.put("d/f", content=b"after", headers=headers)

    def make(self, headers):
        return self.files.put("d/new", content=b"after", headers=headers)


class Copy(Way):
    method = "COPY"

    def prepare(self):
        self.dav.make("source", b"after")

    def write(self, headers):
        return self.files.request(self.method, "source", headers={"Destination": self.files.absolute("d/f"), **headers})

    def make(self, headers):
        self.dav.put("source", content=b"after")
        return self.files.request(self.method, "source", headers={"Destination": self.files.absolute("d/new"), **headers})


class Move(Copy):
    method = "MOVE"


class Tus(Way):
    def send(self, name, headers):
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        headers = {**OCTETS, "Upload-Length": "5", "Upload-Metadata": metadata, **headers}
        return self.files.post("d/", content=b"after", headers=headers)

    def write(self, headers):
        return self.send("f", headers)

    def make(self, headers):
        return self.send("new", headers)


class TusInTwo(Tus):
    """The bytes come after the upload was begun; the last of them make the file."""

    def send(self, name, headers):
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        begun = self.files.post("d/", headers={**TUS, "Upload-Length": "5", "Upload-Metadata": metadata})
        assert begun.status_code == 201
        return self.files.patch(begun.headers["location"], content=b"after", headers={**OCTETS, "Upload-Offset": "0", **headers})


class Chunks(Way):
    def send(self, path, headers):
        chunks = self.account.dav(mount=f"/remote.php/dav/uploads/{self.account.login}/")
        chunks.delete("u")
        chunks.folder("u")
        chunks.put("u/1", content=b"after")
        return chunks.request("MOVE", "u/.file", headers={"Destination": self.files.absolute(path), **headers})

    def write(self, headers):
        return self.send("d/f", headers)

    def make(self, headers):
        return self.send("d/new", headers)


class Bulk(Way):
    def send(self, path, headers):
        part = f"--b\r\nX-File-Path: {path}\r\nContent-Length: 5\r\nX-File-MD5: {hashlib.md5(b'after').hexdigest()}\r\n\r\nafter\r\n--b--\r\n"
        client = self.account.dav(mount="/remote.php/dav/")
        headers = {"Content-Type": "multipart/related; boundary=b", **headers}
        return client.post("bulk", content=part.encode(), headers=headers)

    def write(self, headers):
        return self.send("/d/f", headers)

    def make(self, headers):
        return self.send("/d/new", headers)


class Version(Way):
    def prepare(self):
        self.dav.put("d/f", content=b"after")
        self.dav.put("d/f", content=b"before")
        number = self.account.rest().files(self.account.rest().get("folders").json()["folders"][0]["id"])[0]["id"]
        self.versions = self.account.dav(mount=f"/remote.php/dav/meta/{number}/v/")
        self.version = self.versions.list()[1].href.removeprefix(self.versions.mount)

    def write(self, headers):
        headers = {"Destination": self.files.absolute("d/f"), **headers}
        return self.versions.request("COPY", self.version, headers=headers)


class VersionBack(Version):
    def write(self, headers):
        headers = {"Destination": f"/remote.php/dav/versions/{self.account.login}/restore/x", **headers}
        return self.versions.request("MOVE", self.version, headers=headers)


class Trash(Way):
    def prepare(self):
        self.dav.make("gone", b"after")
        self.dav.delete("gone")
        self.trash = self.account.dav(mount=f"/remote.php/dav/trashbin/{self.account.login}/trash/")
        [self.item] = self.trash.names()

    def take(self, path, headers):
        return self.trash.request("MOVE", self.item, headers={"Destination": self.files.absolute(path), **headers})

    def write(self, headers):
        return self.take("d/f", headers)

    def make(self, headers):
        return self.take("d/new", headers)


class TrashBack(Trash):
    """To where it was, which the lock of the folder forbids."""

    def prepare(self):
        self.dav.make("d/gone", b"after")
        self.dav.delete("d/gone")
        self.trash = self.account.dav(mount=f"/remote.php/dav/trashbin/{self.account.login}/trash/")
        [self.item] = self.trash.names()

    def write(self, headers):
        return None

    def make(self, headers):
        destination = f"/remote.php/dav/trashbin/{self.account.login}/restore/x"
        return self.trash.request("MOVE", self.item, headers={"Destination": destination, **headers})


WAYS = [Put, Copy, Move, Tus, TusInTwo, Chunks, Bulk, Version, VersionBack, Trash, TrashBack]


@pytest.fixture(params=WAYS, ids=[way.__name__ for way in WAYS])
def way(request, account):
    files = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    way = request.param(account, files)
    way.dav.folder("d")
    way.dav.make("d/f", b"before")
    way.prepare()
    return way


def refused(way, answer) -> bool:
    """By a bulk upload, the answer says of each file what became of it."""
    if isinstance(way, Bulk):
        [outcome] = answer.json().values()
        return outcome["error"]
    return answer.status_code == 423


@contextmanager
def may_be_refused(way, answer):
    if answer is None:
        pytest.skip("there is no such way")
    yield refused(way, answer)


@pytest.mark.parametrize("locked", ["d/f", "d"])
def test_a_file_is_written_by_the_holder_of_a_lock(way, locked):
    token = way.dav.locked(locked, depth="infinity" if locked == "d" else "0")
    with may_be_refused(way, way.write({})) as is_refused:
        assert is_refused
    assert way.dav.get("d/f").content == b"before"
    other = {"If": f"<{way.files.absolute(locked)}> (Not <urn:uuid:0>)"}
    assert refused(way, way.write(other)), "another token is none"
    answer = way.write({"If": f"<{way.files.absolute(locked)}> (<{token}>)"})
    assert not refused(way, answer) and answer.status_code < 300, answer.text
    assert way.dav.get("d/f").content == b"after"
    assert way.dav.put("d/f", content=b"x").status_code == 423, "it is still locked"


def test_a_file_is_made_by_the_holder_of_the_folders_lock(way):
    token = way.dav.locked("d", depth="0")
    with may_be_refused(way, way.make({})) as is_refused:
        assert is_refused
    assert way.dav.names("d/") == {"f"}
    answer = way.make({"If": f"<{way.files.absolute('d')}> (<{token}>)"})
    assert not refused(way, answer) and answer.status_code < 300, answer.text
    assert len(way.dav.names("d/")) == 2


def test_a_header_that_does_not_hold_changes_nothing(way):
    headers = {"If": f"<{way.files.absolute('d/f')}> ([\"another\"])"}
    answer = way.write(headers) or way.make(headers)
    if isinstance(way, TusInTwo):
        pytest.skip("an upload that goes on at its own URL knows tokens only")
    assert answer.status_code == 412, answer.text
    assert way.dav.get("d/f").content == b"before" and way.dav.names("d/") == {"f"}


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("kind", [Put, Copy, Move, Tus, Chunks, Version, VersionBack, Trash, TrashBack])
def test_what_is_locked_is_named_by_the_url_of_the_destination(account, kind, mount):
    mount = mount_of(account, mount)
    way = kind(account, account.dav(mount=mount))
    way.dav.folder("d")
    way.dav.make("d/f", b"before")
    way.prepare()
    way.dav.locked("d", depth="infinity")
    answer = way.write({}) or way.make({})
    assert answer.status_code == 423
    named, [href] = condition(answer)
    # What says no more than that something is to be put back names no mount.
    mount = "/dav/" if kind in (VersionBack, TrashBack) else mount
    assert (named, href) == ("lock-token-submitted", f"{mount.replace('$', '%24') if '$' not in href else mount}d/")


def test_a_folder_locked_by_itself_lets_its_files_be_written(way):
    """A lock of depth 0 protects which members there are, not their contents (RFC 4918, 7.4)."""
    way.dav.locked("d", depth="0")
    if isinstance(way, (Move, Trash)):
        pytest.skip("another file comes into the folder")
    answer = way.write({})
    assert not refused(way, answer) and answer.status_code < 300, answer.text
    assert way.dav.get("d/f").content == b"after"

"""The bodies of errors, as sabre/dav has them: clients of Nextcloud and ownCloud know its exceptions by name."""

import httpx
import pytest

from support.dav import condition
from support.multistatus import DAV, parse

SABRE = "{http://sabredav.org/ns}"
EXCEPTION = "Sabre\\DAV\\Exception\\"


def said(answer: httpx.Response, status: int) -> tuple[str, str]:
    """The exception, without the usual beginning of its name, and the message of an error."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    root = parse(answer.content)
    assert root.tag == f"{DAV}error"
    return root.findtext(f"{SABRE}exception").removeprefix(EXCEPTION), root.findtext(f"{SABRE}message")


@pytest.fixture(params=["/dav/", "/remote.php/webdav/", "/dav/spaces/{space}/"])
def drive(request, account):
    return account.dav(mount=request.param.format(space=f"edgedrive${account.id}"))


def test_the_errors_of_the_documentation(drive):
    assert said(drive.propfind("", "3"), 400) == ("BadRequest", "Invalid Depth header value: 3")
    assert said(drive.propfind("none"), 404) == ("NotFound", "Resource not found")
    drive.folder("d")
    assert said(drive.mkcol("d"), 405) == ("MethodNotAllowed", "The resource you tried to create already exists")
    wrong = drive.put("f", content=b"abc", headers={"OC-Checksum": "SHA1:" + "0" * 40})
    assert said(wrong, 400) == (
        "BadRequest",
        "The computed checksum does not match the one received from the client.",
    )


def test_each_status_has_its_exception(drive, account, server):
    drive.folder("d")
    drive.make("f", b"abc")
    assert said(drive.put("none/f", content=b""), 409)[0] == "Conflict"
    assert said(drive.put("f", content=b"", headers={"If-Match": '"other"'}), 412)[0] == "PreconditionFailed"
    assert said(drive.mkcol("e", content=b"x"), 415)[0] == "UnsupportedMediaType"
    assert said(drive.get("f", headers={"Range": "bytes=10-20"}), 416)[0] == "RequestedRangeNotSatisfiable"
    assert said(drive.copy("d", "d/d"), 403)[0] == "Forbidden"
    assert said(drive.put("d", content=b""), 405)[0] == "MethodNotAllowed"
    with httpx.Client(base_url=server.url) as nobody:
        assert said(nobody.request("PROPFIND", drive.mount), 401)[0] == "NotAuthenticated"
    small = server.account(quota=2).dav()
    full = small.put("f", content=b"abc")
    assert said(full, 507)[0] == "InsufficientStorage" and condition(full)[0] == "quota-not-exceeded"
    drive.locked("f")
    locked = drive.put("f", content=b"")
    assert said(locked, 423)[0] == "Locked" and condition(locked) == ("lock-token-submitted", [drive.href("f")])
    conflict = drive.lock("f")
    assert said(conflict, 423)[0] == "ConflictingLock" and condition(conflict)[0] == "no-conflicting-lock"

"""Live properties that clients set by PROPPATCH: favourite, tags, times, and what Windows Explorer sends."""

import hashlib
from email.utils import formatdate

import pytest

from support.dav import remove_prop, set_prop
from support.multistatus import Multistatus

OC, NC, WIN = "http://owncloud.org/ns", "http://nextcloud.org/ns", "urn:schemas-microsoft-com:"
PROPS = (
    f'<d:getetag/><d:getlastmodified/><d:creationdate/><favorite xmlns="{OC}"/><tags xmlns="{OC}"/>'
    f'<creation_time xmlns="{NC}"/><Win32LastModifiedTime xmlns="{WIN}"/><Win32CreationTime xmlns="{WIN}"/>'
    f'<Win32LastAccessTime xmlns="{WIN}"/><Win32FileAttributes xmlns="{WIN}"/>'
)
THEN = 1_500_000_000


def oc(name: str, value: str) -> str:
    return f'<{name} xmlns="{OC}">{value}</{name}>'


def outcome(answer) -> dict[int, set[str]]:
    assert answer.status_code == 207, answer.text
    [resource] = Multistatus(answer.content)
    return {status: {name.split("}")[1] for name in props} for status, props in resource.props.items()}


def tags(dav, path: str) -> list[str]:
    return [tag.text for tag in dav.stat(path, PROPS).prop("tags", f"{{{OC}}}")]


def favorite(dav, path: str) -> str:
    return dav.stat(path, PROPS).text("favorite", f"{{{OC}}}")


@pytest.fixture
def tree(dav):
    dav.folder("d")
    dav.make("d/f", b"x")
    return dav


def etags(dav) -> list[str]:
    return [dav.stat(path).text("getetag") for path in ("", "d", "d/f")]


@pytest.mark.parametrize("path", ["d/f", "d", ""])
def test_a_favourite_is_set_and_taken_back(tree, path):
    before = etags(tree)
    for value, favourite in [("1", "1"), ("1", "1"), ("0", "0"), ("true", "1"), ("false", "0")]:
        assert outcome(tree.proppatch(path, set_prop(oc("favorite", value)))) == {200: {"favorite"}}
        assert favorite(tree, path) == favourite
    tree.proppatch(path, set_prop(oc("favorite", "1")))
    assert outcome(tree.proppatch(path, remove_prop(oc("favorite", "")))) == {200: {"favorite"}}
    assert favorite(tree, path) == "0"
    assert etags(tree) == before, "as in Nextcloud: a sync client has nothing to fetch"


def test_tags_are_a_set_beside_the_favourite(tree):
    tree.proppatch("d/f", set_prop(oc("favorite", "1")))
    value = "<tag>b</tag><tag>a &amp; &lt;b&gt;</tag><tag>b</tag>"
    assert outcome(tree.proppatch("d/f", set_prop(oc("tags", value)))) == {200: {"tags"}}
    assert tags(tree, "d/f") == ["a & <b>", "b"] and favorite(tree, "d/f") == "1"
    tree.proppatch("d/f", set_prop(oc("tags", "<tag>c</tag>")))
    assert tags(tree, "d/f") == ["c"]
    tree.proppatch("d/f", remove_prop(oc("tags", "")))
    assert tags(tree, "d/f") == [] and favorite(tree, "d/f") == "1"


def test_marks_stay_with_the_file_and_not_with_its_copies(tree):
    tree.proppatch("d/f", set_prop(oc("favorite", "1") + oc("tags", "<tag>t</tag>")))
    tree.make("d/f", b"other")
    tree.move("d/f", "moved")
    tree.copy("moved", "copied")
    assert (favorite(tree, "moved"), tags(tree, "moved")) == ("1", ["t"])
    assert (favorite(tree, "copied"), tags(tree, "copied")) == ("0", [])


HTTP = formatdate(THEN, usegmt=True)


@pytest.mark.parametrize(
    "value",
    [
        f"<d:lastmodified>{THEN}</d:lastmodified>",
        f"<d:getlastmodified>{HTTP}</d:getlastmodified>",
        f"<d:getlastmodified>{THEN}</d:getlastmodified>",
        "<d:getlastmodified>2017-07-14T02:40:00Z</d:getlastmodified>",
        f'<Win32LastModifiedTime xmlns="{WIN}">{HTTP}</Win32LastModifiedTime>',
    ],
)
@pytest.mark.parametrize("path", ["d/f", "d"])
def test_the_time_of_modification_is_set(tree, path, value):
    before = etags(tree)
    assert list(outcome(tree.proppatch(path, set_prop(value)))) == [200]
    resource = tree.stat(path, PROPS)
    assert resource.text("getlastmodified") == resource.text("Win32LastModifiedTime", f"{{{WIN}}}") == HTTP
    after = etags(tree)
    changed = [True, True, path == "d/f"]
    assert [a != b for a, b in zip(before, after)] == changed, "clients that sync keep this time"
    assert tree.stat("", PROPS).text("getlastmodified") != HTTP
    if path == "d/f":
        assert tree.get(path).headers["last-modified"] == HTTP


def test_the_root_takes_a_time(dav):
    assert list(outcome(dav.proppatch("", set_prop(f"<d:lastmodified>{THEN}</d:lastmodified>")))) == [200]
    assert dav.stat("").text("getlastmodified") == HTTP


@pytest.mark.parametrize(
    "value",
    [
        f'<creation_time xmlns="{NC}">{THEN}</creation_time>',
        "<d:creationdate>2017-07-14T02:40:00+00:00</d:creationdate>",
        f'<Win32CreationTime xmlns="{WIN}">{HTTP}</Win32CreationTime>',
    ],
)
def test_the_time_of_creation_is_set(tree, value):
    before = etags(tree)
    assert list(outcome(tree.proppatch("d/f", set_prop(value)))) == [200]
    file = tree.stat("d/f", PROPS)
    assert file.text("creation_time", f"{{{NC}}}") == str(THEN)
    assert file.text("creationdate") == "2017-07-14T02:40:00.000Z"
    assert file.text("Win32CreationTime", f"{{{WIN}}}") == HTTP
    tree.make("d/f", b"new content")
    assert tree.stat("d/f", PROPS).text("creation_time", f"{{{NC}}}") == str(THEN)
    assert before[0] != etags(tree)[0]


def test_what_explorer_sends_after_an_upload(tree):
    times = "".join(
        f"<Z:{name}>{HTTP}</Z:{name}>" for name in ("Win32CreationTime", "Win32LastAccessTime", "Win32LastModifiedTime")
    )
    body = (
        '<?xml version="1.0" encoding="utf-8" ?><D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:">'
        f"<D:set><D:prop>{times}<Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set>"
        "</D:propertyupdate>"
    )
    names = {"Win32CreationTime", "Win32LastAccessTime", "Win32LastModifiedTime", "Win32FileAttributes"}
    assert outcome(tree.request("PROPPATCH", "d/f", content=body)) == {200: names}
    file = tree.stat("d/f", PROPS)
    assert all(file.text(name, f"{{{WIN}}}") == HTTP for name in names - {"Win32FileAttributes"})
    assert file.text("Win32FileAttributes", f"{{{WIN}}}") == "00000020"
    assert file.text("getlastmodified") == HTTP


@pytest.mark.parametrize(
    "bad",
    [
        oc("favorite", "maybe"),
        oc("tags", "plain text<x:tag>t</x:tag>"),
        oc("tags", "<tag> </tag>"),
        oc("tags", "<tag>_$!&lt;Favorite&gt;!$_</tag>"),
        "<d:lastmodified>soon</d:lastmodified>",
        "<d:lastmodified>-1</d:lastmodified>",
        "<d:lastmodified/>",
        "<d:getlastmodified>99999999999999999999</d:getlastmodified>",
        "<d:creationdate>x</d:creationdate>",
        f'<creation_time xmlns="{NC}">1e9</creation_time>',
        f'<Win32LastAccessTime xmlns="{WIN}">now</Win32LastAccessTime>',
        f'<Win32FileAttributes xmlns="{WIN}">hidden</Win32FileAttributes>',
    ],
)
def test_a_senseless_value_is_409_and_spoils_the_others(tree, bad):
    before = etags(tree)
    good = f"<x:p>1</x:p>{oc('favorite', '1')}<d:lastmodified>7</d:lastmodified>"
    answer = tree.proppatch("d/f", set_prop(f"{bad}{good}<d:getetag>x</d:getetag>"))
    found = outcome(answer)
    assert set(found) == {403, 409, 424} and found[403] == {"getetag"} and {"p"} <= found[424]
    assert etags(tree) == before and favorite(tree, "d/f") == "0"
    assert not tree.stat("d/f", "<x:p/>").has("p", "{urn:x}")


def test_a_checksum_beside_a_time_must_be_that_of_the_file(tree):
    """rclone sends it when it sets the time of a file."""
    sha1 = hashlib.sha1(b"x").hexdigest()
    for checksum, taken in ((f"SHA1:{sha1}", True), (f"sha1:{sha1.upper()}", True), ("SHA1:" + "0" * 40, False), ("X:", False), ("", False)):
        answer = tree.proppatch("d/f", set_prop(f"<d:lastmodified>{THEN}</d:lastmodified>" + oc("checksums", oc("checksum", checksum))))
        assert outcome(answer) == ({200: {"lastmodified", "checksums"}} if taken else {403: {"checksums"}, 424: {"lastmodified"}})
    assert outcome(tree.proppatch("d", set_prop(oc("checksums", oc("checksum", f"SHA1:{sha1}"))))) == {403: {"checksums"}}


def test_a_time_cannot_be_removed(tree):
    assert outcome(tree.proppatch("d/f", remove_prop("<d:getlastmodified/>"))) == {403: {"getlastmodified"}}


def test_a_lock_forbids_a_mark(tree):
    tree.locked("d/f")
    assert tree.proppatch("d/f", set_prop(oc("favorite", "1"))).status_code == 423


def test_without_write_nothing_is_marked(account, tree):
    reader = account.dav(account.token("read"))
    assert reader.proppatch("d/f", set_prop(oc("favorite", "1"))).status_code == 403

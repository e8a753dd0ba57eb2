"""PROPFIND (RFC 4918, 9.1) and the live properties (15; RFC 4331)."""

import re
from email.utils import parsedate_to_datetime

import pytest

from support.dav import condition, remove_prop, set_prop
from support.multistatus import DAV, Multistatus
from support.server import WEBDAV_NAME


def body(inner: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:" xmlns:x="urn:x">{inner}</d:propfind>'


@pytest.fixture
def tree(dav):
    """/top.txt and /d/one.txt and /d/e/two.txt"""
    dav.make("top.txt", b"top")
    dav.folder("d")
    dav.make("d/one.txt", b"one one")
    dav.folder("d/e")
    dav.make("d/e/two.txt", b"two")
    return dav


def test_the_content_type_is_the_one_that_sync_clients_look_for(dav):
    assert "application/xml; charset=utf-8" in dav.propfind().headers["content-type"]


def test_depth_0_shows_the_resource_only(tree):
    assert tree.list("", "0").hrefs == ["/dav/"]
    assert tree.list("d", "0").hrefs == ["/dav/d/"]
    assert tree.list("d/", "0").hrefs == ["/dav/d/"]
    assert tree.list("top.txt", "0").hrefs == ["/dav/top.txt"]


def test_depth_1_shows_the_folder_first_and_its_children(tree):
    hrefs = tree.list("", "1").hrefs
    assert hrefs[0] == "/dav/"
    assert sorted(hrefs[1:]) == ["/dav/d/", "/dav/top.txt"]
    assert tree.list("top.txt", "1").hrefs == ["/dav/top.txt"]


@pytest.mark.parametrize("depth", ["infinity", "Infinity", None])
def test_depth_infinity_is_the_default_and_shows_everything(tree, depth):
    answer = tree.propfind("", depth)
    assert answer.status_code == 207
    hrefs = Multistatus(answer.content).hrefs
    assert hrefs[0] == "/dav/"
    assert sorted(hrefs) == ["/dav/", "/dav/d/", "/dav/d/e/", "/dav/d/e/two.txt", "/dav/d/one.txt", "/dav/top.txt"]
    for href in hrefs[1:]:
        parent = href.rstrip("/").rsplit("/", 1)[0] + "/"
        assert hrefs.index(parent) < hrefs.index(href), "a folder comes before what it holds"


@pytest.mark.parametrize("depth", ["2", "-1", "foo", "", "0,1", "1.0"])
def test_any_other_depth_is_400(dav, depth):
    assert dav.propfind("", depth).status_code == 400


def test_the_properties_of_a_file(tree):
    head = tree.head("d/one.txt")
    file = tree.stat("d/one.txt")
    assert not file.is_folder and len(file.prop("resourcetype")) == 0
    assert file.text("getcontentlength") == "7"
    assert file.text("getetag") == head.headers["etag"]
    assert file.text("getlastmodified") == head.headers["last-modified"]
    # The media type, without the charset that browsers are told beside it: clients compare it as a whole.
    assert file.text("getcontenttype") == head.headers["content-type"].partition(";")[0]
    assert file.text("displayname") == "one.txt"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", file.text("creationdate"))
    assert parsedate_to_datetime(file.text("getlastmodified"))
    assert file.text("getlastmodified").endswith(" GMT")
    assert len(file.prop("lockdiscovery")) == 0
    scopes = {entry.find(DAV + "lockscope")[0].tag for entry in file.prop("supportedlock").findall(DAV + "lockentry")}
    assert scopes == {DAV + "exclusive", DAV + "shared"}


def test_the_properties_of_a_folder(tree):
    folder = tree.stat("d")
    assert folder.is_folder
    assert folder.text("displayname") == "d"
    assert folder.text("getetag")
    assert not folder.has("getcontentlength")
    assert DAV + "getcontentlength" in folder.props[404]
    assert folder.has("lockdiscovery") and folder.has("supportedlock") and folder.has("creationdate")


def test_the_root_has_the_advertised_name(dav):
    assert dav.stat().text("displayname") == WEBDAV_NAME


def test_found_and_missing_properties_are_told_apart(tree):
    file = tree.stat("top.txt", props="<d:getetag/><x:nothing/><d:nonsense/><nothing xmlns=''/>")
    assert set(file.props) == {200, 404}
    assert set(file.props[200]) == {DAV + "getetag"}
    assert set(file.props[404]) == {"{urn:x}nothing", DAV + "nonsense", "nothing"}


def test_there_is_no_404_propstat_where_all_is_found(tree):
    assert set(tree.stat("top.txt", props="<d:getetag/>").props) == {200}


@pytest.mark.parametrize("content", [None, b"", body("<d:allprop/>")])
def test_allprop_is_the_default_and_shows_live_and_dead_properties(tree, content):
    tree.proppatch("top.txt", set_prop("<x:colour>red</x:colour>"))
    answer = tree.propfind("top.txt", props=None, body=content)
    assert answer.status_code == 207
    [file] = Multistatus(answer.content)
    assert set(file.props) == {200}
    for name in (
        "creationdate",
        "displayname",
        "getcontentlength",
        "getcontenttype",
        "getetag",
        "getlastmodified",
        "lockdiscovery",
        "resourcetype",
        "supportedlock",
    ):
        assert file.has(name), name
    assert file.text("colour", "{urn:x}") == "red"


def test_include_adds_to_allprop(tree):
    answer = tree.propfind("", body=body("<d:allprop/><d:include><d:quota-used-bytes/><x:none/></d:include>"))
    assert answer.status_code == 207
    [root] = Multistatus(answer.content)
    assert root.has("getetag") and root.has("quota-used-bytes")


def test_propname_gives_names_without_values(tree):
    tree.proppatch("top.txt", set_prop("<x:colour>red</x:colour>"))
    answer = tree.propfind("top.txt", body=body("<d:propname/>"))
    assert answer.status_code == 207
    [file] = Multistatus(answer.content)
    assert set(file.props) == {200}
    assert file.has("getetag") and file.has("colour", "{urn:x}")
    for prop in file.props[200].values():
        assert not prop.text and len(prop) == 0, prop.tag


def test_stray_text_and_unknown_elements_are_ignored(tree):
    for inner in (
        "<d:prop><d:getetag/></d:prop>M",
        "  x  <d:prop>y<d:getetag/>z</d:prop>",
        "<x:more><d:prop><x:no/></d:prop></x:more><d:prop><d:getetag/></d:prop>",
        "<!-- a comment --><?pi data?><d:prop><d:getetag/></d:prop>",
    ):
        answer = tree.propfind("top.txt", body=body(inner))
        assert answer.status_code == 207, inner
        assert set(Multistatus(answer.content)[0].props) == {200}, inner


def test_prefixes_and_default_namespaces_do_not_matter(tree):
    for document in (
        '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>',
        '<A:propfind xmlns:A="DAV:"><A:prop><B:getetag xmlns:B="DAV:"/></A:prop></A:propfind>',
        '\ufeff<D:propfind xmlns:D="DAV:"><D:prop><D:getetag></D:getetag></D:prop></D:propfind>',
    ):
        answer = tree.propfind("top.txt", body=document.encode())
        assert answer.status_code == 207, document
        assert Multistatus(answer.content)[0].has("getetag"), document


def test_a_missing_path_is_404(dav):
    dav.make("a.txt")
    for path in ("missing", "missing/", "missing/deeper", "a.txt/below"):
        assert dav.propfind(path).status_code == 404, path


def test_a_folder_changes_its_etag_for_any_change_below(tree):
    def etags():
        return [tree.stat(path).text("getetag") for path in ("", "d", "d/e")]

    changes = [
        lambda: tree.make("d/e/new.txt", b"x"),
        lambda: tree.make("d/e/new.txt", b"y"),
        lambda: tree.move("d/e/new.txt", "d/e/renamed.txt"),
        lambda: tree.copy("d/e/renamed.txt", "d/e/copy.txt"),
        lambda: tree.delete("d/e/copy.txt"),
        lambda: tree.mkcol("d/e/f"),
        lambda: tree.delete("d/e/f"),
    ]
    before = etags()
    for number, change in enumerate(changes):
        change()
        after = etags()
        assert all(old != new for old, new in zip(before, after, strict=True)), f"change {number}: {before} {after}"
        before = after


def test_the_etag_of_a_folder_stands_still_while_nothing_changes(tree):
    before = tree.stat("").text("getetag")
    tree.get("top.txt")
    tree.list("", "infinity")
    tree.mkcol("d")
    tree.put("missing/x", content=b"x")
    assert tree.stat("").text("getetag") == before


def test_a_change_leaves_the_etags_of_neighbours_alone(tree):
    tree.folder("other")
    before = tree.stat("other").text("getetag"), tree.stat("d/one.txt").text("getetag")
    tree.make("d/e/two.txt", b"changed")
    assert (tree.stat("other").text("getetag"), tree.stat("d/one.txt").text("getetag")) == before


def test_quota_properties(server):
    account = server.account(quota=1000)
    dav = account.dav()
    dav.make("a", b"x" * 300)
    dav.folder("d")
    for path in ("", "d"):
        folder = dav.stat(path)
        assert folder.text("quota-available-bytes") == "700"
    assert dav.stat("").text("quota-used-bytes") == "300"
    account.close()


def test_who_does_not_say_what_it_wants_is_told_the_quota_of_folders(server):
    dav = server.account(quota=1000).dav()
    dav.make("f", b"x" * 300)
    root, file = Multistatus(dav.propfind("", "1", props=None).content)
    assert (root.text("quota-used-bytes"), root.text("quota-available-bytes")) == ("300", "700")
    assert not file.has("quota-used-bytes") and set(file.props) == {200}
    [root] = Multistatus(dav.propfind("", body=body("<d:allprop/>")).content)
    assert not root.has("quota-used-bytes"), "RFC 4331, 2"


def test_without_a_quota_used_bytes_are_still_told(dav):
    dav.make("a", b"x" * 300)
    assert dav.stat("").text("quota-used-bytes") == "300"


def test_a_quota_lower_than_what_is_used_leaves_nothing(server):
    account = server.account()
    dav = account.dav()
    dav.make("a", b"x" * 300)
    server.admin.patch(f"accounts/{account.id}", json={"quota": 100})
    assert dav.stat("").text("quota-available-bytes") == "0"
    account.close()


def test_many_properties_in_one_request(tree):
    props = "".join(f"<x:p{number}/>" for number in range(500)) + "<d:getetag/>"
    file = tree.stat("top.txt", props)
    assert len(file.props[404]) == 500 and file.has("getetag")


def test_dead_properties_of_all_children_come_with_a_listing(tree):
    tree.proppatch("top.txt", set_prop("<x:a>1</x:a>"))
    tree.proppatch("d", set_prop("<x:a>2</x:a>"))
    listing = tree.list("", "1", "<x:a/>")
    assert listing.at("/dav/top.txt").text("a", "{urn:x}") == "1"
    assert listing.at("/dav/d/").text("a", "{urn:x}") == "2"
    assert set(listing.at("/dav/").props) == {404}
    tree.proppatch("d", remove_prop("<x:a/>"))
    assert set(tree.list("", "1", "<x:a/>").at("/dav/d/").props) == {404}


def test_an_infinite_listing_that_is_too_long_is_refused(wide):
    """`wide` has more entries below its root than the default PROPFIND_LIMIT (10,000)."""
    for number in range(2):
        assert wide.copy("wide", f"again{number}").status_code in (201, 204)
    answer = wide.propfind("", "infinity")
    assert answer.status_code == 403
    assert condition(answer)[0] == "propfind-finite-depth"
    assert wide.propfind("", "1").status_code == 207
    for number in range(2):
        assert wide.delete(f"again{number}").status_code == 204


def test_a_duplicate_property_in_the_request_is_answered_once(tree):
    file = tree.stat("top.txt", "<d:getetag/><d:getetag/><x:no/><x:no/>")
    assert set(file.props[200]) == {DAV + "getetag"}


def test_the_folder_itself_may_be_left_out(account, dav):
    """`1,noroot`, as clients of Microsoft's ask."""
    dav.folder("d")
    dav.make("d/f")
    dav.folder("d/e")
    dav.make("d/e/g")
    for depth in ("1,noroot", "1, NoRoot"):
        assert set(dav.list("d/", depth).hrefs) == {"/dav/d/f", "/dav/d/e/"}
    assert dav.list("d/e/", "1,noroot").hrefs == ["/dav/d/e/g"]
    assert len(dav.list("d/f", "1,noroot")) == 0
    top = account.dav(mount="/remote.php/dav/")
    assert top.mount not in top.list("", "1,noroot").hrefs
    for depth in ("0,noroot", "infinity,noroot", "1,", "1,root"):
        assert dav.propfind("d", depth).status_code == 400
    assert dav.delete("d", headers={"Depth": "1,noroot"}).status_code == 400
    assert dav.lock("d", depth="1,noroot").status_code == 400

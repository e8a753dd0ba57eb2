"""REPORT oc:filter-files: favourites and tagged files at any depth below a folder."""

import pytest

from support.dav import condition, filter_files, set_prop
from support.multistatus import DAV, Multistatus

OC = "http://owncloud.org/ns"
FAVORITE = "<oc:favorite>1</oc:favorite>"
SPEC = """<?xml version="1.0"?>
<oc:filter-files  xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">
         <oc:filter-rules>
                 <oc:favorite>1</oc:favorite>
         </oc:filter-rules>
 </oc:filter-files>"""


def mark(dav, path: str, *tags: str, favorite: bool = False):
    value = "".join(f"<tag>{tag}</tag>" for tag in tags)
    props = f'<tags xmlns="{OC}">{value}</tags><favorite xmlns="{OC}">{int(favorite)}</favorite>'
    assert b"200 OK" in dav.proppatch(path, set_prop(props)).content


@pytest.fixture
def tree(dav):
    """Favourites: a, d/, d/e/f x, other/g. Tagged red: a, d/e/f x; blue: a."""
    for folder in ("d", "d/e", "other"):
        dav.folder(folder)
    for file in ("a", "b", "d/c", "d/e/f%20x", "other/g"):
        dav.make(file, b"12345")
    mark(dav, "a", "red", "blue", favorite=True)
    mark(dav, "d", favorite=True)
    mark(dav, "d/e/f%20x", "red", favorite=True)
    mark(dav, "other/g", favorite=True)
    return dav


def hrefs(answer) -> set[str]:
    assert answer.status_code == 207, answer.text
    found = Multistatus(answer.content).hrefs
    assert len(set(found)) == len(found)
    return set(found)


def test_the_example_of_the_documentation(account, tree):
    client = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    found = hrefs(client.report("", SPEC))
    assert found == {client.mount + path for path in ("a", "d/", "d/e/f%20x", "other/g")}


def test_only_what_is_below_the_folder(tree):
    assert hrefs(tree.report("d/", filter_files(FAVORITE))) == {"/dav/d/e/f%20x"}
    assert hrefs(tree.report("other", filter_files(FAVORITE))) == {"/dav/other/g"}
    assert hrefs(tree.report("d/e", filter_files("<oc:systemtag>red</oc:systemtag>"))) == {"/dav/d/e/f%20x"}


def test_all_rules_must_hold(tree):
    red = "<oc:systemtag>red</oc:systemtag>"
    assert hrefs(tree.report("", filter_files(red))) == {"/dav/a", "/dav/d/e/f%20x"}
    assert hrefs(tree.report("", filter_files(f"{red}<oc:tag>blue</oc:tag>"))) == {"/dav/a"}
    assert hrefs(tree.report("", filter_files(f"{red}{red}{FAVORITE}"))) == {"/dav/a", "/dav/d/e/f%20x"}
    assert hrefs(tree.report("", filter_files("<oc:systemtag>green</oc:systemtag>"))) == set()


def test_properties_are_told_as_in_propfind(tree):
    props = "<d:getetag/><d:getcontentlength/><oc:favorite/><oc:tags/><oc:size/><d:nothing/><oc:checksums/>"
    found = Multistatus(tree.report("", filter_files(FAVORITE, props)).content)
    file, folder = found.at("/dav/d/e/f%20x"), found.at("/dav/d/")
    assert file.text("getetag") == tree.stat("d/e/f%20x").text("getetag")
    assert file.text("getcontentlength") == "5" and folder.text("size", f"{{{OC}}}") == "10"
    assert file.has("checksums", f"{{{OC}}}") and DAV + "nothing" in file.props[404]
    assert [tag.text for tag in file.prop("tags", f"{{{OC}}}")] == ["red"]
    assert DAV + "getcontentlength" in folder.props[404]


def test_locks_on_the_way_are_told(tree):
    token = tree.locked("d", depth="infinity")
    own = tree.locked("other", depth="0")
    found = Multistatus(tree.report("", filter_files(FAVORITE, "<d:lockdiscovery/><nc:lock/>")).content)
    file = found.at("/dav/d/e/f%20x")
    assert file.prop("lockdiscovery").findtext(f".//{DAV}locktoken/{DAV}href") == token
    assert file.prop("lockdiscovery").findtext(f".//{DAV}lockroot/{DAV}href") == "/dav/d/"
    assert found.at("/dav/d/").text("lock", "{http://nextcloud.org/ns}") == "1"
    assert len(found.at("/dav/other/g").prop("lockdiscovery")) == 0
    below = Multistatus(tree.report("d/e", filter_files(FAVORITE, "<d:lockdiscovery/>")).content)
    assert below.at("/dav/d/e/f%20x").prop("lockdiscovery").findtext(f".//{DAV}locktoken/{DAV}href") == token
    tree.unlock("other", own)


def test_limit_and_first_result(tree):
    def page(bounds: str) -> list[str]:
        answer = tree.report("", filter_files(FAVORITE, bounds=f"<d:limit>{bounds}</d:limit>"))
        return Multistatus(answer.content).hrefs

    everything = page("")
    assert len(everything) == 4
    assert page("<d:nresults>2</d:nresults>") == everything[:2]
    assert page("<d:nresults>2</d:nresults><nc:firstresult>2</nc:firstresult>") == everything[2:]
    assert page("<nc:firstresult>9</nc:firstresult>") == []
    for bad in ("<d:nresults>many</d:nresults>", "<nc:firstresult>-1</nc:firstresult>"):
        assert tree.report("", filter_files(FAVORITE, bounds=f"<d:limit>{bad}</d:limit>")).status_code == 400


def test_what_goes_is_reported_no_longer(tree):
    tree.delete("other")
    tree.move("d/e", "e")
    mark(tree, "a")
    assert hrefs(tree.report("", filter_files(FAVORITE))) == {"/dav/d/", "/dav/e/f%20x"}


def test_the_favourites_of_others_are_theirs(server, tree):
    assert hrefs(server.account().dav().report("", filter_files(FAVORITE))) == set()


def test_a_confined_token_sees_its_folder(account, tree):
    folder = next(folder for folder in account.rest().get("folders").json()["folders"] if folder["name"] == "d")
    confined = account.dav(account.token("read", "write", folder=folder["id"]))
    assert hrefs(confined.report("", filter_files(FAVORITE))) == {"/dav/e/f%20x"}


@pytest.mark.parametrize(
    "body",
    [
        '<oc:search-files xmlns:oc="http://owncloud.org/ns"/>',
        '<d:expand-property xmlns:d="DAV:"/>',
        '<d:version-tree xmlns:d="DAV:"/>',
        '<filter-files xmlns="DAV:"/>',
    ],
)
def test_an_unknown_report_is_refused_by_its_precondition(tree, body):
    answer = tree.report("", body)
    assert answer.status_code in (403, 501)
    assert condition(answer)[0] == "supported-report"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<",
        filter_files(""),
        filter_files("<oc:favorite>0</oc:favorite>"),
        filter_files("<oc:systemtag/>"),
        filter_files("<oc:circle>1</oc:circle>"),
        filter_files("".join(f"<oc:tag>{number}</oc:tag>" for number in range(17))),
        '<oc:filter-files xmlns:oc="http://owncloud.org/ns"/>',
    ],
)
def test_a_senseless_report_is_400(tree, body):
    assert tree.report("", body).status_code == 400


def test_nothing_is_below_a_file_or_what_is_missing(account, tree):
    assert hrefs(tree.report("a", filter_files(FAVORITE))) == set()
    assert tree.report("missing", filter_files(FAVORITE)).status_code == 404
    assert account.dav("ocl_wrong").report("", filter_files(FAVORITE)).status_code == 401


def test_folders_tell_which_reports_there_are(tree):
    reports = tree.stat("", "<d:supported-report-set/>").prop("supported-report-set")
    names = [report.tag for report in reports.findall(f"{DAV}supported-report/{DAV}report/*")]
    assert names == [f"{{{OC}}}filter-files"]
    assert DAV + "supported-report-set" in tree.stat("a", "<d:supported-report-set/>").props[404]

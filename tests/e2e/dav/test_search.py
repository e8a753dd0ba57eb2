"""SEARCH (RFC 5323), as Nextcloud documents it."""

import pytest

from support.dav import condition, search_body, set_prop
from support.multistatus import DAV, Multistatus

OC = "{http://owncloud.org/ns}"
SPEC = """<?xml version="1.0" encoding="UTF-8"?>
 <d:searchrequest xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
     <d:basicsearch>
         <d:select><d:prop><oc:fileid/><d:displayname/><d:getcontenttype/><d:getetag/><oc:size/></d:prop></d:select>
         <d:from><d:scope><d:href>/files/{login}</d:href><d:depth>infinity</d:depth></d:scope></d:from>
         <d:where><d:like><d:prop><d:getcontenttype/></d:prop><d:literal>text/%</d:literal></d:like></d:where>
         <d:orderby/>
    </d:basicsearch>
</d:searchrequest>"""


def compare(operator: str, prop: str, literal: str) -> str:
    return f"<d:{operator}><d:prop><{prop}/></d:prop><d:literal>{literal}</d:literal></d:{operator}>"


def like(name: str) -> str:
    return compare("like", "d:displayname", name)


def both(*conditions: str) -> str:
    return f"<d:and>{''.join(conditions)}</d:and>"


@pytest.fixture
def tree(dav):
    """Files of 1 to 5 bytes, the last modification a day apart; Отчёт.txt and 50% off_er.png have odd names."""
    for folder in ("d", "d/Reports", "other"):
        dav.folder(folder)
    files = ["report.txt", "d/Report%202.TXT", "d/Reports/%D0%9E%D1%82%D1%87%D1%91%D1%82.txt", "d/cat.jpg"]
    for number, path in enumerate([*files, "other/50%25%20off_er.png"], start=1):
        answer = dav.put(path, content=b"x" * number, headers={"X-OC-Mtime": str(1_600_000_000 + number * 86_400)})
        assert answer.status_code == 201
    favorite = '<favorite xmlns="http://owncloud.org/ns">1</favorite>'
    for path in ("report.txt", "d/Reports", "d/cat.jpg"):
        dav.proppatch(path, set_prop(favorite))
    return dav


NAMES = {
    "/dav/report.txt": "report",
    "/dav/d/": "d",
    "/dav/d/Report%202.TXT": "Report 2",
    "/dav/d/Reports/": "Reports",
    "/dav/d/Reports/%D0%9E%D1%82%D1%87%D1%91%D1%82.txt": "отчёт",
    "/dav/d/cat.jpg": "cat",
    "/dav/other/": "other",
    "/dav/other/50%25%20off_er.png": "50%",
}


def found(dav, where: str, scope: str | None = None, **kw) -> list[str]:
    """What was found, in the order of the answer."""
    answer = dav.search("", search_body(where, scope, **kw))
    assert answer.status_code == 207, f"{answer.status_code} {answer.text}"
    return [NAMES[href] for href in Multistatus(answer.content).hrefs]


def test_the_example_of_the_documentation(account, tree):
    client = account.dav(mount="/remote.php/dav/")
    headers = {"Content-Type": "text/xml"}
    answer = client.request("SEARCH", "", content=SPEC.format(login=account.login), headers=headers)
    assert answer.status_code == 207, answer.text
    files = Multistatus(answer.content)
    mount = f"/remote.php/dav/files/{account.login}/"
    assert sorted(files.hrefs) == sorted(mount + href.removeprefix("/dav/") for href in NAMES if "xt" in href.lower())
    for file in files:
        assert file.text("getcontenttype") == "text/plain" and int(file.text("fileid", OC)) > 0


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (like("%report%"), {"report", "Report 2", "Reports"}),
        (like("report%"), {"report", "Report 2", "Reports"}),
        (like("%.txt"), {"report", "Report 2", "отчёт"}),
        (like("%ОТЧЁТ%"), {"отчёт"}),
        (like("%50\\% off\\_er%"), {"50%"}),
        (like("r_port.t%t"), {"report"}),
        (like("%"), set(NAMES.values())),
        ("", set(NAMES.values())),
        (like("nothing"), set()),
        (like("%" + "x" * 300 + "%"), set()),
        (like("%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%b"), set()),
        (like("%' OR 1=1 --%"), set()),
        (compare("eq", "d:displayname", "REPORT.txt"), {"report"}),
        (compare("eq", "d:displayname", "%"), set()),
        (both(compare("gt", "oc:size", "1"), compare("lt", "oc:size", "4")), {"Report 2", "отчёт", "Reports"}),
        (both("<d:not><d:is-collection/></d:not>", compare("gte", "oc:size", "4")), {"cat", "50%"}),
        (compare("eq", "oc:size", "1"), {"report"}),
        (compare("lte", "d:getlastmodified", "1600172800"), {"report", "Report 2"}),
        (compare("lt", "d:getlastmodified", "2020-09-15T12:26:40+00:00"), {"report"}),
        (compare("eq", "d:getlastmodified", "Mon, 14 Sep 2020 12:26:40 GMT"), {"report"}),
        (compare("like", "d:getcontenttype", "image/%"), {"cat", "50%"}),
        (compare("eq", "d:getcontenttype", "image/png"), {"50%"}),
        (compare("eq", "d:getcontenttype", "httpd/unix-directory"), {"d", "Reports", "other"}),
        ("<d:is-collection/>", {"d", "Reports", "other"}),
        (compare("eq", "oc:favorite", "1"), {"report", "Reports", "cat"}),
        (both(compare("eq", "oc:favorite", "yes"), "<d:is-collection/>"), {"Reports"}),
        (both(compare("eq", "oc:favorite", "0"), "<d:is-collection/>"), {"d", "other"}),
        (f"<d:or>{like('cat%')}{compare('eq', 'oc:size', '5')}</d:or>", {"cat", "50%", "other"}),
    ],
)
def test_what_is_found(tree, where, expected):
    assert set(found(tree, where)) == expected


def test_a_type_that_was_declared_counts(tree):
    tree.put("odd.txt", content=b"", headers={"Content-Type": "image/x-odd; a=b"})
    answer = tree.search("", search_body(compare("like", "d:getcontenttype", "image/x-%"), None))
    assert Multistatus(answer.content).hrefs == ["/dav/odd.txt"]


def test_a_file_is_found_by_its_number(account, tree):
    number = tree.stat("d/cat.jpg", '<fileid xmlns="http://owncloud.org/ns"/>').text("fileid", OC)
    where = compare("eq", "oc:fileid", number)
    assert found(tree, where) == ["cat"]
    assert found(tree, where, "/dav/other") == []
    for wrong in ("0", "-1", "99999999999999999"):
        assert found(tree, compare("eq", "oc:fileid", wrong)) == []


@pytest.mark.parametrize("where", [like("%t%"), compare("eq", "oc:favorite", "1")])
def test_only_below_the_scope(account, server, tree, where):
    below = {"отчёт", "Report 2", "Reports", "cat"} if "displayname" in where else {"Reports", "cat"}
    for scope in ("/dav/d", "/dav/d/", f"{server.url}/dav/d", f"/files/{account.login}/d", "/webdav/d"):
        answer = tree.search("", search_body(where, scope))
        assert {href.split("/d/", 1)[1] for href in Multistatus(answer.content).hrefs} == {
            href.split("/d/", 1)[1] for href, name in NAMES.items() if name in below
        }
    client = account.dav(mount=f"/remote.php/dav/files/{account.login}/")
    deep = client.search("d/Reports", search_body(like("%"), None))
    assert len(Multistatus(deep.content)) == 1


def test_depth_1_is_the_folder_itself(tree):
    assert set(found(tree, like("%"), depth="1")) == {"report", "d", "other"}
    assert set(found(tree, compare("eq", "oc:favorite", "1"), depth="1")) == {"report"}


def test_order_limit_and_first_result(tree):
    def order(prop: str, direction: str) -> str:
        return f"<d:orderby><d:order><d:prop><{prop}/></d:prop><d:{direction}/></d:order></d:orderby>"

    files = "<d:not><d:is-collection/></d:not>"
    ascending = found(tree, files, more=order("oc:size", "ascending"))
    assert ascending == ["report", "Report 2", "отчёт", "cat", "50%"]
    assert found(tree, files, more=order("d:getlastmodified", "descending")) == ascending[::-1]
    assert found(tree, files, more=order("d:displayname", "ascending"))[0] == "50%"
    first = '<f:firstresult xmlns:f="https://github.com/icewind1991/SearchDAV/ns">2</f:firstresult>'
    limit = f"<d:limit><d:nresults>2</d:nresults>{first}</d:limit>"
    assert found(tree, files, more=order("oc:size", "ascending") + limit) == ascending[2:4]
    assert found(tree, files, more="<d:limit><d:nresults>0</d:nresults></d:limit>") == []


def test_properties_and_locks_are_told(tree):
    token = tree.locked("d", depth="infinity")
    select = "<d:getetag/><d:lockdiscovery/><oc:size/><d:nothing/><oc:favorite/>"
    [cat] = Multistatus(tree.search("", search_body(like("cat%"), None, select)).content)
    assert cat.text("getetag") == tree.stat("d/cat.jpg").text("getetag") and cat.text("favorite", OC) == "1"
    assert cat.prop("lockdiscovery").findtext(f".//{DAV}locktoken/{DAV}href") == token
    assert DAV + "nothing" in cat.props[404]


@pytest.mark.parametrize("scope", ["/files/nobody", "/remote.php/dav/files/nobody/", "/dav/missing"])
def test_a_scope_that_is_not_there(tree, scope):
    assert tree.search("", search_body(like("%"), scope)).status_code == 404


@pytest.mark.parametrize("scope", ["/elsewhere", "http://other.example/dav/", "/", "/principals/users/me"])
def test_a_scope_that_is_no_folder_of_the_drive(account, tree, scope):
    answer = account.dav(mount="/remote.php/dav/").search("", search_body(like("%"), scope))
    assert answer.status_code == 409
    assert condition(answer)[0] == "search-scope-valid"


@pytest.mark.parametrize(
    ("where", "status"),
    [
        (compare("eq", "oc:size", "many"), 400),
        (compare("gt", "d:getlastmodified", "soon"), 400),
        (compare("eq", "oc:favorite", "perhaps"), 400),
        ("<d:eq/>", 400),
        ("<d:not/>", 400),
        (compare("like", "oc:size", "1%"), 422),
        (compare("eq", "d:getetag", "x"), 422),
        (compare("contains", "d:displayname", "x"), 422),
        (like("x" * 60 + "%x"), 422),
        (like("x\\"), 422),
        ("<d:not>" * 9 + "<d:is-collection/>" + "</d:not>" * 9, 422),
        ("<d:or>" + "<d:is-collection/>" * 40 + "</d:or>", 422),
    ],
)
def test_what_cannot_be_asked(tree, where, status):
    assert tree.search("", search_body(where, None)).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<",
        "<d:basicsearch xmlns:d='DAV:'/>",
        "<d:searchrequest xmlns:d='DAV:'><d:basicsearch/></d:searchrequest>",
    ],
)
def test_a_body_that_is_no_query(tree, body):
    assert tree.search("", body).status_code == 400


def test_the_worst_query_that_is_taken(tree):
    """As many conditions, letters and levels as there may be: within the limits of the database."""
    letters = "".join(chr(code) for code in range(0x430, 0x450))
    condition = both(*[compare("eq", "d:displayname", letters + str(number)) for number in range(14)])
    types = both(*[compare("like", "d:getcontenttype", f"%{letters}x{number}") for number in range(14)])
    assert found(tree, f"<d:not><d:or>{condition}{types}</d:or></d:not>")


def test_the_drive_of_others_stays_theirs(server, tree):
    assert Multistatus(server.account().dav().search("", search_body(like("%"), None)).content) == []


def test_above_the_mounts_there_is_only_search(account):
    root = account.dav(mount="/remote.php/dav/")
    assert root.request("OPTIONS", "").headers["dasl"] == "<DAV:basicsearch>"
    assert root.put("", content=b"x").status_code == 405
    assert account.dav("ocl_wrong", mount="/remote.php/dav/").search("", search_body("", None)).status_code == 401


def test_folders_tell_which_grammars_there_are(tree):
    grammars = tree.stat("", "<d:supported-query-grammar-set/>").prop("supported-query-grammar-set")
    assert grammars.find(f".//{DAV}grammar/{DAV}basicsearch") is not None

"""/api/v1/folders"""

import re

import pytest

from support.rest import assert_error

FIELDS = {"id", "name", "parentId", "isZeroKnowledge", "isPublic", "createdAt"}


def core(folder: dict) -> dict:
    """What does not change with what is in the folder."""
    return {name: folder[name] for name in FIELDS}


def listed(rest, **params):
    answer = rest.get("folders", params=params)
    assert answer.status_code == 200
    return answer.json()["folders"]


def test_create_and_get(rest):
    answer = rest.post("folders", json={"name": "Отчёты 🦀", "parentId": None})
    assert answer.status_code == 201
    folder = answer.json()["folder"]
    assert FIELDS <= set(folder)
    assert folder["name"] == "Отчёты 🦀" and folder["parentId"] is None
    assert folder["isZeroKnowledge"] is False and folder["isPublic"] is False
    assert isinstance(folder["id"], str)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", folder["createdAt"])
    assert rest.get(f"folders/{folder['id']}").json()["folder"] == folder
    assert listed(rest) == [folder]


def test_the_parent_is_the_root_without_one(rest):
    assert rest.post("folders", json={"name": "d"}).json()["folder"]["parentId"] is None


def test_all_folders_are_listed_and_can_be_filtered(rest):
    a = rest.mkdir("a")
    b = rest.mkdir("b", a["id"])
    c = rest.mkdir("c", b["id"])
    rest.upload("file", b"x", a["id"])
    assert {folder["id"]: folder["parentId"] for folder in listed(rest)} == {
        a["id"]: None,
        b["id"]: a["id"],
        c["id"]: b["id"],
    }
    assert [folder["id"] for folder in listed(rest, parentId=a["id"])] == [b["id"]]
    assert listed(rest, parentId=c["id"]) == []


def test_webdav_sees_the_same(rest, dav):
    a = rest.mkdir("a")
    rest.mkdir("b", a["id"])
    assert dav.names("a/") == {"b/"}
    dav.folder("c")
    assert {folder["name"] for folder in listed(rest)} == {"a", "b", "c"}


def test_pages(rest):
    made = {rest.mkdir(f"d{number}")["id"] for number in range(7)}
    seen, answer = [], rest.get("folders", params={"limit": 3})
    for _ in range(10):
        assert answer.status_code == 200
        page = answer.json()
        assert len(page["folders"]) <= 3
        seen += [folder["id"] for folder in page["folders"]]
        if not page.get("nextCursor"):
            assert 'rel="next"' not in answer.headers.get("link", "")
            break
        link = re.search(r'<([^>]+)>;\s*rel="?next"?', answer.headers["link"])[1]
        by_link = rest.get(answer.url.join(link))
        answer = rest.get("folders", params={"limit": 3, "cursor": page["nextCursor"]})
        assert by_link.json() == answer.json()
    assert len(seen) == 7 and set(seen) == made


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"cursor": "%%%"}, {"cursor": "x" * 3000}]
)
def test_a_bad_page_is_refused(rest, params):
    answer = rest.get("folders", params=params)
    assert answer.status_code in (400, 422)
    assert_error(answer, answer.status_code)


def test_a_huge_limit_is_bounded_or_refused(rest):
    assert rest.get("folders", params={"limit": 10**12}).status_code in (200, 400, 422)


def test_a_taken_name_is_409(rest):
    rest.mkdir("d")
    rest.upload("f", b"x")
    assert_error(rest.post("folders", json={"name": "d"}), 409)
    assert_error(rest.post("folders", json={"name": "f"}), 409)


BAD_NAMES = ["", ".", "..", "a/b", "/", "a\u0000b", "a" * 256, "й" * 128]


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_a_bad_name_is_400(rest, name):
    folder = rest.mkdir("d")
    assert_error(rest.post("folders", json={"name": name}), 400)
    assert_error(rest.patch(f"folders/{folder['id']}", json={"name": name}), 400)
    assert [folder["name"] for folder in listed(rest)] == ["d"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"name":"\xff"}', b'{"name":"\\ud800"}', b"[" * 50_000])
def test_broken_json_is_400(rest, body):
    assert_error(rest.post("folders", content=body, headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "d",
        {"name": 1},
        {"name": None},
        {"name": ["d"]},
        {"name": "d", "parentId": 1.5},
        {"name": "d", "parentId": {}},
    ],
)
def test_json_of_another_shape_is_422(rest, body):
    assert_error(rest.post("folders", json=body), 422)
    assert listed(rest) == []


@pytest.mark.parametrize(
    "id", ["0", "999999999", "-1", "abc", "1.5", "99999999999999999999999", "%00", "%ff", "1e3", "01", "+1"]
)
def test_unknown_ids_are_404(rest, id):
    for method in ("GET", "PATCH", "DELETE"):
        assert_error(
            rest.request(method, f"folders/{id}", **({"json": {"name": "x"}} if method == "PATCH" else {})), 404
        )
    if "%" not in id:
        assert_error(rest.post("folders", json={"name": "d", "parentId": id}), 404)


def test_a_file_is_no_folder(rest):
    file = rest.upload("f", b"x")
    assert_error(rest.get(f"folders/{file['id']}"), 404)
    assert_error(rest.delete(f"folders/{file['id']}"), 404)
    assert_error(rest.post("folders", json={"name": "d", "parentId": file["id"]}), 404)


def test_rename_and_move(rest, dav):
    a, b = rest.mkdir("a"), rest.mkdir("b")
    rest.upload("f", b"f", a["id"])
    renamed = rest.patch(f"folders/{a['id']}", json={"name": "a2"})
    assert renamed.status_code == 200 and core(renamed.json()["folder"]) == {**core(a), "name": "a2"}
    moved = rest.patch(f"folders/{a['id']}", json={"parentId": b["id"]})
    assert core(moved.json()["folder"]) == {**core(a), "name": "a2", "parentId": b["id"]}
    assert dav.get("b/a2/f").content == b"f"
    both = rest.patch(f"folders/{a['id']}", json={"name": "a", "parentId": None})
    assert core(both.json()["folder"]) == core(a)
    assert dav.get("a/f").content == b"f"
    assert rest.patch(f"folders/{a['id']}", json={"name": "a"}).status_code == 200, "its own name is free"


def test_rename_or_move_to_a_taken_name_is_409(rest):
    a, b = rest.mkdir("a"), rest.mkdir("b")
    rest.mkdir("a", b["id"])
    assert_error(rest.patch(f"folders/{a['id']}", json={"name": "b"}), 409)
    assert_error(rest.patch(f"folders/{a['id']}", json={"parentId": b["id"]}), 409)


def test_into_itself_is_403(rest):
    a = rest.mkdir("a")
    b = rest.mkdir("b", a["id"])
    for target in (a, b):
        assert_error(rest.patch(f"folders/{a['id']}", json={"parentId": target["id"]}), 403)
    assert core(rest.get(f"folders/{a['id']}").json()["folder"]) == core(a)


def test_delete_takes_everything_below(rest, dav):
    a = rest.mkdir("a")
    b = rest.mkdir("b", a["id"])
    file = rest.upload("f", b"x" * 100, b["id"])
    assert rest.delete(f"folders/{a['id']}").status_code == 204
    assert_error(rest.get(f"folders/{b['id']}"), 404)
    assert_error(rest.get(f"files/{file['id']}"), 404)
    assert_error(rest.delete(f"folders/{a['id']}"), 404)
    assert listed(rest) == [] and rest.used() == 100 and dav.names() == set()
    rest.empty_trash()
    assert rest.used() == 0


def test_folders_of_others_are_404(server, rest):
    other = server.account()
    foreign = other.rest().mkdir("d")
    assert_error(rest.get(f"folders/{foreign['id']}"), 404)
    assert_error(rest.patch(f"folders/{foreign['id']}", json={"name": "x"}), 404)
    assert_error(rest.delete(f"folders/{foreign['id']}"), 404)
    assert_error(rest.post("folders", json={"name": "x", "parentId": foreign["id"]}), 404)
    assert_error(rest.get("files", params={"folderId": foreign["id"]}), 404)
    mine = rest.mkdir("mine")
    assert_error(rest.patch(f"folders/{mine['id']}", json={"parentId": foreign["id"]}), 404)
    other.close()


def test_a_confined_token_lists_and_changes_its_folder_only(account, rest):
    inside = rest.mkdir("inside")
    below = rest.mkdir("below", inside["id"])
    outside = rest.mkdir("outside")
    confined = account.rest(account.token("read", "write", folder=inside["id"]))
    ids = {folder["id"] for folder in listed(confined)}
    assert below["id"] in ids and outside["id"] not in ids
    assert confined.post("folders", json={"name": "new", "parentId": below["id"]}).status_code == 201
    assert_error(confined.get(f"folders/{outside['id']}"), 403)
    assert_error(confined.post("folders", json={"name": "new", "parentId": outside["id"]}), 403)
    assert_error(confined.patch(f"folders/{outside['id']}", json={"name": "x"}), 403)
    assert_error(confined.delete(f"folders/{outside['id']}"), 403)
    assert_error(confined.patch(f"folders/{below['id']}", json={"parentId": outside["id"]}), 403)
    assert_error(confined.get("files", params={"folderId": outside["id"]}), 403)
    assert confined.delete(f"folders/{inside['id']}").status_code == 403
    assert confined.patch(f"folders/{inside['id']}", json={"name": "x"}).status_code == 403
    assert core(rest.get(f"folders/{inside['id']}").json()["folder"]) == core(inside)


def test_a_confined_token_never_makes_a_folder_in_the_root(account, rest):
    inside = rest.mkdir("inside")
    confined = account.rest(account.token("read", "write", folder=inside["id"]))
    for body in ({"name": "one"}, {"name": "two", "parentId": None}):
        answer = confined.post("folders", json=body)
        assert answer.status_code in (201, 403)
    assert [folder["name"] for folder in listed(rest) if folder["parentId"] is None] == ["inside"]

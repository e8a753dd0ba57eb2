"""/api/v1/webhooks: who may do what, what is refused, and what is never shown."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.hooks import EVENTS
from support.rest import Rest, assert_error
from support.state import drive_database

URL = "https://hooks.example.com/in"
FIELDS = {"id", "url", "events", "folderId", "enabled", "failingSince", "disabledReason", "createdAt"}


def create(rest, **fields):
    return rest.post("webhooks", json={"url": URL, **fields})


def made(rest, **fields) -> dict:
    answer = create(rest, **fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["webhook"]


def listed(rest) -> list[dict]:
    answer = rest.get("webhooks")
    assert answer.status_code == 200, answer.text
    return answer.json()["webhooks"]


def test_create_get_list_change_delete(rest):
    answer = create(rest)
    assert answer.status_code == 201
    hook = answer.json()["webhook"]
    assert set(answer.json()) == {"webhook", "secret"} and set(hook) == FIELDS
    assert isinstance(hook["id"], str) and hook["url"] == URL and hook["events"] == ["file.created"]
    assert hook["folderId"] is None and hook["enabled"] is True
    assert hook["failingSince"] is None and hook["disabledReason"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", hook["createdAt"])
    assert rest.get(f"webhooks/{hook['id']}").json() == {"webhook": hook}
    other = made(rest, events=EVENTS)
    assert other["events"] == EVENTS
    assert sorted(listed(rest), key=lambda one: one["id"]) == sorted([hook, other], key=lambda one: one["id"])
    folder = rest.mkdir("d")["id"]
    changes = {"url": "http://hooks.example.org/?x", "events": ["file.deleted"], "folderId": folder, "enabled": False}
    changed = rest.patch(f"webhooks/{hook['id']}", json=changes)
    assert changed.status_code == 200 and changed.json()["webhook"] == {**hook, **changes}
    assert rest.get(f"webhooks/{hook['id']}").json()["webhook"] == {**hook, **changes}
    assert rest.delete(f"webhooks/{hook['id']}").status_code == 204
    assert_error(rest.get(f"webhooks/{hook['id']}"), 404)
    assert_error(rest.delete(f"webhooks/{hook['id']}"), 404)
    assert listed(rest) == [other]


@pytest.mark.parametrize(
    "change",
    [{}, {"url": "https://other.example.com/"}, {"events": EVENTS}, {"enabled": False}, {"secret": "another-secret"}],
    ids=str,
)
def test_a_change_leaves_what_it_does_not_name(rest, change):
    hook = made(rest, folderId=rest.mkdir("d")["id"], events=["file.moved", "file.updated"])
    answer = rest.patch(f"webhooks/{hook['id']}", json=change)
    expected = {**hook, **{name: value for name, value in change.items() if name != "secret"}}
    assert answer.status_code == 200 and answer.json()["webhook"] == expected


def test_the_order_and_the_repetition_of_events_do_not_matter(rest):
    hook = made(rest, events=["file.deleted", "file.created", "file.deleted"])
    assert sorted(hook["events"]) == ["file.created", "file.deleted"]


def test_a_folder_can_be_taken_back(rest):
    hook = made(rest, folderId=rest.mkdir("d")["id"])
    assert rest.patch(f"webhooks/{hook['id']}", json={"folderId": None}).json()["webhook"]["folderId"] is None
    assert made(rest, folderId=None)["folderId"] is None


def test_a_secret_is_shown_once(rest, account):
    for secret in (None, "chosen-by-a-person"):
        answer = create(rest, **({"secret": secret} if secret else {}))
        shown = answer.json()["secret"]
        assert shown == secret or (secret is None and re.fullmatch(r"whsec_[A-Za-z0-9+/]{32,}={0,2}", shown))
        id = answer.json()["webhook"]["id"]
        later = [rest.get("webhooks"), rest.get(f"webhooks/{id}"), rest.get(f"webhooks/{id}/deliveries")]
        later += [
            rest.patch(f"webhooks/{id}", json={"enabled": True}),
            rest.patch(f"webhooks/{id}", json={"secret": shown}),
        ]
        for answer in later:
            assert answer.status_code == 200
            assert shown not in answer.text and "secret" not in answer.text


def test_a_secret_is_sealed_at_rest(rest):
    database = drive_database()
    generated = create(rest).json()["secret"]
    create(rest, secret="chosen-by-a-person-1")
    id = made(rest)["id"]
    rest.patch(f"webhooks/{id}", json={"secret": "chosen-by-a-person-2"})
    files = [file for file in database.parent.glob(f"{database.name}*") if file.is_file()]
    bytes_ = b"".join(file.read_bytes() for file in files)
    assert b"hooks.example.com" in bytes_, "this is where they are"
    for secret in (generated, generated.removeprefix("whsec_"), "chosen-by-a-person"):
        assert secret.encode() not in bytes_


def requests_to(id: str, delivery: str = "1") -> list[tuple[str, str, dict | None]]:
    """Every request that there is for a hook."""
    return [
        ("GET", f"webhooks/{id}", None),
        ("PATCH", f"webhooks/{id}", {"enabled": False}),
        ("POST", f"webhooks/{id}/test", None),
        ("GET", f"webhooks/{id}/deliveries", None),
        ("POST", f"webhooks/{id}/deliveries/{delivery}/redeliver", None),
        ("DELETE", f"webhooks/{id}", None),
    ]


def all_requests(id: str) -> list[tuple[str, str, dict | None]]:
    return [("GET", "webhooks", None), ("POST", "webhooks", {"url": URL}), *requests_to(id)]


@pytest.mark.parametrize("scopes", [("read",), ("write",), ("read", "write"), ("manage",), ("write", "manage")], ids=" ".join)
def test_the_scopes_read_and_manage_are_needed(account, rest, scopes):
    hook = made(rest)
    client = account.rest(account.token(*scopes))
    for method, path, body in all_requests(hook["id"]):
        assert_error(client.request(method, path, json=body), 403)
    assert listed(rest) == [hook]


def test_write_is_not_needed(account):
    client = account.rest(account.token("read", "manage"))
    hook = made(client)
    assert listed(client) == [hook]
    assert client.delete(f"webhooks/{hook['id']}").status_code == 204


def test_a_confined_token_may_not_manage_hooks(account, rest):
    folder = rest.mkdir("d")["id"]
    hook = made(rest, folderId=folder)
    confined = account.rest(account.token(folder=folder))
    for method, path, body in all_requests(hook["id"]):
        assert_error(confined.request(method, path, json=body), 403)
    assert_error(create(confined, folderId=folder), 403)
    assert listed(rest) == [hook]


@pytest.mark.parametrize("token", [None, "ocl_wrong", "ocl_1_wrong"])
def test_nobody_without_a_token(server, rest, token):
    hook = made(rest)
    with Rest(server.url, token) as stranger:
        for method, path, body in all_requests(hook["id"]):
            assert_error(stranger.request(method, path, json=body), 401)
    assert listed(rest) == [hook]


def test_the_hooks_of_others_are_404(server, rest):
    hook = made(rest)
    other = server.account()
    stranger = other.rest()
    # Numbers may be given by drive: its own hook of the same number must not be what is tested.
    own = {made(stranger)["id"] for _ in range(2)} - {hook["id"]}
    for method, path, body in requests_to(hook["id"]):
        if hook["id"] not in {one["id"] for one in listed(stranger)}:
            assert_error(stranger.request(method, path, json=body), 404)
    assert own <= {one["id"] for one in listed(stranger)}
    assert listed(rest) == [hook]
    folder = rest.mkdir("d")["id"]
    assert_error(create(stranger, folderId=folder), 404)
    other.close()


def test_an_unknown_delivery_is_404(rest, hook):
    one, other = hook("/one"), hook("/other")
    one.test()
    [delivery] = one.wait_for_deliveries(lambda log: len(log) == 1)
    for id in ("0", "999999999", "-1", "abc", "9223372036854775807", "99999999999999999999", "%00"):
        assert_error(rest.post(f"webhooks/{one.id}/deliveries/{id}/redeliver"), 404)
    assert_error(rest.post(f"webhooks/{other.id}/deliveries/{delivery['id']}/redeliver"), 404)


@pytest.mark.parametrize(
    "id",
    ["0", "999999999", "-1", "abc", "1.5", "9223372036854775807", "99999999999999999999", "%00", "%ff", "01", "+1"],
)
def test_unknown_ids_are_404(rest, id):
    for method, path, body in requests_to(id):
        assert_error(rest.request(method, path, json=body), 404)


def test_an_unknown_folder_is_404(rest):
    file = rest.upload("f", b"x")
    hook = made(rest)
    for id in ("0", "999999999", "-1", "abc", "99999999999999999999", "", file["id"]):
        assert_error(create(rest, folderId=id), 404)
        assert_error(rest.patch(f"webhooks/{hook['id']}", json={"folderId": id}), 404)
    assert listed(rest) == [hook]


@pytest.mark.parametrize(
    "events",
    [
        ["file.read"],
        ["FILE.CREATED"],
        ["file.created", ""],
        [" file.created"],
        ["webhook.test"],
        ["*"],
        ["file.created\u0000"],
    ],
    ids=repr,
)
def test_an_unknown_event_is_400(rest, events):
    hook = made(rest)
    assert_error(create(rest, events=events), 400)
    assert_error(rest.patch(f"webhooks/{hook['id']}", json={"events": events}), 400)
    assert listed(rest) == [hook]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com/",
        "http://",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://127.0.0.1:6379/_x",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com/#fragment",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http:\\\\example.com",
        "http:example.com",
        "http:///example.com",
        " https://example.com/",
        "https://exam\tple.com/",
        "https://example.com/\r\nX-Injected: yes",
        "https://exam\u0000ple.com/",
        "https://%31%32%37.0.0.1/",
        "https://１２７.0.0.1/",
        "https://[::1/",
        "https://1.2.3.4.5/",
        "https://example.com/" + "a" * 2030,
        "https://" + "a" * 60_000,
    ],
    ids=lambda url: ascii(url[:40]),
)
def test_what_no_webhook_can_have_as_its_url_is_400(rest, url):
    """Wherever a webhook may point: private addresses are another table."""
    hook = made(rest)
    for answer in (create(rest, url=url), rest.patch(f"webhooks/{hook['id']}", json={"url": url})):
        assert_error(answer, 400)
        assert not url or url not in answer.json()["error"], "a URL may hold a secret"
    assert listed(rest) == [hook]


SHAPES = [
    [],
    "x",
    1,
    None,
    {"url": None},
    {"url": 1},
    {"url": ["https://example.com/"]},
    {"url": {"href": "https://example.com/"}},
    {"url": URL, "events": "file.created"},
    {"url": URL, "events": {"file.created": True}},
    {"url": URL, "events": [1]},
    {"url": URL, "events": [None]},
    {"url": URL, "events": [["file.created"]]},
    {"url": URL, "events": []},
    {"url": URL, "folderId": 1.5},
    {"url": URL, "folderId": {}},
    {"url": URL, "folderId": []},
    {"url": URL, "folderId": True},
    {"url": URL, "secret": 1},
    {"url": URL, "secret": ""},
    {"url": URL, "secret": ["s"]},
    {"url": URL, "secret": {"s": 1}},
]


@pytest.mark.parametrize("body", [*SHAPES, {}], ids=repr)
def test_json_of_another_shape_is_refused(rest, body):
    answer = rest.post("webhooks", json=body)
    assert_error(answer, 400 if answer.status_code == 400 else 422)
    assert listed(rest) == []


@pytest.mark.parametrize("body", [*SHAPES, {"enabled": "yes"}, {"enabled": 1}, {"enabled": []}], ids=repr)
def test_a_change_of_another_shape_changes_nothing(rest, body):
    hook = made(rest)
    answer = rest.patch(f"webhooks/{hook['id']}", json=body)
    # An absent or null field may count as one that is not named.
    if answer.status_code != 200 or body not in ({"url": None}, {"enabled": None}):
        assert_error(answer, 400 if answer.status_code == 400 else 422)
    assert listed(rest) == [hook]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"url":"\xff"}', b'{"url":"\\ud800"}', b"[" * 50_000, b'{"url":"https://a.example.com/"} x'],
    ids=range(7),
)
def test_broken_json_is_400(rest, body):
    hook = made(rest)
    for method, path in (("POST", "webhooks"), ("PATCH", f"webhooks/{hook['id']}")):
        assert_error(rest.request(method, path, content=body, headers={"Content-Type": "application/json"}), 400)
    assert listed(rest) == [hook]


def test_a_huge_body_is_413(rest):
    for fields in ({"secret": "s" * 100_000}, {"events": ["file.created"] * 10_000}):
        assert_error(create(rest, **fields), 413)
    assert listed(rest) == []


@pytest.mark.parametrize(
    "secret", ["'; DROP TABLE webhooks;--", "\u0000", "a\r\nb", "🦀" * 10, "s" * 10_000, " ", "\ufffe"], ids=repr
)
def test_an_odd_secret_is_taken_as_it_is_or_refused(rest, secret):
    answer = create(rest, secret=secret)
    if answer.status_code == 201:
        assert answer.json()["secret"] == secret
    else:
        assert_error(answer, 400 if answer.status_code == 400 else 422)
        assert listed(rest) == []


def test_many_events_of_the_same_name_are_one(rest):
    assert made(rest, events=["file.created"] * 1000)["events"] == ["file.created"]


def test_other_methods_are_405(rest):
    id = made(rest)["id"]
    for method, path, allow in [
        ("PUT", "webhooks", {"GET", "POST"}),
        ("DELETE", "webhooks", {"GET", "POST"}),
        ("POST", f"webhooks/{id}", {"GET", "PATCH", "DELETE"}),
        ("GET", f"webhooks/{id}/test", {"POST"}),
        ("POST", f"webhooks/{id}/deliveries", {"GET"}),
        ("GET", f"webhooks/{id}/deliveries/1/redeliver", {"POST"}),
    ]:
        answer = rest.request(method, path)
        assert_error(answer, 405)
        assert allow <= {name.strip() for name in answer.headers["allow"].split(",")}


@pytest.mark.parametrize(
    "params",
    [{"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"cursor": "%%%"}, {"cursor": "x" * 3000}, {"cursor": "LTE"}],
)
def test_a_bad_page_of_deliveries_is_refused(rest, params):
    answer = rest.get(f"webhooks/{made(rest)['id']}/deliveries", params=params)
    assert_error(answer, 400 if answer.status_code == 400 else 422)


def test_hooks_made_at_once_are_all_there(account, rest):
    clients = [account.rest() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: create(clients[number % 8], url=f"{URL}/{number}"), range(24)))
    assert {answer.status_code for answer in answers} == {201}
    assert {hook["url"] for hook in listed(rest)} == {f"{URL}/{number}" for number in range(24)}
    assert len({answer.json()["secret"] for answer in answers}) == 24


def test_a_hook_of_a_deleted_folder(rest, hook):
    """It hears of nothing any more; other hooks do."""
    folder = rest.mkdir("d")["id"]
    confined, other = hook("/confined", folderId=folder), hook("/other")
    assert rest.delete(f"folders/{folder}").status_code == 204
    rest.upload("f", b"x")
    other.wait(1)
    assert confined.events() == []
    answer = rest.get(f"webhooks/{confined.id}")
    assert answer.status_code in (200, 404)
    assert rest.get("webhooks").status_code == 200


def test_one_that_is_switched_off_is_told_nothing(rest):
    hook = made(rest, enabled=False)
    assert_error(rest.post(f"webhooks/{hook['id']}/test"), 409)

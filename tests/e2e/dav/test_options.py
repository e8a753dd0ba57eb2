"""OPTIONS, and methods that a resource does not take (RFC 4918, 10.1 and 18)."""

import base64

import httpx
import pytest

from support.raw import request

METHODS = {
    "OPTIONS",
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
}


def listed(answer, header):
    return {word.strip() for word in answer.headers.get(header, "").split(",")}


def test_the_root_announces_classes_1_2_and_3(dav):
    answer = dav.request("OPTIONS", "")
    assert answer.status_code in (200, 204)
    assert {"1", "2", "3"} <= listed(answer, "dav")
    assert answer.headers["ms-author-via"] == "DAV"
    assert METHODS - {"PUT"} <= listed(answer, "allow")
    assert "<DAV:basicsearch>" in listed(answer, "dasl")


def test_a_file_announces_put(dav):
    dav.make("a.txt")
    answer = dav.request("OPTIONS", "a.txt")
    assert answer.status_code in (200, 204)
    assert {"1", "2", "3"} <= listed(answer, "dav")
    assert METHODS - {"MKCOL"} <= listed(answer, "allow")


def test_an_empty_answer_is_not_compressed(dav, server):
    """Or libsoup 3.2 crashes, and with it GNOME's file manager, which also asks for the root."""
    headers = {"Accept-Encoding": "gzip, deflate"}
    answers = [dav.request(method, path, headers=headers) for method, path in [("OPTIONS", ""), ("MKCOL", "d"), ("PUT", "f")]]
    answers.append(httpx.request("PROPFIND", server.url + "/", headers=headers))
    assert [answer.status_code for answer in answers] == [200, 201, 201, 404]
    assert all(answer.content == b"" and "content-encoding" not in answer.headers for answer in answers)


@pytest.mark.parametrize("method", ["OPTIONS", "PROPFIND", "GET", "PUT", "LOCK"])
@pytest.mark.parametrize("credentials", [None, ("me", "ocl_wrong"), ("me", "")])
def test_without_a_token_there_is_a_challenge_and_options_still_shows_a_webdav_server(server, method, credentials):
    answer = httpx.request(method, server.url + "/dav/", auth=credentials)
    assert answer.status_code == 401
    if method == "OPTIONS":
        assert {"1", "2", "3"} <= listed(answer, "dav")
        assert answer.headers["ms-author-via"] == "DAV", "or Explorer gives up"
    assert any(value.lower().startswith("basic ") for value in answer.headers.get_list("www-authenticate"))
    assert 'charset="UTF-8"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "value", ["Basic", "Basic !!!", "Basic b2NsXw==", "Bearer", "Bearer ", "Digest x", "ocl_x", "Basic /////w=="]
)
def test_broken_credentials_are_401(server, value):
    answer = request(server.url, "PROPFIND", "/dav/", None, {"Authorization": value})
    assert answer.status == 401


def test_any_user_name_and_bearer_work(server, dav):
    for auth in (("", dav.token), ("someone@example.org", dav.token), ("имя", dav.token)):
        assert httpx.request("OPTIONS", server.url + "/dav/", auth=auth).status_code in (200, 204)
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} {dav.token}"}
        assert httpx.request("PROPFIND", server.url + "/dav/", headers={**headers, "Depth": "0"}).status_code == 207


@pytest.mark.parametrize(
    "user", [b"M\xfcller", b"B\xdcRO\\J\xf6rg", "Müller".encode(), "名".encode("utf-16"), b"\xff\xfe\x00"]
)
def test_a_user_name_in_any_charset_is_ignored(server, dav, user):
    """Explorer, GNOME and okhttp send Latin-1."""
    for token, status in ((dav.token, 207), (dav.token[:-1], 401), ("ocl_wrong", 401)):
        basic = base64.b64encode(user + b":" + token.encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Depth": "0"}
        assert httpx.request("PROPFIND", server.url + "/dav/", headers=headers).status_code == status


@pytest.mark.parametrize("path, takes", [("", True), ("d/", True), ("d", True), ("a.txt", False), ("missing", False)])
def test_a_folder_announces_tus(dav, path, takes):
    dav.make("a.txt")
    dav.folder("d")
    answer = dav.request("OPTIONS", path)
    assert answer.status_code == 200
    assert ("POST" in listed(answer, "allow")) == takes
    assert ("creation" in listed(answer, "tus-extension")) == takes
    assert (answer.headers.get("tus-version") == "1.0.0") == takes
    assert ("sha1" in listed(answer, "tus-checksum-algorithm")) == takes


@pytest.mark.parametrize("path", ["", "a.txt", "missing"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "ACL", "CHECKOUT"])
def test_a_method_that_is_not_served_is_405_with_allow(dav, path, method):
    dav.make("a.txt")
    answer = dav.request(method, path)
    assert answer.status_code == 405
    assert "PROPFIND" in listed(answer, "allow")


def test_a_read_only_token_reads_and_does_not_write(account, dav):
    dav.make("a.txt")
    reader = account.dav(account.token("read"))
    assert reader.get("a.txt").status_code == 200
    assert reader.propfind().status_code == 207
    assert reader.put("b.txt", content=b"x").status_code == 403
    assert reader.delete("a.txt").status_code == 403
    assert reader.mkcol("d").status_code == 403
    assert reader.move("a.txt", "b.txt").status_code == 403
    assert reader.copy("a.txt", "b.txt").status_code == 403
    assert reader.lock("a.txt").status_code == 403
    assert reader.proppatch("a.txt", "<d:set><d:prop><x:p>1</x:p></d:prop></d:set>").status_code == 403
    assert dav.names() == {"a.txt"}


def test_a_write_only_token_does_not_read(account, dav):
    writer = account.dav(account.token("write"))
    assert writer.put("a.txt", content=b"x").status_code == 201
    assert writer.get("a.txt").status_code == 403
    assert writer.propfind().status_code == 403


def test_accounts_do_not_see_each_other(server, dav):
    dav.make("secret.txt")
    other = server.account()
    stranger = other.dav()
    assert stranger.get("secret.txt").status_code == 404
    assert stranger.names() == set()
    other.close()

"""The program's own pages: plain HTML, for whoever comes with a browser."""

import re

import httpx
import pytest

# As Chromium and Firefox ask.
FOR_PEOPLE = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def assert_plain(page: httpx.Response):
    """No script, nothing from elsewhere, legible on a telephone, in nobody's frame, kept by nobody."""
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]+='", policy["style-src"]) and policy["img-src"] == "data:"
    assert "script-src" not in policy and "connect-src" not in policy and "form-action" in policy
    assert page.headers["x-content-type-options"] == "nosniff" and page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in page.headers["cache-control"] or page.headers["cache-control"] == "private, no-cache"
    assert page.text.startswith("<!DOCTYPE html>") and 'name="viewport" content="width=device-width' in page.text
    assert 'rel="icon" href="data:' in page.text
    assert "<script" not in page.text and "style=" not in page.text and " on" + "click" not in page.text
    assert not re.search(r'(src|href)="(https?:)?//', page.text)


def test_the_first_page_says_what_this_is_and_where_the_files_are(server):
    page = httpx.get(server.url + "/")
    assert page.status_code == 200
    assert_plain(page)
    assert "personal cloud drive" in page.text
    assert 'href="/dav/"' in page.text and 'href="/api/v1/openapi.json"' in page.text
    behind = httpx.get(server.url + "/", headers={"X-Forwarded-Prefix": "/cloud"}).text
    assert 'href="/cloud/dav/"' in behind and 'href="/cloud/api/v1/openapi.json"' in behind


def test_a_browser_that_asks_for_an_icon_gets_no_error(server):
    answer = httpx.get(server.url + "/favicon.ico")
    assert answer.status_code in (200, 204) and "max-age" in answer.headers["cache-control"]


def test_lists_and_the_login_are_pages_of_that_kind(server, dav):
    dav.folder("d")
    for page in (dav.get(""), dav.get("d/"), httpx.get(server.url + "/login/flow"), httpx.get(server.url + "/login/v2/flow/x")):
        assert_plain(page)


def test_what_went_wrong_is_a_page_for_people_and_xml_for_clients(server, dav):
    page = dav.get("missing%3Cb%3E", headers=FOR_PEOPLE)
    assert page.status_code == 404 and "does not exist" in page.text and "sabre" not in page.text
    assert_plain(page)
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/xml"}):
        answer = dav.get("missing", headers=headers)
        assert answer.status_code == 404 and answer.headers["content-type"].startswith("application/xml")
    for method in ("PROPFIND", "DELETE", "MKCOL"):
        answer = dav.request(method, "missing/missing", headers=FOR_PEOPLE)
        assert answer.headers["content-type"].startswith("application/xml"), method


def test_who_is_not_logged_in_is_asked_for_the_login_all_the_same(server):
    page = httpx.get(server.url + "/dav/", headers=FOR_PEOPLE)
    assert page.status_code == 401 and page.headers["www-authenticate"].startswith("Basic ")
    assert_plain(page)


@pytest.mark.parametrize("range, status", [("bytes=99-", 416)])
def test_a_refusal_keeps_its_headers(dav, range, status):
    dav.make("f", b"12345")
    page = dav.get("f", headers={**FOR_PEOPLE, "Range": range})
    assert page.status_code == status and page.headers["content-range"] == "bytes */5"
    assert_plain(page)

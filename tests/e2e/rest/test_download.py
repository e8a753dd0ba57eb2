"""GET /api/v1/files/{id}/download"""

import os
from email.message import EmailMessage
from urllib.parse import quote, unquote

import pytest


@pytest.fixture
def file(rest):
    return rest.upload("hello.txt", b"0123456789")


def download(rest, file, **headers):
    return rest.get(
        f"files/{file['id']}/download", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def test_the_content_and_its_headers(rest, file):
    answer = download(rest, file)
    assert answer.status_code == 200 and answer.content == b"0123456789"
    assert answer.headers["content-length"] == "10"
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["etag"].strip('"') == file["etag"].strip('"')
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["last-modified"].endswith(" GMT")


def test_ranges(rest, file):
    answer = download(rest, file, Range="bytes=2-4")
    assert answer.status_code == 206 and answer.content == b"234"
    assert answer.headers["content-range"] == "bytes 2-4/10"
    assert download(rest, file, Range="bytes=-3").content == b"789"
    beyond = download(rest, file, Range="bytes=10-")
    assert beyond.status_code == 416 and beyond.headers["content-range"] == "bytes */10"


def test_conditions(rest, file):
    answer = download(rest, file)
    etag, date = answer.headers["etag"], answer.headers["last-modified"]
    assert download(rest, file, If_None_Match=etag).status_code == 304
    assert download(rest, file, If_None_Match='"x"').status_code == 200
    assert download(rest, file, If_Modified_Since=date).status_code == 304
    assert download(rest, file, If_Match='"x"').status_code == 412
    assert download(rest, file, If_Match=etag).status_code == 200
    assert download(rest, file, Range="bytes=0-1", If_Range=etag).status_code == 206
    assert download(rest, file, Range="bytes=0-1", If_Range='"x"').status_code == 200


NAMES = [
    "plain.txt",
    "two words.txt",
    'say "hi".txt',
    "back\\slash.txt",
    "semi;colon, comma.txt",
    "Отчёт за год.pdf",
    "🦀.bin",
    "100% a%20b.txt",
    "ümläut's.txt",
    "-rf",
    ".hidden",
]


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name) for name in NAMES])
def test_content_disposition_tells_the_name(rest, dav, name):
    dav.make(quote(name, safe=""))
    [file] = rest.files()
    value = download(rest, file).headers["content-disposition"]
    assert value.isascii() and "\n" not in value and "\r" not in value
    kind, _, parameters = value.partition(";")
    assert kind.strip() == "attachment"
    if "filename*=" in parameters:
        extended = parameters.split("filename*=")[1].split(";")[0].strip()
        assert extended.lower().startswith("utf-8''")
        assert unquote(extended[7:]) == name
        assert all(letter.isalnum() or letter in "!#$&+-.^_`|~%" for letter in extended[7:]), "RFC 8187, attr-char"
    else:
        message = EmailMessage()
        message["Content-Disposition"] = value
        assert message.get_filename() == name
    assert 'filename="' in parameters, "curl -J reads only the plain form"


def test_a_large_file(rest):
    content = os.urandom(3_000_000)
    file = rest.upload("big", content)
    assert download(rest, file).content == content
    assert download(rest, file, Range="bytes=262000-800000").content == content[262000:800001]


def test_html_is_not_shown_as_a_page(rest):
    file = rest.upload("evil.html", b"<script>alert(1)</script>", mime="text/html")
    headers = download(rest, file).headers
    assert headers["content-disposition"].startswith("attachment")
    assert headers.get("x-content-type-options") == "nosniff"

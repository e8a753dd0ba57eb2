"""The object store behind the drive, looked at past the server: by S3 requests that curl signs.

EDGEDRIVE_STORE is the URL of the store, EDGEDRIVE_STORE_BUCKET, EDGEDRIVE_STORE_KEY_ID and EDGEDRIVE_STORE_SECRET
say which bucket and who may read it. EDGEDRIVE_STORE_REGION is us-east-1 unless it is set. EDGEDRIVE_STORE_METRICS is where
SeaweedFS tells how busy it is.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from urllib.parse import quote, urlencode
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import httpx
import pytest


def objects(prefix: str = "") -> dict[str, int]:
    """The objects whose keys begin with `prefix`, and their sizes."""
    query = {"list-type": "2", "prefix": prefix}
    return {
        _text(entry, "Key"): int(_text(entry, "Size"))
        for page in _pages(query, {"continuation-token": "NextContinuationToken"})
        for entry in page.findall("{*}Contents")
    }


def open_uploads() -> list[str]:
    """The keys of the multipart uploads that are neither completed nor aborted."""
    query = {"uploads": ""}
    markers = {"key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker"}
    return [_text(entry, "Key") for page in _pages(query, markers) for entry in page.findall("{*}Upload")]


def read(key: str) -> bytes:
    """The bytes of an object."""
    return _curl(key, {})


def replace(key: str, data: bytes):
    """Gives an object other bytes."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        _curl(key, {}, "--upload-file", file.name)


def remove(key: str):
    """Deletes an object."""
    _curl(key, {}, "--request", "DELETE")


def settle(patience: float = 60):
    """Waits until the store works on no request any more. SeaweedFS does a PUT to its end, seconds later if it has to make
    room first, even when the client is gone."""
    until = time.monotonic() + patience
    while busy := _requests_under_way():
        assert time.monotonic() < until, f"the store has been working on {busy} requests for {patience} s"
        time.sleep(0.02)


def _requests_under_way() -> float:
    told = httpx.get(_setting("_METRICS")).text
    return sum(float(number) for number in re.findall(r"^SeaweedFS_s3_in_flight_requests\{.*\} (\S+)$", told, re.MULTILINE))


def _pages(query: dict[str, str], markers: dict[str, str]) -> Iterator[Element]:
    """The pages of a list; `markers` are the parameters that ask for the next one, and where their values are."""
    while True:
        page = _get(query)
        yield page
        if page.findtext("{*}IsTruncated") != "true":
            return
        query = query | {parameter: _text(page, element) for parameter, element in markers.items()}


def _get(query: dict[str, str]) -> Element:
    """The answer to a signed request for the bucket."""
    return ElementTree.fromstring(_curl("", query))


def _curl(key: str, query: dict[str, str], *options: str) -> bytes:
    """The answer to a signed request for an object, or the bucket."""
    # In the order that is signed: not every curl sorts.
    url = f"{_setting('')}/{_setting('_BUCKET')}/{key}"
    if query:
        url = f"{url.rstrip('/')}?{urlencode(sorted(query.items()), quote_via=quote, safe='')}"
    region = os.environ.get("EDGEDRIVE_STORE_REGION", "us-east-1")
    # The secret goes by standard input: others on this machine can read arguments.
    secret = f'user = "{_setting("_KEY_ID")}:{_setting("_SECRET")}"\n'
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "30", "--config", "-"]
    # Not every store takes a request that does not tell how its payload is signed.
    command += ["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    command += ["--aws-sigv4", f"aws:amz:{region}:s3", *options, url]
    done = subprocess.run(command, input=secret.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, f"the store refused {key} {query}: {(done.stderr + done.stdout).decode()}"
    return done.stdout


def _setting(suffix: str) -> str:
    """A setting; the test is skipped where it is not known."""
    name = f"EDGEDRIVE_STORE{suffix}"
    if not os.environ.get(name):
        pytest.skip(f"{name} does not tell of the object store behind the server")
    return os.environ[name].rstrip("/")


def _text(element: Element, name: str) -> str:
    """The text of a child, whatever its namespace."""
    return element.findtext(f"{{*}}{name}") or ""

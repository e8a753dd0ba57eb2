"""Resumable uploads with the libraries that people use: npm's `tus-js-client` (node/tus.mjs) and PyPI's `tuspy`, at the URL
of REST and at a folder of WebDAV."""

import asyncio
import json
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.storage.filestorage import FileStorage

from support.node import PROGRAMS, node
from support.tools import tool

SIZE, PIECE = 7_000_003, 1_500_000


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("tus") / "ü a diary.txt"
    file.write_bytes(random.Random(7).randbytes(SIZE))
    return file


# Where an upload begins: REST's URL, or a folder. What comes after is the same for both.
AT_BOTH = pytest.mark.parametrize("begin_at", ["/api/v1/uploads", "/remote.php/dav/files/{login}/"])


@pytest.fixture
def begin_at() -> str:
    return "/api/v1/uploads"


@pytest.fixture
def endpoint(begin_at, account) -> str:
    return account.server.url + begin_at.format(login=account.login)


@pytest.fixture
def token(account) -> str:
    """One for all programs of a test: an upload is its token's own."""
    return account.token()


def arrived(account, file: Path, mime: str = "text/x-diary") -> bool:
    """Whether the drive holds exactly this file."""
    [found] = account.rest().files()
    content = account.rest().get(f"files/{found['id']}/download").content
    assert (found["name"], found["mimeType"]) == (file.name, mime)
    return content == file.read_bytes()


class TestJavaScript:
    @pytest.fixture
    def run(self, endpoint, token, file, tmp_path):
        def run(scenario: str, *more: str) -> dict:
            return json.loads(node("tus.mjs", scenario, endpoint, token, str(file), *more, folder=tmp_path))

        return run

    @pytest.mark.parametrize(
        ("scenario", "requests"),
        [
            ("whole", ["POST", "PATCH"]),
            ("with creation", ["POST"]),
            ("pieces", ["POST", *["PATCH"] * 5]),
            ("length told late", ["POST", *["PATCH"] * 5]),
            ("pause", ["POST", "PATCH", "PATCH", "pause", "HEAD", *["PATCH"] * 3]),
        ],
    )
    def test_a_file_goes_up(self, run, account, file, scenario, requests):
        assert run(scenario)["seen"] == requests
        assert arrived(account, file)

    @AT_BOTH
    def test_after_a_crash_another_program_goes_on(self, run, endpoint, account, token, file, tmp_path):
        urls = tmp_path / "urls.json"
        program = [tool("node"), str(PROGRAMS / "tus.mjs"), "crash", endpoint, token, str(file), str(urls)]
        assert subprocess.run(program, timeout=60).returncode == -9
        assert account.rest().files() == []
        assert run("go on", str(urls))["seen"] == ["HEAD", *["PATCH"] * 3]
        assert arrived(account, file)

    @AT_BOTH
    def test_parts_go_up_side_by_side(self, run, account, file):
        seen = run("parallel")["seen"]
        # Three parts, each of five pieces, and the file that is made of them.
        assert (seen.count("POST"), seen.count("PATCH"), seen[-1]) == (4, 15, "POST")
        assert arrived(account, file)

    def test_after_a_crash_the_parts_go_on(self, run, endpoint, account, token, file, tmp_path):
        urls = str(tmp_path / "urls.json")
        arguments = ["parallel crash", endpoint, token, str(file), urls]
        crashed = subprocess.run([tool("node"), str(PROGRAMS / "tus.mjs"), *arguments], timeout=60)
        assert crashed.returncode == -9 and account.rest().files() == []
        seen = run("parallel go on", urls)["seen"]
        # Once for each part, and once more for one to which a piece of the program that crashed came late.
        assert 3 <= seen.count("HEAD") <= 6 and seen.count("POST") == 1 and seen.count("PATCH") < 15
        assert arrived(account, file)

    def test_an_upload_is_thrown_away(self, run, account):
        run("terminate")
        assert account.rest().files() == []


class TestPython:
    @pytest.fixture
    def client(self, endpoint, account) -> TusClient:
        return TusClient(endpoint, headers={"Authorization": f"Bearer {account.token()}"})

    @pytest.fixture
    def options(self, file) -> dict:
        return {
            "file_path": str(file),
            "chunk_size": PIECE,
            "metadata": {"filename": file.name, "filetype": "text/x-diary"},
        }

    @AT_BOTH
    @pytest.mark.parametrize("checksum", [False, True], ids=["bare", "with checksums"])
    def test_a_file_goes_up(self, client, options, account, file, checksum):
        client.uploader(**options, upload_checksum=checksum).upload()
        assert arrived(account, file)

    def test_without_waiting(self, client, options, account, file):
        asyncio.run(client.async_uploader(**options).upload())
        assert arrived(account, file)

    def test_after_a_pause_another_program_goes_on(self, client, options, account, file, tmp_path):
        def uploader():
            return client.uploader(**options, store_url=True, url_storage=FileStorage(str(tmp_path / "urls.json")))

        uploader().upload(stop_at=2 * PIECE)
        assert account.rest().files() == []
        second = uploader()
        assert second.offset == 2 * PIECE
        second.upload()
        assert arrived(account, file)

    def test_a_chunk_at_a_time(self, client, options, account, file):
        uploader = client.uploader(**options)
        while uploader.offset < SIZE:
            uploader.upload_chunk()
            assert uploader.offset == SIZE or uploader.get_offset() == uploader.offset
        assert arrived(account, file)

    def test_four_at_a_time(self, client, account, tmp_path):
        for number in range(4):
            (tmp_path / f"{number}").write_bytes(os.urandom(2 * PIECE))

        def send(number: int):
            path = str(tmp_path / f"{number}")
            client.uploader(file_path=path, chunk_size=PIECE, metadata={"filename": f"{number}"}).upload()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, range(4)))
        for number in range(4):
            assert account.dav().get(f"{number}").content == (tmp_path / f"{number}").read_bytes()

    def test_what_is_refused_is_told(self, endpoint, options):
        stranger = TusClient(endpoint, headers={"Authorization": "Bearer ocl_1_" + "a" * 48})
        with pytest.raises(TusCommunicationError) as refused:
            stranger.uploader(**options).upload()
        assert refused.value.status_code == 401

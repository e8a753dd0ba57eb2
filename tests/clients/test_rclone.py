"""rclone: a tree goes up, is changed, moved, and comes down again, and all are equal.

EDGEDRIVE_RCLONE_TREE names a real tree to use in place of the generated one, EDGEDRIVE_RCLONE_MIB
the size of the one large file.
"""

import json
import os
import random
import shutil
from pathlib import Path
from unicodedata import normalize

import pytest

from support.recount import recount_over_http
from support.tools import Rclone, run, tool

LARGE_MIB = int(os.environ.get("EDGEDRIVE_RCLONE_MIB", "20"))

ODD_NAMES = [
    "Кириллица/Отчёт за 2026 год.txt",
    "emoji 🦀/🎉👩‍👩‍👧.bin",
    "100% real/%41%2F%25.txt",
    "hash#tag/#1.txt",
    "plus+plus/a+b=c & d.txt",
    "two  spaces/ inner  spaces .txt",
    "quotes 'n' \"such\"/[a] {b} (c).txt",
    "semi;colon/a,b;c:d@e!f$g.txt",
    "question?/what? why?.txt",
    "日本語/ファイル.txt",
    "nfd/e\u0301.txt",
    "deep/" + "/".join("abcdefghijklmnop") + "/f.txt",
    "empty/nothing.txt",
    "long/" + "n" * 200 + ".txt",
]


def generate(tree: Path):
    """About 300 files of many sizes."""
    numbers = random.Random(2026)
    for number in range(290):
        file = tree / f"folder {number % 17}" / f"sub-{number % 5}" / f"file {number}.dat"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(numbers.randbytes(numbers.choice([0, 1, 100, 5_000, 70_000])))


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    tree = tmp_path_factory.mktemp("rclone") / "tree"
    given = os.environ.get("EDGEDRIVE_RCLONE_TREE")
    if given:
        shutil.copytree(given, tree)
    else:
        generate(tree)
    for name in ODD_NAMES:
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"" if "empty" in name else name.encode() * 50)
    with open(tree / "large.bin", "wb") as large:
        for number in range(LARGE_MIB):
            large.write(random.Random(number).randbytes(1024 * 1024))
    return tree


def files_of(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def named(tree: Path) -> dict[str, Path]:
    """The files of a tree by their paths in it, in NFC."""
    return {normalize("NFC", str(file.relative_to(tree))): file for file in files_of(tree)}


def test_a_tree_goes_up_changes_moves_and_comes_down(server, tree, tmp_path):
    account = server.account()
    rclone = Rclone(tmp_path, server.url + "/dav/", account.token("read", "write"))
    rclone("copy", str(tree), "drive:tree", "--transfers", "8")
    rclone.same(tree, "drive:tree")
    listed = json.loads(rclone("lsjson", "-R", "--files-only", "drive:tree"))
    assert len(listed) == len(files_of(tree))

    # what changed, what is gone and what is new
    files = [file for file in files_of(tree) if file.name != "large.bin"]
    for file in files[::7]:
        file.write_bytes(file.read_bytes() + b"changed")
    for file in files[3::7]:
        file.unlink()
    (tree / "new folder").mkdir()
    (tree / "new folder" / "новый.txt").write_text("new")
    shutil.rmtree(tree / "deep")
    rclone("sync", str(tree), "drive:tree", "--transfers", "8")
    rclone.same(tree, "drive:tree")

    # a folder moves by one MOVE
    top = next(path for path in sorted(tree.iterdir()) if path.is_dir() and files_of(path))
    rclone("moveto", f"drive:tree/{top.name}", "drive:tree/moved here/as #1")
    (tree / "moved here").mkdir()
    top.rename(tree / "moved here" / "as #1")
    rclone.same(tree, "drive:tree")

    # everything comes down
    rclone("copy", "drive:tree", str(tmp_path / "back"), "--transfers", "8")
    # Names come back in NFC, as from Nextcloud; rclone takes both for one.
    back, up = named(tmp_path / "back"), named(tree)
    assert sorted(back) == sorted(up)
    for name, file in up.items():
        assert back[name].read_bytes() == file.read_bytes(), name

    # copies on the server, and the end
    rclone("copyto", "drive:tree/large.bin", "drive:copy.bin")
    recount_over_http(account.dav(), account.rest())
    rclone("purge", "drive:tree")
    assert account.dav().names() == {"copy.bin"}
    account.close()


def test_a_stream_of_unknown_length(account, server, tmp_path):
    rclone = Rclone(tmp_path, server.url + "/dav/", account.token())
    content = random.Random(1).randbytes(9_000_000)
    (tmp_path / "source").write_bytes(content)
    run("bash", "-c", f"'{tool('rclone')}' rcat drive:streamed < source", cwd=tmp_path, home=rclone.home)
    assert account.dav().get("streamed").content == content


def test_parts_of_files(account, server, tmp_path):
    rclone = Rclone(tmp_path, server.url + "/dav/", account.token())
    account.dav().make("f", b"0123456789" * 100_000)
    assert rclone("cat", "--offset", "300005", "--count", "7", "drive:f") == "5678901"


def test_the_quota_is_shown(server, tmp_path):
    account = server.account(quota=1_000_000)
    account.dav().make("f", b"x" * 1000)
    rclone = Rclone(tmp_path, server.url + "/dav/", account.token())
    about = json.loads(rclone("about", "--json", "drive:"))
    assert about["used"] == 1000 and about["free"] == 999_000
    account.close()


def test_over_quota_fails_and_the_rest_is_there(server, tmp_path):
    account = server.account(quota=10_000)
    rclone = Rclone(tmp_path, server.url + "/dav/", account.token())
    source = tmp_path / "source"
    source.mkdir()
    (source / "fits").write_bytes(b"x" * 5000)
    (source / "too large").write_bytes(b"x" * 50_000)
    printed = rclone("copy", str(source), "drive:", check=False)
    assert "507" in printed or "Insufficient" in printed
    assert account.dav().names() == {"fits"}
    account.close()

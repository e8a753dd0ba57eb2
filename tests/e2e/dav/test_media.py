"""oc:location of pictures and oc:audio of music, read from the files themselves by a job."""

import time
from xml.etree.ElementTree import Element

import pytest

from support import media
from support.multistatus import Resource

OC = "{http://owncloud.org/ns}"
PROPS = '<audio xmlns="http://owncloud.org/ns"/><location xmlns="http://owncloud.org/ns"/><d:getetag/>'
SONG = {"artist": "Ärtist & <co>", "album": "An album", "title": "Title 🎵"}
EXIF = media.tiff((51, 30, 15), (0, 4, 28), "N", "W")
PLACE = {"latitude": "51.504167", "longitude": "-0.074444"}


def told(dav, path: str, wanted: str) -> Resource:
    """What a file tells, once the job is done."""
    for _ in range(300):
        file = dav.stat(path, PROPS)
        if file.has(wanted, OC):
            return file
        time.sleep(0.1)
    raise AssertionError(f"{path} tells no {wanted}")


def values(element: Element) -> dict[str, str]:
    return {child.tag.removeprefix(OC): child.text for child in element}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mp3", media.mp3(**SONG)),
        ("a.flac", media.flac(**SONG)),
        ("a.m4a", media.m4a(**SONG)),
        ("a.opus", media.ogg(**SONG)),
    ],
)
def test_music_tells_what_it_is(dav, name, content):
    dav.make(name, content)
    file = told(dav, name, "audio")
    assert values(file.prop("audio", OC)) == SONG
    assert OC + "location" in file.props[404]


@pytest.mark.parametrize(("name", "content"), [("a.jpg", media.jpeg(EXIF)), ("a.tif", EXIF)])
def test_a_picture_tells_where_it_was_taken(dav, name, content):
    etag = dav.make(name, content)
    file = told(dav, name, "location")
    assert values(file.prop("location", OC)) == PLACE
    assert OC + "audio" in file.props[404]
    assert file.text("getetag") == etag
    assert dav.copy(name, "copy").status_code == 201
    assert dav.stat("copy", PROPS).has("location", OC), "it goes with the content"


def test_only_what_is_known_is_told(dav):
    dav.make("a.mp3", media.mp3("", "", "Only a title"))
    assert values(told(dav, "a.mp3", "audio").prop("audio", OC)) == {"title": "Only a title"}


def test_a_large_file_is_known_by_its_head(dav):
    dav.make("a.flac", media.flac(**SONG) + bytes(5_000_000))
    assert values(told(dav, "a.flac", "audio").prop("audio", OC)) == SONG


def test_broken_files_do_no_harm(dav):
    """The job of the last of them is done: so those of the others were."""
    for number, content in enumerate([media.mp3(**SONG), media.flac(**SONG), media.m4a(**SONG), media.jpeg(EXIF)]):
        for length in (5, 20, len(content) // 2, len(content) - 5):
            dav.make(f"{number}-{length}.mp3", content[:length])
            dav.make(f"{number}-{length}.jpg", content[:length] + bytes([255] * 50))
    dav.make("z.mp3", media.mp3(**SONG))
    assert values(told(dav, "z.mp3", "audio").prop("audio", OC)) == SONG


def test_other_files_are_not_looked_at(dav):
    dav.make("a.txt", media.mp3(**SONG))
    dav.make("z.mp3", media.mp3(**SONG))
    told(dav, "z.mp3", "audio")
    assert OC + "audio" in dav.stat("a.txt", PROPS).props[404]

"""The drive in a real browser: the list of a folder, what is opened from it, the page where a client is logged in."""

import base64

import httpx
import pytest

from support import media
from support.browser import chromium, until

BLUE, GREEN, RED = (0, 80, 200), (0, 128, 0), (200, 0, 40)

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><style>rect { fill: green }</style>'
    b'<rect width="300" height="150"/><image y="150" width="300" height="150" href="data:image/png;base64,%s"/></svg>'
    % base64.b64encode(media.png(BLUE, 300))
)

# A page that tries all that a page of the drive could do.
EVIL = b"""<!DOCTYPE html><title>as stored</title><link rel="stylesheet" href="other.css">
<script>document.title = "a script ran"; fetch("other.txt")</script><img src="other.png" onerror="document.title = 'a script ran'">
<video src="other.wav" autoplay></video><iframe src="other.txt"></iframe><object data="other.pdf"></object>
<meta http-equiv="refresh" content="0; url=other.txt"><p style="color: rgb(1, 2, 3)">shown</p>
<form method="post" action="other.txt"><button>send</button></form>"""

# Gives a film that the browser has made itself, in base64.
FILM = """(async () => {
  const canvas = document.createElement('canvas'), pen = canvas.getContext('2d'), pieces = [];
  const recorder = new MediaRecorder(canvas.captureStream(30), {mimeType: '%s'});
  recorder.ondataavailable = it => pieces.push(it.data);
  const stopped = new Promise(done => recorder.onstop = done);
  recorder.start();
  for (let frame = 0; frame < 15; frame++) {
    pen.fillStyle = `hsl(${frame * 24} 80%% 50%%)`;
    pen.fillRect(0, 0, 300, 150);
    await new Promise(done => setTimeout(done, 33));
  }
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return btoa(Array.from(bytes, it => String.fromCharCode(it)).join(''));
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def tab(browser, dav, account):
    """A tab in which the list of the drive is open."""
    tab = browser.tab()
    tab.size(1000, 700)
    yield tab
    tab.close()


@pytest.fixture
def opened(tab, dav, server, account):
    """Opens a file as a person does: by a click in the list."""

    def opened(name: str, content: bytes, **headers):
        assert dav.put(name, content=content, headers=headers).status_code == 201
        tab.log_in(f"{server.url}/dav/", account.login, dav.token)
        tab.click(f'a[href="/dav/{name}"]')
        tab.loaded(f"/dav/{name}")
        return tab

    return opened


def assert_clean(tab):
    assert tab.complaints == []
    assert [answer for answer in tab.answers if answer[0] >= 400 and answer[0] != 401] == []


@pytest.fixture(scope="module")
def film(browser):
    """Makes a film of half a second."""

    def film(kind: str) -> bytes:
        maker = browser.tab()
        made = base64.b64decode(maker.js(FILM % kind))
        maker.close()
        return made

    return film


def assert_plays(tab):
    tab.until("document.querySelector('video').readyState >= HTMLMediaElement.HAVE_CURRENT_DATA")
    tab.until("document.querySelector('video').currentTime > 0.1")
    assert tab.js("document.querySelector('video').error") is None
    assert_clean(tab)


@pytest.mark.parametrize("name, kind", [("film.webm", "video/webm"), ("film.mp4", "video/mp4")])
def test_a_film_plays(opened, film, name, kind):
    tab = opened(name, film(kind))
    assert_plays(tab)
    assert tab.js("document.querySelector('video').videoWidth") == 300


@pytest.mark.parametrize("name, make", [("song.wav", media.wav), ("song.mp3", media.song)])
def test_a_song_plays(opened, name, make):
    tab = opened(name, make(3))
    assert_plays(tab)
    # Without a length, nobody could go to the middle of it.
    assert 2.9 < tab.js("document.querySelector('video').duration") < 3.2


def test_a_picture_shows(opened):
    tab = opened("picture.png", media.png(BLUE, 300))
    tab.shows(BLUE)
    assert_clean(tab)


def test_a_drawing_shows_with_its_own_style_and_pictures(opened):
    tab = opened("drawing.svg", SVG)
    tab.shows(GREEN)
    tab.shows(BLUE)
    assert_clean(tab)


def test_a_pdf_shows(opened):
    tab = opened("paper.pdf", media.pdf(RED))
    tab.shows(RED)
    assert_clean(tab)


SENTENCE = "Grüße — naïve, Привет, 你好"


def test_text_is_legible(opened):
    for name, content, headers in (
        ("u.txt", SENTENCE.encode(), {}),
        ("u.md", SENTENCE.encode(), {}),
        ("bom.txt", ("\ufeff" + SENTENCE).encode("utf-16-le"), {}),
        ("u.json", f'"{SENTENCE}"'.encode(), {}),
        ("odd", SENTENCE.encode(), {"Content-Type": "text/x-odd"}),
    ):
        tab = opened(name, content, **headers)
        assert SENTENCE in tab.js("document.body.innerText"), name
    assert_clean(tab)


def test_a_page_of_html_shows_and_does_nothing_else(opened, dav):
    for name in ("other.css", "other.txt", "other.png", "other.wav", "other.pdf"):
        dav.make(name)
    tab = opened("evil.html", EVIL)
    tab.click("button")
    until(lambda: tab.js("1") and any("form submission" in it for it in tab.complaints), "a refusal of the form")
    assert any("script execution" in it for it in tab.complaints)
    assert tab.js("document.title") == "as stored" and "shown" in tab.js("document.body.innerText")
    assert tab.js("getComputedStyle(document.querySelector('p')).color") == "rgb(1, 2, 3)", "its own style counts"
    assert tab.js("self.origin") == "null", "it is not of the drive's origin"
    assert not [url for url in tab.asked.values() if "/other." in url], "it fetched and sent nothing"


def test_the_script_of_a_drawing_does_not_run(opened):
    tab = opened("evil.svg", SVG.replace(b"<style>", b"<script>document.documentElement.id = 'ran'</script><style>"))
    tab.shows(GREEN)
    assert tab.js("document.documentElement.id") == "" and tab.js("self.origin") == "null"


def fill(dav):
    dav.folder("Zebra")
    dav.folder("archive")
    dav.make("b.bin", bytes(1_234_567))
    dav.make("A%20name%20that%20is%20rather%20long%20" + "and%20on%20" * 20 + "x".join(["0123456789"] * 4) + ".txt")


def test_the_list_is_legible(tab, dav, server, account):
    fill(dav)
    tab.log_in(f"{server.url}/dav/", account.login, dav.token)
    names = tab.js("[...document.querySelectorAll('td:first-child a')].map(it => it.innerText.slice(0, 6))")
    assert names == ["archiv", "Zebra/", "A name", "b.bin"], "folders first"
    size = "document.querySelector('a[href$=\"b.bin\"]').closest('tr').cells[1]"
    assert tab.js(f"[{size}.innerText, {size}.title]") == ["1.2 MB", "1,234,567 bytes"]
    assert tab.js("document.querySelectorAll('script').length") == 0
    tab.click('a[href="/dav/archive/"]')
    tab.loaded("/dav/archive/")
    tab.click("td a")
    tab.loaded("/dav/")
    assert_clean(tab)


def test_a_telephone_need_not_be_moved_about(tab, dav, server, account):
    fill(dav)
    tab.size(360, 740, telephone=True)
    tab.log_in(f"{server.url}/dav/", account.login, dav.token)
    for page in ("/dav/", "/", "/login/flow"):
        tab.open(server.url + page)
        assert tab.js("[innerWidth, document.documentElement.scrollWidth]") == [360, 360], page
        assert tab.js("parseFloat(getComputedStyle(document.querySelector('a, input')).fontSize)") >= 16, page
    assert_clean(tab)


def test_the_first_page_leads_to_the_files(tab, dav, server, account):
    dav.make("here.txt")
    tab.log_in(f"{server.url}/dav/", account.login, dav.token)
    tab.open(f"{server.url}/")
    tab.click('a[href="/dav/"]')
    tab.loaded("/dav/")
    assert "here.txt" in tab.js("document.body.innerText")
    assert_clean(tab)


def test_a_path_that_leads_nowhere_says_so(tab, dav, server, account):
    tab.log_in(f"{server.url}/dav/", account.login, dav.token)
    tab.open(f"{server.url}/dav/missing.txt")
    assert tab.js("document.contentType") == "text/html"
    assert "does not exist" in tab.js("document.body.innerText")


def test_a_client_is_logged_in_at_the_second_try(tab, dav, server, account):
    begun = httpx.post(server.url + "/login/v2").json()
    tab.open(begun["login"])
    assert tab.js("document.activeElement.id") == "login"
    for login, token in ((account.login, "wrong"), ("", dav.token)):
        for text, field in ((login, "login"), (token, "token")):
            if text:
                tab.click(f"#{field}")
                tab.call("Input.insertText", text=text)
        tab.js("window.before = true")
        tab.click("button")
        tab.until("!window.before && document.readyState === 'complete'")
        if login:
            assert tab.js("document.querySelector('[role=alert]').innerText") != ""
            assert tab.js("[document.activeElement.id, ...['login', 'token'].map(it => document.getElementById(it).value)]") == [
                "token",
                account.login,
                "",
            ]
    assert "Access granted" in tab.js("document.body.innerText")
    granted = httpx.post(begun["poll"]["endpoint"], data={"token": begun["poll"]["token"]}).json()
    assert granted["loginName"] == account.login

"""Chromium without a window, driven over the DevTools protocol.

It needs neither a driver nor a library of its own: `websockets` is here for the Worker's inspector already.
"""

import base64
import itertools
import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect

from support.tools import PATH, tool

# What keeps it from asking anybody but the server under test.
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--remote-debugging-port=0",
)

# How long a state may take to come about, on a machine with much else to do.
PATIENCE = 60


def until(found, what: str):
    """What `found` gives as soon as it gives something; the test fails where it never does."""
    end = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < end, f"{what} did not come about"
        time.sleep(0.05)
    return value


@contextmanager
def chromium(folder: Path):
    """A browser with an empty profile in `folder`."""
    profile = folder / "profile"
    command = [tool("chromium"), *QUIET, f"--user-data-dir={profile}", "about:blank"]
    environment = {"PATH": PATH, "HOME": str(folder), "LANG": "C.UTF-8"}
    with open(folder / "chromium.log", "wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        port = profile / "DevToolsActivePort"
        until(lambda: process.poll() is not None or (port.exists() and port.read_text().count("\n")), "a browser")
        assert process.poll() is None, (folder / "chromium.log").read_text(errors="replace")[-4000:]
        number, path = port.read_text().split("\n")[:2]
        with connect(f"ws://127.0.0.1:{number}{path}", compression=None, max_size=None, close_timeout=1) as socket:
            yield Browser(socket)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Browser:
    """A connection to the browser, with what it has told and nobody has read yet."""

    def __init__(self, socket):
        self.socket = socket
        self.numbers = itertools.count(1)
        self.tabs: dict[str, Tab] = {}

    def call(self, method: str, session: str | None = None, **params) -> dict:
        """The result of a method of the protocol."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        self.socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self.socket.recv(timeout=PATIENCE))
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            if tab := self.tabs.get(answer.get("sessionId", "")):
                tab.told(answer["method"], answer["params"])

    def tab(self) -> "Tab":
        """A tab in a context of its own: it knows no login and no cache of others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.tabs[session] = tab = Tab(self, session, context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        return tab


class Tab:
    """A page as a person has it before them."""

    def __init__(self, browser: Browser, session: str, context: str):
        self.browser, self.session, self.context = browser, session, context
        self.complaints: list[str] = []
        self.asked: dict[str, str] = {}
        self.answers: list[tuple[int, str]] = []

    def told(self, event: str, params: dict):
        """Keeps what the console shows, and what was asked for."""
        if event == "Log.entryAdded" and params["entry"]["level"] in ("warning", "error"):
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}".strip())
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled":
            self.complaints.append(f"a script ran: {params['args']}")
        elif event == "Network.requestWillBeSent":
            self.asked[params["requestId"]] = params["request"]["url"]
        elif event == "Network.loadingFailed" and params.get("blockedReason") == "csp":
            # The browser itself refused to ask.
            self.asked.pop(params["requestId"], None)
        elif event == "Network.responseReceived":
            self.answers.append((params["response"]["status"], params["response"]["url"]))

    def call(self, method: str, **params) -> dict:
        """The result of a method of the protocol, in this tab."""
        return self.browser.call(method, self.session, **params)

    def js(self, expression: str):
        """The value of an expression in the page. The tools of developers run it also where the page may run nothing."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str):
        """The value of the expression, once it is true."""
        return until(lambda: self.js(expression), expression)

    def log_in(self, url: str, login: str, token: str):
        """Opens an address and has the browser know login and token from then on, as after its dialogue."""
        parts = urlsplit(url)
        self.open(parts._replace(netloc=f"{login}:{token}@{parts.netloc}").geturl())
        # Once more, as a page with a password in its address is not what people have.
        self.open(url)

    def open(self, url: str):
        """Opens an address as if it were typed."""
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self.loaded(urlsplit(url).path)

    def loaded(self, path: str):
        """Waits until the page at this path is there."""
        self.until(f"location.pathname === {json.dumps(path)} && document.readyState === 'complete'")

    def size(self, width: int, height: int, telephone: bool = False):
        """Gives the window a size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=telephone)

    def click(self, selector: str):
        """Clicks the middle of an element with the mouse."""
        place = self.until(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)}); if (!it) return null;"
            "it.scrollIntoView({block: 'center'}); const box = it.getClientRects()[0];"
            "return box && [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def picture(self) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def shows(self, colour: tuple[int, int, int]):
        """Waits until there is something of this colour in the window: more than 1 in 100 of what is to be seen."""
        other = self.browser.tab()
        count = (
            "fetch('data:image/png;base64,%s').then(it => it.blob()).then(createImageBitmap).then(image => {"
            "const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d'); canvas.drawImage(image, 0, 0);"
            "const data = canvas.getImageData(0, 0, image.width, image.height).data; let found = 0;"
            "for (let at = 0; at < data.length; at += 4)"
            "  if (%s.every((value, n) => Math.abs(data[at + n] - value) < 9)) found++;"
            "return found / (data.length / 4) > 0.01 })"
        )
        wanted = json.dumps(colour)
        until(lambda: other.js(count % (base64.b64encode(self.picture()).decode(), wanted)), f"the colour {wanted}")
        other.close()

    def close(self):
        """Forgets all that it knew."""
        self.browser.tabs.pop(self.session, None)
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

"""The table of refused targets, over HTTP, on a server with the setting that everybody has."""

import pytest

from support.rest import assert_error

ADDRESSES = [
    # This host, in every form of writing.
    "127.0.0.1",
    "127.255.255.255",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0X7F.0x0.0.01",
    "0",
    "0x",
    "0.0.0.0",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    # Private, shared, link-local, with the metadata services of clouds.
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "3232235777",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "0xa9fea9fe",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    # Protocols, documentation, benchmarks, multicast, reserved, broadcast.
    "192.0.0.1",
    "192.88.99.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "[2001:db8::1]",
    "[3fff::1]",
    "[2001:2::1]",
    "[ff02::1]",
    "[100::1]",
    "[5f00::1]",
    # IPv4 within IPv6.
    "[::ffff:8.8.8.8]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::10.0.0.1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
]

NAMES = [
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "localhost.localdomain",
    "printer",
    "printer.local",
    "PRINTER.LOCAL.",
    "metadata.google.internal",
    "db.intranet",
    "nas.lan",
    "router.home.arpa",
    "wiki.corp",
    "a.test",
    "a.invalid",
    "a.example",
    "a.onion",
    "redis.default.svc",
    "redis.default.svc.cluster.local",
    "a..com",
]

PUBLIC = [
    "https://example.com/hook",
    "https://EXAMPLE.com.:8443/hook?x=y",
    "http://hooks.example.com/",
    "https://xn--bcher-kva.example.com/",
    "https://localhost.example.com/",
    "http://8.8.8.8/",
    "http://1.0.0.0/",
    "http://11.0.0.0/",
    "http://126.255.255.255/",
    "http://128.0.0.0/",
    "http://100.63.255.255/",
    "http://100.128.0.0/",
    "http://172.15.255.255/",
    "http://172.32.0.0/",
    "http://192.167.255.255/",
    "http://198.20.0.0/",
    "http://223.255.255.255/",
    "https://[2606:4700:4700::1111]/",
    "https://[2001:db9::1]/",
]


@pytest.fixture(scope="module")
def owner(strict):
    """A client of an account on the strict server."""
    account = strict.account()
    yield account.rest()
    account.close()


@pytest.mark.parametrize("host", ADDRESSES + NAMES)
@pytest.mark.parametrize("form", ["http://{}/", "https://{}:8443/hook?x=y"])
def test_a_private_target_is_refused(owner, host, form):
    url = form.format(host)
    answer = owner.post("webhooks", json={"url": url})
    assert_error(answer, 400)
    assert "public" in answer.json()["error"] and host not in answer.json()["error"]
    assert owner.get("webhooks").json()["webhooks"] == []


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_target_is_taken(owner, url):
    answer = owner.post("webhooks", json={"url": url})
    assert answer.status_code == 201, answer.text
    assert owner.delete(f"webhooks/{answer.json()['webhook']['id']}").status_code == 204


@pytest.mark.parametrize("host", ADDRESSES[:3] + NAMES[:3])
def test_a_hook_cannot_be_changed_to_a_private_target(owner, host):
    hook = owner.post("webhooks", json={"url": "https://example.com/"}).json()["webhook"]
    assert_error(owner.patch(f"webhooks/{hook['id']}", json={"url": f"http://{host}/"}), 400)
    assert owner.get(f"webhooks/{hook['id']}").json()["webhook"] == hook
    assert owner.delete(f"webhooks/{hook['id']}").status_code == 204

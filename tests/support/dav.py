"""A WebDAV client that hides nothing: every method gives the bare answer."""

import httpx

from support.multistatus import DAV, Multistatus, Resource, parse
from support.rest import NO_CERTIFICATES

LIVE = (
    "<d:displayname/><d:getcontentlength/><d:getcontenttype/><d:getetag/><d:getlastmodified/>"
    "<d:creationdate/><d:resourcetype/><d:lockdiscovery/><d:supportedlock/>"
    "<d:quota-used-bytes/><d:quota-available-bytes/>"
)


def propfind_body(props: str) -> str:
    """A propfind that asks for `props` (prefix d: is DAV:, x: is urn:x)."""
    return f'<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:x="urn:x"><d:prop>{props}</d:prop></d:propfind>'


def proppatch_body(*instructions: str) -> str:
    """A propertyupdate of instructions such as `<d:set>…</d:set>`."""
    return f'<?xml version="1.0"?><d:propertyupdate xmlns:d="DAV:" xmlns:x="urn:x">{"".join(instructions)}</d:propertyupdate>'


def set_prop(xml: str) -> str:
    return f"<d:set><d:prop>{xml}</d:prop></d:set>"


def remove_prop(xml: str) -> str:
    return f"<d:remove><d:prop>{xml}</d:prop></d:remove>"


def lockinfo(scope: str = "exclusive", owner: str = "<d:owner>me</d:owner>") -> str:
    return (
        f'<?xml version="1.0"?><d:lockinfo xmlns:d="DAV:"><d:lockscope><d:{scope}/></d:lockscope>'
        f"<d:locktype><d:write/></d:locktype>{owner}</d:lockinfo>"
    )


def filter_files(rules: str, props: str = "", bounds: str = "") -> str:
    """A report on what all `rules` hold for."""
    prop = f"<d:prop>{props}</d:prop>" if props else ""
    return (
        f'<?xml version="1.0"?><oc:filter-files xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" '
        f'xmlns:nc="http://nextcloud.org/ns">{prop}<oc:filter-rules>{rules}</oc:filter-rules>{bounds}</oc:filter-files>'
    )


def search_body(where: str, scope: str | None, select: str = "<d:getetag/>", more: str = "", depth: str = "infinity") -> str:
    """A query for what `where` holds for, below the href `scope`, or below that of the request."""
    scope = "" if scope is None else f"<d:href>{scope}</d:href>"
    where = f"<d:where>{where}</d:where>" if where else ""
    return (
        f'<?xml version="1.0"?><d:searchrequest xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" '
        f'xmlns:nc="http://nextcloud.org/ns"><d:basicsearch><d:select><d:prop>{select}</d:prop></d:select>'
        f"<d:from><d:scope>{scope}<d:depth>{depth}</d:depth></d:scope></d:from>{where}{more}"
        f"</d:basicsearch></d:searchrequest>"
    )


class Dav(httpx.Client):
    """Sends Basic credentials with the token as password. Paths are relative to the mount and
    percent-encoded already. Redirects are not followed."""

    def __init__(self, url: str, token: str | None, mount: str = "/dav/"):
        self.mount = mount
        self.token = token
        # A proxy on the way may not compress what is compared to the byte.
        headers = {"Accept-Encoding": "identity"}
        auth = ("me", token) if token else None
        super().__init__(base_url=url + mount, auth=auth, headers=headers, timeout=120, verify=NO_CERTIFICATES)

    def href(self, path: str = "") -> str:
        """The path of a resource as hrefs name it."""
        return self.mount + path

    def absolute(self, path: str) -> str:
        """The URL of a resource, as Destination headers name it."""
        return str(self.base_url).rstrip("/") + "/" + path

    def propfind(
        self,
        path: str = "",
        depth: str | None = "0",
        props: str | None = LIVE,
        body: str | bytes | None = None,
        headers: dict | None = None,
    ):
        """PROPFIND with `props`, or with `body`; with neither, without a body."""
        content = body if body is not None else (propfind_body(props) if props else None)
        headers = dict(headers or {})
        if depth is not None:
            headers["Depth"] = depth
        return self.request("PROPFIND", path, content=content, headers=headers)

    def list(self, path: str = "", depth: str = "1", props: str = LIVE, headers: dict | None = None) -> Multistatus:
        """The answer to a PROPFIND that must succeed."""
        answer = self.propfind(path, depth, props, headers=headers)
        assert answer.status_code == 207, f"{answer.status_code} {answer.text}"
        return Multistatus(answer.content)

    def stat(self, path: str = "", props: str = LIVE) -> Resource:
        """The properties of one resource."""
        resources = self.list(path, "0", props)
        assert len(resources) == 1
        return resources[0]

    def exists(self, path: str) -> bool:
        status = self.propfind(path).status_code
        assert status in (207, 404), status
        return status == 207

    def names(self, path: str = "") -> set[str]:
        """The hrefs below a folder, relative to it."""
        base = self.href(path)
        return {href.removeprefix(base) for href in self.list(path).hrefs[1:]}

    def proppatch(self, path: str, *instructions: str, **kw):
        return self.request("PROPPATCH", path, content=proppatch_body(*instructions), **kw)

    def report(self, path: str, body: str):
        return self.request("REPORT", path, content=body)

    def search(self, path: str, body: str):
        return self.request("SEARCH", path, content=body)

    def mkcol(self, path: str, **kw):
        return self.request("MKCOL", path, **kw)

    def copy(self, source: str, destination: str, **headers: str):
        return self._transfer("COPY", source, destination, headers)

    def move(self, source: str, destination: str, **headers: str):
        return self._transfer("MOVE", source, destination, headers)

    def _transfer(self, method: str, source: str, destination: str, headers: dict):
        return self.request(method, source, headers={"Destination": self.absolute(destination), **headers})

    def lock(
        self, path: str, scope: str = "exclusive", depth: str | None = "0", body: str | None = None, **headers: str
    ):
        """LOCK for a new lock; `depth` None sends no header."""
        if depth is not None:
            headers["Depth"] = depth
        return self.request("LOCK", path, content=lockinfo(scope) if body is None else body, headers=headers)

    def locked(self, path: str, **kw) -> str:
        """The token of a new lock."""
        answer = self.lock(path, **kw)
        assert answer.status_code in (200, 201), f"{answer.status_code} {answer.text}"
        return answer.headers["lock-token"].strip("<>")

    def refresh(self, path: str, token: str, **headers: str):
        return self.request("LOCK", path, headers={"If": f"(<{token}>)", **headers})

    def unlock(self, path: str, token: str):
        return self.request("UNLOCK", path, headers={"Lock-Token": f"<{token}>"})

    def make(self, path: str, content: bytes = b"content") -> str:
        """A file with `content`; gives its ETag."""
        answer = self.put(path, content=content)
        assert answer.status_code in (201, 204), f"{answer.status_code} {answer.text}"
        return answer.headers["etag"]

    def folder(self, path: str):
        """A new folder."""
        answer = self.mkcol(path)
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"


def active_locks(discovery) -> list[dict]:
    """What a `lockdiscovery` element says of each lock."""
    return [
        {
            "scope": lock.find(f"{DAV}lockscope")[0].tag.removeprefix(DAV),
            "type": lock.find(f"{DAV}locktype")[0].tag.removeprefix(DAV),
            "depth": lock.findtext(f"{DAV}depth"),
            "owner": lock.find(f"{DAV}owner"),
            "timeout": lock.findtext(f"{DAV}timeout"),
            "token": lock.findtext(f"{DAV}locktoken/{DAV}href"),
            "root": lock.findtext(f"{DAV}lockroot/{DAV}href"),
        }
        for lock in discovery.findall(f"{DAV}activelock")
    ]


def granted(answer: httpx.Response) -> dict:
    """The lock in the answer to a LOCK."""
    locks = active_locks(parse(answer.content).find(f"{DAV}lockdiscovery"))
    token = answer.headers.get("lock-token", "").strip("<>")
    return next((lock for lock in locks if lock["token"] == token), locks[0])


def condition(answer: httpx.Response) -> tuple[str, list[str]]:
    """The precondition that an error names (RFC 4918, 16), and the hrefs in it."""
    root = parse(answer.content)
    assert root.tag == f"{DAV}error", root.tag
    for child in root:
        if child.tag.startswith(DAV):
            return child.tag.removeprefix(DAV), [href.text for href in child.findall(f"{DAV}href")]
    return "", []

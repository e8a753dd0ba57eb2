"""Reads the XML that WebDAV answers with (RFC 4918, 14)."""

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

DAV = "{DAV:}"


def parse(body: bytes | str) -> Element:
    """The root element; an ill-formed document is an error."""
    return ElementTree.fromstring(body)


@dataclass
class Resource:
    """One `response`: a status of its own, or properties by the status they came with."""

    href: str
    status: int | None = None
    props: dict[int, dict[str, Element]] = field(default_factory=dict)
    error: Element | None = None

    def prop(self, name: str, namespace: str = DAV) -> Element:
        """A property that was found."""
        return self.props[200][namespace + name]

    def text(self, name: str, namespace: str = DAV) -> str:
        """The text of a property that was found; empty where it has none."""
        return self.prop(name, namespace).text or ""

    def has(self, name: str, namespace: str = DAV) -> bool:
        """Whether the property was found."""
        return namespace + name in self.props.get(200, {})

    @property
    def is_folder(self) -> bool:
        return self.prop("resourcetype").find(DAV + "collection") is not None


class Multistatus(list):
    """The responses of a 207, in their order."""

    def __init__(self, body: bytes):
        root = parse(body)
        assert root.tag == DAV + "multistatus", root.tag
        super().__init__(self._resource(response) for response in root.findall(DAV + "response"))

    @property
    def hrefs(self) -> list[str]:
        return [resource.href for resource in self]

    def at(self, href: str) -> Resource:
        """The one response of that href."""
        found = [resource for resource in self if resource.href == href]
        assert len(found) == 1, f"{href} occurs {len(found)} times in {self.hrefs}"
        return found[0]

    @staticmethod
    def _resource(response: Element) -> Resource:
        resource = Resource(response.findtext(DAV + "href"), error=response.find(DAV + "error"))
        status = response.findtext(DAV + "status")
        if status is not None:
            resource.status = status_code(status)
        for propstat in response.findall(DAV + "propstat"):
            code = status_code(propstat.findtext(DAV + "status"))
            assert code not in resource.props, f"two propstat of {code}"
            resource.props[code] = {prop.tag: prop for prop in propstat.find(DAV + "prop")}
        return resource


def status_code(line: str) -> int:
    """The number in a line such as `HTTP/1.1 200 OK`."""
    match = re.fullmatch(r"HTTP/1\.1 (\d{3})( .*)?", line)
    assert match, line
    return int(match[1])

"""XML that is broken or means harm, to each method that reads XML: 400, and nothing changes."""

import pytest

from support.dav import propfind_body
from support.multistatus import DAV, Multistatus

MIB = 1024 * 1024

SHELLS = {
    "PROPFIND": ("<d:propfind xmlns:d='DAV:'><d:prop>", "</d:prop></d:propfind>"),
    "PROPPATCH": ("<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop>", "</d:prop></d:set></d:propertyupdate>"),
    "LOCK": (
        "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype><d:owner>",
        "</d:owner></d:lockinfo>",
    ),
}
METHODS = list(SHELLS)


def document(method: str, inner: str, prolog: str = "") -> bytes:
    start, end = SHELLS[method]
    return f'<?xml version="1.0" encoding="utf-8"?>{prolog}{start}{inner}{end}'.encode()


@pytest.fixture
def file(dav):
    dav.make("f", b"f")
    return dav


def send(dav, method, content):
    return dav.request(method, "f", content=content, headers={"Depth": "0"})


def assert_refused(dav, method, content):
    answer = send(dav, method, content)
    assert answer.status_code == 400, f"{answer.status_code} {answer.text[:300]}"
    if method == "LOCK":
        assert len(dav.stat("f").prop("lockdiscovery")) == 0
    if method == "PROPPATCH":
        everything = Multistatus(dav.propfind("f", props=None).content)[0]
        assert all(name.startswith(DAV) for name in everything.props[200])


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
ILL_FORMED = {
    "billion laughs": ("<x xmlns=''>&a11;</x>", f'<!DOCTYPE d [<!ENTITY a0 "lol">{BOMB}]>'),
    "an unused entity": ("<x xmlns=''/>", '<!DOCTYPE d [<!ENTITY a "b">]>'),
    "a file as entity": ("<x xmlns=''>&a;</x>", '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
    "a URL as entity": ("<x xmlns=''>&a;</x>", '<!DOCTYPE d [<!ENTITY a SYSTEM "http://127.0.0.1:1/">]>'),
    "a parameter entity": ("<x xmlns=''/>", '<!DOCTYPE d [<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;]>'),
    "a bare entity reference": ("<x xmlns=''>&nbsp;</x>", ""),
    "an entity in an attribute": ("<x xmlns='' a='&no;'/>", ""),
    "an undeclared prefix": ("<x:p/>", ""),
    "an undeclared prefix on an attribute": ("<p xmlns='' x:a='1'/>", ""),
    "a prefix that is out of scope": ("<p xmlns='' xmlns:x='urn:x'/><x:q/>", ""),
    "a prefix that is undeclared again": ("<p xmlns='' xmlns:x=''/>", ""),
    "crossed tags": ("<a xmlns=''><b></a></b>", ""),
    "an open tag": ("<a xmlns=''>", ""),
    "a closing tag too many": ("</d:prop>", ""),
    "an attribute twice": ("<a xmlns='' b='1' b='2'/>", ""),
    "an attribute without quotes": ("<a xmlns='' b=1/>", ""),
    "a less-than in an attribute": ("<a xmlns='' b='<'/>", ""),
    "a bare ampersand": ("<a xmlns=''>a & b</a>", ""),
    "a reference to NUL": ("<a xmlns=''>&#0;</a>", ""),
    "a reference to a control": ("<a xmlns=''>&#x1;</a>", ""),
    "a reference to a surrogate": ("<a xmlns=''>&#xD800;</a>", ""),
    "a reference beyond Unicode": ("<a xmlns=''>&#x110000;</a>", ""),
    "a control character": ("<a xmlns=''>\x01</a>", ""),
    "an open comment": ("<!-- ", ""),
    "a name that begins with a digit": ("<1 xmlns=''/>", ""),
    "two colons": ("<a:b:c xmlns:a='urn:a'/>", ""),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("inner, prolog", ILL_FORMED.values(), ids=ILL_FORMED.keys())
def test_ill_formed(file, method, inner, prolog):
    assert_refused(file, method, document(method, inner, prolog))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "content",
    [
        b"<",
        b"x",
        b"{}",
        b"\x00",
        b"\xff\xfe",
        b"<?xml version='1.0'?>",
        b"   \n ",
        b"<a/><b/>",
        b"<a/>trailing",
        b"--boundary\r\n",
    ],
)
def test_no_document_at_all(file, method, content):
    assert_refused(file, method, content)


@pytest.mark.parametrize("method", METHODS)
def test_something_after_the_root(file, method):
    assert_refused(file, method, document(method, "") + b"<more/>")
    assert_refused(file, method, document(method, "") + b"text")


@pytest.mark.parametrize("method", METHODS)
def test_bytes_that_are_no_utf_8(file, method):
    assert_refused(file, method, document(method, "<a xmlns=''>@</a>").replace(b"@", b"\xff"))


@pytest.mark.parametrize("method", METHODS)
def test_a_document_type_alone_is_refused(file, method):
    assert_refused(file, method, document(method, "", "<!DOCTYPE d>"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("depth", [65, 100, 10_000, 200_000])
def test_nested_over_64_deep(file, method, depth):
    content = document(method, "<a xmlns=''>" + "<a>" * depth + "</a>" * depth + "</a>")
    assert_refused(file, method, content[: MIB - 1] if len(content) >= MIB else content)


def test_nested_60_deep_is_fine(file):
    deep = "<x:a>" * 60 + "</x:a>" * 60
    assert file.proppatch("f", f"<d:set><d:prop>{deep}</d:prop></d:set>").status_code == 207
    assert file.stat("f", "<x:a/>").has("a", "{urn:x}")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("transfer", ["content-length", "chunked"])
def test_over_1_mib(file, method, transfer):
    content = document(method, f"<a xmlns=''>{'x' * MIB}</a>")
    body = (
        content if transfer == "content-length" else (content[at : at + 65536] for at in range(0, len(content), 65536))
    )
    assert_refused(file, method, body)


def test_just_below_1_mib_is_read(file):
    content = propfind_body("<d:getetag/>").encode()
    content += b"<!--" + b"x" * (MIB - len(content) - 7) + b"-->"
    assert len(content) == MIB
    answer = send(file, "PROPFIND", content)
    assert answer.status_code == 207


def test_ten_thousand_attributes(file):
    attributes = " ".join(f"a{n}='1'" for n in range(10_000))
    assert send(file, "PROPFIND", document("PROPFIND", f"<p xmlns='' {attributes}/>")).status_code in (207, 400)


def test_fifty_thousand_properties(file):
    answer = send(file, "PROPFIND", document("PROPFIND", "<d:a/>" * 50_000))
    assert answer.status_code in (207, 400)


def test_an_answer_does_not_grow_without_bound(file):
    """Names from the request come back for each entry: a listing times a long request is refused or bounded."""
    file.folder("many")
    for number in range(50):
        file.make(f"many/{number}", b"")
    props = "".join(f"<x:{'p' * 200}{n}/>" for n in range(3000))
    answer = file.propfind("many", "1", props)
    assert answer.status_code in (207, 400, 413)
    if answer.status_code == 207:
        Multistatus(answer.content)


def test_the_predefined_entities_and_cdata_are_fine(file):
    inner = "<d:set><d:prop><x:p>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;<![CDATA[<c>]]></x:p></d:prop></d:set>"
    assert file.proppatch("f", inner).status_code == 207
    assert file.stat("f", "<x:p/>").text("p", "{urn:x}") == "<>&\"'AB<c>"


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1251", "no-such"])
def test_other_encodings_are_read_or_refused(file, encoding):
    text = (
        '<?xml version="1.0" encoding="%s"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'
        % encoding
    )
    content = text.encode("utf-16" if encoding == "utf-16" else "ascii")
    assert send(file, "PROPFIND", content).status_code in (207, 400)

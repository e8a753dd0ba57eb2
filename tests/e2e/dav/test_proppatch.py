"""PROPPATCH (RFC 4918, 9.2): dead properties, kept to the letter."""

from xml.etree import ElementTree

import pytest

from support.dav import proppatch_body, remove_prop, set_prop
from support.multistatus import DAV, Multistatus

X = "{urn:x}"


@pytest.fixture
def file(dav):
    dav.make("a.txt")
    return dav


def patched(answer) -> dict[int, set[str]]:
    """The names of properties by status, of the one response in a 207."""
    assert answer.status_code == 207, f"{answer.status_code} {answer.text}"
    [resource] = Multistatus(answer.content)
    return {status: set(props) for status, props in resource.props.items()}


def test_set_replace_and_remove(file):
    assert patched(file.proppatch("a.txt", set_prop("<x:p>one</x:p>"))) == {200: {X + "p"}}
    assert file.stat("a.txt", "<x:p/>").text("p", X) == "one"
    assert patched(file.proppatch("a.txt", set_prop("<x:p>two</x:p>"))) == {200: {X + "p"}}
    assert file.stat("a.txt", "<x:p/>").text("p", X) == "two"
    assert patched(file.proppatch("a.txt", remove_prop("<x:p/>"))) == {200: {X + "p"}}
    assert set(file.stat("a.txt", "<x:p/>").props) == {404}


def test_the_values_in_the_answer_are_left_out(file):
    [resource] = Multistatus(file.proppatch("a.txt", set_prop("<x:p>secret</x:p>")).content)
    assert not resource.prop("p", X).text


def test_removing_what_is_not_there_succeeds(file):
    assert patched(file.proppatch("a.txt", remove_prop("<x:never/>"))) == {200: {X + "never"}}


def test_instructions_run_in_document_order(file):
    file.proppatch(
        "a.txt", set_prop("<x:p>1</x:p>"), remove_prop("<x:p/>"), set_prop("<x:q>1</x:q>"), set_prop("<x:q>2</x:q>")
    )
    resource = file.stat("a.txt", "<x:p/><x:q/>")
    assert set(resource.props[404]) == {X + "p"}
    assert resource.text("q", X) == "2"


@pytest.mark.parametrize(
    "name",
    [
        "getetag",
        "getcontentlength",
        "resourcetype",
        "lockdiscovery",
        "supportedlock",
        "quota-used-bytes",
    ],
)
def test_a_protected_property_fails_and_nothing_is_changed(file, name):
    before = file.stat("a.txt").text("getetag")
    answer = file.proppatch(
        "a.txt", set_prop("<x:p>1</x:p>"), set_prop(f"<d:{name}>x</d:{name}>"), remove_prop("<x:q/>")
    )
    assert patched(answer) == {403: {DAV + name}, 424: {X + "p", X + "q"}}
    assert b"cannot-modify-protected-property" in answer.content
    assert set(file.stat("a.txt", "<x:p/>").props) == {404}
    assert file.stat("a.txt").text("getetag") == before


def test_a_protected_property_cannot_be_removed(file):
    assert patched(file.proppatch("a.txt", remove_prop("<d:getetag/>"))) == {403: {DAV + "getetag"}}


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "  spaces\n\tand lines  ",
        "Кириллица и 🦀 &amp; &lt;markup&gt; \u200b",
        "]]&gt;",
        "<x:child a='1' x:b='2'>text<x:empty/>tail</x:child>after",
        "<y:other xmlns:y='urn:y'><z xmlns=''>no namespace</z></y:other>",
        "<![CDATA[<not markup> & so on]]>",
        "&#x1F980;&#65;",
        "",
    ],
)
def test_values_come_back_as_they_went_in(file, value):
    assert patched(file.proppatch("a.txt", set_prop(f"<x:p>{value}</x:p>"))) == {200: {X + "p"}}
    stored = file.stat("a.txt", "<x:p/>").prop("p", X)
    sent = ElementTree.fromstring(f"<x:p xmlns:x='urn:x'>{value}</x:p>")
    stored.tail = None
    assert ElementTree.canonicalize(ElementTree.tostring(stored)) == ElementTree.canonicalize(
        ElementTree.tostring(sent)
    )


def test_the_language_of_a_value_is_kept(file):
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    file.proppatch("a.txt", set_prop("<x:p xml:lang='de'>Wert</x:p>"))
    assert file.stat("a.txt", "<x:p/>").prop("p", X).get(language) == "de"
    file.proppatch("a.txt", "<d:set xml:lang='fr'><d:prop><x:q>valeur</x:q></d:prop></d:set>")
    assert file.stat("a.txt", "<x:q/>").prop("q", X).get(language) == "fr"


def test_equal_names_in_different_namespaces_are_different(file):
    file.proppatch("a.txt", set_prop("<x:p>x</x:p><p xmlns='urn:y'>y</p><p xmlns=''>none</p>"))
    resource = file.stat("a.txt", "<x:p/><p xmlns='urn:y'/><p xmlns=''/>")
    assert {name: prop.text for name, prop in resource.props[200].items()} == {
        X + "p": "x",
        "{urn:y}p": "y",
        "p": "none",
    }


def test_names_and_namespaces_beyond_ascii(file):
    file.proppatch("a.txt", set_prop("<ключ xmlns='http://example.org/п?a=1&amp;b=2'>значение</ключ>"))
    resource = file.stat("a.txt", "<ключ xmlns='http://example.org/п?a=1&amp;b=2'/>")
    assert resource.text("ключ", "{http://example.org/п?a=1&b=2}") == "значение"


def test_folders_have_properties_too(file):
    file.folder("d")
    file.proppatch("d/", set_prop("<x:p>folder</x:p>"))
    file.proppatch("", set_prop("<x:p>root</x:p>"))
    assert file.stat("d", "<x:p/>").text("p", X) == "folder"
    assert file.stat("", "<x:p/>").text("p", X) == "root"


def test_properties_outlive_an_overwrite_and_a_move(file):
    file.proppatch("a.txt", set_prop("<x:p>kept</x:p>"))
    file.make("a.txt", b"other")
    assert file.stat("a.txt", "<x:p/>").text("p", X) == "kept"
    assert file.move("a.txt", "b.txt").status_code == 201
    assert file.stat("b.txt", "<x:p/>").text("p", X) == "kept"


def test_a_copy_has_the_properties_and_they_are_its_own(file):
    file.folder("d")
    file.make("d/f")
    file.proppatch("d/f", set_prop("<x:p>deep</x:p>"))
    file.proppatch("d", set_prop("<x:p>top</x:p>"))
    assert file.copy("d", "e").status_code == 201
    assert file.stat("e", "<x:p/>").text("p", X) == "top"
    assert file.stat("e/f", "<x:p/>").text("p", X) == "deep"
    file.proppatch("e/f", set_prop("<x:p>changed</x:p>"))
    assert file.stat("d/f", "<x:p/>").text("p", X) == "deep"


def test_an_overwriting_copy_replaces_the_properties(file):
    file.make("b.txt")
    file.proppatch("a.txt", set_prop("<x:p>a</x:p>"))
    file.proppatch("b.txt", set_prop("<x:p>b</x:p><x:q>b</x:q>"))
    assert file.copy("a.txt", "b.txt").status_code == 204
    resource = file.stat("b.txt", "<x:p/><x:q/>")
    assert resource.text("p", X) == "a"
    assert set(resource.props[404]) == {X + "q"}


def test_a_deleted_file_takes_its_properties_with_it(file):
    file.proppatch("a.txt", set_prop("<x:p>old</x:p>"))
    file.delete("a.txt")
    file.make("a.txt")
    assert set(file.stat("a.txt", "<x:p/>").props) == {404}


def test_hundreds_of_properties(file):
    assert file.proppatch("a.txt", set_prop("".join(f"<x:p{n}>{n}</x:p{n}>" for n in range(300)))).status_code == 207
    resource = file.stat("a.txt", "".join(f"<x:p{n}/>" for n in range(300)))
    assert all(resource.text(f"p{n}", X) == str(n) for n in range(300))


def test_what_is_missing_is_404(dav):
    assert dav.proppatch("missing", set_prop("<x:p>1</x:p>")).status_code == 404


@pytest.mark.parametrize(
    "content", [b"", b"<", b"<d:propertyupdate xmlns:d='DAV:'>", b"<d:propfind xmlns:d='DAV:'><d:prop/></d:propfind>"]
)
def test_a_body_that_is_no_propertyupdate_is_400(file, content):
    assert file.request("PROPPATCH", "a.txt", content=content).status_code == 400


def test_a_locked_file_takes_a_token(file):
    token = file.locked("a.txt")
    assert file.proppatch("a.txt", set_prop("<x:p>1</x:p>")).status_code == 423
    answer = file.request(
        "PROPPATCH", "a.txt", content=proppatch_body(set_prop("<x:p>1</x:p>")), headers={"If": f"(<{token}>)"}
    )
    assert patched(answer) == {200: {X + "p"}}


def test_unknown_elements_beside_the_instructions_are_ignored(file):
    answer = file.proppatch("a.txt", "<x:what><d:prop><x:no/></d:prop></x:what>", "stray", set_prop("<x:p>1</x:p>"))
    assert patched(answer) == {200: {X + "p"}}


def test_what_explorer_sets_after_an_upload_is_kept(file):
    namespace = "urn:schemas-microsoft-com:"
    answer = file.proppatch(
        "a.txt",
        set_prop(
            f"<Z:Win32LastModifiedTime xmlns:Z='{namespace}'>Sat, 21 Nov 2026 10:00:00 GMT</Z:Win32LastModifiedTime>"
        ),
    )
    assert patched(answer) == {200: {f"{{{namespace}}}Win32LastModifiedTime"}}

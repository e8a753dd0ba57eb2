use proptest::prelude::*;

use super::super::namespaces::DAV;
use super::*;

fn root(document: &str) -> Element {
    parse(document.as_bytes()).unwrap_or_else(|error| panic!("{error}: {document}"))
}

fn refusal(document: impl AsRef<[u8]>) -> XmlError {
    let document = document.as_ref();
    match parse(document) {
        Ok(element) => panic!("{} was read as {element:?}", String::from_utf8_lossy(document)),
        Err(error) => error,
    }
}

fn assert_ill_formed(documents: &[&str]) {
    for document in documents {
        assert!(matches!(refusal(document), XmlError::IllFormed(_)), "{document}");
    }
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn a_propfind_is_read() {
    let root = root(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <D:propfind xmlns:D="DAV:" xmlns="urn:x"><!-- c --><?pi x?>
          <D:prop><D:getetag/><size D:a="1" b=" 2 "/><none xmlns=""/></D:prop>M
        </D:propfind>
        <!-- the end -->"#,
    );
    assert!(root.is(DAV, "propfind") && !root.is("", "propfind") && !root.is(DAV, "prop"));
    assert_eq!(root.text(), "M");
    let prop = root.child(DAV, "prop").unwrap();
    let names: Vec<_> = prop.elements().map(|e| (e.namespace.as_str(), e.name.as_str())).collect();
    assert_eq!(names, [(DAV, "getetag"), ("urn:x", "size"), ("", "none")]);
    let attribute = |namespace: &str, name: &str, value: &str| Attribute {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(prop.child("urn:x", "size").unwrap().attributes, [attribute(DAV, "a", "1"), attribute("", "b", " 2 ")]);
    assert!(prop.child(DAV, "size").is_none());
}

#[test]
fn text_is_joined_and_resolved() {
    let root = root("<a>1&lt;&gt;&amp;&apos;&quot;&#65;&#x1F980;<!-- x --><![CDATA[<&amp;>]]><?p?>\r\n2\r3</a>");
    assert_eq!(root.children, [Node::Text("1<>&'\"A🦀<&amp;>\n2\n3".to_owned())]);
    assert_eq!(self::root("<a><![CDATA[]]></a>").children, []);
}

#[test]
fn attribute_values_are_normalized() {
    let root = root("<a b='&lt;&#9;\t\n&quot;&#x41;>'/>");
    assert_eq!(root.attributes[0].value, "<\t  \"A>");
    assert_eq!(self::root("<x:a xmlns:x='urn:?a&amp;b'/>").namespace, "urn:?a&b");
}

#[test]
fn the_language_is_inherited() {
    let root = root("<a xml:lang='de'><b/><c xml:lang='fr'><d/></c></a>");
    let [b, c] = root.elements().collect::<Vec<_>>()[..] else { panic!("{root:?}") };
    assert_eq!((root.lang(), b.lang(), c.lang()), (Some("de"), Some("de"), Some("fr")));
    assert_eq!(c.child("", "d").unwrap().lang(), Some("fr"));
    assert_eq!(self::root("<a lang='de'/>").lang(), None);
}

#[test]
fn utf_8_and_utf_16_are_read() {
    let document = "<?xml version='1.0' encoding='utf-16'?><é>🦀</é>";
    let expected = root("<é>🦀</é>");
    assert_eq!(parse(format!("\u{FEFF}{document}").as_bytes()), Ok(expected.clone()));
    assert_eq!(parse(&utf16(&format!("\u{FEFF}{document}"), u16::to_be_bytes)), Ok(expected.clone()));
    assert_eq!(parse(&utf16(&format!("\u{FEFF}{document}"), u16::to_le_bytes)), Ok(expected));
}

#[test]
fn other_encodings_are_refused() {
    let mut odd = utf16("\u{FEFF}<a/>", u16::to_be_bytes);
    odd.push(0);
    for document in [
        b"<a>\xFF</a>".to_vec(),
        b"<a>\xED\xA0\x80</a>".to_vec(),
        b"\xFE\xFF\x00<\x00a\x00/\x00>\xD8\x00".to_vec(),
        odd,
        b"<?xml version='1.0' encoding='iso-8859-1'?><a/>".to_vec(),
    ] {
        assert_eq!(refusal(&document), XmlError::Encoding, "{document:?}");
    }
    // UTF-16 without its mark is UTF-8 full of NUL.
    assert!(matches!(refusal(utf16("<a/>", u16::to_be_bytes)), XmlError::IllFormed(_)));
}

#[test]
fn entities_are_not_declared() {
    for document in [
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!doctype a><a/>",
        "<a><!DOCTYPE a></a>",
    ] {
        assert_eq!(refusal(document), XmlError::Doctype, "{document}");
    }
    assert_ill_formed(&["<!DOCTYPE a [<a/>", "<!ENTITY a 'b'><a/>", "<!DOCTYPE>", "<a><!ELEMENT a ANY></a>"]);
}

#[test]
fn references_must_be_to_something() {
    assert_ill_formed(&[
        "<a>&b;</a>",
        "<a b='&c;'/>",
        "<a>&</a>",
        "<a>& b</a>",
        "<a>&amp</a>",
        "<a b='&'/>",
        "<a>&;</a>",
        "<a>&AMP;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a>&#0;</a>",
        "<a>&#1;</a>",
        "<a>&#xFFFF;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#+65;</a>",
        "<a>&#X41;</a>",
        "<a b='&#1;'/>",
        "<a>&#99999999999;</a>",
    ]);
}

#[test]
fn prefixes_must_be_declared() {
    assert_ill_formed(&[
        "<x:a/>",
        "<a x:b=''/>",
        "<a xmlns:x='u'><b/></a><x:c/>",
        "<a><b xmlns:x='u'/><x:c/></a>",
        "<a xmlns:x=''/>",
        "<x:a xmlns:x=''/>",
        "<a xmlns:x='u'><b xmlns:x=''/></a>",
    ]);
}

#[test]
fn reserved_prefixes_and_namespaces_are_left_alone() {
    assert_ill_formed(&[
        "<a xmlns:xmlns='u'/>",
        "<a xmlns:xml='u'/>",
        "<a xmlns:x='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:x='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns&#x2F;'/>",
        "<xmlns:a/>",
    ]);
    root("<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='de'><xml:b/></a>");
}

#[test]
fn names_must_be_names() {
    assert_ill_formed(&[
        "<1a/>",
        "<-a/>",
        "<a b:c:d=''/>",
        "<a:b:c xmlns:a='u'/>",
        "<:a/>",
        "<a:/>",
        "<a :b=''/>",
        "<a xmlns:='u'/>",
        "<a xmlns:1='u'/>",
        "<a 1b=''/>",
        "< a/>",
        "<a\u{A0}b/>",
        "<a!/>",
        "<a\"/>",
        "<a/ >",
        "<>",
        "</>",
    ]);
    root("<é-1._·/>");
}

#[test]
fn attributes_must_be_well_formed() {
    assert_ill_formed(&[
        "<a b='1' b='2'/>",
        "<a xmlns:x='u' xmlns:y='u' x:b='' y:b=''/>",
        "<a xmlns='u' xmlns='u'/>",
        "<a b/>",
        "<a b=1/>",
        "<a b='1'c='2'/>",
        "<a b='<'/>",
        "<a b='1/>",
        "<a b=\"1'/>",
        "<a ='1'/>",
        "<a b='1' / >",
    ]);
    let root = root("<a xmlns:x='u' xmlns='u' x:b='1' b='2' c\n=\n\"'\" />");
    assert_eq!(root.attributes.len(), 3);
}

#[test]
fn documents_must_be_whole() {
    assert_ill_formed(&[
        "",
        " ",
        "text",
        "<a",
        "<a>",
        "<a><b></a>",
        "<a></b>",
        "</a>",
        "<a/></a>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a/>&amp;",
        "<a/><![CDATA[]]>",
        "<![CDATA[x]]><a/>",
        "<a></a b='c'>",
        "<a><![CDATA[</a>",
        "<a><!-- </a>",
        "<a><!-- -- --></a>",
        "<a><!-- ---></a>",
        "<a>]]></a>",
        "<a><?xml version='1.0'?></a>",
        " <?xml version='1.0'?><a/>",
        "<?xml version='2.0'?><a/>",
        "<?xml?><a/>",
        "<a/><?XML x?>",
        "<a><![cdata[x]]></a>",
        "<!-- only -->",
        "<a",
        "<x:a xmlns:x='u'></x:b>",
        "<x:a xmlns:x='u' xmlns:y='u'></y:a>",
        "<a/>\u{FEFF}",
    ]);
}

#[test]
fn forbidden_characters_are_refused_everywhere() {
    for c in ['\0', '\u{1}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
        for document in [
            format!("<a>{c}</a>"),
            format!("<a b='{c}'/>"),
            format!("<a><!--{c}--></a>"),
            format!("<a><![CDATA[{c}]]></a>"),
        ] {
            assert!(matches!(refusal(&document), XmlError::IllFormed(_)), "{document:?}");
        }
    }
}

#[test]
fn length_and_depth_are_bounded() {
    let long = |length: usize| format!("<a>{}</a>", "x".repeat(length - 7));
    assert!(parse(long(MAX_LENGTH).as_bytes()).is_ok());
    assert_eq!(refusal(long(MAX_LENGTH + 1)), XmlError::TooLong);

    let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(parse(deep(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(refusal(deep(MAX_DEPTH + 1)), XmlError::TooDeep);
    assert_eq!(refusal("<a>".repeat(100_000)), XmlError::TooDeep);
}

#[test]
fn a_long_name_may_not_be_repeated_at_will() {
    let many = "<b/>".repeat(100_000);
    assert!(parse(format!("<a>{}</a>", "<b/>".repeat(10_000)).as_bytes()).is_ok());
    for document in [
        format!("<a xmlns='{}'>{many}</a>", "x".repeat(10_000)),
        format!("<a xml:lang='{}'>{many}</a>", "x".repeat(10_000)),
        format!("<a>{}</a>", "<b/>".repeat(200_000)),
        format!("<a {}/>", (0..80_000).map(|i| ["b", &i.to_string(), "='' "].concat()).collect::<String>()),
    ] {
        assert_eq!(refusal(document), XmlError::TooMany);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_markup_is_survived_and_means_what_it_says(
        pieces in prop::collection::vec(prop::sample::select(&[
            "<a", "<x:b", "</a>", "</x:b>", "/>", ">", " xmlns:x='u'", " xmlns='v'", " c='1'", " x:c='2'", "t", "&lt;", "&#13;",
            "<![CDATA[", "]]>", "<!--", "-->", "<?p", "?>", "\"", "'", "&", ";", "\r",
        ][..]), 0..12),
    ) {
        let inner = pieces.concat();
        if let Ok(root) = parse(format!("<r>{inner}</r>").as_bytes()) {
            let again = parse(format!("<r>{}</r>", root.inner_xml()).as_bytes());
            prop_assert_eq!(again, Ok(root));
        }
    }
}

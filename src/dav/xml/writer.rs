//! A builder of answers, fast enough for listings of many thousand entries.

use super::escape::{push_attribute, push_text};
use super::namespaces::{DAV, NEXTCLOUD, OWNCLOUD, XML};

/// Writes one document into a string.
///
/// Every method names elements by namespace and local name; the local name is a constant or one
/// that `parse` gave, and is not escaped. Whoever opens an element closes it.
pub struct Writer {
    out: String,
    root: &'static str,
}

impl Writer {
    /// Begins a document with the element `root` of [`DAV`], which declares the prefixes `d`, `oc`
    /// and `nc`.
    pub fn new(root: &'static str) -> Self {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:");
        out.push_str(root);
        for (prefix, namespace) in [("d", DAV), ("oc", OWNCLOUD), ("nc", NEXTCLOUD)] {
            for piece in [" xmlns:", prefix, "=\"", namespace, "\""] {
                out.push_str(piece);
            }
        }
        out.push('>');
        Self { out, root }
    }

    /// `<name>`
    pub fn open(&mut self, namespace: &str, name: &str) {
        self.start(namespace, name);
        self.out.push('>');
    }

    /// `</name>`
    pub fn close(&mut self, namespace: &str, name: &str) {
        self.out.push_str("</");
        self.out.push_str(prefix(namespace));
        self.out.push_str(name);
        self.out.push('>');
    }

    /// `<name/>`
    pub fn empty(&mut self, namespace: &str, name: &str) {
        self.start(namespace, name);
        self.out.push_str("/>");
    }

    /// `<name>text</name>`, escaped. What XML cannot carry becomes U+FFFD.
    pub fn text(&mut self, namespace: &str, name: &str, text: &str) {
        self.open(namespace, name);
        push_text(&mut self.out, text);
        self.close(namespace, name);
    }

    /// `<name xml:lang="lang">inner</name>`, where `inner` is what `Element::inner_xml` gave.
    pub fn raw(&mut self, namespace: &str, name: &str, lang: Option<&str>, inner: &str) {
        self.start(namespace, name);
        if let Some(lang) = lang {
            self.attribute("xml:lang", lang);
        }
        self.out.push('>');
        self.out.push_str(inner);
        self.close(namespace, name);
    }

    /// What was written since the last call, so that a long document can be sent while it is written.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Bytes that wait to be taken.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Closes the root and gives the document, or the rest of it.
    pub fn finish(mut self) -> String {
        self.close(DAV, self.root);
        self.out
    }

    /// `<name`, with a declaration where the root has none.
    fn start(&mut self, namespace: &str, name: &str) {
        let prefix = prefix(namespace);
        self.out.push('<');
        self.out.push_str(prefix);
        self.out.push_str(name);
        if prefix == "x:" {
            self.attribute("xmlns:x", namespace);
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        push_attribute(&mut self.out, value);
        self.out.push('"');
    }
}

/// No default namespace is ever declared, so an element without a prefix has no namespace.
fn prefix(namespace: &str) -> &'static str {
    match namespace {
        DAV => "d:",
        OWNCLOUD => "oc:",
        NEXTCLOUD => "nc:",
        XML => "xml:",
        "" => "",
        _ => "x:",
    }
}

#[cfg(test)]
mod tests {
    use super::super::escape::is_char;
    use super::super::parse::parse;
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str =
        r#"<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">"#;

    fn body(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::new("multistatus");
        write(&mut writer);
        let document = writer.finish();
        parse(document.as_bytes()).unwrap();
        let body = document.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n").unwrap();
        body.strip_prefix(ROOT).and_then(|body| body.strip_suffix("</d:multistatus>")).unwrap().to_owned()
    }

    #[test]
    fn known_namespaces_have_their_prefixes() {
        let written = body(|w| {
            w.open(DAV, "response");
            w.text(DAV, "href", "/a&b");
            w.text(OWNCLOUD, "size", "5");
            w.empty(NEXTCLOUD, "has-preview");
            w.close(DAV, "response");
        });
        assert_eq!(written, "<d:response><d:href>/a&amp;b</d:href><oc:size>5</oc:size><nc:has-preview/></d:response>");
    }

    #[test]
    fn other_namespaces_are_declared_in_place() {
        let written = body(|w| {
            w.text("urn:\"x\"", "a", "1");
            w.empty("", "b");
            w.open("urn:y", "c");
            w.close("urn:y", "c");
        });
        assert_eq!(written, r#"<x:a xmlns:x="urn:&quot;x&quot;">1</x:a><b/><x:c xmlns:x="urn:y"></x:c>"#);
    }

    #[test]
    fn raw_content_is_put_in_as_it_is() {
        let written = body(|w| w.raw("urn:y", "c", Some("en\""), "<p xmlns=\"\"/>&amp;"));
        assert_eq!(written, r#"<x:c xmlns:x="urn:y" xml:lang="en&quot;"><p xmlns=""/>&amp;</x:c>"#);
        assert_eq!(body(|w| w.raw(DAV, "owner", None, "me")), "<d:owner>me</d:owner>");
    }

    proptest! {
        #[test]
        fn any_text_and_namespace_give_a_readable_document(text in any::<String>(), namespace in any::<String>()) {
            let readable = |text: &str| text.replace(|c| !is_char(c), "\u{FFFD}");
            let mut writer = Writer::new("prop");
            writer.text(&namespace, "a", &text);
            let root = parse(writer.finish().as_bytes()).unwrap();
            let element = root.child(&readable(&namespace), "a").unwrap();
            prop_assert_eq!(element.text(), readable(&text).trim().to_owned());
        }
    }
}

//! Elements back to text that can stand in any document.

use super::element::{Element, Node};
use super::escape::{push_attribute, push_text};
use super::namespaces::XML;

impl Element {
    /// What the element holds, as XML. Each namespace is declared where it is used, so the text
    /// means the same in whatever document it is put; prefixes are not kept.
    pub fn inner_xml(&self) -> String {
        let mut out = String::new();
        push_children(&mut out, self, None);
        out
    }
}

/// `default` is the default namespace in scope, `None` where it is not known.
fn push_children(out: &mut String, element: &Element, default: Option<&str>) {
    for child in &element.children {
        match child {
            Node::Element(element) => push_element(out, element, default),
            Node::Text(text) => push_text(out, text),
        }
    }
}

fn push_element(out: &mut String, element: &Element, default: Option<&str>) {
    // Nothing but the prefix `xml` may name its namespace.
    let is_xml = element.namespace == XML;
    let prefix = if is_xml { "xml:" } else { "" };
    let namespace = if is_xml { default } else { Some(element.namespace.as_str()) };

    out.push('<');
    out.push_str(prefix);
    out.push_str(&element.name);
    if namespace != default {
        push_declaration(out, "xmlns", &element.namespace);
    }
    push_attributes(out, element);
    if element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    push_children(out, element, namespace);
    out.push_str("</");
    out.push_str(prefix);
    out.push_str(&element.name);
    out.push('>');
}

fn push_attributes(out: &mut String, element: &Element) {
    for (i, attribute) in element.attributes.iter().enumerate() {
        let name = match attribute.namespace.as_str() {
            "" => attribute.name.clone(),
            XML => format!("xml:{}", attribute.name),
            namespace => {
                push_declaration(out, &format!("xmlns:a{i}"), namespace);
                format!("a{i}:{}", attribute.name)
            }
        };
        push_declaration(out, &name, &attribute.value);
    }
}

/// ` name="value"`
fn push_declaration(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    push_attribute(out, value);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::element::Attribute;
    use super::super::parse::parse;
    use super::*;
    use proptest::prelude::*;

    fn inner(document: &str) -> String {
        parse(document.as_bytes()).unwrap().inner_xml()
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(inner("<a>x &lt; y &amp; z&#13;<![CDATA[<b>]]></a>"), "x &lt; y &amp; z&#13;&lt;b&gt;");
        assert_eq!(inner("<a/>"), "");
        assert_eq!(inner("<a> <!-- no --> </a>"), "  ");
    }

    #[test]
    fn namespaces_are_declared_where_they_are_used() {
        assert_eq!(
            inner(r#"<d:p xmlns:d="DAV:" xmlns="urn:x"><d:a><d:b/><c/></d:a><c/></d:p>"#),
            r#"<a xmlns="DAV:"><b/><c xmlns="urn:x"/></a><c xmlns="urn:x"/>"#
        );
        assert_eq!(inner("<p><a><b/></a></p>"), r#"<a xmlns=""><b/></a>"#);
        assert_eq!(inner(r#"<p xmlns:x="urn:?a&amp;b"><x:a/></p>"#), r#"<a xmlns="urn:?a&amp;b"/>"#);
    }

    #[test]
    fn attributes_are_kept() {
        assert_eq!(
            inner(r#"<p xmlns:x="urn:x"><a b="1&#9;&quot;" x:c="2" xml:lang="de"><xml:d/></a></p>"#),
            r#"<a xmlns="" b="1&#9;&quot;" xmlns:a1="urn:x" a1:c="2" xml:lang="de"><xml:d/></a>"#
        );
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z<>&\"'\\]\t\n\r é🦀]{1,8}", Just("]]>".to_owned())]
    }

    fn any_namespace() -> impl Strategy<Value = String> {
        prop_oneof![Just(""), Just("DAV:"), Just("urn:x"), Just("urn:\"<&> \t"), Just(XML)].prop_map(str::to_owned)
    }

    fn any_attributes() -> impl Strategy<Value = Vec<Attribute>> {
        let attribute = (any_namespace(), "[a-c]|lang", any_text()).prop_map(|(namespace, name, value)| Attribute {
            namespace,
            name,
            value,
        });
        prop::collection::vec(attribute, 0..4).prop_map(|mut attributes| {
            attributes.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
            attributes.dedup_by(|a, b| a.namespace == b.namespace && a.name == b.name);
            attributes
        })
    }

    fn any_element() -> impl Strategy<Value = Element> {
        let element = |children| {
            (any_namespace(), "[a-zé_][a-z0-9.-]{0,4}", any_attributes(), children).prop_map(
                |(namespace, name, attributes, mut children): (_, _, _, Vec<Node>)| {
                    children.dedup_by(|a, b| matches!((a, b), (Node::Text(_), Node::Text(_))));
                    Element { namespace, name, attributes, children, lang: None }
                },
            )
        };
        element(Just(Vec::new()).boxed()).prop_recursive(4, 24, 4, move |inner| {
            let node = prop_oneof![inner.prop_map(Node::Element), any_text().prop_map(Node::Text)];
            element(prop::collection::vec(node, 0..4).boxed())
        })
    }

    /// Gives every element the language that a reader finds it in.
    fn speak(element: &mut Element, around: Option<&str>) {
        let own = element.attributes.iter().find(|attribute| attribute.namespace == XML && attribute.name == "lang");
        element.lang = own.map(|attribute| attribute.value.clone()).or(around.map(str::to_owned));
        for child in &mut element.children {
            if let Node::Element(child) = child {
                speak(child, element.lang.as_deref());
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(mut element in any_element()) {
            speak(&mut element, None);
            let holder = Element {
                namespace: "DAV:".to_owned(),
                name: "owner".to_owned(),
                attributes: Vec::new(),
                children: vec![Node::Text("…".to_owned()), Node::Element(element)],
                lang: None,
            };
            let inner = holder.inner_xml();
            for document in [
                format!("<owner xmlns='DAV:'>{inner}</owner>"),
                format!("<d:owner xmlns:d='DAV:' xmlns:a0='urn:other' xmlns:a1='urn:other'>{inner}</d:owner>"),
            ] {
                prop_assert_eq!(parse(document.as_bytes()), Ok(holder.clone()), "{}", document);
            }
        }
    }
}

//! A tree of elements.

/// An element, with all prefixes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Empty for an element without namespace.
    pub namespace: String,
    /// The local name.
    pub name: String,
    /// In the order of the document, without the declarations of namespaces.
    pub attributes: Vec<Attribute>,
    /// In the order of the document. Two texts never follow each other, and none is empty.
    pub children: Vec<Node>,
    pub(super) lang: Option<String>,
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Empty for a name without prefix.
    pub namespace: String,
    /// The local name.
    pub name: String,
    /// Normalised as XML 1.0 (3.3.3) says.
    pub value: String,
}

/// What an element holds. Comments and processing instructions are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Character data, also that of CDATA sections.
    Text(String),
}

impl Element {
    /// Whether it has this name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// The elements in it, without the text between them.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first element of this name in it.
    pub fn child(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.elements().find(|child| child.is(namespace, name))
    }

    /// The text directly in it, without that of its elements and without white space around it.
    pub fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|child| match child {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect::<String>().trim().to_owned()
    }

    /// The language of its content: its own `xml:lang`, else that of the element around it. RFC
    /// 4918 (4.3) has it kept with a dead property; [`Element::inner_xml`] does not hold it.
    pub fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }
}

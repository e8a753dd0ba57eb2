//! The XML of WebDAV: what a request body says, and what an answer is written with.
//!
//! `parse` reads a whole body into a tree of [`Element`]s, `serialize` turns a part of such a tree
//! back into text that stands on its own, and `writer` builds answers. What the elements mean is
//! the business of the methods. Imports no other room.

mod element;
mod escape;
mod namespaces;
mod parse;
mod serialize;
mod writer;

pub use self::element::{Attribute, Element, Node};
pub use self::namespaces::{DAV, NEXTCLOUD, OWNCLOUD};
pub use self::parse::{XmlError, parse};
pub use self::writer::Writer;

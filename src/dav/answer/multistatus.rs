//! The answer 207 (RFC 4918, 13).

use http::{Response, StatusCode};

use super::response::xml_answer;
use crate::body::Body;
use crate::dav::props::property::{Name, Value};
use crate::dav::xml::{DAV, Writer};

/// A multistatus that is being written.
pub struct Multistatus(Writer);

impl Multistatus {
    /// Without any response yet.
    pub fn new() -> Self {
        Self(Writer::new("multistatus"))
    }

    /// Adds a response with the properties that the resource has, and the names of those that it
    /// has not.
    pub fn properties(&mut self, href: &str, found: &[(Name<'_>, Value<'_>)], missing: &[Name<'_>]) {
        let xml = &mut self.0;
        xml.open(DAV, "response");
        xml.text(DAV, "href", href);
        if !found.is_empty() || missing.is_empty() {
            xml.open(DAV, "propstat");
            xml.open(DAV, "prop");
            for (name, value) in found {
                value.write(*name, xml);
            }
            xml.close(DAV, "prop");
            xml.text(DAV, "status", "HTTP/1.1 200 OK");
            xml.close(DAV, "propstat");
        }
        propstat(xml, missing, "HTTP/1.1 404 Not Found", None);
        xml.close(DAV, "response");
    }

    /// Adds a response that says of names, group by group, what became of them, with the
    /// precondition that was violated where there is one.
    pub fn outcome(&mut self, href: &str, groups: &[(Vec<Name<'_>>, &str, Option<&str>)]) {
        let xml = &mut self.0;
        xml.open(DAV, "response");
        xml.text(DAV, "href", href);
        for (names, status, condition) in groups {
            propstat(xml, names, status, *condition);
        }
        xml.close(DAV, "response");
    }

    /// Adds a response that says what became of a whole resource.
    pub fn status(&mut self, href: &str, status: &str) {
        let xml = &mut self.0;
        xml.open(DAV, "response");
        xml.text(DAV, "href", href);
        xml.text(DAV, "status", status);
        xml.close(DAV, "response");
    }

    /// What was written since the last call.
    pub fn take(&mut self) -> String {
        self.0.take()
    }

    /// Bytes that wait to be taken.
    pub fn waiting(&self) -> usize {
        self.0.waiting()
    }

    /// The end of the document.
    pub fn end(self) -> String {
        self.0.finish()
    }

    /// The answer, whole.
    pub fn finish(self) -> Response<Body> {
        xml_answer(StatusCode::MULTI_STATUS, Body::from(self.end()))
    }
}

fn propstat(xml: &mut Writer, names: &[Name<'_>], status: &str, condition: Option<&str>) {
    if names.is_empty() {
        return;
    }
    xml.open(DAV, "propstat");
    xml.open(DAV, "prop");
    for name in names {
        xml.empty(name.namespace, name.name);
    }
    xml.close(DAV, "prop");
    xml.text(DAV, "status", status);
    if let Some(condition) = condition {
        xml.open(DAV, "error");
        xml.empty(DAV, condition);
        xml.close(DAV, "error");
    }
    xml.close(DAV, "propstat");
}

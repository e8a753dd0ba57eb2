//! The form of an OCS answer (Open Collaboration Services 1.7, "Result"): `meta` with a code, and `data`, in XML or JSON.

use std::fmt::Write;

use http::{HeaderValue, Response, StatusCode, header};
use quick_xml::escape::escape;
use serde_json::{Value, json};

use crate::body::Body;
use crate::error::{Dialect, Error};

/// The version of the interface, which differs in its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 100 is success, and HTTP's status is 200 but for a caller who is not known.
    One,
    /// The codes are those of HTTP, and so is the status.
    Two,
}

/// What became of a request.
pub enum Outcome {
    /// The data.
    Done(Value),
    /// Why there are none.
    Failed(Error),
}

struct Meta {
    status: StatusCode,
    code: u16,
    message: String,
}

/// The answer.
pub fn answer(version: Version, as_json: bool, outcome: Outcome) -> Response<Body> {
    let (meta, data) = match outcome {
        Outcome::Done(data) => (Meta::done(version), data),
        Outcome::Failed(error) => (Meta::failed(version, &error), json!([])),
    };
    let word = if meta.message == "OK" { "ok" } else { "failure" };
    let (body, content_type) = if as_json {
        let meta = json!({ "status": word, "statuscode": meta.code, "message": meta.message });
        (json!({ "ocs": { "meta": meta, "data": data } }).to_string(), "application/json; charset=utf-8")
    } else {
        let mut xml = String::from("<?xml version=\"1.0\"?>\n<ocs><meta>");
        element("status", &json!(word), &mut xml);
        element("statuscode", &json!(meta.code), &mut xml);
        element("message", &json!(meta.message), &mut xml);
        xml.push_str("</meta>");
        element("data", &data, &mut xml);
        xml.push_str("</ocs>\n");
        (xml, "application/xml; charset=utf-8")
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = meta.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if meta.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"edgedrive\""));
    }
    response
}

impl Meta {
    fn done(version: Version) -> Self {
        let code = if version == Version::One { 100 } else { 200 };
        Self { status: StatusCode::OK, code, message: "OK".to_owned() }
    }

    fn failed(version: Version, error: &Error) -> Self {
        let status = error.status(Dialect::Json);
        let (code, message) = match (version, error) {
            (_, Error::Unauthorized) => (997, "Current user is not logged in".to_owned()),
            (Version::One, Error::NoRoute) => (998, "Invalid query, please check the syntax.".to_owned()),
            (Version::Two, Error::NoRoute) => (404, "Invalid query, please check the syntax.".to_owned()),
            (_, error) => (status.as_u16(), error.sentence()),
        };
        let status = match version {
            Version::One if status != StatusCode::UNAUTHORIZED && !status.is_server_error() => StatusCode::OK,
            _ => status,
        };
        Self { status, code, message }
    }
}

/// Writes a value as an element: the members of an object as elements of their names, those of a list as `element`.
fn element(name: &str, value: &Value, xml: &mut String) {
    let inner = match value {
        Value::Null => String::new(),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => escape(text.as_str()).into_owned(),
        Value::Array(items) => {
            let mut inner = String::new();
            for item in items {
                element("element", item, &mut inner);
            }
            inner
        }
        Value::Object(members) => {
            let mut inner = String::new();
            for (name, value) in members {
                element(name, value, &mut inner);
            }
            inner
        }
    };
    // Writing to a string does not fail.
    let _ = if inner.is_empty() { write!(xml, "<{name}/>") } else { write!(xml, "<{name}>{inner}</{name}>") };
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(version: Version, as_json: bool, outcome: Outcome) -> (u16, String) {
        let (parts, mut body) = answer(version, as_json, outcome).into_parts();
        let body = crate::ports::read_at_most(&mut body, 10_000).await.unwrap();
        (parts.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn data_come_as_xml_or_json() {
        let data = || {
            Outcome::Done(json!({ "id": "a<b", "quota": { "free": 1 }, "groups": ["x", "y"], "on": true, "no": null }))
        };
        let xml = text(Version::One, false, data()).await;
        let expected = "<?xml version=\"1.0\"?>\n<ocs><meta><status>ok</status><statuscode>100</statuscode><message>OK</message>\
             </meta><data><groups><element>x</element><element>y</element></groups><id>a&lt;b</id><no/><on>1</on>\
             <quota><free>1</free></quota></data></ocs>\n";
        assert_eq!(xml, (200, expected.to_owned()));
        let json = text(Version::Two, true, data()).await;
        assert_eq!(json.0, 200);
        let json: Value = serde_json::from_str(&json.1).unwrap();
        assert_eq!(json["ocs"]["meta"], json!({ "status": "ok", "statuscode": 200, "message": "OK" }));
        assert_eq!(json["ocs"]["data"]["id"], "a<b");
    }

    #[tokio::test]
    async fn a_path_that_nobody_knows_has_the_code_of_the_version() {
        for (version, as_json, status, code) in
            [(Version::One, false, 200, "998"), (Version::One, true, 200, "998"), (Version::Two, true, 404, "404")]
        {
            let (found, body) = text(version, as_json, Outcome::Failed(Error::NoRoute)).await;
            assert_eq!(found, status);
            assert!(body.contains(code) && body.contains("failure"), "{body}");
        }
        let (found, body) = text(Version::One, true, Outcome::Failed(Error::Unauthorized)).await;
        assert_eq!(found, 401);
        assert!(body.contains("997"), "{body}");
    }
}

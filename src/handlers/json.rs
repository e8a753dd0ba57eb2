//! JSON in and out, and the shapes that several resources share.

use http::{HeaderValue, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::body::Body;
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, StreamError, read_at_most};
use crate::resource;
use crate::store::{Caller, Node, Scope, TokenInfo};

/// No request of this interface needs more.
const LIMIT: usize = 64 * 1024;

/// 2^50: below, a whole number that is read as floating point a little inexactly is none any more, and never another one.
const EXACT: f64 = 1_125_899_906_842_624.0;

/// The request's body as `T`: 400 where it is no JSON, 413 beyond 64 KiB, 422 where a field is
/// missing or of the wrong kind.
pub async fn read<T: DeserializeOwned>(mut body: Body) -> Result<T> {
    let bytes = read_at_most(&mut body as &mut dyn ByteSource, LIMIT).await.map_err(|error| match error {
        StreamError::TooLong => Error::TooLarge("the JSON is over 64 KiB".to_owned()),
        other => other.into(),
    })?;
    let mut value: Value =
        serde_json::from_slice(&bytes).map_err(|error| Error::bad(format!("the body is no JSON: {error}")))?;
    // serde would take an array for a struct, field by field.
    if !value.is_object() {
        return Err(Error::Unprocessable("the body is no JSON object".to_owned()));
    }
    make_whole(&mut value);
    serde_json::from_value(value).map_err(|error| Error::Unprocessable(error.to_string()))
}

/// Makes `7.0` a 7, wherever it stands: to JSON Schema (2020-12, validation, 6.1.1) that is an integer, some clients have no
/// other numbers, and nothing here is a fraction.
fn make_whole(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT);
            #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^50")]
            if let Some(float) = whole {
                *number = (float as i64).into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(make_whole),
        Value::Object(fields) => fields.values_mut().for_each(make_whole),
        _ => {}
    }
}

/// A field that tells `null` from absence, for changes: `#[serde(default)]` makes absence `Absent`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// It is not there: nothing changes.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It has a value.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

/// An answer with a JSON body.
pub fn answer(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 200 with a JSON body.
pub fn ok(value: &Value) -> Response<Body> {
    answer(StatusCode::OK, value)
}

/// 201 with a JSON body.
pub fn created(value: &Value) -> Response<Body> {
    answer(StatusCode::CREATED, value)
}

/// 204
pub fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A caller who may be told of files and folders: nothing but the scope `read` makes one.
pub struct Readable<'a>(&'a Caller);

impl<'a> Readable<'a> {
    /// 403 for a caller without the scope `read`.
    pub fn of(caller: &'a Caller) -> Result<Self> {
        caller.scopes.require(Scope::Read)?;
        Ok(Self(caller))
    }
}

/// A file that the caller has just made or changed, as `file` shows it; without the scope `read`, its id alone.
pub fn changed_file(caller: &Caller, node: &Node) -> Value {
    Readable::of(caller).map_or_else(|_| id_alone(node), |readable| file(&readable, node))
}

/// The same for a folder.
pub fn changed_folder(caller: &Caller, node: &Node) -> Value {
    Readable::of(caller).map_or_else(|_| id_alone(node), |readable| folder(&readable, node))
}

fn id_alone(node: &Node) -> Value {
    json!({ "id": node.id.to_string() })
}

/// A folder.
pub fn folder(&Readable(caller): &Readable<'_>, node: &Node) -> Value {
    let parent = if caller.folder_id == Some(node.id) { None } else { node.parent_id };
    json!({
        "id": node.id.to_string(),
        "name": node.name,
        "parentId": folder_id(caller, parent),
        "isZeroKnowledge": false,
        "isPublic": false,
        "sizeBytes": node.size,
        "createdAt": iso8601(node.created_at),
        "modifiedAt": iso8601(node.modified_at),
        "etag": node.etag,
    })
}

/// The id that a client sees for the folder `parent`: none for the caller's root, which has no
/// name for it, but for a confined token the folder that it is confined to.
fn folder_id(caller: &Caller, parent: Option<i64>) -> Option<String> {
    resource::folder_id(caller.root_id, parent)
}

/// A file; its digests were read with it.
pub fn file(&Readable(caller): &Readable<'_>, node: &Node) -> Value {
    resource::file(caller.root_id, node)
}

/// A token, without its secret.
pub fn token(token: &TokenInfo) -> Value {
    json!({
        "id": token.id.to_string(),
        "name": token.name,
        "scopes": token.scopes,
        "folderId": token.folder_id.map(|id| id.to_string()),
        "createdAt": iso8601(token.created_at),
        "expiresAt": token.expires_at.map(iso8601),
        "lastUsedAt": token.used_at.map(iso8601),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let whole = |text: &str| {
            let mut value = serde_json::from_str(text).unwrap();
            make_whole(&mut value);
            value.to_string()
        };
        assert_eq!(
            whole(r#"{"a":7.0,"b":[-1e3,0.0,{"c":1125899906842623.0}]}"#),
            r#"{"a":7,"b":[-1000,0,{"c":1125899906842623}]}"#
        );
        for other in ["7.5", "1e300", "9007199254740991.0", "\"7.0\"", "null"] {
            assert_eq!(whole(other), serde_json::from_str::<Value>(other).unwrap().to_string(), "{other}");
        }
    }
}

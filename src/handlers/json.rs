//! JSON in and out, and the shapes that several resources share.

use http::{HeaderValue, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::folder_id;
use crate::body::Body;
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, StreamError, read_at_most};
use crate::resource;
use crate::store::{Caller, Node, TokenInfo};

/// No request of this interface needs more.
const LIMIT: usize = 64 * 1024;

/// The request's body as `T`: 400 where it is no JSON, 413 beyond 64 KiB, 422 where a field is
/// missing or of the wrong kind.
pub async fn read<T: DeserializeOwned>(mut body: Body) -> Result<T> {
    let bytes = read_at_most(&mut body as &mut dyn ByteSource, LIMIT).await.map_err(|error| match error {
        StreamError::TooLong => Error::TooLarge("the JSON is over 64 KiB".to_owned()),
        other => other.into(),
    })?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| Error::bad(format!("the body is no JSON: {error}")))?;
    // serde would take an array for a struct, field by field.
    if !value.is_object() {
        return Err(Error::Unprocessable("the body is no JSON object".to_owned()));
    }
    serde_json::from_value(value).map_err(|error| Error::Unprocessable(error.to_string()))
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

/// A folder.
pub fn folder(caller: &Caller, node: &Node) -> Value {
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

/// A file; its digests were read with it.
pub fn file(caller: &Caller, node: &Node) -> Value {
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

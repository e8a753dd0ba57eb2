//! `ListObjectsV2`.

use bytes::Bytes;
use http::Method;
use rusty_s3::actions::{ListObjectsV2, ListObjectsV2Response};

use super::client::Client;
use super::failure::{Failure, unreadable};
use crate::ports::BlobError;

const OPERATION: &str = "ListObjectsV2";

/// Up to `limit` keys after the key `after`, in the order of their bytes; fewer only at the end.
pub async fn list(client: &Client, after: &str, limit: usize) -> Result<Vec<String>, BlobError> {
    let mut keys = Vec::new();
    let mut token = None;
    // A store may give fewer than were asked for although there are more.
    while keys.len() < limit {
        let page = page(client, after, limit - keys.len(), token.as_deref()).await;
        let page = page.map_err(|failure| failure.of(OPERATION, ""))?;
        keys.extend(page.contents.into_iter().map(|object| object.key));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    let mut all = std::iter::once(after).chain(keys.iter().map(String::as_str));
    if all.by_ref().is_sorted_by(|one, next| one < next) {
        Ok(keys)
    } else {
        Err(BlobError::Unavailable(format!("{OPERATION}: the keys are not in the order of their bytes")))
    }
}

async fn page(
    client: &Client,
    after: &str,
    limit: usize,
    token: Option<&str>,
) -> Result<ListObjectsV2Response, Failure> {
    let mut action = client.bucket().list_objects_v2(Some(client.credentials()));
    action.with_max_keys(limit);
    match token {
        Some(token) => action.with_continuation_token(token),
        None if after.is_empty() => {}
        None => action.with_start_after(after),
    }
    let request = client.request(Method::GET, &action).map(|()| Bytes::new());
    ListObjectsV2::parse_response(&client.call_for_text(request).await?).map_err(|_| unreadable())
}

//! Requests to other servers, through the host: it lets them go to the hosts that `spin.toml`
//! allows, and to no other.

use std::pin::pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderName, HeaderValue, StatusCode, header};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response, Scheme};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader};

use super::response::fields;
use super::source::{SendError, Sender, StreamSource, nothing_follows};
use crate::ports::{ByteSource, Chunks, Http, HttpError, Payload, StreamError};

/// Bytes that are handed to the host at once.
const PIECE: usize = 256 * 1024;

/// `wasi:http/client`
pub struct WasiHttp;

#[async_trait(?Send)]
impl Http for WasiHttp {
    async fn send(
        &self,
        request: http::Request<Payload<'_>>,
    ) -> Result<http::Response<Box<dyn ByteSource>>, HttpError> {
        let (mut parts, payload) = request.into_parts();
        let mut bytes;
        let (length, source): (u64, &mut dyn ByteSource) = match payload {
            Payload::Bytes(payload) => {
                let length = payload.len() as u64;
                bytes = Chunks::new(pieces(payload));
                (length, &mut bytes)
            }
            Payload::Stream(length, source) => (length, source),
        };
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        let response = if length == 0 {
            client::send(outgoing(&parts, None, nothing_follows())?).await
        } else {
            exchange(&parts, source).await?
        };
        incoming(response.map_err(failed)?)
    }
}

/// The host takes bytes that nobody else holds: piece by piece, not all are copied at once.
fn pieces(mut payload: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || Some(payload.split_to(payload.len().min(PIECE))).filter(|piece| !piece.is_empty()))
}

/// Sends the request and its payload, until there is an answer.
async fn exchange(
    parts: &http::request::Parts,
    source: &mut dyn ByteSource,
) -> Result<Result<Response, ErrorCode>, HttpError> {
    let (sender, stream, end) = Sender::new();
    let request = outgoing(parts, Some(stream), end)?;
    match select(pin!(sender.send(source)), pin!(client::send(request))).await {
        Either::Left((Err(SendError::Source(error)), answer)) => {
            // The host fails, too: only then is it sure that the server has no complete payload.
            let _ = answer.await;
            Err(error.into())
        }
        Either::Left((Ok(()) | Err(SendError::Reader), answer)) => Ok(answer.await),
        Either::Right((answer, _)) => Ok(answer),
    }
}

fn outgoing(
    parts: &http::request::Parts,
    body: Option<StreamReader<u8>>,
    end: FutureReader<Result<Option<spin_sdk::wasip3::http::types::Trailers>, ErrorCode>>,
) -> Result<Request, HttpError> {
    let (request, _sent) = Request::new(fields(&parts.headers).map_err(failed)?, body, end, None);
    let scheme = if parts.uri.scheme_str() == Some("https") { Scheme::Https } else { Scheme::Http };
    request
        .set_method(&(&parts.method).into())
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(parts.uri.authority().map(http::uri::Authority::as_str)))
        .and_then(|()| request.set_path_with_query(parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str)))
        .map_err(|()| HttpError::Failed("the host does not take the request".to_owned()))?;
    Ok(request)
}

fn incoming(response: Response) -> Result<http::Response<Box<dyn ByteSource>>, HttpError> {
    let invalid = || HttpError::Failed("the answer is not valid".to_owned());
    let status = StatusCode::from_u16(response.get_status_code()).map_err(|_| invalid())?;
    let headers = response.get_headers().copy_all();
    let source = StreamSource::new(|verdict| Response::consume_body(response, verdict), StreamError::Io);
    let mut incoming = http::Response::new(Box::new(source) as Box<dyn ByteSource>);
    *incoming.status_mut() = status;
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|_| invalid())?;
        incoming.headers_mut().append(name, HeaderValue::try_from(value).map_err(|_| invalid())?);
    }
    Ok(incoming)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(code: ErrorCode) -> HttpError {
    HttpError::Failed(code.to_string())
}

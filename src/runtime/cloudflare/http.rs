//! Requests to other servers: `fetch`.

use std::pin::pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use js_sys::futures::JsFuture;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Headers, RequestInit, RequestRedirect};
use worker_sys::FixedLengthStream;

use super::js;
use super::pump::{PumpError, pump};
use super::source::StreamSource;
use crate::ports::{ByteSource, Chunks, Http, HttpError, Payload, StreamError};

/// Bytes of an answer that are read at once.
const PIECE: u32 = 256 * 1024;

/// `fetch`
pub struct Fetch;

#[async_trait(?Send)]
impl Http for Fetch {
    async fn send(&self, request: Request<Payload<'_>>) -> Result<Response<Box<dyn ByteSource>>, HttpError> {
        let (parts, payload) = request.into_parts();
        let abort = Abort(AbortController::new().map_err(|thrown| failed(&thrown))?);
        let init = RequestInit::new();
        init.set_method(parts.method.as_str());
        init.set_headers_headers(&outgoing(&parts.headers)?);
        init.set_redirect(RequestRedirect::Manual);
        init.set_signal(Some(&abort.0.signal()));
        let url = parts.uri.to_string();
        let response = match payload {
            Payload::Bytes(bytes) if bytes.is_empty() => fetched(js::fetch(&url, &init)).await?,
            Payload::Bytes(bytes) => {
                let array = Uint8Array::new_from_slice(&bytes);
                init.set_body(&array);
                let response = fetched(js::fetch(&url, &init)).await?;
                js::free(&array.buffer());
                response
            }
            Payload::Stream(length, source) => exchange(&url, &init, length, source).await?,
        };
        incoming(&response, abort)
    }
}

/// Sends the request and its payload, until there is an answer.
async fn exchange(
    url: &str,
    init: &RequestInit,
    length: u64,
    source: &mut dyn ByteSource,
) -> Result<web_sys::Response, HttpError> {
    let pipe = FixedLengthStream::new_big_int(length.into()).map_err(|thrown| failed(&thrown))?;
    let writable = pipe.writable();
    init.set_body(&pipe.readable());
    let answer = pin!(fetched(js::fetch(url, init)));
    let feed = pin!(pump(source, &writable));
    match select(feed, answer).await {
        Either::Left((Err(PumpError::Source(error)), answer)) => {
            // The stream is aborted, so the request fails: only then is it sure that the server has no
            // complete payload.
            let _ = answer.await;
            Err(error.into())
        }
        Either::Left((Ok(()) | Err(PumpError::Reader(_)), answer)) => answer.await,
        Either::Right((answer, _)) => answer,
    }
}

async fn fetched(promise: Promise) -> Result<web_sys::Response, HttpError> {
    Ok(JsFuture::from(promise).await.map_err(|thrown| failed(&thrown))?.unchecked_into())
}

fn outgoing(headers: &HeaderMap) -> Result<Headers, HttpError> {
    let outgoing = Headers::new().map_err(|thrown| failed(&thrown))?;
    for (name, value) in headers {
        outgoing.append(name.as_str(), &String::from_utf8_lossy(value.as_bytes())).map_err(|thrown| failed(&thrown))?;
    }
    Ok(outgoing)
}

fn incoming(response: &web_sys::Response, abort: Abort) -> Result<Response<Box<dyn ByteSource>>, HttpError> {
    let invalid = || HttpError::Failed("the answer is not valid".to_owned());
    let mut headers = HeaderMap::new();
    for entry in response.headers().entries() {
        let entry: Array = entry.map_err(|_| invalid())?.unchecked_into();
        let text = |place| entry.get(place).as_string().unwrap_or_default();
        let name = HeaderName::try_from(text(0)).map_err(|_| invalid())?;
        headers.append(name, HeaderValue::try_from(text(1)).map_err(|_| invalid())?);
    }
    let source: Box<dyn ByteSource> = match response.body() {
        Some(stream) => {
            let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
            Box::new(Fetched { source: StreamSource::new(stream, length, PIECE, StreamError::Io), _abort: abort })
        }
        None => Box::new(Chunks::new([])),
    };
    let mut incoming = Response::new(source);
    *incoming.status_mut() = StatusCode::from_u16(response.status()).map_err(|_| invalid())?;
    *incoming.headers_mut() = headers;
    Ok(incoming)
}

/// The body of an answer. A connection is free for others when this is dropped.
struct Fetched {
    source: StreamSource,
    _abort: Abort,
}

#[async_trait(?Send)]
impl ByteSource for Fetched {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        self.source.next().await
    }
}

/// Ends a request when it is dropped; one that has ended already does not mind.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn failed(thrown: &JsValue) -> HttpError {
    HttpError::Failed(js::message(thrown))
}

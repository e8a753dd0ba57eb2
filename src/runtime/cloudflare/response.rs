//! The core's responses as Workers take them.

use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{StatusCode, header};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{Headers, ReadableStream, Response, ResponseInit, TransformStream};
use worker_sys::FixedLengthStream;

use super::js::IdentityTransformStream;
use super::pump::{PumpError, pump};
use super::tasks::WaitUntil;
use crate::body::Body;
use crate::ports::{ByteSource, Exactly, StreamError, Tasks};

/// Bodies up to this length are sent as one array if they are in memory.
const SMALL: u64 = 256 * 1024;

/// The response, without its body if it answers a HEAD request. A stream is sent by a task that
/// outlives this call.
pub async fn outgoing(response: http::Response<Body>, head: bool, tasks: &Rc<WaitUntil>) -> Result<Response, JsValue> {
    let (parts, body) = response.into_parts();
    let headers = Headers::new()?;
    for (name, value) in &parts.headers {
        headers.append(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))?;
    }
    let init = ResponseInit::new();
    init.set_status(parts.status.as_u16());
    init.set_headers_headers(&headers);

    let bodiless = matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if head || bodiless || body.length == Some(0) {
        // The body that GET would have.
        let length = if head { parts.headers.get(header::CONTENT_LENGTH).cloned() } else { Some(0.into()) };
        if !bodiless && length == Some(0.into()) && !parts.headers.contains_key(header::CONTENT_TYPE) {
            // What has no type counts as text and is compressed, though there is nothing. libsoup crashes at that, and with it
            // the file manager of GNOME.
            headers.append("content-type", "application/octet-stream")?;
        }
        return Response::new_with_opt_readable_stream_and_init(None, &init);
    }
    match whole(body).await {
        Ok(bytes) => Response::new_with_opt_js_u8_array_and_init(Some(&Uint8Array::new_from_slice(&bytes)), &init),
        Err(body) => Response::new_with_opt_readable_stream_and_init(Some(&stream(body, tasks)?), &init),
    }
}

/// All bytes of a small body that come in one piece; otherwise the body as it was.
async fn whole(mut body: Body) -> Result<Bytes, Body> {
    let Some(length @ ..=SMALL) = body.length else { return Err(body) };
    match body.next().await {
        Ok(Some(bytes)) if bytes.len() as u64 == length => Ok(bytes),
        first => Err(Body::stream(body.length, Box::new(Begun { first: Some(first), rest: body }))),
    }
}

/// A body whose first piece has been taken already.
struct Begun {
    first: Option<Result<Option<Bytes>, StreamError>>,
    rest: Body,
}

#[async_trait(?Send)]
impl ByteSource for Begun {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        match self.first.take() {
            Some(first) => first,
            None => self.rest.next().await,
        }
    }
}

/// A stream that the body is sent into.
fn stream(mut body: Body, tasks: &Rc<WaitUntil>) -> Result<ReadableStream, JsValue> {
    let pipe: TransformStream = match body.length {
        // Makes workerd send Content-Length, and break the connection off when fewer bytes come.
        Some(length) => FixedLengthStream::new_big_int(length.into())?.into(),
        None => IdentityTransformStream::new().into(),
    };
    let writable = pipe.writable();
    tasks.spawn(Box::pin(async move {
        let sent = match body.length {
            Some(length) => pump(&mut Exactly::new(&mut body, length), &writable).await,
            None => pump(&mut body, &writable).await,
        };
        match sent {
            Ok(()) | Err(PumpError::Reader(_)) => {}
            Err(PumpError::Source(error)) => log::error!("a response broke off: {error}"),
        }
    }));
    Ok(pipe.readable())
}

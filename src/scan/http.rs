//! A scanner behind HTTP: any service that takes a file by POST.
//!
//! The request has the file as its body, `application/octet-stream` with its Content-Length, and no name. The answer is
//! 200 with JSON:
//!
//! ```json
//! {"infected": false}
//! {"infected": true, "signature": "Eicar-Test"}
//! ```
//!
//! The signature is a name for people, and may be missing. 413 says that the scanner takes no file that long; any other
//! status, that it has failed. A scanner that has found something need not take the rest of the file. It must take a file
//! of no bytes, too: that is how it is asked whether it works.

use std::cell::Cell;
use std::pin::pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Method, Request, Response, StatusCode, Uri, header};
use serde::Deserialize;

use super::{PATIENCE, ScanError, VERDICT_PATIENCE, Verdict, in_time, infected};
use crate::ports::{ByteSource, Clock, Exactly, Http, HttpError, Payload, StreamError, read_at_most};

/// A verdict is short; more is not read.
const MOST_ANSWER: usize = 64 * 1024;

type Answer = Response<Box<dyn ByteSource>>;

#[derive(Deserialize)]
struct Finding {
    infected: bool,
    #[serde(default)]
    signature: String,
}

/// Has a file scanned, exactly `length` bytes of `source`, at least 1.
pub async fn scan(
    http: &dyn Http,
    clock: &dyn Clock,
    url: &Uri,
    source: &mut dyn ByteSource,
    length: u64,
) -> Result<Verdict, ScanError> {
    let taken = Cell::new(Taken::Pieces(0));
    let mut exact = Exactly::new(source, length);
    let mut watched = Watched { source: &mut exact, taken: &taken };
    let answer = send(http, clock, request(url, Payload::Stream(length, &mut watched)), &taken).await?;
    match verdict(clock, answer).await? {
        Verdict::Clean if !exact.is_finished() => {
            Err(ScanError::Unclear("it answered before it had the whole file".to_owned()))
        }
        verdict => Ok(verdict),
    }
}

/// Whether the scanner answers as it should.
pub async fn ping(http: &dyn Http, clock: &dyn Clock, url: &Uri) -> Result<String, ScanError> {
    let answer = in_time(clock, PATIENCE, http.send(request(url, Payload::Bytes(Bytes::new())))).await?;
    match verdict(clock, answer.map_err(failed)?).await? {
        Verdict::Clean => Ok("scanner behind HTTP".to_owned()),
        Verdict::Infected(_) => Err(ScanError::Unclear("it found something in a file of no bytes".to_owned())),
    }
}

fn request<'a>(url: &Uri, payload: Payload<'a>) -> Request<Payload<'a>> {
    let mut request = Request::new(payload);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.clone();
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
    request
}

/// Sends a file, as long as it is being taken, and then waits for the answer.
async fn send(
    http: &dyn Http,
    clock: &dyn Clock,
    request: Request<Payload<'_>>,
    taken: &Cell<Taken>,
) -> Result<Answer, ScanError> {
    let mut sending = pin!(http.send(request));
    loop {
        let before = taken.get();
        let patience = if before == Taken::All { VERDICT_PATIENCE } else { PATIENCE };
        match select(sending.as_mut(), clock.sleep(patience)).await {
            Either::Left((answer, _)) => return answer.map_err(failed),
            Either::Right(_) if taken.get() == before => return Err(ScanError::TimedOut),
            Either::Right(_) => {}
        }
    }
}

async fn verdict(clock: &dyn Clock, answer: Answer) -> Result<Verdict, ScanError> {
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::PAYLOAD_TOO_LARGE => return Err(ScanError::TooLarge),
        status => return Err(ScanError::Failed(format!("it answered {status}"))),
    }
    let document = in_time(clock, PATIENCE, read_at_most(&mut *answer.into_body(), MOST_ANSWER)).await?;
    let document = match document {
        Err(StreamError::TooLong) => return Err(ScanError::Unclear("its answer is too long".to_owned())),
        Err(error) => return Err(ScanError::ClosedEarly(error.to_string())),
        Ok(document) => document,
    };
    match serde_json::from_slice(&document) {
        Ok(Finding { infected: false, .. }) => Ok(Verdict::Clean),
        Ok(Finding { infected: true, signature }) => Ok(infected(&signature)),
        Err(_) => Err(ScanError::Unclear("its answer is not the JSON that it should be".to_owned())),
    }
}

fn failed(error: HttpError) -> ScanError {
    match error {
        HttpError::Source(error) => ScanError::Source(error),
        HttpError::Failed(message) => ScanError::Unreachable(message),
    }
}

/// How far a file has got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Pieces(u64),
    All,
}

/// A source that tells how far it has got.
struct Watched<'a, 'b> {
    source: &'a mut Exactly<'b>,
    taken: &'a Cell<Taken>,
}

#[async_trait(?Send)]
impl ByteSource for Watched<'_, '_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        let piece = self.source.next().await;
        self.taken.set(match self.taken.get() {
            Taken::Pieces(number) if !self.source.is_finished() => Taken::Pieces(number + 1),
            _ => Taken::All,
        });
        piece
    }
}

//! One call: signed, sent, waited for, and sent again where that helps.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Method, Request, Response, Uri};
use jiff::Timestamp;
use rusty_s3::{Bucket, Credentials, S3Action};

use super::failure::{Failure, unreadable};
use super::settings::Settings;
use crate::ports::{BlobError, ByteSource, Clock, Http, Payload, Random, read_at_most};

/// How long a signed URL is good: for the call and its repetitions, and for clocks that differ.
const GOOD_FOR: Duration = Duration::from_mins(15);

/// How long a store may neither take nor give a byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call that fails in passing is repeated so often, after 0.2, 0.4 and 0.8 s and up to as long again.
const REPETITIONS: usize = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Documents that the operations answer with are short.
const MOST_TEXT: usize = 1024 * 1024;

/// An answer whose body is still to come.
pub type Answer = Response<Box<dyn ByteSource>>;

/// The store as this deployment reaches it.
pub struct Client {
    settings: Settings,
    http: Rc<dyn Http>,
    clock: Rc<dyn Clock>,
    random: Rc<dyn Random>,
}

impl Client {
    pub fn new(settings: Settings, http: Rc<dyn Http>, clock: Rc<dyn Clock>, random: Rc<dyn Random>) -> Self {
        Self { settings, http, clock, random }
    }

    pub fn bucket(&self) -> &Bucket {
        &self.settings.bucket
    }

    pub fn credentials(&self) -> &Credentials {
        &self.settings.credentials
    }

    /// A signed request without a payload.
    pub fn request<'a>(&self, method: Method, action: &impl S3Action<'a>) -> Request<()> {
        let now = Timestamp::from_millisecond(self.clock.now()).unwrap_or(Timestamp::UNIX_EPOCH);
        let url = action.sign_with_time(GOOD_FOR, &now);
        let mut request = Request::new(());
        *request.method_mut() = method;
        // A URL of the url crate is a URI: it is ASCII and percent-encoded.
        *request.uri_mut() = Uri::try_from(url.as_str()).unwrap_or_default();
        request
    }

    /// Sends a request until it succeeds or another time would not help.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Answer, Failure> {
        let attempt = || async {
            let request = request.clone().map(Payload::Bytes);
            self.attempt(request, &Progress::default()).await
        };
        let clock = Rc::clone(&self.clock);
        let sleep = move |pause| {
            let clock = Rc::clone(&clock);
            async move { clock.sleep(pause).await }
        };
        attempt.retry(self.pauses()).sleep(sleep).when(Failure::passes).await
    }

    /// Sends a request that is answered with a short document.
    pub async fn call_for_text(&self, operation: &str, request: Request<Bytes>) -> Result<String, BlobError> {
        let answer = self.call(request).await.map_err(|failure| failure.of(operation, ""))?;
        self.text(operation, answer).await
    }

    /// The document of an answer.
    pub async fn text(&self, operation: &str, answer: Answer) -> Result<String, BlobError> {
        let mut body = answer.into_body();
        let document = self.patiently(read_at_most(&mut *body, MOST_TEXT), &Progress::default()).await;
        let document = document.and_then(Result::ok).ok_or_else(|| unreadable(operation))?;
        String::from_utf8(document.into()).map_err(|_| unreadable(operation))
    }

    /// Sends a request once.
    pub async fn attempt(&self, request: Request<Payload<'_>>, progress: &Progress) -> Result<Answer, Failure> {
        let answer = self.patiently(self.http.send(request), progress).await;
        let answer = answer.ok_or_else(|| Failure::NoAnswer("no answer in time".to_owned()))??;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let failure = self.patiently(Failure::read(answer), &Progress::default()).await;
        Err(failure.unwrap_or_else(|| Failure::NoAnswer("no answer in time".to_owned())))
    }

    /// What `work` gives; nothing if there is no progress for too long.
    pub async fn patiently<T>(&self, work: impl Future<Output = T>, progress: &Progress) -> Option<T> {
        let mut work = pin!(work);
        loop {
            let before = progress.handed.get();
            match select(work.as_mut(), self.clock.sleep(PATIENCE)).await {
                Either::Left((done, _)) => return Some(done),
                Either::Right(_) if progress.asking.get() || progress.handed.get() != before => {}
                Either::Right(_) => return None,
            }
        }
    }

    /// Waits before the `nth` repetition of something that is not a call.
    pub async fn pause(&self, nth: u32) {
        self.clock.sleep(FIRST_PAUSE * 2_u32.saturating_pow(nth)).await;
    }

    fn pauses(&self) -> ExponentialBuilder {
        let mut seed = [0; 8];
        self.random.fill(&mut seed);
        ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_max_times(REPETITIONS)
            .with_jitter()
            .with_jitter_seed(u64::from_ne_bytes(seed))
    }
}

/// How far a payload has got.
#[derive(Default)]
pub struct Progress {
    /// Pieces that the HTTP client has taken.
    pub handed: Cell<u64>,
    /// Whether it is our client that is waited for, and not the store.
    pub asking: Cell<bool>,
}

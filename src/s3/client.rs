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
use rusty_s3::signing::sign;
use rusty_s3::{Bucket, Credentials, S3Action};
use url::Url;

use super::failure::{Failure, unreadable};
use super::settings::Settings;
use crate::ports::{ByteSource, Clock, Http, Payload, Random, read_at_most};

/// How long a signed URL is good: for the call and its repetitions, and for clocks that differ.
const GOOD_FOR: Duration = Duration::from_mins(15);

/// How long a store may neither take nor give a byte, and in how many steps that is watched.
const PATIENCE: Duration = Duration::from_secs(30);
const STEPS: u32 = 6;

/// A call that fails in passing is repeated so often, after 0.2, 0.4 and 0.8 s and up to as long again.
const REPETITIONS: usize = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Documents that the operations answer with are short; the longest lists 1,000 keys, of 1 KiB at most.
const MOST_TEXT: usize = 4 * 1024 * 1024;

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
        request(method, &action.sign_with_time(GOOD_FOR, &self.now()))
    }

    /// `ListMultipartUploads` of one key, which the signer has no action for.
    pub fn list_uploads(&self, key: &str) -> Request<()> {
        let (bucket, credentials) = (self.bucket(), self.credentials());
        let query = [("prefix", key), ("uploads", "")];
        let url = sign(
            &self.now(),
            rusty_s3::Method::Get,
            bucket.base_url().clone(),
            credentials.key(),
            credentials.secret(),
            credentials.token(),
            bucket.region(),
            GOOD_FOR.as_secs(),
            query.into_iter(),
            std::iter::empty(),
        );
        request(Method::GET, &url)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Sends a request until it succeeds or another time would not help.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Answer, Failure> {
        self.repeat(|| self.attempt(request.clone().map(Payload::Bytes), None)).await
    }

    /// Sends a request that is answered with a short document.
    pub async fn call_for_text(&self, request: Request<Bytes>) -> Result<String, Failure> {
        self.repeat(|| async {
            let answer = self.attempt(request.clone().map(Payload::Bytes), None).await?;
            self.text(answer).await
        })
        .await
    }

    /// Does `attempt` until it succeeds or another time would not help.
    pub async fn repeat<T>(&self, attempt: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
        let clock = Rc::clone(&self.clock);
        let sleep = move |pause| {
            let clock = Rc::clone(&clock);
            async move { clock.sleep(pause).await }
        };
        (|| attempt()).retry(self.pauses()).sleep(sleep).when(Failure::passes).await
    }

    /// The document of an answer.
    pub async fn text(&self, answer: Answer) -> Result<String, Failure> {
        let mut body = answer.into_body();
        let document = self.patiently(read_at_most(&mut *body, MOST_TEXT), None).await?;
        let document = document.map_err(|error| Failure::NoAnswer(error.to_string()))?;
        String::from_utf8(document.into()).map_err(|_| unreadable())
    }

    /// Sends a request once. A payload that streams tells its progress.
    pub async fn attempt(&self, request: Request<Payload<'_>>, progress: Option<&Progress>) -> Result<Answer, Failure> {
        let answer = self.patiently(self.http.send(request), progress).await??;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.patiently(Failure::read(answer), None).await?)
    }

    /// What `work` gives, unless there is no progress for too long.
    pub async fn patiently<T>(&self, work: impl Future<Output = T>, progress: Option<&Progress>) -> Result<T, Failure> {
        let mut work = pin!(work);
        let (mut seen, mut idle) = (0, 0);
        while idle < STEPS {
            match select(work.as_mut(), self.clock.sleep(PATIENCE / STEPS)).await {
                Either::Left((done, _)) => return Ok(done),
                Either::Right(_) if progress.is_some_and(|progress| progress.has_moved(&mut seen)) => idle = 0,
                Either::Right(_) => idle += 1,
            }
        }
        Err(Failure::TimedOut)
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

fn request(method: Method, url: &Url) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = method;
    // A URL of the url crate is a URI: it is ASCII and percent-encoded.
    *request.uri_mut() = Uri::try_from(url.as_str()).unwrap_or_default();
    request
}

/// How far a payload has got.
#[derive(Default)]
pub struct Progress {
    /// Pieces that the HTTP client has taken.
    pub handed: Cell<u64>,
    /// Whether it is our client that is waited for, and not the store.
    pub asking: Cell<bool>,
}

impl Progress {
    /// Whether the store is not to blame for standing still since `seen`.
    fn has_moved(&self, seen: &mut u64) -> bool {
        let before = std::mem::replace(seen, self.handed.get());
        self.asking.get() || self.handed.get() != before
    }
}

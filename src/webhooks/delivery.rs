//! One attempt to tell a webhook of an event.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderValue, Method, Request, Uri, header};
use serde_json::{Value, json};

use super::signature::sign;
use super::target;
use crate::config::Config;
use crate::crypto::{KeyError, MasterKeys};
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, Payload, Ports};
use crate::resource;
use crate::store::{Attempt, Event, EventKind, Job, Jobs, Webhook};

/// How long a receiver may take to be reached and to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of its answer that are read and kept.
const MOST_KEPT: usize = 1024;

/// Tells the webhook of a job, and records how that went. A webhook that is gone or switched off
/// is told nothing.
pub async fn deliver(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> Result<bool> {
    let webhook = jobs.webhook(job).await?;
    let Some(webhook) = webhook.filter(Webhook::is_enabled) else {
        jobs.finish(job, Vec::new()).await?;
        return Ok(true);
    };
    let attempt = attempt(config, ports, &webhook, job).await;
    jobs.record_attempt(job, &attempt).await?;
    Ok(attempt.error.is_none())
}

async fn attempt(config: &Config, ports: &Ports, webhook: &Webhook, job: &Job) -> Attempt {
    let at = ports.clock.now();
    let mut attempt = Attempt { event_id: event_id(job), at, ..Attempt::default() };
    if let Err(error) = send(config, ports, webhook, job, &mut attempt).await {
        attempt.error = Some(error);
    }
    attempt.duration_ms = ports.clock.now() - at;
    attempt
}

/// The same for all attempts, and for a delivery that a person repeats.
fn event_id(job: &Job) -> String {
    let repeated = serde_json::from_str::<Value>(&job.payload).ok();
    let repeated = repeated.as_ref().and_then(|payload| payload["eventId"].as_str());
    repeated.map_or_else(|| format!("evt_{}", job.id), str::to_owned)
}

/// The error is a sentence for the account's owner.
async fn send(
    config: &Config,
    ports: &Ports,
    webhook: &Webhook,
    job: &Job,
    attempt: &mut Attempt,
) -> Result<(), String> {
    let request = request(config, webhook, job, attempt)?;
    let exchange = pin!(exchange(ports, request, attempt));
    match select(exchange, ports.clock.sleep(PATIENCE)).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => Err("no answer within 10 seconds".to_owned()),
    }
}

fn request<'a>(
    config: &Config,
    webhook: &Webhook,
    job: &Job,
    attempt: &Attempt,
) -> Result<Request<Payload<'a>>, String> {
    // Again: the rules may have become stricter since it was registered.
    let url = target::check(&webhook.url, config.webhook_allow_private).map_err(|error| error.to_string())?;
    let event: Event = serde_json::from_str(&job.payload).map_err(|error| {
        log::error!("the event of job {}: {error}", job.id);
        "the event cannot be read".to_owned()
    })?;
    let body = body(&event).to_string();
    let secret = open_secret(&config.keys, webhook).map_err(|error| error.to_string())?;
    let mut request = Request::new(Payload::Bytes(Bytes::new()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::try_from(url.as_str()).map_err(|_| "the URL is not valid".to_owned())?;
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("edgedrive"));
    for (name, value) in sign(&secret, &attempt.event_id, attempt.at / 1000, body.as_bytes()) {
        headers.insert(name, HeaderValue::try_from(value).map_err(|_| "the signature cannot be sent".to_owned())?);
    }
    *request.body_mut() = Payload::Bytes(body.into());
    Ok(request)
}

async fn exchange(ports: &Ports, request: Request<Payload<'_>>, attempt: &mut Attempt) -> Result<(), String> {
    let answer = ports.http.send(request).await.map_err(|error| format!("the receiver was not reached: {error}"))?;
    let status = answer.status();
    attempt.status = Some(status.as_u16());
    attempt.answer = Some(beginning(answer.into_body()).await);
    if status.is_success() { Ok(()) } else { Err(format!("the receiver answered {status}")) }
}

/// The beginning of an answer; one that breaks off counts as far as it came.
async fn beginning(mut answer: Box<dyn ByteSource>) -> String {
    let mut kept = Vec::new();
    while kept.len() < MOST_KEPT
        && let Ok(Some(piece)) = answer.next().await
    {
        kept.extend_from_slice(&piece[..piece.len().min(MOST_KEPT - kept.len())]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// What a webhook is told of an event.
pub fn body(event: &Event) -> Value {
    let mut body = json!({ "event": event.event, "at": iso8601(event.at) });
    if let Some(file) = &event.file {
        body["file"] = resource::file(event.root, file);
    }
    if let (EventKind::Moved, Some(from)) = (event.event, &event.from) {
        let folder = resource::folder_id(event.root, Some(from.parent_id));
        body["from"] = json!({ "folderId": folder, "name": from.name });
    }
    body
}

/// A webhook's secret as it is kept.
pub fn seal_secret(keys: &MasterKeys, ports: &Ports, account: i64, secret: &str) -> String {
    let mut nonce = [0; 12];
    ports.random.fill(&mut nonce);
    keys.seal(secret.as_bytes(), &aad(account), nonce)
}

/// The secret of a webhook.
pub fn open_secret(keys: &MasterKeys, webhook: &Webhook) -> Result<String> {
    let secret =
        keys.open(&webhook.secret, &aad(webhook.account_id)).map_err(|error: KeyError| Error::internal(error))?;
    String::from_utf8(secret).map_err(Error::internal)
}

fn aad(account: i64) -> String {
    format!("webhook:{account}")
}

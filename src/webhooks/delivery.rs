//! One attempt to tell a webhook of an event.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::{Value, json};

use super::signature::sign;
use super::target;
use crate::config::Config;
use crate::crypto::{KeyError, MasterKeys};
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::ports::{Payload, Ports};
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
    {
        let exchange = pin!(exchange(ports, request, attempt));
        if let Either::Left((Err(error), _)) = select(exchange, ports.clock.sleep(PATIENCE)).await {
            return Err(error);
        }
    }
    // The status decides, and not whether all of the answer came in time.
    match attempt.status.map(StatusCode::from_u16) {
        Some(Ok(status)) if status.is_success() => Ok(()),
        Some(Ok(status)) => Err(format!("the receiver answered {status}")),
        _ => Err("no answer within 10 seconds".to_owned()),
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
    let body = serde_json::to_string(&Message::of(&event)).map_err(|_| "the event cannot be told".to_owned())?;
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
    attempt.status = Some(answer.status().as_u16());
    let mut body = answer.into_body();
    let mut kept = Vec::new();
    // An answer that breaks off or takes too long counts as far as it came.
    while kept.len() < MOST_KEPT
        && let Ok(Some(piece)) = body.next().await
    {
        kept.extend_from_slice(&piece[..piece.len().min(MOST_KEPT - kept.len())]);
        attempt.answer = Some(String::from_utf8_lossy(&kept).into_owned());
    }
    Ok(())
}

/// What a webhook is told of an event, in the order of the documentation.
#[derive(Serialize)]
struct Message {
    event: EventKind,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

impl Message {
    fn of(event: &Event) -> Self {
        let from = event.from.as_ref().filter(|_| event.event == EventKind::Moved).map(
            |from| json!({ "folderId": resource::folder_id(event.root, Some(from.parent_id)), "name": from.name }),
        );
        let file = event.file.as_ref().map(|file| resource::file(event.root, file));
        let content = event.file.as_ref().and_then(|file| file.content.as_ref());
        let signature = content.and_then(|content| content.signature.clone());
        let signature = signature.filter(|_| event.event == EventKind::Infected);
        Self { event: event.event, at: iso8601(event.at), file, from, signature }
    }
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

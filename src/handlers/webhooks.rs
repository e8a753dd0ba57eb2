//! `/api/v1/webhooks`: where an account wants other systems to hear of its files. For a token with
//! the scopes `manage` and `read` that is not confined to a folder.

use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::json::Field;
use super::paging::{self, Page};
use super::{json, parse_id, read_body};
use crate::body::Body;
use crate::context::Context;
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::store::{
    Address, Credentials, Delivery, Drive, Event, EventKind, NewWebhook, Scope, View, ViewRequest, Webhook,
};
use crate::webhooks;

/// Characters of a secret.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 8..=256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WebhookRequest {
    url: Option<String>,
    events: Option<Vec<String>>,
    #[serde(default)]
    folder_id: Field<String>,
    secret: Option<String>,
    enabled: Option<bool>,
}

/// All webhooks.
pub async fn list(cx: &Context<'_>) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    manager(&drive, &credentials, &ViewRequest::default()).await?;
    let webhooks = drive.webhooks(None).await?;
    Ok(json::ok(&json!({ "webhooks": webhooks.iter().map(show_webhook).collect::<Vec<_>>() })))
}

/// Makes one. The answer shows its secret, this once.
pub async fn create(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let request: WebhookRequest = read_body(&drive, &credentials, body).await?;
    let folder = folder(&request, None)?;
    let view = manager(&drive, &credentials, &to_folder(folder)).await?;
    let url = request.url.as_deref().ok_or_else(|| Error::Unprocessable("url is missing".to_owned()))?;
    let secret = match &request.secret {
        Some(secret) => check_secret(secret)?.to_owned(),
        None => new_secret(cx),
    };
    let new = NewWebhook {
        url: check_url(cx, url)?,
        secret: webhooks::seal_secret(&cx.config.keys, cx.ports, drive.account(), &secret),
        events: request.events.as_deref().map_or_else(|| Ok(vec![EventKind::Created]), events)?,
        folder_id: folder,
        enabled: request.enabled.unwrap_or(true),
    };
    let webhook = view.create_webhook(&new).await?;
    Ok(json::created(&json!({ "webhook": show_webhook(&webhook), "secret": secret })))
}

/// One webhook.
pub async fn show(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (_, webhook) = find(cx, id).await?;
    Ok(json::ok(&json!({ "webhook": show_webhook(&webhook) })))
}

/// Changes what the request names; a webhook that was switched off for its failures can be switched
/// on again.
pub async fn change(cx: &Context<'_>, id: &str, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let request: WebhookRequest = read_body(&drive, &credentials, body).await?;
    let (mut view, present) = find(cx, id).await?;
    let folder = folder(&request, present.folder_id)?;
    if folder != present.folder_id {
        view = manager(&drive, &credentials, &to_folder(folder)).await?;
    }
    let secret = match &request.secret {
        Some(secret) => webhooks::seal_secret(&cx.config.keys, cx.ports, drive.account(), check_secret(secret)?),
        None => present.secret.clone(),
    };
    let new = NewWebhook {
        url: request.url.as_deref().map_or_else(|| Ok(present.url.clone()), |url| check_url(cx, url))?,
        secret,
        events: match &request.events {
            Some(names) => events(names)?,
            None => events(&present.events.split(' ').map(str::to_owned).collect::<Vec<_>>())?,
        },
        folder_id: folder,
        enabled: request.enabled.unwrap_or_else(|| present.is_enabled()),
    };
    let webhook = view.change_webhook(present.id, &new).await?;
    Ok(json::ok(&json!({ "webhook": show_webhook(&webhook) })))
}

/// Deletes one, and what was still to be told to it.
pub async fn delete(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (view, webhook) = find(cx, id).await?;
    view.delete_webhook(webhook.id).await?;
    Ok(json::no_content())
}

/// Has a webhook told of an event in which nothing happens.
pub async fn test(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (view, webhook) = find_enabled(cx, id).await?;
    view.tell_webhook(webhook.id, json!({ "event": EventKind::Test, "at": view.now() }).to_string()).await?;
    Ok(json::answer(StatusCode::ACCEPTED, &json!({})))
}

/// Attempts to tell a webhook, the latest first.
pub async fn deliveries(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let page = Page::of(cx)?;
    let before = match page.after_number()? {
        0 => i64::from(u32::MAX) << 20,
        number => number,
    };
    let (view, webhook) = find(cx, id).await?;
    let found = view.deliveries(webhook.id, before, None, page.limit + 1).await?;
    let (found, next) = page.cut(found, |delivery| delivery.id.to_string());
    Ok(paging::answer(cx, "deliveries", found.iter().map(show_delivery).collect(), next.as_deref()))
}

/// Tells a webhook once more what it was told in a delivery, under the same event id.
pub async fn redeliver(cx: &Context<'_>, id: &str, delivery: &str) -> Result<Response<Body>> {
    let number = parse_id(delivery, "the delivery")?;
    let (view, webhook) = find_enabled(cx, id).await?;
    let found = view.deliveries(webhook.id, number + 1, Some(number), 1).await?;
    let delivery = found.first().ok_or(Error::NotFound("the delivery"))?;
    let mut payload: Value = serde_json::from_str(&delivery.event).map_err(Error::internal)?;
    payload["eventId"] = json!(delivery.event_id);
    view.tell_webhook(webhook.id, payload.to_string()).await?;
    Ok(json::answer(StatusCode::ACCEPTED, &json!({})))
}

/// The webhook of that id, for a caller who may manage it.
async fn find(cx: &Context<'_>, id: &str) -> Result<(View, Webhook)> {
    let (drive, credentials) = cx.drive()?;
    let view = manager(&drive, &credentials, &ViewRequest::default()).await?;
    let id = parse_id(id, "the webhook")?;
    let webhook = view.webhooks(Some(id)).await?.pop().ok_or(Error::NotFound("the webhook"))?;
    Ok((view, webhook))
}

/// The same, 409 where it is switched off, and so would be told nothing.
async fn find_enabled(cx: &Context<'_>, id: &str) -> Result<(View, Webhook)> {
    let (view, webhook) = find(cx, id).await?;
    if webhook.is_enabled() {
        Ok((view, webhook))
    } else {
        Err(Error::Conflict("the webhook is switched off".to_owned()))
    }
}

/// Goes on for a caller who may manage webhooks and read files, and who sees the folder that the request names.
async fn manager(drive: &Drive, credentials: &Credentials, request: &ViewRequest) -> Result<View> {
    let view = drive.view(credentials, request, Vec::new()).await?;
    view.caller.scopes.require(Scope::Manage)?;
    // Whoever is told of all files must be one who may look at them.
    view.caller.scopes.require(Scope::Read)?;
    if view.caller.folder_id.is_some() {
        return Err(Error::Forbidden("a token that is confined to a folder may not manage webhooks".to_owned()));
    }
    for trail in &view.trails {
        if !trail.existing()?.is_folder() {
            return Err(Error::NotFound("the folder"));
        }
    }
    Ok(view)
}

fn to_folder(folder: Option<i64>) -> ViewRequest {
    folder.map_or_else(ViewRequest::default, |id| ViewRequest::of(Address::Id(id)))
}

fn folder(request: &WebhookRequest, present: Option<i64>) -> Result<Option<i64>> {
    match &request.folder_id {
        Field::Absent => Ok(present),
        Field::Null => Ok(None),
        Field::Value(id) => parse_id(id, "the folder").map(Some),
    }
}

fn check_url(cx: &Context<'_>, url: &str) -> Result<String> {
    let url = webhooks::check_target(url, cx.config.webhook_allow_private);
    url.map(String::from).map_err(|error| Error::bad(error.to_string()))
}

fn check_secret(secret: &str) -> Result<&str> {
    let plain = secret.chars().all(|c| c.is_ascii_graphic());
    if plain && SECRET_LENGTH.contains(&secret.len()) {
        Ok(secret)
    } else {
        Err(Error::Unprocessable("secret must have 8 to 256 visible ASCII characters".to_owned()))
    }
}

/// In the form of Standard Webhooks.
fn new_secret(cx: &Context<'_>) -> String {
    let mut bytes = [0; 32];
    cx.ports.random.fill(&mut bytes);
    format!("whsec_{}", data_encoding::BASE64.encode(&bytes))
}

fn events(names: &[String]) -> Result<Vec<EventKind>> {
    let unknown = || {
        let known = EventKind::CHOICES.map(EventKind::name).join(", ");
        Error::bad(format!("events must be some of {known}"))
    };
    let is_known = |name: &String| EventKind::CHOICES.iter().any(|kind| kind.name() == name);
    if names.is_empty() || !names.iter().all(is_known) {
        return Err(unknown());
    }
    Ok(EventKind::CHOICES.into_iter().filter(|kind| names.iter().any(|name| kind.name() == name)).collect())
}

fn show_webhook(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id.to_string(),
        "url": webhook.url,
        "events": webhook.events.split(' ').collect::<Vec<_>>(),
        "folderId": webhook.folder_id.map(|id| id.to_string()),
        "enabled": webhook.is_enabled(),
        "failingSince": webhook.failing_since.map(iso8601),
        "disabledReason": webhook.disabled_reason,
        "createdAt": iso8601(webhook.created_at),
    })
}

fn show_delivery(delivery: &Delivery) -> Value {
    let event = serde_json::from_str::<Event>(&delivery.event).ok();
    json!({
        "id": delivery.id.to_string(),
        "eventId": delivery.event_id,
        "event": event.map(|event| event.event),
        "at": iso8601(delivery.at),
        "attempt": delivery.attempt,
        "status": delivery.status,
        "durationMs": delivery.duration_ms,
        "answer": delivery.answer,
        "error": delivery.error,
    })
}

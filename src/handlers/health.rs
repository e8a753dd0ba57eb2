//! `/healthz`, whether the program runs, and `/readyz`, whether all that it needs is there.

use http::{Response, StatusCode, header};
use serde_json::json;

use super::{jobs, json, keys};
use crate::auth::require_admin;
use crate::body::Body;
use crate::context::Context;
use crate::error::Result;
use crate::ports::{BlobError, Millis};
use crate::store::Accounts;

/// How long a job may be due while nobody does any, before something must be wrong with what wakes the runner: longer than
/// any clock of a deployment is likely to take.
const PATIENCE: Millis = 15 * 60_000;

/// A key that no upload gets.
const NO_BLOB: &str = "readyz";

/// The program runs.
pub fn alive() -> Response<Body> {
    Response::new(Body::from("ok\n".to_owned()))
}

/// Whether the database answers: 503 where it does not. Whoever has `ADMIN_TOKEN` is also told of the object store, of the
/// scanner, of how much the runner of jobs is behind, and of settings that are doubtful.
pub async fn ready(cx: &Context<'_>) -> Result<Response<Body>> {
    if cx.headers.contains_key(header::AUTHORIZATION) {
        require_admin(cx.config, &cx.headers)?;
        return in_detail(cx).await;
    }
    let answers = Accounts::open(cx.ports, &cx.meter).answer().await;
    let is_ready = answers.inspect_err(|error| log::warn!("readyz: {error}")).is_ok();
    Ok(json::answer(status(is_ready), &json!({ "ok": is_ready })))
}

fn status(is_ready: bool) -> StatusCode {
    if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn in_detail(cx: &Context<'_>) -> Result<Response<Body>> {
    let backlog = jobs::backlog(cx).await.inspect_err(|error| log::warn!("readyz: {error}")).ok();
    let store = reachable(cx).await;
    let scanner = jobs::scanner_state(cx).await.inspect_err(|error| log::warn!("readyz: {error}")).unwrap_or_default();
    let database = backlog.is_some();
    if backlog.is_some_and(|backlog| backlog.ready > 0) {
        // Whoever watches also wakes the runner, in case its nudge was lost.
        cx.meter.wake();
    }
    let is_ready = database && store;
    let backlog = backlog.unwrap_or_default();
    let now = cx.ports.clock.now();
    let oldest = backlog.oldest.map_or(0, |oldest| (now - oldest).max(0) / 1000);
    // A queue tells nobody whether it delivers; that nothing comes of it does.
    let stalled = backlog.leased == 0 && backlog.due.is_some_and(|due| due < now - PATIENCE);
    let mut warnings = Vec::new();
    if cx.config.webhook_allow_private {
        warnings.push("WEBHOOK_ALLOW_PRIVATE is set: webhooks may reach private addresses");
    }
    if stalled {
        warnings.push("jobs are due and nobody does them: neither the queue nor a clock wakes the runner");
    }
    if scanner.failing_since.is_some() {
        warnings.push("the virus scanner fails: uploads wait for it unscanned");
    }
    let missing = keys::missing(cx).await.inspect_err(|error| log::warn!("readyz: {error}")).unwrap_or_default();
    let mut warnings: Vec<String> = warnings.into_iter().map(str::to_owned).collect();
    warnings.extend(missing.iter().map(|id| {
        format!(
            "something was sealed under the master key {id}, which is not configured: `scripts/admin keys` tells what"
        )
    }));
    Ok(json::answer(
        status(is_ready),
        &json!({
            "ok": is_ready,
            "database": if database { "ok" } else { "unavailable" },
            "queue": if !database { "unknown" } else if stalled { "stalled" } else { "ok" },
            "objectStore": if store { "ok" } else { "unavailable" },
            "scanner": match (&cx.config.scanner, scanner.failing_since) {
                (None, _) => "off",
                (Some(_), None) => "ok",
                (Some(_), Some(_)) => "unavailable",
            },
            "pendingScans": scanner.pending,
            "backlog": backlog.ready,
            "deadJobs": backlog.dead,
            "oldestSeconds": oldest,
            "warnings": warnings,
        }),
    ))
}

/// A store that knows of no such blob has answered.
async fn reachable(cx: &Context<'_>) -> bool {
    match cx.ports.blobs.get(NO_BLOB, 0..1).await {
        Ok(_) | Err(BlobError::Missing(_)) => true,
        Err(error) => {
            log::warn!("readyz: {error}");
            false
        }
    }
}

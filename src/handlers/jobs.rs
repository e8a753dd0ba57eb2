//! `/api/v1/admin/jobs`, and `/internal/jobs/run` for whatever clock there is: for the bearer of
//! `ADMIN_TOKEN`.

use std::rc::Rc;

use http::Response;
use serde_json::{Value, json};

use super::{json, parse_id};
use crate::auth::require_admin;
use crate::body::Body;
use crate::context::Context;
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::jobs;
use crate::store::{Backlog, JobInfo, Jobs};

/// The jobs, or those in `state`.
pub async fn list(cx: &Context<'_>) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let state = cx.query("state");
    if !matches!(state.as_deref(), None | Some("ready" | "dead")) {
        return Err(Error::bad("state must be ready or dead"));
    }
    let mut found = Vec::new();
    for jobs in all(cx) {
        found.extend(jobs.list(state.as_deref()).await?);
    }
    Ok(json::ok(&json!({ "jobs": found.iter().map(show).collect::<Vec<_>>() })))
}

/// Has a job tried again now.
pub async fn retry(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let id = parse_id(id, "the job")?;
    for jobs in all(cx) {
        jobs.retry(id).await?;
    }
    cx.meter.wake();
    Ok(json::no_content())
}

/// Throws a job away.
pub async fn discard(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let id = parse_id(id, "the job")?;
    for jobs in all(cx) {
        jobs.discard(id).await?;
    }
    Ok(json::no_content())
}

/// Does what is due: jobs, and what only the clock tells.
pub async fn run(cx: &Context<'_>) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let summary = jobs::sweep(cx.config, cx.ports).await;
    let left = backlog(cx).await?.ready;
    Ok(json::ok(&json!({
        "done": summary.done,
        "failed": summary.failed,
        "deletedBlobs": summary.deleted_blobs,
        "left": left,
    })))
}

/// How much there is to do, in all databases.
pub async fn backlog(cx: &Context<'_>) -> Result<Backlog> {
    let mut total = Backlog::default();
    for jobs in all(cx) {
        let backlog = jobs.backlog().await?;
        total.ready += backlog.ready;
        total.dead += backlog.dead;
        total.oldest = [total.oldest, backlog.oldest].into_iter().flatten().min();
    }
    Ok(total)
}

fn all(cx: &Context<'_>) -> Vec<Jobs> {
    Jobs::all(cx.ports, &Rc::clone(&cx.meter))
}

fn show(job: &JobInfo) -> Value {
    json!({
        "id": job.id.to_string(),
        "kind": job.kind,
        "accountId": job.account_id.to_string(),
        "state": job.state,
        "tries": job.tries,
        "dueAt": iso8601(job.due_at),
        "createdAt": iso8601(job.created_at),
        "error": job.error,
    })
}

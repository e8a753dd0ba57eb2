//! `/api/v1/admin/jobs`, and `/internal/jobs/run` for whatever clock there is: for the bearer of
//! `ADMIN_TOKEN`.

use std::rc::Rc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{json, parse_id};
use crate::auth::require_admin;
use crate::body::Body;
use crate::context::Context;
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::jobs;
use crate::store::{Backlog, JobInfo, Jobs, Rescan, ScannerState};

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

/// Has a job tried again now. 404 where no database has it.
pub async fn retry(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let id = parse_id(id, "the job")?;
    let mut found = false;
    for jobs in all(cx) {
        found |= jobs.retry(id).await?;
    }
    cx.meter.wake();
    done(found)
}

/// Throws a job away. 404 where no database has it.
pub async fn discard(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let id = parse_id(id, "the job")?;
    let mut found = false;
    for jobs in all(cx) {
        found |= jobs.discard(id).await?;
    }
    done(found)
}

fn done(found: bool) -> Result<Response<Body>> {
    if found { Ok(json::no_content()) } else { Err(Error::NotFound("the job")) }
}

/// Does what is due: jobs, and what only the clock tells.
pub async fn run(cx: &Context<'_>) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let summary = jobs::sweep(cx.config, cx.ports, &cx.meter).await;
    let left = backlog(cx).await?.ready;
    Ok(json::ok(&json!({
        "done": summary.done,
        "failed": summary.failed,
        "deletedBlobs": summary.deleted_blobs,
        "left": left,
    })))
}

/// Has all contents scanned again, as after a change of the scanner's signatures.
pub async fn rescan(cx: &Context<'_>) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    if cx.config.scanner.is_none() {
        return Err(Error::Conflict("there is no scanner: SCANNER is off".to_owned()));
    }
    for jobs in all(cx) {
        jobs.begin_rescan().await?;
    }
    show_rescan(cx, StatusCode::ACCEPTED).await
}

/// How far the last rescan is.
pub async fn rescan_progress(cx: &Context<'_>) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    show_rescan(cx, StatusCode::OK).await
}

async fn show_rescan(cx: &Context<'_>, status: StatusCode) -> Result<Response<Body>> {
    let mut total: Option<Rescan> = None;
    for jobs in all(cx) {
        let Some(here) = jobs.rescan().await? else { continue };
        total = Some(match total {
            None => here,
            Some(total) => total.and(&here),
        });
    }
    let shown = total.map(|rescan| {
        json!({
            "total": rescan.total,
            "done": rescan.done,
            "startedAt": iso8601(rescan.started_at),
            "finishedAt": rescan.finished_at.map(iso8601),
        })
    });
    Ok(json::answer(status, &json!({ "rescan": shown })))
}

/// What waits for the virus scanner, in all databases, and whether it fails.
pub async fn scanner_state(cx: &Context<'_>) -> Result<ScannerState> {
    let mut total = ScannerState::default();
    for jobs in all(cx) {
        let here = jobs.scanner_state().await?;
        total.pending += here.pending;
        total.failing_since = [total.failing_since, here.failing_since].into_iter().flatten().min();
        total.error = total.error.or(here.error);
    }
    Ok(total)
}

/// How much there is to do, in all databases.
pub async fn backlog(cx: &Context<'_>) -> Result<Backlog> {
    let mut total = Backlog::default();
    for jobs in all(cx) {
        let backlog = jobs.backlog().await?;
        total.ready += backlog.ready;
        total.dead += backlog.dead;
        total.oldest = [total.oldest, backlog.oldest].into_iter().flatten().min();
        total.due = [total.due, backlog.due].into_iter().flatten().min();
        total.leased += backlog.leased;
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

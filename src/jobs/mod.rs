//! The runner: does what is due, whoever caused it.
//!
//! Jobs are rows (`store::job`), so that none is lost; the runner is woken by a nudge after a
//! request that made some, and from time to time by a clock, in case the nudge was lost. Several
//! may run at once: each job is leased.

mod garbage;

use std::rc::Rc;

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::config::Config;
use crate::error::Result;
use crate::ports::{Millis, Ports};
use crate::store::{Job, Jobs, Meter};
use crate::webhooks;

/// Jobs that are leased and done at once: not more connections than a Worker may have open.
const AT_ONCE: i64 = 12;

/// After this time, no more jobs are begun; the next nudge or sweep goes on.
const RUN_TIME: Millis = 20_000;

/// What a run has done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary {
    /// Jobs that are done.
    pub done: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Blobs that were deleted.
    pub deleted_blobs: u64,
}

/// Does the jobs that are due. What goes wrong is in the log and in the job.
pub async fn run(config: &Config, ports: &Ports) -> Summary {
    let mut summary = Summary::default();
    let end = ports.clock.now() + RUN_TIME;
    for jobs in Jobs::all(ports, &Rc::new(Meter::default())) {
        while ports.clock.now() < end {
            let leased = match jobs.lease(AT_ONCE).await {
                Ok(leased) if leased.is_empty() => break,
                Ok(leased) => leased,
                Err(error) => {
                    log::error!("no jobs could be leased: {error}");
                    break;
                }
            };
            let mut under_way: FuturesUnordered<_> =
                leased.iter().map(|job| attempt(config, ports, &jobs, job)).collect();
            while let Some(is_done) = under_way.next().await {
                if is_done { summary.done += 1 } else { summary.failed += 1 }
            }
        }
    }
    summary
}

/// Does what is due by the clock alone, then the jobs.
pub async fn sweep(config: &Config, ports: &Ports) -> Summary {
    let mut deleted = 0;
    for jobs in Jobs::all(ports, &Rc::new(Meter::default())) {
        match garbage::collect(config, ports, &jobs).await {
            Ok(blobs) => deleted += blobs,
            Err(error) => log::error!("garbage was not collected: {error}"),
        }
        if let Err(error) = jobs.forget_expired().await {
            log::error!("what has expired was not forgotten: {error}");
        }
    }
    Summary { deleted_blobs: deleted, ..run(config, ports).await }
}

/// Whether the job is done.
async fn attempt(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> bool {
    perform(config, ports, jobs, job).await.unwrap_or_else(|error| {
        // Its lease ends, and it is tried again.
        log::error!("job {} ({}): {error}", job.id, job.kind);
        false
    })
}

async fn perform(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> Result<bool> {
    if job.kind == "webhook" {
        return webhooks::deliver(config, ports, jobs, job).await;
    }
    jobs.fail(job, "this program does not know how to do it", Vec::new()).await?;
    Ok(false)
}

//! The runner: does what is due, whoever caused it.
//!
//! Jobs are rows (`store::jobs`), so that none is lost; the runner is woken by a nudge after a
//! request that made some, and from time to time by a clock, in case the nudge was lost. Several
//! may run at once: each job is leased.
//!
//! - `digest`: reading a content for its digests
//! - `garbage`: deleting the blobs that nothing names
//! - `media`: what pictures and music tell of themselves
//! - `scan`: showing contents to the virus scanner
//!
//! Of the kinds, `purge`, `rescan` and `tree` are done in steps of the store alone: deleting large trees, scanning
//! everything again, and telling webhooks of large trees.

mod digest;
mod garbage;
mod media;
mod scan;

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, FutureExt, LocalBoxFuture, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::config::Config;
use crate::date::DAY;
use crate::error::Result;
use crate::ports::{Millis, Ports};
use crate::store::{Job, Jobs, Logins, Meter};
use crate::webhooks;

/// Jobs that are leased and done at once. (A Worker may have six connections open; more wait for those.)
const AT_ONCE: i64 = 12;

/// How often the runner looks for more jobs while those that it has are not done.
const LOOK: Duration = Duration::from_secs(1);

/// The lease of a job that takes long is renewed this often.
const RENEW: Duration = Duration::from_secs(10);

/// After this time, no more jobs are begun; the next run goes on.
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
    /// After how long there should be another run; none where nothing is left to do.
    pub again_in: Option<Duration>,
}

/// Does the jobs that are due. What goes wrong is in the log and in the job. `meter` counts what is asked of the databases.
pub async fn run(config: &Config, ports: &Ports, meter: &Rc<Meter>) -> Summary {
    let mut summary = Summary::default();
    let end = ports.clock.now() + RUN_TIME;
    for jobs in Jobs::all(ports, meter) {
        run_until(end, config, ports, &jobs, &mut summary).await;
        match jobs.next_due().await {
            Ok(Some(due)) => {
                let pause = Duration::from_millis((due - ports.clock.now()).max(0).unsigned_abs());
                summary.again_in = Some(summary.again_in.map_or(pause, |other| other.min(pause)));
            }
            Ok(None) => {}
            Err(error) => log::error!("the next job is not known: {error}"),
        }
    }
    summary
}

/// What a run waits for.
enum Step {
    Leased(Result<Vec<Job>>),
    /// Whether a job is done, or its attempt failed.
    Attempted(bool),
}

/// Does what is due in one database, until a time; what is under way then is done to its end.
///
/// Jobs are leased while others are under way, and not between: an attempt that is not polled may hold the lock on the
/// database that the lease waits for.
async fn run_until(end: Millis, config: &Config, ports: &Ports, jobs: &Jobs, summary: &mut Summary) {
    let mut steps: FuturesUnordered<LocalBoxFuture<'_, Step>> = FuturesUnordered::new();
    let (mut under_way, mut leasing, mut look) = (0, false, true);
    loop {
        let room = AT_ONCE - under_way;
        if look && room > 0 && !leasing && ports.clock.now() < end {
            steps.push(async move { Step::Leased(jobs.lease(room).await) }.boxed_local());
            (leasing, look) = (true, false);
        }
        match select(steps.next(), ports.clock.sleep(LOOK)).await {
            Either::Left((None, _)) => return,
            Either::Left((Some(Step::Leased(leased)), _)) => {
                leasing = false;
                for job in
                    leased.inspect_err(|error| log::error!("no jobs could be leased: {error}")).unwrap_or_default()
                {
                    steps.push(async move { Step::Attempted(attempt(config, ports, jobs, job).await) }.boxed_local());
                    under_way += 1;
                }
            }
            Either::Left((Some(Step::Attempted(is_done)), _)) => {
                under_way -= 1;
                if is_done {
                    summary.done += 1;
                } else {
                    summary.failed += 1;
                }
                look = AT_ONCE - under_way >= AT_ONCE / 3;
            }
            // Those that hang must not hold up what has come since.
            Either::Right(_) => look = true,
        }
    }
}

/// Does what is due by the clock alone, then the jobs.
pub async fn sweep(config: &Config, ports: &Ports, meter: &Rc<Meter>) -> Summary {
    let mut deleted = 0;
    if let Err(error) = Logins::open(ports, meter).sweep().await {
        log::error!("logins were not forgotten: {error}");
    }
    for jobs in Jobs::all(ports, meter) {
        match garbage::collect(config, ports, &jobs).await {
            Ok(blobs) => deleted += blobs,
            Err(error) => log::error!("garbage was not collected: {error}"),
        }
        if let Err(error) = jobs.forget_expired(config.kept.versions).await {
            log::error!("what has expired was not forgotten: {error}");
        }
        if let Err(error) = jobs.expire_trash(ports.clock.now() - config.kept.trash_days * DAY).await {
            log::error!("old deletions were not made final: {error}");
        }
    }
    Summary { deleted_blobs: deleted, ..run(config, ports, meter).await }
}

/// Whether the job is done.
async fn attempt(config: &Config, ports: &Ports, jobs: &Jobs, job: Job) -> bool {
    perform(config, ports, jobs, &job).await.unwrap_or_else(|error| {
        // Its lease ends, and it is tried again.
        log::error!("job {} ({}): {error}", job.id, job.kind);
        false
    })
}

async fn perform(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> Result<bool> {
    match job.kind.as_str() {
        "webhook" => webhooks::deliver(config, ports, jobs, job).await,
        "digest" => digest::compute(config, ports, jobs, job).await,
        "media" => media::look(config, ports, jobs, job).await,
        "scan" => scan::scan(config, ports, jobs, job).await,
        "tree" => jobs.tell_tree(job).await.map(|()| true),
        "purge" => jobs.purge(job).await.map(|()| true),
        "rescan" => jobs.continue_rescan(job).await.map(|_| true),
        _ => {
            jobs.fail(job, "this program does not know how to do it", Vec::new()).await?;
            Ok(false)
        }
    }
}

/// What `work` for a job gives, which may take minutes: nobody else does the job meanwhile.
async fn while_leased<T>(ports: &Ports, jobs: &Jobs, job: &Job, work: impl Future<Output = T>) -> Result<T> {
    let mut work = pin!(work);
    loop {
        match select(work.as_mut(), ports.clock.sleep(RENEW)).await {
            Either::Left((done, _)) => return Ok(done),
            Either::Right(_) => jobs.renew(job).await?,
        }
    }
}

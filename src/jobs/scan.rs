//! Showing a content to the virus scanner.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::ports::{Ports, StreamError};
use crate::scan::{Client, ScanError, Verdict};
use crate::store::{AvStatus, Drive, Finding, Job, Jobs, Meter, ScanTask};

/// A scan may take minutes: its lease is renewed this often.
const RENEW: Duration = Duration::from_secs(10);

/// Has the content of a job scanned, and records what the scanner says of it; whether it said anything. A content that is
/// gone is done with, and so is one that there is no scanner for any more.
pub async fn scan(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> Result<bool> {
    let Some(task) = jobs.scan_task(job).await? else {
        jobs.finish(job, Vec::new()).await?;
        return Ok(true);
    };
    let before = task.content.as_ref().map_or(AvStatus::Pending, |content| content.av);
    let outcome = match config.scanner.clone() {
        Some(scanner) => judge(config, ports, &Client::new(scanner, ports), jobs, job, &task).await?,
        None => Err(ScanError::TooLarge),
    };
    let finding = match outcome {
        Ok(Verdict::Clean) => Finding::Clean,
        Ok(Verdict::Infected(name)) => Finding::Infected(name),
        Err(ScanError::TooLarge) => Finding::TooLarge,
        Err(ScanError::Source(error)) => {
            // Not the scanner's fault.
            jobs.fail(job, &format!("the content could not be read: {error}"), Vec::new()).await?;
            return Ok(false);
        }
        Err(error @ ScanError::Unreachable(_)) => {
            jobs.record_scanner_away(job, &error.to_string()).await?;
            return Ok(false);
        }
        Err(error) => {
            let unwell = !matches!(error, ScanError::Failed(_));
            jobs.record_scan_failure(job, &error.to_string(), unwell).await?;
            return Ok(false);
        }
    };
    jobs.record_finding(job, before, &finding).await?;
    Ok(true)
}

async fn judge(
    config: &Config,
    ports: &Ports,
    scanner: &Client,
    jobs: &Jobs,
    job: &Job,
    task: &ScanTask,
) -> Result<Result<Verdict, ScanError>> {
    let size = task.size.unsigned_abs();
    if size == 0 {
        return Ok(Ok(Verdict::Clean));
    }
    let drive = Drive::open(ports, &Rc::new(Meter::default()), job.account_id, config.versions_kept);
    let blobs = task.content.as_ref().map(|content| content.parts.as_slice()).unwrap_or_default();
    let mut source = match drive.read(&config.keys, blobs, 0..size).await {
        Ok(source) => source,
        Err(Error::Unavailable(why)) => return Ok(Err(ScanError::Source(StreamError::Io(why)))),
        Err(error) => return Ok(Err(ScanError::Source(StreamError::Corrupt(error.to_string())))),
    };
    let mut scanning = pin!(scanner.scan(&mut *source, size));
    loop {
        match select(scanning.as_mut(), ports.clock.sleep(RENEW)).await {
            Either::Left((outcome, _)) => return Ok(outcome),
            Either::Right(_) => jobs.renew(job).await?,
        }
    }
}

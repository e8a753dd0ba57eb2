//! Showing a content to the virus scanner.

use std::rc::Rc;

use super::while_leased;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ports::{Ports, StreamError};
use crate::scan::{Client, ScanError, Verdict};
use crate::store::{Drive, Finding, Job, Jobs, Meter, StoredContent};

/// Has the content of a job scanned, and records what the scanner says of it; whether it said anything. A content that is
/// gone is done with, and so is one that there is no scanner for any more.
pub async fn scan(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> Result<bool> {
    let Some(content) = jobs.content(job).await? else {
        jobs.finish(job, Vec::new()).await?;
        return Ok(true);
    };
    let before = content.av();
    let outcome = match config.scanner.clone() {
        Some(scanner) => judge(config, ports, &Client::new(scanner, ports), jobs, job, &content).await?,
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
    content: &StoredContent,
) -> Result<Result<Verdict, ScanError>> {
    let size = content.size.unsigned_abs();
    if size == 0 {
        return Ok(Ok(Verdict::Clean));
    }
    let drive = Drive::open(ports, &Rc::new(Meter::default()), job.account_id, config.kept);
    let mut source = match drive.read(&config.keys, content.parts(), 0..size).await {
        Ok(source) => source,
        Err(Error::Unavailable(why)) => return Ok(Err(ScanError::Source(StreamError::Io(why)))),
        Err(error) => return Ok(Err(ScanError::Source(StreamError::Corrupt(error.to_string())))),
    };
    while_leased(ports, jobs, job, scanner.scan(&mut *source, size)).await
}

//! Computing the digests of a content that came in chunks: nobody has read it from its beginning to its end yet.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::config::Config;
use crate::error::Result;
use crate::ports::Ports;
use crate::store::{Drive, Job, Jobs, Meter};

/// The lease of a job is renewed this often.
const RENEW: Duration = Duration::from_secs(10);

/// Reads the content of a job and records its digests; whether that went well. A content that is gone is done with.
pub async fn compute(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> Result<bool> {
    let Some(task) = jobs.scan_task(job).await? else {
        jobs.finish(job, Vec::new()).await?;
        return Ok(true);
    };
    let blobs = task.content.as_ref().map(|content| content.parts.as_slice()).unwrap_or_default();
    let drive = Drive::open(ports, &Rc::new(Meter::default()), job.account_id, config.versions_kept);
    let mut digests = pin!(drive.digests(&config.keys, blobs, task.size.unsigned_abs()));
    loop {
        match select(digests.as_mut(), ports.clock.sleep(RENEW)).await {
            Either::Left((Ok(digests), _)) => {
                jobs.record_digests(job, &digests).await?;
                return Ok(true);
            }
            Either::Left((Err(error), _)) => {
                jobs.fail(job, &format!("the content could not be read: {error}"), Vec::new()).await?;
                return Ok(false);
            }
            Either::Right(_) => jobs.renew(job).await?,
        }
    }
}

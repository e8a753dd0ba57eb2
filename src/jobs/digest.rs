//! Computing the digests of a content that came in chunks: nobody has read it from its beginning to its end yet.

use std::rc::Rc;

use super::while_leased;
use crate::config::Config;
use crate::error::Result;
use crate::ports::Ports;
use crate::store::{Drive, Job, Jobs, Meter};

/// Reads the content of a job and records its digests; whether that went well. A content that is gone is done with.
pub async fn compute(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> Result<bool> {
    let Some(content) = jobs.content(job).await? else {
        jobs.finish(job, Vec::new()).await?;
        return Ok(true);
    };
    let drive = Drive::open(ports, &Rc::new(Meter::default()), job.account_id, config.kept);
    let digests = drive.digests(&config.keys, content.parts(), content.size.unsigned_abs());
    match while_leased(ports, jobs, job, digests).await? {
        Ok(digests) => {
            let mismatch = content.is_other_than(&digests);
            if mismatch {
                log::warn!("content {}: the client said another checksum than what has come has", job.payload);
            }
            jobs.record_digests(job, &digests, mismatch, config.kept.versions).await.map(|()| true)
        }
        Err(error) => {
            jobs.fail(job, &format!("the content could not be read: {error}"), Vec::new()).await?;
            Ok(false)
        }
    }
}

//! Reading what a picture or a piece of music tells of itself.

use std::rc::Rc;

use super::while_leased;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::media::{self, HEAD};
use crate::ports::Ports;
use crate::store::{Drive, Job, Jobs, Meter, StoredContent};

/// Reads the head of a job's content and records what it tells; whether that went well. A content that is gone is done with.
pub async fn look(config: &Config, ports: &Ports, jobs: &Jobs, job: &Job) -> Result<bool> {
    let Some(content) = jobs.content(job).await? else {
        jobs.finish(job, Vec::new()).await?;
        return Ok(true);
    };
    match while_leased(ports, jobs, job, head(config, ports, job, &content)).await? {
        Ok(head) => jobs.record_media(job, &media::read(&head)).await.map(|()| true),
        Err(error) => {
            jobs.fail(job, &format!("the content could not be read: {error}"), Vec::new()).await?;
            Ok(false)
        }
    }
}

async fn head(config: &Config, ports: &Ports, job: &Job, content: &StoredContent) -> Result<Vec<u8>> {
    let size = content.size.unsigned_abs().min(HEAD);
    let drive = Drive::open(ports, &Rc::new(Meter::default()), job.account_id, config.kept);
    let mut source = drive.read(&config.keys, content.parts(), 0..size).await?;
    let mut head = Vec::new();
    while let Some(piece) = source.next().await.map_err(Error::internal)? {
        head.extend_from_slice(&piece);
    }
    Ok(head)
}

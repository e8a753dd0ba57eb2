//! Deleting the blobs that nothing names.

use crate::config::Config;
use crate::error::Result;
use crate::ports::Ports;
use crate::store::{Garbage, Jobs};

/// Deletes the blobs that have been garbage for the time of grace, and tells how many. One that
/// could not be deleted stays garbage. Those of unfinished uploads come last: each takes several calls, and
/// what is done before the invocation ends is done.
pub async fn collect(config: &Config, ports: &Ports, jobs: &Jobs) -> Result<u64> {
    let mut deleted = 0;
    for unfinished in [false, true] {
        loop {
            let garbage = jobs.give_up_garbage(config.blob_grace_seconds * 1000, unfinished).await?;
            if garbage.is_empty() {
                break;
            }
            delete(ports, jobs, &garbage, unfinished).await?;
            deleted += garbage.len() as u64;
        }
    }
    Ok(deleted)
}

async fn delete(ports: &Ports, jobs: &Jobs, garbage: &[Garbage], unfinished: bool) -> Result<()> {
    if unfinished {
        for blob in garbage {
            ports.blobs.abandon(&blob.key).await?;
        }
    }
    let keys: Vec<String> = garbage.iter().map(|blob| blob.key.clone()).collect();
    ports.blobs.delete(&keys).await?;
    jobs.forget_garbage(garbage).await
}

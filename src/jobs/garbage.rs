//! Deleting the blobs that nothing names.

use crate::config::Config;
use crate::error::Result;
use crate::ports::Ports;
use crate::store::{Garbage, Jobs};

/// Deletes the blobs that have been garbage for the time of grace, and tells how many. One that
/// could not be deleted stays garbage.
pub async fn collect(config: &Config, ports: &Ports, jobs: &Jobs) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let garbage = jobs.give_up_garbage(config.blob_grace_seconds * 1000).await?;
        if garbage.is_empty() {
            return Ok(deleted);
        }
        for unfinished in garbage.iter().filter(|garbage| garbage.is_unfinished()) {
            ports.blobs.abandon(&unfinished.key).await?;
        }
        let keys: Vec<String> = garbage.iter().map(|garbage: &Garbage| garbage.key.clone()).collect();
        ports.blobs.delete(&keys).await?;
        jobs.forget_garbage(&garbage).await?;
        deleted += keys.len() as u64;
    }
}

//! What pictures and music tell of themselves: the jobs that look, and what they found.

use super::content::Link;
use crate::error::{Error, Result};
use crate::media::{Media, may_tell};
use crate::ports::Statement;
use crate::store::door::commit::Place;
use crate::store::door::view::View;
use crate::store::ground::node::{declared_mime, guess_mime};
use crate::store::jobs::job::{Job, Jobs};

impl View {
    /// Has a content looked at that the same batch inserts, if a file of its name and type may tell anything.
    pub(super) fn insert_media(&self, content: &str, place: &Place, link: &Link, size: i64) -> Option<Statement> {
        let declared = declared_mime(link.mime.as_deref(), &place.name);
        let mime = declared.unwrap_or_else(|| guess_mime(&place.name));
        let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        (size > 0 && may_tell(&essence)).then(|| self.insert_job("media", content))
    }
}

impl Jobs {
    /// Records what a job's content tells, and ends the job. One round trip.
    pub async fn record_media(&self, job: &Job, media: &Media) -> Result<()> {
        if *media == Media::default() {
            return self.finish(job, Vec::new()).await;
        }
        let told = serde_json::to_string(media).map_err(Error::internal)?;
        let set = Statement::write(
            "UPDATE contents SET media = ?2 WHERE id = ?1",
            [job.payload.as_str().into(), told.into()],
        );
        self.finish(job, vec![set]).await
    }
}

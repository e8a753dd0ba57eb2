//! The extension concatenation: parts of a file that are uploaded side by side, and the file that is made of them.

use http::{Response, StatusCode};

use super::answers::made;
use super::concat::CONCAT;
use super::headers::header_text;
use super::metadata::Metadata;
use super::purpose::{Purpose, purpose};
use super::uploads::{Tus, size_of};
use crate::body::Body;
use crate::error::{Error, Result};
use crate::store::{Address, ChunkedUpload, Link, Scope, ViewRequest, twice};

impl Tus<'_> {
    /// Makes a file of uploads that are parts of it, in the order of their names. The parts are gone then. What is made is
    /// an upload as well, which can be asked for as the parts can.
    pub(super) async fn concatenate(
        &self,
        folder: Address,
        metadata: &str,
        wanted: &Metadata,
        parts: &[String],
    ) -> Result<Response<Body>> {
        let (folder, name) = wanted.place(folder)?;
        let concat = header_text(&self.cx.headers, CONCAT)?.map(str::to_owned);
        let purpose = Purpose { metadata: metadata.to_owned(), concat, target: None }.to_json()?;
        let id = self.drive.new_chunked_name();
        let file = folder.member(&name).ok_or_else(|| Error::internal("a folder named as a member"))?;
        let request = ViewRequest::of(file);
        let link = Link { mime: wanted.mime.clone(), modified_at: wanted.modified_at, ..Link::default() };
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (linked, size) = twice(async || {
            let view = self
                .drive
                .view(self.credentials, &request, vec![self.drive.find_chunked(self.credentials, &names)])
                .await?;
            view.caller.scopes.require(Scope::Write)?;
            let uploads = self.drive.chunked_uploads(view.also.first(), names.len())?;
            check(&uploads)?;
            let size = size_of(&uploads);
            let noted = view.note_linked(&id, size, &purpose);
            Ok((self.link_at(&view, &uploads, &link, Some(noted)).await?, size))
        })
        .await?;
        self.located(&id, made(StatusCode::CREATED, size, &linked))
    }
}

/// 400 for an upload that is no part, 409 for one that is not complete, or was used already.
fn check(uploads: &[ChunkedUpload]) -> Result<()> {
    for upload in uploads {
        if upload.target.is_none() || !purpose(upload)?.is_partial() {
            return Err(Error::bad("an upload that Upload-Concat names is no part"));
        }
        if upload.total != Some(upload.received) {
            return Err(Error::Conflict("a part is not complete".to_owned()));
        }
        if upload.is_linked() {
            return Err(Error::Conflict("a part is in another file already".to_owned()));
        }
    }
    Ok(())
}

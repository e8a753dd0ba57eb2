//! The extension concatenation: parts of a file that are uploaded side by side, and the file that is made of them.

use std::collections::BTreeSet;

use http::{HeaderMap, Response, StatusCode};

use super::answers::made;
use super::headers::header_text;
use super::metadata::Metadata;
use super::{Purpose, Tus, UPLOADS, purpose, size_of};
use crate::body::Body;
use crate::error::{Error, Result};
use crate::store::{Address, ChunkedUpload, Link, Scope, ViewRequest, twice};

/// The header.
pub const CONCAT: &str = "upload-concat";

/// What it says of a part.
pub const PARTIAL: &str = "partial";

/// The most parts of a file.
const MOST_PARTS: usize = 100;

/// `Upload-Concat`.
pub enum Concat {
    /// The upload is a part of a file.
    Partial,
    /// The file is to be made of the uploads of these names.
    Final(Vec<String>),
}

impl Concat {
    /// Reads the header: 400 where it is malformed, or names too many uploads, or one twice.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(text) = header_text(headers, CONCAT)? else { return Ok(None) };
        if text == PARTIAL {
            return Ok(Some(Self::Partial));
        }
        let urls = text.strip_prefix("final;").map(str::split_ascii_whitespace);
        let names: Option<Vec<&str>> = urls.and_then(|urls| urls.map(name_of).collect());
        let names = names.filter(|names| !names.is_empty());
        let names = names.ok_or_else(|| Error::bad("the header Upload-Concat is malformed"))?;
        if names.len() > MOST_PARTS || names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            return Err(Error::bad(format!("a file has at most {MOST_PARTS} parts, each of them once")));
        }
        Ok(Some(Self::Final(names.into_iter().map(str::to_owned).collect())))
    }
}

/// The name of an upload by its URL, which may be without the host.
fn name_of(url: &str) -> Option<&str> {
    let (_, name) = url.rsplit_once(UPLOADS)?;
    (!name.is_empty()).then_some(name)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Option<Vec<String>> {
        let headers = HeaderMap::from_iter([("upload-concat".parse().unwrap(), value.parse().unwrap())]);
        match Concat::read(&headers) {
            Ok(Some(Concat::Final(names))) => Some(names),
            Ok(Some(Concat::Partial)) => Some(Vec::new()),
            _ => None,
        }
    }

    #[test]
    fn parts_are_named_by_their_urls() {
        assert_eq!(read("partial"), Some(Vec::new()));
        assert_eq!(read("final;/api/v1/uploads/a  https://x/p/api/v1/uploads/b").unwrap(), ["a", "b"]);
        for malformed in ["", "final", "final;", "final; ", "final;/a", "final;/api/v1/uploads/", "Partial", "partial;"]
        {
            assert_eq!(read(malformed), None, "{malformed}");
        }
        assert_eq!(read("final;/api/v1/uploads/a /api/v1/uploads/a"), None);
    }
}

//! The uploads of a drive that come by TUS.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::answers::{answer, progress};
use super::concat::{CONCAT, Concat};
use super::headers::{checksum, header_text, number};
use super::metadata::Metadata;
use super::piece::Piece;
use super::protocol::{RESUMABLE, UPLOADS, VERSION};
use super::purpose::{Purpose, Target, purpose};
use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, Statement};
use crate::store::{
    Address, Caller, Checksum, ChunkedUpload, Content, Credentials, Drive, Link, Linked, MayChange, Node, Place, Scope,
    Trail, View, ViewRequest, twice,
};
use crate::transfer::upload::{LONGEST, unscanned};

const OFFSET_OCTETS: &str = "application/offset+octet-stream";

/// Bytes of a piece: what a broken connection may lose, and what is in memory before it is stored.
const PIECE: u64 = 8 << 20;

/// A drive, and who asks.
pub struct Tus<'a> {
    /// The request.
    pub cx: &'a Context<'a>,
    /// The drive.
    pub drive: &'a Drive,
    /// The token.
    pub credentials: &'a Credentials,
    /// Says whether locks let the file at the end of a trail be written.
    pub may_write: MayChange<'a>,
}

impl Tus<'_> {
    /// Begins an upload of a file into a folder, and takes its first bytes if they come along. The name is in the
    /// metadata, and may lead into folders below. What is but a part of a file needs no name.
    pub async fn create(&self, folder: Address, body: Body) -> Result<Response<Body>> {
        self.check_version()?;
        let headers = &self.cx.headers;
        let metadata = header_text(headers, "upload-metadata")?.unwrap_or_default();
        let wanted = Metadata::parse(metadata).ok_or_else(|| Error::bad("the header Upload-Metadata is malformed"))?;
        let (folder, name) = match Concat::read(headers)? {
            Some(Concat::Final(parts)) => return self.concatenate(folder, metadata, &wanted, &parts).await,
            Some(Concat::Partial) => (folder, None),
            None => wanted.place(folder).map(|(folder, name)| (folder, Some(name)))?,
        };
        let total = match (number(headers, "upload-length")?, headers.get("upload-defer-length")) {
            (Some(total), None) => Some(total),
            (None, Some(defer)) if defer == "1" => None,
            _ => return Err(Error::bad("either Upload-Length or Upload-Defer-Length: 1 is needed")),
        };
        let view = self.drive.view(self.credentials, &ViewRequest::of(folder), Vec::new()).await?;
        let folder = folder_of(&view.caller, view.trail()?)?.id;
        view.caller.check_quota(total.unwrap_or(0).unsigned_abs())?;
        let target = name.map(|name| Target {
            folder,
            name,
            mime: wanted.mime,
            modified_at: wanted.modified_at,
            checksum: wanted.checksum.map(|checksum| checksum.to_string()),
        });
        let concat = header_text(headers, CONCAT)?.map(str::to_owned);
        let purpose = Purpose { metadata: metadata.to_owned(), concat, target };
        let id = self.drive.new_chunked_name();
        let upload = view.begin_chunked(&id, total, Some(purpose.to_json()?)).await?;
        let with_bytes = headers.get(header::CONTENT_TYPE).is_some_and(|value| value == OFFSET_OCTETS);
        let (upload, linked) = self.take(upload, if with_bytes { body } else { Body::empty() }).await?;
        self.located(&id, progress(StatusCode::CREATED, &upload, linked.as_ref()))
    }

    /// How far an upload is (HEAD).
    pub async fn show(&self, id: &str) -> Result<Response<Body>> {
        self.check_version()?;
        let (_, upload) = self.find(id).await?;
        let mut response = progress(StatusCode::OK, &upload, None);
        let headers = response.headers_mut();
        match upload.total {
            Some(total) => _ = headers.insert(HeaderName::from_static("upload-length"), HeaderValue::from(total)),
            None => _ = headers.insert(HeaderName::from_static("upload-defer-length"), HeaderValue::from_static("1")),
        }
        let purpose = purpose(&upload)?;
        for (name, text) in [("upload-metadata", purpose.metadata), (CONCAT, purpose.concat.unwrap_or_default())] {
            if let Ok(value) = HeaderValue::try_from(text)
                && !value.is_empty()
            {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Ok(response)
    }

    /// Takes more bytes (PATCH): 409 for another offset than the present one, 460 for a checksum that does not match.
    pub async fn append(&self, id: &str, body: Body) -> Result<Response<Body>> {
        self.check_version()?;
        let headers = &self.cx.headers;
        if headers.get(header::CONTENT_TYPE).is_none_or(|value| value != OFFSET_OCTETS) {
            return Err(Error::UnsupportedMediaType);
        }
        let offset = number(headers, "upload-offset")?.ok_or_else(|| Error::bad("Upload-Offset is missing"))?;
        let (view, mut upload) = self.find(id).await?;
        if purpose(&upload)?.is_final() {
            return Err(Error::Forbidden("what was made of parts takes no more".to_owned()));
        }
        if offset != upload.received {
            return Err(Error::Conflict(format!("the upload is at offset {}", upload.received)));
        }
        if let Some(total) = number(headers, "upload-length")? {
            if upload.total.is_some_and(|known| known != total) || total < upload.received {
                return Err(Error::bad("Upload-Length is another one than before, or too short"));
            }
            view.caller.check_quota((total - upload.received).unsigned_abs())?;
            view.set_total(&upload, total).await?;
            upload.total = Some(total);
        }
        let (upload, linked) = self.take(upload, body).await?;
        Ok(progress(StatusCode::NO_CONTENT, &upload, linked.as_ref()))
    }

    /// Throws an upload away (DELETE).
    pub async fn terminate(&self, id: &str) -> Result<Response<Body>> {
        self.check_version()?;
        let (view, upload) = self.find(id).await?;
        view.abandon_chunked(&upload).await?;
        Ok(answer(StatusCode::NO_CONTENT))
    }

    /// Stores what comes, and makes the file, if it is to be one, when all of it is there.
    async fn take(&self, mut upload: ChunkedUpload, mut body: Body) -> Result<(ChunkedUpload, Option<Linked>)> {
        let room = upload.total.unwrap_or(LONGEST.get()) - upload.received;
        let length = body.length.filter(|_| !self.cx.headers.contains_key(header::TRANSFER_ENCODING));
        if length.is_some_and(|length| length > room.unsigned_abs()) {
            return Err(Error::TooLarge("more bytes than the upload's length".to_owned()));
        }
        if upload.is_linked() {
            return Ok((upload, None));
        }
        let checksum = checksum(&self.cx.headers)?;
        // A checksum is of all that comes: it is stored as a whole, or not at all.
        let most = if checksum.is_some() { room.unsigned_abs() } else { PIECE.min(room.unsigned_abs()) };
        let mut ended = length == Some(0);
        while !ended {
            let mut piece = Piece::of(&mut body, most);
            let (view, content) = self.store(&mut piece).await?;
            ended = piece.has_ended();
            if !checksum.as_ref().is_none_or(|checksum| checksum.holds(&content)) {
                self.drive.discard(&content).await;
                return Err(Error::ChecksumMismatch);
            }
            let appended = view.append(&upload, &content).await;
            upload = self.drive.or_discard(&content, appended).await?;
            if upload.total == Some(upload.received) && !ended {
                if body.next().await?.is_some() {
                    return Err(Error::TooLarge("more bytes than the upload's length".to_owned()));
                }
                break;
            }
        }
        let linked = match purpose(&upload)?.target {
            Some(target) if upload.total == Some(upload.received) => Some(self.link(&upload, &target).await?),
            _ => None,
        };
        Ok((upload, linked))
    }

    /// Stores a piece, and gives what was read of the drive before that.
    async fn store(&self, piece: &mut Piece<'_>) -> Result<(View, Content)> {
        let blob = self.drive.new_upload();
        let record = self.drive.record_upload(self.credentials, &blob);
        let (wanted, records) = (ViewRequest::default(), vec![record]);
        let view = self.drive.view_before_storing(self.credentials, &wanted, Vec::new(), records).await?;
        let available = view.caller.available();
        let content = self.drive.store(&self.cx.config.keys, blob, piece, None, available).await?;
        Ok((view, content))
    }

    async fn link(&self, upload: &ChunkedUpload, target: &Target) -> Result<Linked> {
        let checksum = target.checksum.as_deref().and_then(Checksum::parse);
        let link = Link { mime: target.mime.clone(), modified_at: target.modified_at, checksum, ..Link::default() };
        if let (Some(checksum), Some(digests)) = (&link.checksum, &upload.digests)
            && !checksum.is_of(digests)
        {
            return Err(Error::ChecksumMismatch);
        }
        twice(async || {
            let wanted = ViewRequest::of(Address::Member(target.folder, target.name.clone()));
            let view = self.drive.view(self.credentials, &wanted, Vec::new()).await?;
            self.link_at(&view, std::slice::from_ref(upload), &link, None).await
        })
        .await
    }

    /// Makes a file of uploads that are complete, where the view has looked; `also` belongs to the same batch.
    pub(super) async fn link_at(
        &self,
        view: &View,
        uploads: &[ChunkedUpload],
        link: &Link,
        also: Option<Statement>,
    ) -> Result<Linked> {
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let folder = trail.parent_index().and_then(|index| trail.nodes().get(index));
        folder.filter(|folder| folder.is_folder()).ok_or(Error::NotFound("the folder"))?;
        (self.may_write)(trail)?;
        let place = Place::of(trail)?;
        let av = unscanned(self.cx.config, size_of(uploads));
        view.link_chunks(&place, uploads, av, link, also).await
    }

    async fn find(&self, id: &str) -> Result<(View, ChunkedUpload)> {
        let also = vec![self.drive.find_chunked(self.credentials, &[id])];
        let view = self.drive.view(self.credentials, &ViewRequest::default(), also).await?;
        view.caller.scopes.require(Scope::Write)?;
        let upload = self.drive.chunked_upload(view.also.first())?;
        // Others are Nextcloud's, which end otherwise.
        if upload.target.is_some() { Ok((view, upload)) } else { Err(Error::NotFound("the upload")) }
    }

    /// 412 for a client of another version.
    fn check_version(&self) -> Result<()> {
        if self.cx.header(RESUMABLE) == Some(VERSION) {
            Ok(())
        } else {
            Err(Error::PreconditionFailed(format!("Tus-Resumable must be {VERSION}")))
        }
    }

    /// An answer that tells where the upload is, by a whole URL: rclone takes no other.
    pub(super) fn located(&self, id: &str, mut response: Response<Body>) -> Result<Response<Body>> {
        let location = format!("{}{UPLOADS}{id}", self.cx.base_url()?);
        response.headers_mut().insert(header::LOCATION, HeaderValue::try_from(location).map_err(Error::internal)?);
        Ok(response)
    }
}

/// The folder at the end of a trail, for a caller who may write.
fn folder_of<'t>(caller: &Caller, trail: &'t Trail) -> Result<&'t Node> {
    caller.scopes.require(Scope::Write)?;
    trail.target().filter(|node| node.is_folder()).ok_or(Error::NotFound("the folder"))
}

/// Bytes of uploads.
pub fn size_of(uploads: &[ChunkedUpload]) -> i64 {
    uploads.iter().map(|upload| upload.received).sum()
}

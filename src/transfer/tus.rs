//! TUS 1.0.0, resumable uploads, with the extensions creation, creation-with-upload, creation-defer-length, checksum,
//! termination and expiration. The same for REST and for the folders of WebDAV.
//!
//! What comes is cut into pieces, each a blob that counts as soon as it is stored: a connection that breaks loses no more
//! than the last of them. The end only links them.

use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::download::etag_header;
use crate::body::Body;
use crate::context::Context;
use crate::date::http_date;
use crate::error::{Error, Result};
use crate::name::check_name;
use crate::ports::{ByteSource, Millis, StreamError};
use crate::store::{
    Address, AvStatus, Caller, ChunkedUpload, Content, Credentials, Drive, Link, Linked, Node, Place, Scope, Trail,
    ViewRequest, twice,
};

/// The version of the protocol.
const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration";
const CHECKSUMS: &str = "sha1,md5,sha256";
const OFFSET_OCTETS: &str = "application/offset+octet-stream";

/// Bytes of a piece: what a broken connection may lose, and what is in memory before it is stored.
const PIECE: u64 = 8 << 20;

/// The longest upload, in bytes: exact in JavaScript.
const LONGEST: i64 = 1 << 53;

/// Where the file is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Target {
    folder: i64,
    name: String,
    mime: Option<String>,
    modified_at: Option<Millis>,
    /// `Upload-Metadata` as it came, which HEAD repeats.
    metadata: String,
}

/// A drive, and who asks.
pub struct Tus<'a> {
    /// The request.
    pub cx: &'a Context<'a>,
    /// The drive.
    pub drive: &'a Drive,
    /// The token.
    pub credentials: &'a Credentials,
}

/// What the server can (OPTIONS).
pub fn options() -> Response<Body> {
    let mut response = answer(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("tus-version"), HeaderValue::from_static(VERSION));
    headers.insert(HeaderName::from_static("tus-extension"), HeaderValue::from_static(EXTENSIONS));
    headers.insert(HeaderName::from_static("tus-checksum-algorithm"), HeaderValue::from_static(CHECKSUMS));
    response
}

/// Whether a request speaks TUS.
pub fn is_tus(headers: &HeaderMap) -> bool {
    headers.contains_key("tus-resumable")
}

impl Tus<'_> {
    /// Begins an upload of a file into a folder, and takes its first bytes if they come along. The name is in the
    /// metadata, and may lead into folders below.
    pub async fn create(&self, folder: Address, body: Body) -> Result<Response<Body>> {
        self.check_version()?;
        let headers = &self.cx.headers;
        let total = match (number(headers, "upload-length")?, headers.get("upload-defer-length")) {
            (Some(total), None) => Some(total),
            (None, Some(defer)) if defer == "1" => None,
            _ => return Err(Error::bad("either Upload-Length or Upload-Defer-Length: 1 is needed")),
        };
        let metadata = header_text(headers, "upload-metadata")?.unwrap_or_default();
        let wanted = Metadata::parse(metadata).ok_or_else(|| Error::bad("the header Upload-Metadata is malformed"))?;
        let (folder, name) = wanted.place(folder)?;
        let view = self.drive.view(self.credentials, &ViewRequest::of(folder), Vec::new()).await?;
        let node = folder_of(&view.caller, view.trail()?)?;
        view.caller.check_quota(total.unwrap_or(0).unsigned_abs())?;
        let target = Target {
            folder: node.id,
            name,
            mime: wanted.mime,
            modified_at: wanted.modified_at,
            metadata: metadata.to_owned(),
        };
        let id = self.new_id();
        let json = serde_json::to_string(&target).map_err(Error::internal)?;
        self.drive.begin_chunked(&id, total, Some(&json)).await?;
        let (caller, upload) = self.find(&id).await?;
        let with_bytes = headers.get(header::CONTENT_TYPE).is_some_and(|value| value == OFFSET_OCTETS);
        let (upload, linked) = self.take(&caller, upload, if with_bytes { body } else { Body::empty() }).await?;

        let mut response = progress(StatusCode::CREATED, &upload, linked.as_ref());
        let location = format!("{}/api/v1/uploads/{id}", self.prefix());
        response.headers_mut().insert(header::LOCATION, HeaderValue::try_from(location).map_err(Error::internal)?);
        Ok(response)
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
        if let Ok(metadata) = HeaderValue::try_from(target(&upload)?.metadata)
            && !metadata.is_empty()
        {
            headers.insert(HeaderName::from_static("upload-metadata"), metadata);
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
        let (caller, mut upload) = self.find(id).await?;
        if offset != upload.received {
            return Err(Error::Conflict(format!("the upload is at offset {}", upload.received)));
        }
        if let Some(total) = number(headers, "upload-length")? {
            if upload.total.is_some_and(|known| known != total) || total < upload.received {
                return Err(Error::bad("Upload-Length is another one than before, or too short"));
            }
            caller.check_quota(total.unsigned_abs())?;
            self.drive.set_total(&upload, total).await?;
            upload.total = Some(total);
        }
        let (upload, linked) = self.take(&caller, upload, body).await?;
        Ok(progress(StatusCode::NO_CONTENT, &upload, linked.as_ref()))
    }

    /// Throws an upload away (DELETE).
    pub async fn terminate(&self, id: &str) -> Result<Response<Body>> {
        self.check_version()?;
        let (_, upload) = self.find(id).await?;
        self.drive.abandon_chunked(&upload).await?;
        Ok(answer(StatusCode::NO_CONTENT))
    }

    /// Stores what comes, and makes the file when all of it is there.
    async fn take(
        &self,
        caller: &Caller,
        mut upload: ChunkedUpload,
        mut body: Body,
    ) -> Result<(ChunkedUpload, Option<Linked>)> {
        let room = upload.total.unwrap_or(LONGEST) - upload.received;
        let length = body.length.filter(|_| !self.cx.headers.contains_key(header::TRANSFER_ENCODING));
        if length.is_some_and(|length| length > room.unsigned_abs()) {
            return Err(Error::TooLarge("more bytes than the upload's length".to_owned()));
        }
        let checksum = Checksum::read(&self.cx.headers)?;
        // A checksum is of all that comes: it is stored as a whole, or not at all.
        let most = if checksum.is_some() { room.unsigned_abs() } else { PIECE.min(room.unsigned_abs()) };
        let mut ended = length == Some(0);
        while !ended {
            let mut piece = Piece { source: &mut body, left: most, ended: false };
            let content = self.store(caller, &upload, &mut piece).await?;
            ended = piece.ended;
            if !checksum.as_ref().is_none_or(|checksum| checksum.holds(&content)) {
                self.drive.discard(&content).await;
                return Err(Error::ChecksumMismatch);
            }
            if let Some(part) = content.parts.first() {
                upload = self.drive.append_part(&upload, part).await?;
            }
            if upload.total == Some(upload.received) && !ended {
                if body.next().await?.is_some() {
                    return Err(Error::TooLarge("more bytes than the upload's length".to_owned()));
                }
                break;
            }
        }
        let linked = if upload.total == Some(upload.received) { Some(self.link(&upload).await?) } else { None };
        Ok((upload, linked))
    }

    async fn store(&self, caller: &Caller, upload: &ChunkedUpload, piece: &mut Piece<'_>) -> Result<Content> {
        let blob = self.drive.new_upload();
        let record = self.drive.record_upload(self.credentials, &blob);
        self.drive.view(self.credentials, &ViewRequest::default(), vec![record]).await?;
        // What has come counts, too, though it is not in the drive yet.
        let available = caller.available().map(|available| (available - upload.received).max(0));
        self.drive.store(&self.cx.config.keys, blob, piece, None, available).await
    }

    async fn link(&self, upload: &ChunkedUpload) -> Result<Linked> {
        let target = target(upload)?;
        let link = Link { mime: target.mime.clone(), modified_at: target.modified_at, lock: None };
        let av = match self.cx.config.scanner {
            Some(_) if upload.received > 0 => AvStatus::Pending,
            Some(_) => AvStatus::Clean,
            None => AvStatus::Skipped,
        };
        twice(async || {
            let wanted = ViewRequest::of(Address::Id(target.folder));
            let view = self.drive.view(self.credentials, &wanted, Vec::new()).await?;
            let trail = view.trail()?;
            let folder = folder_of(&view.caller, trail)?;
            if trail.target_index().is_some_and(|index| trail.covering(index).next().is_some()) {
                return Err(Error::Locked(Vec::new()));
            }
            let place = Place::new_member(trail, folder.id, &target.name);
            self.drive.link_chunks(&place, upload, av, &link).await
        })
        .await
    }

    async fn find(&self, id: &str) -> Result<(Caller, ChunkedUpload)> {
        let also = vec![self.drive.find_chunked(id)];
        let view = self.drive.view(self.credentials, &ViewRequest::default(), also).await?;
        view.caller.scopes.require(Scope::Write)?;
        let upload = self.drive.chunked_upload(view.also.first())?;
        // Others are Nextcloud's, which end otherwise.
        if upload.target.is_some() { Ok((view.caller, upload)) } else { Err(Error::NotFound("the upload")) }
    }

    /// 412 for a client of another version.
    fn check_version(&self) -> Result<()> {
        if self.cx.header("tus-resumable") == Some(VERSION) {
            Ok(())
        } else {
            Err(Error::PreconditionFailed(format!("Tus-Resumable must be {VERSION}")))
        }
    }

    fn new_id(&self) -> String {
        let mut random = [0; 16];
        self.cx.ports.random.fill(&mut random);
        data_encoding::HEXLOWER.encode(&random)
    }

    /// What a proxy took off the path.
    fn prefix(&self) -> &str {
        let plain = |prefix: &&str| {
            prefix.starts_with('/') && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b))
        };
        let prefix = self.cx.header("x-forwarded-prefix").filter(plain).unwrap_or_default();
        prefix.trim_end_matches('/')
    }
}

fn target(upload: &ChunkedUpload) -> Result<Target> {
    serde_json::from_str(upload.target.as_deref().unwrap_or_default()).map_err(Error::internal)
}

/// An answer that tells how far an upload is, and which file it has made.
fn progress(status: StatusCode, upload: &ChunkedUpload, linked: Option<&Linked>) -> Response<Body> {
    let mut response = answer(status);
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("upload-offset"), HeaderValue::from(upload.received));
    match linked {
        Some(linked) => {
            headers.insert(header::ETAG, etag_header(&linked.etag));
            headers.insert(HeaderName::from_static("oc-etag"), etag_header(&linked.etag));
            // As sync clients know it; the number is the file's id in REST.
            if let Ok(id) = HeaderValue::try_from(format!("{:08}ocedgedrive", linked.id)) {
                headers.insert(HeaderName::from_static("oc-fileid"), id);
            }
        }
        None => {
            if let Ok(expires) = HeaderValue::try_from(http_date(upload.expires_at)) {
                headers.insert(HeaderName::from_static("upload-expires"), expires);
            }
        }
    }
    response
}

/// The folder at the end of a trail, for a caller who may write.
fn folder_of<'t>(caller: &Caller, trail: &'t Trail) -> Result<&'t Node> {
    caller.scopes.require(Scope::Write)?;
    trail.target().filter(|node| node.is_folder()).ok_or(Error::NotFound("the folder"))
}

fn answer(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("tus-resumable"), HeaderValue::from_static(VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Part of a source, up to so many bytes.
struct Piece<'a> {
    source: &'a mut Body,
    left: u64,
    /// Whether the source has ended.
    ended: bool,
}

#[async_trait(?Send)]
impl ByteSource for Piece<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if self.left == 0 || self.ended {
            return Ok(None);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let piece = self.source.next_at_most(most).await?;
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        self.ended = piece.is_none();
        Ok(piece)
    }
}

/// `Upload-Metadata`: pairs of a key and a value in base64.
#[derive(Debug, Default)]
struct Metadata {
    filename: Option<String>,
    folder: Option<String>,
    mime: Option<String>,
    modified_at: Option<Millis>,
}

impl Metadata {
    fn parse(text: &str) -> Option<Self> {
        let mut metadata = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = String::from_utf8(BASE64.decode(value.trim().as_bytes()).ok()?).ok()?;
            match key {
                "filename" | "name" => metadata.filename = Some(value),
                "folderId" => metadata.folder = Some(value),
                "filetype" | "type" => metadata.mime = Some(value).filter(|value| !value.is_empty()),
                "mtime" => {
                    metadata.modified_at = value.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1000));
                }
                _ => {}
            }
        }
        Some(metadata)
    }

    /// The folder that the file is to be in, and its name there.
    fn place(&self, folder: Address) -> Result<(Address, String)> {
        let filename = self.filename.as_deref().ok_or_else(|| Error::bad("Upload-Metadata has no filename"))?;
        let mut names: Vec<String> = filename.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        for name in &names {
            check_name(name).map_err(|error| Error::bad(error.to_string()))?;
        }
        let name = names.pop().ok_or_else(|| Error::bad("the filename is empty"))?;
        let folder = match (folder, &self.folder) {
            (Address::Path(path), None) => Address::Path([path, names].concat()),
            (Address::Path(path), Some(id)) if path.is_empty() && names.is_empty() => {
                Address::Id(id.parse().map_err(|_| Error::NotFound("the folder"))?)
            }
            (Address::Id(id), None) if names.is_empty() => Address::Id(id),
            _ => return Err(Error::bad("the filename holds a slash, or the folder is named twice")),
        };
        Ok((folder, name))
    }
}

/// `Upload-Checksum`
struct Checksum {
    algorithm: String,
    value: Vec<u8>,
}

impl Checksum {
    fn read(headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(text) = header_text(headers, "upload-checksum")? else { return Ok(None) };
        let malformed = || Error::bad("the header Upload-Checksum is malformed, or of an unknown algorithm");
        let (algorithm, value) = text.split_once(' ').ok_or_else(malformed)?;
        let value = BASE64.decode(value.trim().as_bytes()).map_err(|_| malformed())?;
        if !CHECKSUMS.split(',').any(|known| known == algorithm) {
            return Err(malformed());
        }
        Ok(Some(Self { algorithm: algorithm.to_owned(), value }))
    }

    fn holds(&self, content: &Content) -> bool {
        content.digests.as_ref().is_none_or(|digests| match self.algorithm.as_str() {
            "sha1" => self.value == digests.sha1,
            "md5" => self.value == digests.md5,
            _ => self.value == digests.sha256,
        })
    }
}

fn header_text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>> {
    let value = headers.get(name).map(HeaderValue::to_str).transpose();
    value.map_err(|_| Error::bad(format!("the header {name} is malformed")))
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<i64>> {
    let Some(text) = header_text(headers, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (0..=LONGEST).contains(number));
    number
        .filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
        .map(Some)
        .ok_or_else(|| Error::bad(format!("the header {name} is not a number, or too large")))
}

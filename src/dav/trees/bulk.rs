//! Nextcloud's bulk upload: many small files in one body (multipart/related), each committed by itself. What is wrong with
//! one of them spoils that one alone, as long as it can be told where the next begins.
//!
//! Small files are gathered, so that one round trip reads what all of them need; a larger one is stored while it comes. The
//! memory that a request takes does not grow with its body.

use http::{HeaderMap, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::dav::props::sync_props::file_permissions;
use crate::dav::request::Request;
use crate::dav::request::preconditions::Preconditions;
use crate::dav::request::{checksum, headers};
use crate::error::{Error, Result};
use crate::name::read_name;
use crate::ports::{ByteSource, Chunks, Count, StreamError, read_at_most};
use crate::store::{Address, Caller, Content, Link, Linked, Node, Place, Scope, Trail, Upload, View, ViewRequest};
use crate::transfer::{MultipartReader, PartReader, check_coding, receive};

/// Files that a body may hold: the answer speaks of each.
const MOST_FILES: usize = 1_000;

/// The longest file that is gathered, and what is gathered at most, in bytes and files.
const SMALL: u64 = 64 * 1024;
const GATHERED: u64 = 1024 * 1024;
const GATHERED_FILES: usize = 50;

/// A file of the body.
struct File {
    /// As the client names it.
    path: String,
    names: Vec<String>,
    link: Link,
    length: u64,
    /// None for a larger one, which is still to come.
    bytes: Option<bytes::Bytes>,
}

/// A request, and what it says of locks: a header `If` with tags may submit the tokens of those that hold for the files.
struct Order<'r> {
    request: &'r Request<'r>,
    preconditions: Preconditions,
}

/// What became of each file, by the client's path.
type Outcomes = Map<String, Value>;

/// Stores the files of the body. 400 where it breaks off or is malformed; the files before that are stored.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let mut parts = MultipartReader::open(boundary(&request.cx.headers)?, body);
    let preconditions = Preconditions::read(request)?;
    preconditions.check_first(request, None).await?;
    let order = Order { request, preconditions };
    let mut outcomes = Outcomes::new();
    let status = match store_all(&order, &mut parts, &mut outcomes).await {
        Ok(()) => StatusCode::OK,
        Err(Error::BadRequest(_)) if !outcomes.is_empty() => StatusCode::BAD_REQUEST,
        Err(error) => return Err(error),
    };
    let mut response = Response::new(Body::from(Value::Object(outcomes).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    Ok(response)
}

/// 415 for another type than multipart/related.
fn boundary(headers: &HeaderMap) -> Result<String> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parameters = content_type.trim_start().strip_prefix("multipart/related").ok_or(Error::UnsupportedMediaType)?;
    // multer knows the parameters of forms only; a boundary is written alike in both.
    multer::parse_boundary(format!("multipart/form-data{parameters}")).map_err(|_| Error::UnsupportedMediaType)
}

async fn store_all(order: &Order<'_>, parts: &mut MultipartReader, outcomes: &mut Outcomes) -> Result<()> {
    let mut gathered: Vec<File> = Vec::new();
    let mut any = false;
    for _ in 0..=MOST_FILES {
        parts.between_parts();
        let Some(mut part) = parts.next_part().await? else {
            return if any && gathered.is_empty() {
                Ok(())
            } else {
                store(order, gathered, &mut nothing(), outcomes).await
            };
        };
        parts.within_part();
        any = true;
        let path = path_of(part.headers())?;
        match File::read(path.clone(), &mut part).await {
            Err(error) => _ = outcomes.insert(path, failed(&error)),
            Ok(file) => {
                let is_streamed = file.bytes.is_none();
                gathered.push(file);
                let bytes: u64 = gathered.iter().map(|file| file.length).sum();
                if is_streamed || bytes > GATHERED || gathered.len() >= GATHERED_FILES {
                    store(order, std::mem::take(&mut gathered), &mut part, outcomes).await?;
                }
            }
        }
        while part.next().await?.is_some() {}
    }
    Err(Error::bad("the body holds too many files"))
}

fn nothing() -> Chunks {
    Chunks::new([])
}

/// The path that a part is for; without one, nothing can be said of it.
fn path_of(headers: &HeaderMap) -> Result<String> {
    let path = headers.get("x-file-path").and_then(|path| std::str::from_utf8(path.as_bytes()).ok());
    path.map(ToOwned::to_owned).ok_or_else(|| Error::bad("a part has no X-File-Path"))
}

impl File {
    /// Reads the headers of a part, and its bytes if they are few. 400 where they are not as they should be.
    async fn read(path: String, part: &mut PartReader) -> Result<Self> {
        let headers = part.headers();
        check_coding(headers)?;
        let names = path.split('/').filter(|name| !name.is_empty()).map(read_name);
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let length = text("content-length").and_then(Count::parse).map(Count::bytes);
        let length = length.ok_or_else(|| Error::bad("the part has no Content-Length, or one that is no number"))?;
        let checksum = match text("x-file-md5") {
            Some(md5) => checksum::parse(&format!("MD5:{md5}"))?,
            None => checksum::read(headers)?,
        };
        let link = Link {
            mime: text(header::CONTENT_TYPE.as_str()).map(ToOwned::to_owned),
            modified_at: headers::file_mtime(headers)?,
            checksum,
            ..Link::default()
        };
        let mut file = Self { path, names, link, length, bytes: None };
        if length <= SMALL {
            let most = usize::try_from(length).unwrap_or(usize::MAX);
            let bytes = match read_at_most(part, most).await {
                Err(StreamError::TooLong) => return Err(other_length()),
                bytes => bytes?,
            };
            if bytes.len() < most {
                return Err(other_length());
            }
            file.bytes = Some(bytes);
        }
        Ok(file)
    }
}

fn other_length() -> Error {
    Error::bad("the part is not as long as its Content-Length says")
}

/// Stores files, of which the last may still come from `streamed`. One round trip for all, and one for each.
async fn store(
    order: &Order<'_>,
    files: Vec<File>,
    streamed: &mut dyn ByteSource,
    outcomes: &mut Outcomes,
) -> Result<()> {
    let request = order.request;
    let uploads: Vec<Upload> = files.iter().map(|_| request.drive.new_upload()).collect();
    let with_bytes = files.iter().zip(&uploads).filter(|(file, _)| file.length > 0);
    let records = with_bytes.map(|(_, upload)| request.drive.record_upload(&request.credentials, upload)).collect();
    let addresses = files.iter().map(|file| Address::Path(file.names.clone())).collect();
    let wanted = ViewRequest { addresses, ..ViewRequest::default() };
    let view = request.drive.view_before_storing(&request.credentials, &wanted, Vec::new(), records).await?;
    view.caller.scopes.require(Scope::Write)?;
    for ((file, upload), trail) in files.into_iter().zip(uploads).zip(&view.trails) {
        let outcome = match store_one(order, &view, trail, &file, upload, streamed).await {
            Ok(linked) => stored(request, &view.caller, &file, &linked),
            Err(error) => failed(&error),
        };
        outcomes.insert(file.path, outcome);
    }
    Ok(())
}

async fn store_one(
    order: &Order<'_>,
    view: &View,
    trail: &Trail,
    file: &File,
    upload: Upload,
    streamed: &mut dyn ByteSource,
) -> Result<Linked> {
    let request = order.request;
    let place = place_of(order, trail)?;
    let (drive, length) = (&request.drive, Some(file.length));
    let content = match &file.bytes {
        Some(bytes) => {
            receive(request.cx, drive, &view.caller, upload, &mut Chunks::new([bytes.clone()]), length).await?
        }
        None => receive(request.cx, drive, &view.caller, upload, streamed, length).await?,
    };
    checksum::verify(drive, file.link.checksum.as_ref(), &content).await?;
    let linked = match view.link(&place, &content, &file.link).await {
        Err(Error::Raced(_)) => once_more(order, file, &content).await,
        linked => linked,
    };
    drive.or_discard(&content, linked).await
}

/// Links a file whose name somebody else has touched since it was read.
async fn once_more(order: &Order<'_>, file: &File, content: &Content) -> Result<Linked> {
    let request = order.request;
    let wanted = ViewRequest::of(Address::Path(file.names.clone()));
    let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
    view.link(&place_of(order, view.trail()?)?, content, &file.link).await
}

/// Where a file goes.
fn place_of(order: &Order<'_>, trail: &Trail) -> Result<Place> {
    if trail.target().is_some_and(Node::is_folder) {
        return Err(Error::Conflict("a folder has that name".to_owned()));
    }
    let place = Place::of(trail)?;
    order.preconditions.file_unlocked(&order.request.mount, trail)?;
    Ok(place)
}

fn stored(request: &Request<'_>, caller: &Caller, file: &File, linked: &Linked) -> Value {
    let mut outcome = json!({
        "error": false,
        "etag": linked.etag,
        "fileid": request.ids.global_id(caller.account_id, linked.id),
        "permissions": file_permissions(&caller.scopes),
    });
    if file.link.modified_at.is_some() {
        outcome["X-OC-MTime"] = "accepted".into();
    }
    outcome
}

fn failed(error: &Error) -> Value {
    if matches!(error, Error::Internal(_) | Error::Unavailable(_)) {
        log::error!("{error}");
    }
    json!({ "error": true, "message": error.sentence() })
}

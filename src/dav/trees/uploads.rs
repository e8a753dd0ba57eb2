//! Nextcloud's chunked upload, version 2: a folder for each upload (MKCOL), a chunk for each PUT into it, and a MOVE of its
//! member `.file` to where the whole is to be. Chunks are linked, never copied, and may come in any order.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::body::Body;
use crate::date::http_date;
use crate::dav::answer::multistatus::Multistatus;
use crate::dav::answer::response::empty;
use crate::dav::methods::options;
use crate::dav::methods::put::{link_of, stored, to_file};
use crate::dav::props::property::{Name, Value};
use crate::dav::request::Request;
use crate::dav::request::checksum;
use crate::dav::request::headers::{self, Depth};
use crate::dav::request::preconditions::Preconditions;
use crate::dav::xml::DAV;
use crate::error::{Error, Limit, Result};
use crate::ports::Count;
use crate::store::{Caller, ChunkedUpload, MOST_PIECES, Scope, View, ViewRequest, twice};
use crate::transfer::{announced_length, unscanned};

/// The member whose MOVE ends an upload.
const WHOLE: &str = ".file";

/// All methods here.
const ALLOW: &str = "OPTIONS, PROPFIND, MKCOL, PUT, MOVE, DELETE";

/// Answers a request below `/remote.php/dav/uploads/{login}`.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    match (request.cx.method.as_str(), request.path.segments()) {
        ("OPTIONS", _) => options::answer(request).await,
        ("MKCOL", [upload]) => begin(request, upload).await,
        ("PUT", [upload, chunk]) if chunk != WHOLE => put(request, upload, chunk, body).await,
        ("PROPFIND", []) => list_all(request).await,
        ("PROPFIND", [upload]) => list(request, upload).await,
        ("MOVE", [upload, whole]) if whole == WHOLE => finish(request, upload).await,
        ("DELETE", [upload]) => {
            let (view, upload) = read(request, upload).await?;
            view.abandon_chunked(&upload).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Error::MethodNotAllowed(ALLOW)),
    }
}

/// The caller, who may write, and the upload of that name.
async fn read(request: &Request<'_>, name: &str) -> Result<(View, ChunkedUpload)> {
    let also = vec![request.drive.find_chunked(&request.credentials, &[name])];
    let view = request.drive.view(&request.credentials, &ViewRequest::default(), also).await?;
    view.caller.scopes.require(Scope::Write)?;
    let upload = request.drive.chunked_upload(view.also.first())?;
    Ok((view, upload))
}

/// Refuses an upload that the quota has no room for before its bytes come.
async fn begin(request: &Request<'_>, name: &str) -> Result<Response<Body>> {
    let total = headers::total_length(&request.cx.headers)?;
    let view = request.drive.view(&request.credentials, &ViewRequest::default(), Vec::new()).await?;
    view.caller.scopes.require(Scope::Write)?;
    view.caller.check_quota(total.unwrap_or_default().bytes())?;
    view.begin_chunked(name, total.map(Count::get), None).await?;
    Ok(empty(StatusCode::CREATED))
}

async fn put(request: &Request<'_>, name: &str, chunk: &str, mut body: Body) -> Result<Response<Body>> {
    let number = number_of(chunk)
        .ok_or_else(|| Error::bad("the name of a chunk begins with its number, which is at most 2^53"))?;
    let length = announced_length(&request.cx.headers, &body)?;
    let blob = request.drive.new_upload();
    let drive = &request.drive;
    let (also, record) =
        (drive.find_chunked(&request.credentials, &[name]), drive.record_upload(&request.credentials, &blob));
    let view =
        drive.view_before_storing(&request.credentials, &ViewRequest::default(), vec![also], vec![record]).await?;
    view.caller.scopes.require(Scope::Write)?;
    let upload = drive.chunked_upload(view.also.first())?;
    if upload.pieces >= MOST_PIECES {
        return Err(Error::Limit(Limit::Pieces));
    }
    let announced = headers::total_length(&request.cx.headers)?;
    check_quota(&view.caller, announced, upload.received, length)?;
    let available = view.caller.available();
    let content = drive.store(&request.cx.config.keys, blob, &mut body, length, available).await?;
    checksum::verify(drive, checksum::read(&request.cx.headers)?.as_ref(), &content).await?;
    if let Some(part) = content.parts.first() {
        let added = view.add_chunk(&upload, chunk, number.get(), part).await;
        drive.or_discard(&content, added).await?;
    }
    let mut response = empty(StatusCode::CREATED);
    if let Some(digests) = &content.digests
        && let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", data_encoding::HEXLOWER.encode(&digests.md5)))
    {
        response.headers_mut().insert(header::ETAG, etag.clone());
        response.headers_mut().insert(HeaderName::from_static("oc-etag"), etag);
    }
    Ok(response)
}

/// Refuses a chunk of `length` bytes with which the upload, or all that is announced of it, exceeds the quota. What has been
/// received counts already.
pub fn check_quota(caller: &Caller, announced: Option<Count>, received: i64, length: Option<u64>) -> Result<()> {
    let rest = announced.unwrap_or_default().bytes().saturating_sub(received.unsigned_abs());
    caller.check_quota(rest.max(length.unwrap_or(0)))
}

/// The chunks that have come, by which a client goes on where it was interrupted.
async fn list(request: &Request<'_>, name: &str) -> Result<Response<Body>> {
    let (_, upload) = read(request, name).await?;
    let mut answer = Multistatus::new();
    let text = |text: String| Value::Text(text.into());
    let dav = |name| Name { namespace: DAV, name };
    write_collection(request, &[name.to_owned()], &mut answer);
    if request.depth_of_listing()?.0 == Some(Depth::Zero) {
        return Ok(answer.finish());
    }
    for chunk in request.drive.chunks(&upload).await? {
        let properties = [
            (dav("resourcetype"), Value::Empty),
            (dav("getcontentlength"), text(chunk.size.to_string())),
            (dav("getlastmodified"), text(http_date(chunk.created_at))),
            (dav("getetag"), text(format!("\"{}-{}\"", chunk.size, chunk.created_at))),
        ];
        answer.properties(&request.href(&[name.to_owned(), chunk.name], false), &properties, &[]);
    }
    Ok(answer.finish())
}

/// The uploads under way.
async fn list_all(request: &Request<'_>) -> Result<Response<Body>> {
    let also = vec![request.drive.find_all_chunked(&request.credentials)];
    let view = request.drive.view(&request.credentials, &ViewRequest::default(), also).await?;
    view.caller.scopes.require(Scope::Write)?;
    let mut answer = Multistatus::new();
    write_collection(request, &[], &mut answer);
    if request.depth_of_listing()?.0 != Some(Depth::Zero) {
        for name in request.drive.all_chunked(view.also.first())? {
            write_collection(request, &[name], &mut answer);
        }
    }
    Ok(answer.finish())
}

fn write_collection(request: &Request<'_>, names: &[String], answer: &mut Multistatus) {
    let name = Name { namespace: DAV, name: "resourcetype" };
    answer.properties(&request.href(names, true), &[(name, Value::COLLECTION)], &[]);
}

/// Makes the file of the chunks. Where something is wrong, the upload stays, so that the client can go on.
async fn finish(request: &Request<'_>, name: &str) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let destination = request.destination().await?;
    let total = headers::total_length(&request.cx.headers)?;
    let overwrite = headers::overwrite(&request.cx.headers)?;
    let link = link_of(request)?;
    let mut wanted = ViewRequest::of(destination.address());
    preconditions.extend(&mut wanted);
    let linked = twice(async || {
        let also = vec![request.drive.find_chunked(&request.credentials, &[name])];
        let view = request.drive.view(&request.credentials, &wanted, also).await?;
        let place = to_file(&destination.mount, &preconditions, &view)?;
        if !overwrite && view.trail()?.target().is_some() {
            return Err(Error::PreconditionFailed("the destination exists, and Overwrite is F".to_owned()));
        }
        let upload = request.drive.chunked_upload(view.also.first())?;
        check_complete(&upload, total)?;
        let av = unscanned(request.cx.config, upload.received);
        view.link_chunks(&place, &[upload], av, &link, None).await
    })
    .await?;
    Ok(stored(request, &linked, &link))
}

/// 400 where fewer or more bytes have come than were announced.
pub fn check_complete(upload: &ChunkedUpload, total: Option<Count>) -> Result<()> {
    let announced = total.map(Count::get).or(upload.total);
    match announced {
        Some(announced) if announced != upload.received => {
            Err(Error::bad(format!("the upload is not complete: {} of {announced} bytes have come", upload.received)))
        }
        _ => Ok(()),
    }
}

/// The number at the beginning of a chunk's name: `7`, `0000000000000007`, or a range of bytes `000-999`.
fn number_of(name: &str) -> Option<Count> {
    let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
    let rest = name.get(digits.len()..)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_known = rest.is_empty() || rest.strip_prefix('-').is_some_and(is_number);
    Count::parse(&digits).filter(|_| is_known && name.len() <= 64)
}

#[cfg(test)]
mod tests {
    use super::{Count, number_of};

    #[test]
    fn chunks_are_numbered_in_four_ways() {
        for (name, number) in [
            ("1", Some(1)),
            ("00001", Some(1)),
            ("0000000010485760", Some(10_485_760)),
            ("000000000000000-000000010485759", Some(0)),
            ("000000010485760-000000020971519", Some(10_485_760)),
            ("", None),
            ("x", None),
            ("1x", None),
            ("1-", None),
            ("-1", None),
            ("9007199254740992", Some(9_007_199_254_740_992)),
            ("9007199254740993", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(number_of(name).map(Count::get), number, "{name}");
        }
    }
}

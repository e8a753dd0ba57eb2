//! The older chunked upload of ownCloud and Nextcloud, version 1: a PUT with `OC-Chunked: 1` to
//! `NAME-chunking-TRANSFER-TOTAL-INDEX` for each chunk. The one that comes last makes the file: chunks are linked, never
//! copied, and may come in any order.

use http::{Response, StatusCode};
use sha2::{Digest, Sha256};

use super::uploads::{check_complete, check_quota};
use crate::body::Body;
use crate::dav::answer::response::empty;
use crate::dav::methods::put::{link_of, stored, to_file};
use crate::dav::request::Request;
use crate::dav::request::preconditions::Preconditions;
use crate::dav::request::{checksum, headers};
use crate::error::{Error, Result};
use crate::ports::Count;
use crate::store::{Address, ChunkedUpload, Link, Linked, MOST_PIECES, View, ViewRequest, twice_from};
use crate::transfer::{announced_length, unscanned};

/// The header that tells a chunk from a file of such a name.
pub const HEADER: &str = "oc-chunked";

/// What the name of a chunk says.
#[derive(Debug, PartialEq, Eq)]
struct ChunkName<'a> {
    /// The name of the file.
    file: &'a str,
    /// What tells this upload of the file from others.
    transfer: &'a str,
    /// The number of chunks.
    total: i64,
    /// Which of them it is, from 0.
    index: i64,
}

/// Stores a chunk, and makes the file when it was the last that was missing. Only that answer has an entity tag: clients
/// take it for the end.
pub async fn put(request: &Request<'_>, mut body: Body) -> Result<Response<Body>> {
    let chunk = request.path.segments().split_last().and_then(|(name, folder)| Some((ChunkName::parse(name)?, folder)));
    let (chunk, folder) = chunk.ok_or_else(|| Error::bad("that is no name of a chunk"))?;
    let mut path = folder.to_vec();
    path.push(chunk.file.to_owned());
    let name = chunk.upload_name(&request.credentials.hash, &path);

    let preconditions = Preconditions::read(request)?;
    let link = link_of(request)?;
    let total_length = headers::total_length(&request.cx.headers)?;
    let length = announced_length(&request.cx.headers, &body)?;
    let mut wanted = ViewRequest::of(Address::Path(path));
    preconditions.extend(&mut wanted);
    let blob = request.drive.new_upload();
    let drive = &request.drive;
    let (also, record) =
        (drive.find_chunked(&request.credentials, &[&name]), drive.record_upload(&request.credentials, &blob));
    let view = drive.view_before_storing(&request.credentials, &wanted, vec![also], vec![record]).await?;
    to_file(&request.mount, &preconditions, &view)?;
    // Nobody need begin an upload: its first chunk does.
    let found = request.drive.chunked_upload(view.also.first());
    let received = found.as_ref().map_or(0, |upload| upload.received);
    check_quota(&view.caller, total_length, received, length)?;
    let upload = match found {
        Err(Error::NotFound(_)) => begin(request, &view, &name, total_length).await?,
        found => found?,
    };

    let available = view.caller.available();
    let content = drive.store(&request.cx.config.keys, blob, &mut body, length, available).await?;
    let part = content.parts.first().ok_or_else(|| Error::bad("a chunk is not empty"))?;
    if chunk.total == 1 {
        checksum::verify(drive, link.checksum.as_ref(), &content).await?;
    }
    let added = view.add_chunk(&upload, &chunk.index.to_string(), chunk.index, part).await;
    let upload = drive.or_discard(&content, added).await?;
    if upload.pieces < chunk.total {
        return Ok(empty(StatusCode::CREATED));
    }
    check_complete(&upload, total_length)?;
    let linked = finish(request, &preconditions, view, &wanted, &upload, &link).await?;
    Ok(stored(request, &linked, &link))
}

/// Begins an upload, unless another chunk has just done so.
async fn begin(request: &Request<'_>, view: &View, name: &str, total_length: Option<Count>) -> Result<ChunkedUpload> {
    match view.begin_chunked(name, total_length.map(Count::get), None).await {
        Err(Error::AlreadyExists(_)) => {
            let also = vec![request.drive.find_chunked(&request.credentials, &[name])];
            let view = request.drive.view(&request.credentials, &ViewRequest::default(), also).await?;
            request.drive.chunked_upload(view.also.first())
        }
        begun => begun,
    }
}

async fn finish(
    request: &Request<'_>,
    preconditions: &Preconditions,
    view: View,
    wanted: &ViewRequest,
    upload: &ChunkedUpload,
    link: &Link,
) -> Result<Linked> {
    let reread = async || request.drive.view(&request.credentials, wanted, Vec::new()).await;
    twice_from(view, reread, async |view| {
        let place = to_file(&request.mount, preconditions, view)?;
        let av = unscanned(request.cx.config, upload.received);
        view.link_chunks(&place, std::slice::from_ref(upload), av, link, None).await
    })
    .await
}

impl<'a> ChunkName<'a> {
    /// None for what is no name of a chunk, or counts wrongly.
    fn parse(name: &'a str) -> Option<Self> {
        let (file, numbers) = name.rsplit_once("-chunking-")?;
        let mut numbers = numbers.split('-');
        let (transfer, total, index) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let is_number =
            |text: &str| !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
        if file.is_empty() || numbers.next().is_some() || ![transfer, total, index].into_iter().all(is_number) {
            return None;
        }
        let (total, index) = (total.parse().ok()?, index.parse().ok()?);
        (total <= MOST_PIECES && index < total).then_some(Self { file, transfer, total, index })
    }

    /// The name of the upload that the chunk belongs to, which is that of one token: the same path may mean another folder
    /// for another. No client can give one a name with a slash.
    fn upload_name(&self, token: &str, path: &[String]) -> String {
        let upload = format!("{token}/{}/{}/{}", path.join("/"), self.transfer, self.total);
        format!("v1/{}", data_encoding::HEXLOWER.encode(&Sha256::digest(upload)))
    }
}

#[cfg(test)]
mod tests {
    use super::ChunkName;

    #[test]
    fn the_name_of_a_chunk_tells_where_it_belongs() {
        let parsed = |name| ChunkName::parse(name).map(|chunk| (chunk.file, chunk.transfer, chunk.total, chunk.index));
        assert_eq!(parsed("a.bin-chunking-4294967295-10-9"), Some(("a.bin", "4294967295", 10, 9)));
        assert_eq!(parsed("a-chunking-1-1-0-chunking-2-3-0"), Some(("a-chunking-1-1-0", "2", 3, 0)));
        assert_eq!(parsed("Я-chunking-0-10000-9999"), Some(("Я", "0", 10_000, 9_999)));
        for name in [
            "a.bin",
            "-chunking-1-2-0",
            "a-chunking-1-2",
            "a-chunking-1-2-2",
            "a-chunking-1-0-0",
            "a-chunking-1-2--1",
            "a-chunking-1-2-0-0",
            "a-chunking-x-2-0",
            "a-chunking--2-0",
            "a-chunking-1-10001-0",
            "a-chunking-1-99999999999999999999-0",
            "a-chunking-111111111111111111111-2-0",
        ] {
            assert_eq!(parsed(name), None, "{name}");
        }
    }
}

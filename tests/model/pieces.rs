//! Uploads in pieces, as the model has them: Nextcloud's of version 2, whose client gives each a name, and those of TUS,
//! which the server names.

use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use data_encoding::BASE64;
use edgedrive::body::Body;
use http::Request;
use http::request::Builder;

use crate::bearers::{Bearer, Home};
use crate::operation::{Data, Operation, Path, Tokens};
use crate::refusals::Refusals;
use crate::requests::{complete, id};
use crate::tree::{Tree, is_below, name, parent};
use crate::world::{World, request};

/// One thing that a client does with an upload.
#[derive(Debug, Clone)]
pub enum Pieces {
    /// MKCOL, with `OC-Total-Length` where there is a total.
    Begin { upload: &'static str, total: Option<usize> },
    /// PUT of a chunk.
    Chunk { upload: &'static str, number: usize, data: Data },
    /// MOVE of `.file`.
    Finish { upload: &'static str, to: Path },
    /// DELETE
    Abandon { upload: &'static str },
    /// `POST /uploads` of a file.
    Create { path: Path, length: usize },
    /// PATCH of the `nth` upload of TUS at an offset, or at the present one.
    Patch { nth: usize, offset: Option<usize>, data: Data },
    /// DELETE of the `nth`.
    Terminate { nth: usize },
}

/// An upload that was begun.
#[derive(Debug, Clone)]
pub struct Upload {
    owner: Bearer,
    name: String,
    total: Option<usize>,
    /// By their numbers; of TUS, by their offsets.
    chunks: BTreeMap<usize, Vec<u8>>,
    /// The folder and the name of the file, for TUS.
    target: Option<(u64, String)>,
    /// Whether the file is made, and how long it became.
    linked: Option<usize>,
}

impl Upload {
    /// Bytes that have come.
    fn received(&self) -> usize {
        self.linked.unwrap_or_else(|| self.pending())
    }

    /// Bytes that count for the quota.
    fn pending(&self) -> usize {
        self.chunks.values().map(Vec::len).sum()
    }

    fn content(&self) -> Rc<Vec<u8>> {
        Rc::new(self.chunks.values().flatten().copied().collect())
    }
}

impl Pieces {
    /// Who asks: an upload of TUS is its maker's.
    pub fn bearer(&self, by: Bearer, tree: &Tree) -> Bearer {
        match self {
            Self::Patch { nth, .. } | Self::Terminate { nth } => tree.tus(*nth).map_or(by, |upload| upload.owner),
            _ => by.map(|nth| tree.nth_bearer(nth)),
        }
    }

    /// The request, without who asks.
    pub fn request(&self, by: Bearer, tree: &Tree, world: &World) -> Request<Body> {
        match self {
            Self::Begin { upload, total } => {
                let builder = nextcloud("MKCOL", upload);
                let builder = total.iter().fold(builder, |builder, total| builder.header("OC-Total-Length", *total));
                complete(builder, Body::empty())
            }
            Self::Chunk { upload, number, data } => {
                complete(nextcloud("PUT", &format!("{upload}/{number:05}")), Bytes::from(data.bytes()).into())
            }
            Self::Finish { upload, to } => {
                let builder = nextcloud("MOVE", &format!("{upload}/.file"));
                complete(builder.header("Destination", format!("/remote.php/dav/files/me/{to}")), Body::empty())
            }
            Self::Abandon { upload } => complete(nextcloud("DELETE", upload), Body::empty()),
            Self::Create { path, length } => {
                let folder = tree.path_for(by, parent(path).unwrap_or_default()).map(|folder| id(&folder, world));
                let encoded = |text: &str| BASE64.encode(text.as_bytes());
                let folder = encoded(&folder.unwrap_or_default().to_string());
                let metadata = format!("filename {},folderId {folder}", encoded(name(path)));
                let builder = tus("POST", "").header("Upload-Length", *length);
                complete(builder.header("Upload-Metadata", metadata), Body::empty())
            }
            Self::Patch { nth, offset, data } => {
                let upload = tree.tus(*nth);
                let offset = offset.unwrap_or_else(|| upload.map_or(0, Upload::received));
                let builder = tus("PATCH", tree.tus_name(*nth)).header("Upload-Offset", offset);
                let builder = builder.header("Content-Type", "application/offset+octet-stream");
                complete(builder, Bytes::from(data.bytes()).into())
            }
            Self::Terminate { nth } => complete(tus("DELETE", tree.tus_name(*nth)), Body::empty()),
        }
    }
}

fn nextcloud(method: &str, path: &str) -> Builder {
    request(method, &format!("/remote.php/dav/uploads/me/{path}"))
}

fn tus(method: &str, name: &str) -> Builder {
    let slash = if name.is_empty() { "" } else { "/" };
    request(method, &format!("/api/v1/uploads{slash}{name}")).header("Tus-Resumable", "1.0.0")
}

impl Tree {
    /// Bytes of uploads under way.
    pub fn pending(&self) -> usize {
        self.uploads.iter().filter(|upload| self.is_valid(upload.owner)).map(Upload::pending).sum()
    }

    /// The `nth` upload of TUS, of those that were not thrown away.
    fn tus(&self, nth: usize) -> Option<&Upload> {
        let all: Vec<_> = self.uploads.iter().filter(|upload| upload.target.is_some()).collect();
        all.get(nth % all.len().max(1)).copied()
    }

    /// Its name; of none, one that nothing has.
    fn tus_name(&self, nth: usize) -> &str {
        self.tus(nth).map_or("nothing", |upload| &upload.name)
    }

    fn upload(&self, by: Bearer, name: &str) -> Option<&Upload> {
        self.uploads.iter().find(|upload| upload.owner == by && upload.name == name)
    }

    fn upload_mut(&mut self, name: &str, by: Bearer) -> &mut Upload {
        let mut all = self.uploads.iter_mut();
        all.find(|upload| upload.owner == by && upload.name == name).expect("it was begun")
    }

    /// The reasons against what a token's bearer does with an upload.
    pub fn refuse_pieces(&self, no: &mut Refusals, by: Bearer, pieces: &Pieces) {
        let by = pieces.bearer(by, self);
        if !self.is_valid(by) {
            no.add(401, true);
            return;
        }
        match pieces {
            Pieces::Begin { upload, total } => {
                no.add(405, self.upload(by, upload).is_some());
                no.add(507, total.is_some_and(|total| total > self.available()));
            }
            Pieces::Chunk { upload, data, .. } => {
                no.add(404, self.upload(by, upload).is_none());
                no.add(507, data.length > self.available());
            }
            Pieces::Abandon { upload } => no.add(404, self.upload(by, upload).is_none()),
            Pieces::Finish { upload, to } => {
                let begun = self.upload(by, upload);
                no.add(404, begun.is_none());
                no.add(400, begun.is_some_and(|begun| begun.total.is_some_and(|total| total != begun.received())));
                match self.path_for(by, to) {
                    Some(to) => self.refuse_put(no, &to, Tokens::None),
                    None => no.add(404, true),
                }
            }
            Pieces::Create { path, length } => {
                let folder = self.path_for(by, parent(path).unwrap_or_default());
                no.add(404, !folder.is_some_and(|folder| self.is_folder(&folder)));
                no.add(413, *length > self.available());
            }
            Pieces::Patch { nth, offset, data } => {
                let Some(upload) = self.tus(*nth) else { return no.add(404, true) };
                let room = upload.total.unwrap_or(usize::MAX) - upload.received();
                no.add(409, offset.is_some_and(|offset| offset != upload.received()));
                no.add(413, data.length > room || upload.linked.is_none() && data.length > self.available());
            }
            Pieces::Terminate { nth } => no.add(404, self.tus(*nth).is_none()),
        }
    }

    /// Does what is not refused, and gives the status. `given` is the name of a new upload of TUS.
    pub fn carry_out_pieces(&mut self, by: Bearer, pieces: &Pieces, given: &str) -> u16 {
        let by = pieces.bearer(by, self);
        match pieces {
            Pieces::Begin { upload, total } => self.begin(by, upload, *total, None),
            Pieces::Chunk { upload, number, data } => {
                if data.length > 0 {
                    self.upload_mut(upload, by).chunks.insert(*number, data.bytes());
                }
                201
            }
            Pieces::Finish { upload, to } => {
                let content = self.upload_mut(upload, by).content();
                self.end(by, upload);
                let to = self.path_for(by, to).expect("it was not refused");
                if self.give(&to, content) { 201 } else { 204 }
            }
            Pieces::Abandon { upload } => self.end(by, upload),
            Pieces::Create { path, length } => {
                let folder = self.path_for(by, parent(path).unwrap_or_default()).expect("it was not refused");
                let folder = self.nodes().find(|(path, _)| *path == folder).map_or(0, |(_, node)| node.id);
                self.begin(by, given, Some(*length), Some((folder, name(path).to_owned())))
            }
            Pieces::Patch { nth, data, .. } => self.patch(by, *nth, *data),
            Pieces::Terminate { nth } => {
                let name = self.tus_name(*nth).to_owned();
                self.end(by, &name)
            }
        }
    }

    fn begin(&mut self, owner: Bearer, name: &str, total: Option<usize>, target: Option<(u64, String)>) -> u16 {
        let chunks = BTreeMap::new();
        self.uploads.push(Upload { owner, name: name.to_owned(), total, chunks, target, linked: None });
        201
    }

    fn end(&mut self, by: Bearer, name: &str) -> u16 {
        self.uploads.retain(|upload| upload.owner != by || upload.name != name);
        204
    }

    /// What came stays, even if the file cannot be made of it.
    fn patch(&mut self, by: Bearer, nth: usize, data: Data) -> u16 {
        let name = self.tus_name(nth).to_owned();
        let upload = self.upload_mut(&name, by);
        if upload.linked.is_none() && data.length > 0 {
            upload.chunks.insert(upload.received(), data.bytes());
        }
        let received = upload.received();
        if upload.linked.is_some() || upload.total != Some(received) {
            return 204;
        }
        let ((folder, file), content) = (upload.target.clone().expect("it is of TUS"), upload.content());
        let folder = self.nodes().find(|(_, node)| node.id == folder).map(|(path, _)| path.to_owned());
        let path = match (folder, self.home(by)) {
            (None, _) => return 404,
            // What was moved out of a folder is not in the trash with it.
            (_, Home::Nowhere | Home::Revoked) => return 403,
            (Some(folder), Home::At(home)) if folder != home && !is_below(&folder, &home) => return 403,
            (Some(folder), _) => format!("{folder}/{file}").trim_start_matches('/').to_owned(),
        };
        if self.parent_locked(&path, Tokens::None) {
            return 423;
        }
        if self.is_folder(&path) {
            return 409;
        }
        if self.is_locked(&path, Tokens::None) {
            return 423;
        }
        let upload = self.upload_mut(&name, by);
        upload.chunks.clear();
        upload.linked = Some(received);
        self.give(&path, content);
        204
    }
}

/// By the account's own token.
pub fn pieces(pieces: Pieces) -> Operation {
    Operation::Pieces { by: None, pieces }
}

/// By the first token that was made.
pub fn by_token(pieces: Pieces) -> Operation {
    Operation::Pieces { by: Some(0), pieces }
}

/// MKCOL, without a total.
pub fn begin() -> Pieces {
    Pieces::Begin { upload: "u", total: None }
}

/// PUT of a chunk.
pub fn chunk(number: usize, length: usize) -> Pieces {
    Pieces::Chunk { upload: "u", number, data: Data { length, byte: b'u' } }
}

/// MOVE of `.file`.
pub fn finish(to: Path) -> Pieces {
    Pieces::Finish { upload: "u", to }
}

/// DELETE of Nextcloud's upload.
pub fn abandon() -> Pieces {
    Pieces::Abandon { upload: "u" }
}

/// POST, for a file of five bytes.
pub fn create(path: Path) -> Pieces {
    Pieces::Create { path, length: 5 }
}

/// PATCH of the first upload of TUS, at its present offset.
pub fn patch(length: usize) -> Pieces {
    Pieces::Patch { nth: 0, offset: None, data: Data { length, byte: b't' } }
}

/// DELETE of it.
pub fn terminate() -> Pieces {
    Pieces::Terminate { nth: 0 }
}

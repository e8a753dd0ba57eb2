//! The answer to a PROPFIND, REPORT or SEARCH, written while it is sent: a listing of many thousand entries is never
//! in memory as XML.

mod folders;

use std::rc::Rc;
use std::vec;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Response, StatusCode};

use self::folders::{Folders, Locks};
use super::multistatus::Multistatus;
use super::response::xml_answer;
use crate::body::Body;
use crate::dav::props::resource::{Deletion, Resource, Viewer};
use crate::dav::props::wanted::Wanted;
use crate::dav::request::Request;
use crate::dav::request::mount::Tree;
use crate::dav::request::path::encode_segment;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, StreamError};
use crate::store::{
    Caller, Credentials, Drive, FoundNode, Listing, Lock, Node, PAGE_BYTES, Scope, Trail, Trashed, View, ViewRequest,
};

/// Bytes of XML that are written before they are sent.
const PIECE: usize = 64 * 1024;

/// Members of a folder that are read at once; the others follow while these are sent, so that one that is renamed just then
/// may be told twice, or not at all.
pub const PAGE: i64 = 8_192;

/// Writes the first target of the view, unless without it, and its listing, which `read` asked for. A short answer is made
/// at once, so that its length is known.
pub async fn answer(
    request: &Request<'_>,
    view: View,
    wanted: Wanted,
    read: ViewRequest,
    with_target: bool,
) -> Result<Response<Body>> {
    let is_deep = matches!(read.listing, Listing::Below(_));
    let more = More::behind(request, &view, read)?;
    let mut source = ListingSource::begin(request, view, wanted, with_target)?;
    (source.more, source.is_deep) = (more, is_deep);
    send(source).await
}

/// Writes what was found below the first target of the view; the target itself only to say that this is not all
/// (RFC 5323, 2.3.1).
pub async fn answer_found(
    request: &Request<'_>,
    view: View,
    wanted: Wanted,
    found: Vec<FoundNode>,
    is_cut: bool,
) -> Result<Response<Body>> {
    let mut source = ListingSource::begin(request, view, wanted, false)?;
    if let (true, Some(xml)) = (is_cut, &mut source.xml) {
        xml.status(&source.folders.href, "HTTP/1.1 507 Insufficient Storage");
    }
    source.rest = found.into_iter().map(|found| (found.node, Some(found.path))).collect::<Vec<_>>().into_iter();
    send(source).await
}

async fn send(mut source: ListingSource) -> Result<Response<Body>> {
    let first = source.next().await?.unwrap_or_default();
    let body = if source.xml.is_none() {
        Body::from(first)
    } else {
        source.first = Some(first);
        Body::stream(None, Box::new(source))
    };
    Ok(xml_answer(StatusCode::MULTI_STATUS, body))
}

/// Members of a folder that were not read yet.
struct More {
    drive: Drive,
    credentials: Credentials,
    /// The number of the folder.
    folder: i64,
    /// What reads the next of them.
    read: ViewRequest,
}

impl More {
    /// Those behind what `read` has given; none where that was all.
    fn behind(request: &Request<'_>, view: &View, mut read: ViewRequest) -> Result<Option<Self>> {
        if !go_behind(&view.listing, &mut read) {
            return Ok(None);
        }
        // The others are those of preconditions, which were checked.
        read.addresses.truncate(1);
        let (drive, credentials) = (request.drive.clone(), request.credentials.clone());
        Ok(Some(Self { drive, credentials, folder: view.trail()?.existing()?.id, read }))
    }

    /// Reads the next of them. 404 and 403 as at the first time; 409 where another folder has come into the place.
    async fn next(mut self) -> Result<(Vec<Node>, Option<Self>)> {
        let view = self.drive.view(&self.credentials, &self.read, Vec::new()).await?;
        view.caller.scopes.require(Scope::Read)?;
        if view.trail()?.existing()?.id != self.folder {
            return Err(Error::Conflict("the folder is another one now".to_owned()));
        }
        let more = go_behind(&view.listing, &mut self.read).then_some(self);
        Ok((view.listing, more))
    }
}

/// Makes of what has read a page what reads the next one; false where the page is not full, so that there is none.
fn go_behind(page: &[Node], read: &mut ViewRequest) -> bool {
    let Listing::Members(after, limit) = &mut read.listing else { return false };
    let is_full = i64::try_from(page.len()) == Ok(*limit) || is_heavy(page);
    let Some(last) = page.last().filter(|_| is_full) else { return false };
    after.clone_from(&last.name);
    true
}

/// Whether a page may have ended because of its properties. The half is on the safe side: who asks in vain gets nothing.
fn is_heavy(page: &[Node]) -> bool {
    let bytes: usize = page.iter().flat_map(|node| &node.properties).map(|property| property.value.len()).sum();
    i64::try_from(bytes).is_ok_and(|bytes| bytes >= PAGE_BYTES / 2)
}

struct ListingSource {
    wanted: Wanted,
    viewer: Viewer,
    /// The nodes to come; one that was found with its path below the target.
    rest: vec::IntoIter<(Node, Option<String>)>,
    /// What comes after those.
    more: Option<More>,
    /// What is below the target takes from it, and from the folders between them.
    folders: Folders,
    /// Whether members of folders other than the target are to come.
    is_deep: bool,
    /// The locks below the target, each with the path and href that it was taken on, where they were asked for.
    locks_below: Vec<(String, Lock, String)>,
    /// What was written already.
    first: Option<Bytes>,
    /// None once the document is complete.
    xml: Option<Multistatus>,
}

impl ListingSource {
    fn begin(request: &Request<'_>, view: View, wanted: Wanted, with_target: bool) -> Result<Self> {
        let trail = view.trail()?;
        let top = trail.existing()?;
        let href = request.href(request.path.segments(), top.is_folder());
        let locks = locks_on(request, trail);
        let below = trail.locks_below.iter();
        let trashed = trashed(request, &view)?;
        let deletion = match (trail.names().split_first(), trashed.as_slice()) {
            (Some((_, names)), [item]) => Some(Deletion::of(item).below(names)),
            _ => None,
        };
        let mut source = Self {
            folders: Folders::below(top.id, href.clone(), infinite(&locks), deletion, trashed),
            is_deep: false,
            locks_below: below
                .map(|below| (below.path.clone(), below.lock.clone(), request.mount.href_below(trail, below)))
                .collect(),
            wanted,
            viewer: viewer(request, &view.caller),
            first: None,
            xml: Some(Multistatus::new()),
            rest: Vec::new().into_iter(),
            more: None,
        };
        if with_target {
            source.write(top, trail.is_root(), &href, &locks);
        }
        source.go_on(view.listing);
        Ok(source)
    }

    /// The nodes that are to be written next.
    fn go_on(&mut self, nodes: Vec<Node>) {
        self.rest = nodes.into_iter().map(|node| (node, None)).collect::<Vec<_>>().into_iter();
    }

    fn write_member(&mut self, node: &Node) -> Result<(), StreamError> {
        let known = self.folders.href_of(node).zip(self.folders.locks_above(node));
        let (href, above) =
            known.ok_or_else(|| StreamError::Io("a listing with a member of another folder".to_owned()))?;
        let locks = if node.locks.is_empty() {
            above
        } else {
            let own = node.locks.iter().map(|lock| (lock.clone(), href.clone()));
            above.iter().cloned().chain(own).collect()
        };
        self.write(node, false, &href, &locks);
        if self.is_deep && node.is_folder() {
            self.folders.add(node, infinite(&locks));
        }
        Ok(())
    }

    /// Writes a node that was found.
    fn write_found(&mut self, node: &Node, path: &str) {
        let slash = if node.is_folder() { "/" } else { "" };
        let encoded: Vec<_> = path.split('/').map(|name| encode_segment(name).to_string()).collect();
        let href = format!("{}{}{slash}", self.folders.href, encoded.join("/"));
        let holds = |at: &str, lock: &Lock| {
            let below = path.strip_prefix(at);
            below.is_some_and(|below| below.is_empty() || lock.is_infinite() && below.starts_with('/'))
        };
        let below = self.locks_below.iter().filter(|(at, lock, _)| holds(at, lock));
        let below = below.map(|(_, lock, href)| (lock.clone(), href.clone()));
        let locks = self.folders.locks.iter().cloned().chain(below).collect();
        self.write(node, false, &href, &locks);
    }

    fn write(&mut self, node: &Node, is_root: bool, href: &str, locks: &Locks) {
        let deletion = if self.viewer.is_trash { self.folders.deletion_of(node) } else { None };
        if let Some(xml) = &mut self.xml {
            let resource = Resource { node, is_root, locks, viewer: &self.viewer, deletion: deletion.as_ref() };
            let (found, missing) = self.wanted.choose_from(&resource);
            xml.properties(href, &found, &missing);
        }
    }
}

/// Who looks at the resources.
fn viewer(request: &Request<'_>, caller: &Caller) -> Viewer {
    Viewer {
        caller: caller.clone(),
        mount_name: request.cx.config.webdav_name.clone(),
        ids: request.ids,
        is_sync: request.is_sync,
        is_trash: request.tree == Tree::Trash,
        base_url: request.cx.base_url().ok(),
        now: request.drive.now(),
    }
}

/// What the view has read of the trash.
fn trashed(request: &Request<'_>, view: &View) -> Result<Vec<Trashed>> {
    Drive::trashed(view.also.first().filter(|_| request.tree == Tree::Trash))
}

#[async_trait(?Send)]
impl ByteSource for ListingSource {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        while self.xml.as_ref().is_some_and(|xml| xml.waiting() < PIECE) {
            match self.rest.next() {
                Some((node, None)) => self.write_member(&node)?,
                Some((node, Some(path))) => self.write_found(&node, &path),
                None => match self.more.take() {
                    None => return Ok(self.xml.take().map(|xml| Bytes::from(xml.end()))),
                    Some(more) => {
                        let (nodes, more) = more.next().await.map_err(|error| StreamError::Io(error.to_string()))?;
                        self.go_on(nodes);
                        self.more = more;
                    }
                },
            }
        }
        Ok(self.xml.as_mut().map(|xml| Bytes::from(xml.take())))
    }
}

/// Those of infinite depth.
fn infinite(locks: &Locks) -> Locks {
    if locks.iter().all(|(lock, _)| lock.is_infinite()) {
        return Rc::clone(locks);
    }
    locks.iter().filter(|(lock, _)| lock.is_infinite()).cloned().collect()
}

/// The locks that hold for the target. Of those above the caller's root, a confined token learns
/// that they are there, but neither token nor owner.
fn locks_on(request: &Request<'_>, trail: &Trail) -> Locks {
    let visible = |index: usize, lock: &Lock| match trail.depth(index) {
        Some(_) => lock.clone(),
        None => lock.anonymous(),
    };
    trail.covering_target().map(|(index, lock)| (visible(index, lock), request.mount.href_on(trail, index))).collect()
}

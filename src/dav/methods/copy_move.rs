//! COPY and MOVE (RFC 4918, 9.8 and 9.9), which differ in little but what becomes of the source.

use http::{Response, StatusCode};

use crate::body::Body;
use crate::dav::answer::response::empty;
use crate::dav::request::Request;
use crate::dav::request::headers::{self, Depth};
use crate::dav::request::mount::Mount;
use crate::dav::request::path::DavPath;
use crate::dav::request::preconditions::Preconditions;
use crate::error::{Error, Result};
use crate::store::{Expect, Node, Place, Scope, Trail, Transfer, View, ViewRequest, twice};

/// Which of the two methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The source stays.
    Copy,
    /// The source goes.
    Move,
}

/// Copies or moves a file, or a folder with everything below it: all or nothing.
pub async fn answer(request: &Request<'_>, kind: Kind) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let destination = request.destination().await?;
    let overwrite = headers::overwrite(&request.cx.headers)?;
    let depth = request.depth()?.unwrap_or(Depth::Infinity);
    check_paths(&request.path, &destination.path, kind)?;

    let mut wanted = ViewRequest {
        addresses: vec![request.address(), destination.address()],
        locks_below: true,
        ..ViewRequest::default()
    };
    preconditions.extend(&mut wanted);
    let (made, caller) = twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        let order = Order { kind, overwrite, depth, mount: &destination.mount };
        let made = transfer(request, &preconditions, &view, &order).await?;
        Ok((made, view.caller))
    })
    .await?;
    let mut response = empty(if made.created { StatusCode::CREATED } else { StatusCode::NO_CONTENT });
    request.add_moved(&caller, made.id, &made.etag, response.headers_mut());
    Ok(response)
}

/// What the headers ask.
struct Order<'d> {
    kind: Kind,
    overwrite: bool,
    depth: Depth,
    /// The mount of the destination.
    mount: &'d Mount,
}

/// 403 where one of the paths is in the other: nothing goes into itself, and nothing takes the
/// place of a folder that it is in.
fn check_paths(source: &DavPath, destination: &DavPath, kind: Kind) -> Result<()> {
    let verb = if kind == Kind::Copy { "copied" } else { "moved" };
    if source == destination || destination.is_below(source) {
        return Err(Error::Forbidden(format!("nothing can be {verb} onto or into itself")));
    }
    if source.is_below(destination) {
        return Err(Error::Forbidden(format!("nothing can be {verb} onto a folder that it is in")));
    }
    Ok(())
}

async fn transfer(
    request: &Request<'_>,
    preconditions: &Preconditions,
    view: &View,
    order: &Order<'_>,
) -> Result<Transfer> {
    view.caller.scopes.require(Scope::Write)?;
    if order.kind == Kind::Copy {
        view.caller.scopes.require(Scope::Read)?;
    }
    let [from, to, ..] = view.trails.as_slice() else { return Err(Error::internal("a view without its trails")) };
    let source = from.existing()?;
    check_depth(order, source)?;
    let expect = if order.overwrite { preconditions.expect() } else { Expect::Unchanged };
    let place = Place::of(from)?.expecting(preconditions.expect());
    let replaced = to.target();
    let target = Place::of(to)?.expecting(expect);
    preconditions.check(view, 2)?;
    if replaced.is_some() && !order.overwrite {
        return Err(Error::PreconditionFailed("the destination exists, and Overwrite is F".to_owned()));
    }
    check_destination_locks(order.mount, preconditions, to, order.kind == Kind::Copy && !source.is_folder())?;
    if order.kind == Kind::Copy {
        return view.copy(&place, source, &target, replaced, order.depth == Depth::Infinity).await;
    }
    preconditions.unlocked(&request.mount, from)?;
    preconditions.parent_unlocked(&request.mount, from)?;
    preconditions.below_unlocked(&request.mount, from)?;
    view.relocate(&place, source, &target, replaced).await
}

fn check_depth(order: &Order<'_>, source: &Node) -> Result<()> {
    let allowed = match order.kind {
        Kind::Copy => order.depth != Depth::One,
        Kind::Move => order.depth == Depth::Infinity || !source.is_folder(),
    };
    if allowed { Ok(()) } else { Err(Error::bad("that Depth makes no sense here")) }
}

/// A file that is copied onto a file only changes that file; anything else changes the list of
/// members of the destination's folder.
fn check_destination_locks(mount: &Mount, preconditions: &Preconditions, to: &Trail, file_copied: bool) -> Result<()> {
    let replaced = to.target();
    if replaced.is_some() {
        preconditions.unlocked(mount, to)?;
        preconditions.below_unlocked(mount, to)?;
    }
    if file_copied && replaced.is_some_and(|node| !node.is_folder()) {
        return Ok(());
    }
    preconditions.parent_unlocked(mount, to)
}

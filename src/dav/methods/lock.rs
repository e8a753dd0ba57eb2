//! LOCK (RFC 4918, 9.10)

use http::{HeaderName, HeaderValue, Response, StatusCode};
use uuid::Builder;

use crate::body::Body;
use crate::dav::answer::multistatus::Multistatus;
use crate::dav::answer::response::xml_answer;
use crate::dav::props::lock_props::lock_discovery;
use crate::dav::request::Request;
use crate::dav::request::headers::{self, Depth, Timeout};
use crate::dav::request::preconditions::Preconditions;
use crate::dav::xml::{DAV, Element, Writer};
use crate::error::{Error, Result};
use crate::ports::Chunks;
use crate::store::{Expect, Held, Link, Lock, LockBelow, NewLock, Place, Scope, Trail, View, ViewRequest, twice};

/// The longest time that a lock is granted for, and the time where a client names none. Clients
/// refresh; a lock whose client has vanished must not stay for long.
const LONGEST: u32 = 3600;

/// The longest description of an owner that is kept, in bytes.
const OWNER_LIMIT: usize = 2 * 1024;

/// Locks that may be held on one resource at a time: every request below looks at them.
const MOST_LOCKS: usize = 32;

/// Takes a lock, or, without a body, refreshes one. A name that nothing has gets an empty file.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let depth = request.depth()?.unwrap_or(Depth::Infinity);
    let seconds = match headers::timeout(&request.cx.headers) {
        Some(Timeout::Seconds(seconds)) => seconds.clamp(1, LONGEST),
        Some(Timeout::Infinite) | None => LONGEST,
    };
    let mut wanted = ViewRequest { locks_below: true, ..ViewRequest::of(request.address()) };
    preconditions.extend(&mut wanted);
    let Some(document) = request.xml(body).await? else {
        return refresh(request, &preconditions, &wanted, seconds.into()).await;
    };
    if depth == Depth::One {
        return Err(Error::bad("a lock has Depth 0 or infinity"));
    }
    let lock = read(request, &document, depth == Depth::Infinity, seconds.into())?;
    twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        preconditions.check(&view, 1)?;
        take(request, &preconditions, &view, &lock).await
    })
    .await
}

async fn take(
    request: &Request<'_>,
    preconditions: &Preconditions,
    view: &View,
    lock: &NewLock,
) -> Result<Response<Body>> {
    let trail = view.trail()?;
    let held = trail.covering_target().filter(|(_, held)| lock.exclusive || held.is_exclusive());
    let hrefs: Vec<_> = held.map(|(index, _)| request.mount.href_on(trail, index)).collect();
    if !hrefs.is_empty() {
        return Err(Error::ConflictingLock(hrefs));
    }
    if let Some(answer) = conflicts_below(request, trail, lock) {
        return Ok(answer);
    }
    let Some(node) = trail.target() else {
        let place = Place::of(trail)?.expecting(Expect::Unchanged);
        preconditions.parent_unlocked(&request.mount, trail)?;
        return lock_new(request, view, &place, lock).await;
    };
    if node.locks.len() >= MOST_LOCKS {
        return Err(Error::ConflictingLock(vec![request.href(trail.names(), node.is_folder())]));
    }
    view.lock(&Held::of(trail, preconditions.expect())?, lock).await?;
    let href = request.href(trail.names(), node.is_folder());
    Ok(granted(request, StatusCode::OK, &lock.taken(request.drive.now()), href))
}

async fn lock_new(request: &Request<'_>, view: &View, place: &Place, lock: &NewLock) -> Result<Response<Body>> {
    let upload = request.drive.new_upload();
    let keys = &request.cx.config.keys;
    let nothing = request.drive.store(keys, upload, &mut Chunks::new([]), Some(0), None).await?;
    let link = Link { lock: Some(lock.clone()), ..Link::default() };
    view.link(place, &nothing, &link).await?;
    let href = request.href(view.trail()?.names(), false);
    Ok(granted(request, StatusCode::CREATED, &lock.taken(request.drive.now()), href))
}

/// The answer 207 where a lock below a folder that is to be locked whole excludes the new one
/// (RFC 4918, 9.10.3).
fn conflicts_below(request: &Request<'_>, trail: &Trail, lock: &NewLock) -> Option<Response<Body>> {
    let excludes = |held: &&LockBelow| lock.infinite && (lock.exclusive || held.lock.is_exclusive());
    let mut held = trail.locks_below.iter().filter(excludes).peekable();
    held.peek()?;
    let mut answer = Multistatus::new();
    for lock in held {
        answer.status(&request.mount.href_below(trail, lock), "HTTP/1.1 423 Locked");
    }
    answer.status(&request.href(trail.names(), true), "HTTP/1.1 424 Failed Dependency");
    Some(answer.finish())
}

async fn refresh(
    request: &Request<'_>,
    preconditions: &Preconditions,
    wanted: &ViewRequest,
    timeout_s: i64,
) -> Result<Response<Body>> {
    let token = preconditions.only_token()?;
    let view = request.drive.view(&request.credentials, wanted, Vec::new()).await?;
    view.caller.scopes.require(Scope::Write)?;
    preconditions.check(&view, 1)?;
    let trail = view.trail()?;
    let Some((index, lock)) = trail.covering_target().find(|(_, lock)| lock.token == token) else {
        return Err(Error::PreconditionFailed("no such lock is held here".to_owned()));
    };
    trail.check_own(index)?;
    let lock = view.refresh_lock(lock, timeout_s).await?;
    let href = request.mount.href_on(trail, index);
    let mut response = granted(request, StatusCode::OK, &lock, href);
    // The header is for new locks only.
    response.headers_mut().remove("lock-token");
    Ok(response)
}

/// The lock that a `lockinfo` asks for: 400 where it is none.
fn read(request: &Request<'_>, document: &Element, infinite: bool, timeout_s: i64) -> Result<NewLock> {
    let scope = document.child(DAV, "lockscope");
    let has_scope = |name: &str| scope.is_some_and(|scope| scope.child(DAV, name).is_some());
    let (exclusive, shared) = (has_scope("exclusive"), has_scope("shared"));
    let write = document.child(DAV, "locktype").is_some_and(|kind| kind.child(DAV, "write").is_some());
    if !document.is(DAV, "lockinfo") || exclusive == shared || !write {
        return Err(Error::bad("the body is no lockinfo for an exclusive or shared write lock"));
    }
    let owner = document.child(DAV, "owner").map(Element::inner_xml).unwrap_or_default();
    if owner.len() > OWNER_LIMIT {
        return Err(Error::bad("the owner of the lock is over 2 KiB"));
    }
    let mut random = [0; 16];
    request.cx.ports.random.fill(&mut random);
    let token = format!("urn:uuid:{}", Builder::from_random_bytes(random).into_uuid());
    Ok(NewLock { token, exclusive, infinite, owner, timeout_s })
}

fn granted(request: &Request<'_>, status: StatusCode, lock: &Lock, href: String) -> Response<Body> {
    let mut xml = Writer::new("prop");
    xml.raw(DAV, "lockdiscovery", None, &lock_discovery(&[(lock.clone(), href)], request.drive.now()));
    let mut response = xml_answer(status, Body::from(xml.finish()));
    if let Ok(token) = HeaderValue::try_from(format!("<{}>", lock.token)) {
        response.headers_mut().insert(HeaderName::from_static("lock-token"), token);
    }
    response
}

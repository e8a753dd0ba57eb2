//! The trash as Nextcloud (`trashbin/{login}/trash`) and ownCloud (`spaces/trash-bin/{id}`) have it: what was deleted is
//! listed, read, put back by MOVE, and deleted for good.

use http::{Response, StatusCode};

use crate::body::Body;
use crate::dav::answer::response::empty;
use crate::dav::methods::{get, options, propfind};
use crate::dav::request::headers;
use crate::dav::request::mount::Tree;
use crate::dav::request::preconditions::Preconditions;
use crate::dav::request::trash_names::{names, number};
use crate::dav::request::{Request, Target};
use crate::error::{Error, Result};
use crate::store::{Deleted, Expect, Place, Scope, Trail, Transfer, ViewRequest, twice};

/// All methods here.
const ALLOW: &str = "OPTIONS, GET, HEAD, PROPFIND, MOVE, DELETE";

/// Answers a request below the trash.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    match (request.cx.method.as_str(), request.path.segments()) {
        ("OPTIONS", _) => options::answer(request).await,
        ("PROPFIND", _) => propfind::answer(request, body).await,
        ("GET" | "HEAD", [_, ..]) => get::answer(request).await,
        ("MOVE", [_, ..]) => restore(request).await,
        ("DELETE", []) => {
            request.drive.empty_trash(&request.credentials).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("DELETE", path) => {
            request.drive.purge(&request.credentials, &names(path)).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Error::MethodNotAllowed(ALLOW)),
    }
}

/// Puts something back, an item or what is in one: where it was, or, where the client names a path in the drive, there.
async fn restore(request: &Request<'_>) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let target = request.target().await?;
    let restored = match target.tree {
        Tree::Files => take_out(request, &preconditions, &target).await?,
        Tree::Restore => put_back(request, &preconditions, &target).await?,
        _ => return Err(Error::Forbidden("what was deleted can only be put back".to_owned())),
    };
    let mut response = empty(if restored.created { StatusCode::CREATED } else { StatusCode::NO_CONTENT });
    request.add_identity(restored.id, &restored.etag, response.headers_mut());
    Ok(response)
}

async fn put_back(request: &Request<'_>, preconditions: &Preconditions, target: &Target) -> Result<Transfer> {
    number(request.path.segments())?;
    preconditions.check_first(request, Some(request.address())).await?;
    let mount = request.files_mount(target);
    let may_change = |folder: &Trail| preconditions.unlocked(&mount, folder);
    let names = names(request.path.segments());
    let (_, node) = request.drive.put_back(&request.credentials, &names, &may_change).await?;
    Ok(Transfer { id: node.id, created: true, etag: node.etag })
}

async fn take_out(request: &Request<'_>, preconditions: &Preconditions, target: &Target) -> Result<Transfer> {
    number(request.path.segments())?;
    let overwrite = headers::overwrite(&request.cx.headers)?;
    let mount = &target.mount;
    let addresses = vec![request.address(), target.address()];
    let mut wanted = ViewRequest { addresses, locks_below: true, ..ViewRequest::default() };
    preconditions.extend(&mut wanted);
    twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let [from, to, ..] = view.trails.as_slice() else { return Err(Error::internal("a view without its trails")) };
        let deleted = Deleted::at(from)?;
        let place = Place::of(to)?.expecting(Expect::Unchanged);
        preconditions.check(&view, 2)?;
        let replaced = to.target();
        if replaced.is_some() {
            if !overwrite {
                return Err(Error::PreconditionFailed("the destination exists, and Overwrite is F".to_owned()));
            }
            preconditions.unlocked(mount, to)?;
            preconditions.below_unlocked(mount, to)?;
        }
        preconditions.parent_unlocked(mount, to)?;
        view.take_out(&deleted, &place, replaced).await
    })
    .await
}

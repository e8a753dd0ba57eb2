//! The trash as Nextcloud (`trashbin/{login}/trash`) and ownCloud (`spaces/trash-bin/{id}`) have it: what was deleted is
//! listed, read, put back by MOVE, and deleted for good.

use http::{Response, StatusCode};

use super::empty;
use super::headers;
use super::mount::Tree;
use super::preconditions::Preconditions;
use super::request::{Request, Target};
use super::{get, options, propfind};
use crate::body::Body;
use crate::error::{Error, Result};
use crate::name::MAX_NAME;
use crate::store::{Address, Expect, Place, Scope, Trashed, ViewRequest, twice};

/// All methods here.
const ALLOW: &str = "OPTIONS, GET, HEAD, PROPFIND, MOVE, DELETE";

/// Answers a request below the trash.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    match (request.cx.method.as_str(), request.path.segments()) {
        ("OPTIONS", _) => options::answer(request).await,
        ("PROPFIND", _) => propfind::answer(request, body).await,
        ("GET" | "HEAD", [_, ..]) => get::answer(request).await,
        ("MOVE", [item]) => restore(request, item).await,
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

/// The name of something in the trash: what it was called, and its number, which nothing else has.
pub fn item_name(trashed: &Trashed) -> String {
    let number = format!(".d{}", trashed.node.id);
    let name = trashed.original_name.as_str();
    let most = name.floor_char_boundary(MAX_NAME.saturating_sub(number.len()));
    format!("{}{number}", name.get(..most).unwrap_or(name))
}

/// The address of a path below the trash. The number of an item counts, alone or behind a name.
pub fn address(segments: &[String]) -> Address {
    Address::Trash(names(segments))
}

fn names(segments: &[String]) -> Vec<String> {
    let mut names = segments.to_vec();
    if let Some(item) = names.first_mut() {
        *item = number_in(item).to_owned();
    }
    names
}

/// The number of the item that a path is at or below: 404 where it names none.
pub fn number(segments: &[String]) -> Result<Option<i64>> {
    segments.first().map(|item| number_of(item)).transpose()
}

fn number_of(item: &str) -> Result<i64> {
    crate::resource::parse_id(number_in(item), "what was deleted")
}

fn number_in(item: &str) -> &str {
    item.rsplit_once(".d").map_or(item, |(_, number)| number)
}

/// Puts an item back: where it was, or, where the client names a path in the drive, there.
async fn restore(request: &Request<'_>, item: &str) -> Result<Response<Body>> {
    let id = number_of(item)?;
    let to = match request.target()? {
        Target { tree: Tree::Files, path } => path,
        Target { tree: Tree::Restore, .. } => {
            request.drive.put_back(&request.credentials, id).await?;
            return Ok(empty(StatusCode::CREATED));
        }
        _ => return Err(Error::Forbidden("what was deleted can only be put back".to_owned())),
    };
    let preconditions = Preconditions::read(request)?;
    let overwrite = headers::overwrite(&request.cx.headers)?;
    let mut wanted = ViewRequest { locks_below: true, ..ViewRequest::of(Address::Path(to.segments().to_vec())) };
    preconditions.extend(&mut wanted);
    twice(async || {
        let also = vec![request.drive.find_trashed(id)];
        let view = request.drive.view(&request.credentials, &wanted, also).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trashed = Trashed::for_caller(&view)?;
        let trail = view.trail()?;
        let place = Place::of(trail)?.expecting(Expect::Unchanged);
        preconditions.check_if(&view, 1)?;
        let occupied = trail.target().is_some();
        if occupied && !overwrite {
            return Err(Error::PreconditionFailed("the destination exists, and Overwrite is F".to_owned()));
        }
        if occupied {
            preconditions.unlocked(request, trail)?;
            preconditions.below_unlocked(request, trail)?;
        }
        preconditions.parent_unlocked(request, trail)?;
        view.restore_trashed(&trashed, &place).await?;
        Ok(empty(if occupied { StatusCode::NO_CONTENT } else { StatusCode::CREATED }))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_known_by_its_number() {
        let names = |path: &[&str]| path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let address = |path: &[&str]| match address(&names(path)) {
            Address::Trash(names) => names.join("/"),
            other => panic!("{other:?}"),
        };
        assert_eq!(address(&[]), "");
        assert_eq!(address(&["a.txt.d42", "b.d7"]), "42/b.d7");
        assert_eq!(address(&["42"]), "42");
        assert_eq!(number(&names(&["x.d.d42"])).unwrap(), Some(42));
        assert!(number(&[]).unwrap().is_none());
        assert!(number(&names(&["a.txt"])).is_err());
    }
}

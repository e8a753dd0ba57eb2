//! Earlier contents of a file as Nextcloud (`versions/{login}/versions/{file}`) and ownCloud (`meta/{file}/v`) have them:
//! listed, read, made the present content by MOVE or COPY, and deleted.

use http::{Response, StatusCode};

use super::mount::Tree;
use super::multistatus::Multistatus;
use super::props::{Name, Value};
use super::request::{Request, Target};
use super::wanted::Wanted;
use super::xml::{DAV, NEXTCLOUD, OWNCLOUD};
use super::{empty, options};
use crate::body::Body;
use crate::date::http_date;
use crate::error::{Error, Result};
use crate::resource::parse_id;
use crate::store::{Address, Detail, Node, Place, Scope, Version, View, ViewRequest, twice};
use crate::transfer::download_version;

/// All methods here.
const ALLOW: &str = "OPTIONS, GET, HEAD, PROPFIND, MOVE, COPY, DELETE";

/// Answers a request below the versions of the file `file`.
pub async fn answer(request: &Request<'_>, file: i64, body: Body) -> Result<Response<Body>> {
    match (request.cx.method.as_str(), request.path.segments()) {
        ("OPTIONS", _) => options::answer(request).await,
        ("PROPFIND", [] | [_]) => list(request, file, body).await,
        ("GET" | "HEAD", [version]) => content(request, file, version).await,
        ("MOVE" | "COPY", [version]) => restore(request, file, version).await,
        ("DELETE", [version]) => {
            let (view, version) = find(request, file, version).await?;
            view.caller.scopes.require(Scope::Write)?;
            view.forget_version(view.trail()?.existing_file()?.id, &version).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Error::MethodNotAllowed(ALLOW)),
    }
}

async fn view(request: &Request<'_>, file: i64, also: Option<Address>) -> Result<View> {
    let addresses = [Address::Id(file)].into_iter().chain(also).collect();
    let wanted = ViewRequest { addresses, detail: Detail::default(), ..ViewRequest::default() };
    request.drive.view(&request.credentials, &wanted, Vec::new()).await
}

async fn find(request: &Request<'_>, file: i64, version: &str) -> Result<(View, Version)> {
    let id = parse_id(version, "the version")?;
    let view = view(request, file, None).await?;
    let version = request.drive.version(view.trail()?.existing_file()?.id, id).await?;
    Ok((view, version))
}

/// The versions, the latest first, or the one that the path names.
async fn list(request: &Request<'_>, file: i64, body: Body) -> Result<Response<Body>> {
    let wanted = Wanted::of(request.xml(body).await?.as_ref())?;
    let view = view(request, file, None).await?;
    view.caller.scopes.require(Scope::Read)?;
    let node = view.trail()?.existing_file()?;
    let versions = request.drive.versions(node.id).await?;
    let mut answer = Multistatus::new();
    let one = request.path.segments().first();
    let asked: Vec<_> = versions.iter().filter(|it| one.is_none_or(|one| it.id.to_string() == *one)).collect();
    if one.is_none() {
        let name = Name { namespace: DAV, name: "resourcetype" };
        let (found, missing) = wanted.choose(vec![(name, Value::COLLECTION)]);
        answer.properties(&request.href(&[], true), &found, &missing);
    } else if asked.is_empty() {
        return Err(Error::NotFound("the version"));
    }
    for version in asked {
        write(request, node, version, &wanted, &mut answer);
    }
    Ok(answer.finish())
}

fn write(request: &Request<'_>, node: &Node, version: &Version, wanted: &Wanted, answer: &mut Multistatus) {
    let text = |text: String| Value::Text(text.into());
    let name = |namespace, name| Name { namespace, name };
    let all = vec![
        (name(DAV, "resourcetype"), Value::Empty),
        (name(DAV, "getcontentlength"), text(version.size.to_string())),
        (name(DAV, "getcontenttype"), text(version.mime(&node.name))),
        (name(DAV, "getlastmodified"), text(http_date(version.modified_at))),
        (name(DAV, "getetag"), text(format!("\"v{}\"", version.id))),
        (name(OWNCLOUD, "size"), text(version.size.to_string())),
        (name(NEXTCLOUD, "version-author"), text(request.drive.expected_login().unwrap_or_default())),
    ];
    let (found, missing) = wanted.choose(all);
    answer.properties(&request.href(&[version.id.to_string()], false), &found, &missing);
}

async fn content(request: &Request<'_>, file: i64, version: &str) -> Result<Response<Body>> {
    let (view, version) = find(request, file, version).await?;
    view.caller.scopes.require(Scope::Read)?;
    let node = view.trail()?.existing_file()?;
    download_version(request.cx, &request.drive, node, &version).await
}

/// Makes a version the present content of its file: by a destination below `restore`, as Nextcloud's clients name it, or
/// by the path of the file itself, as ownCloud's do.
async fn restore(request: &Request<'_>, file: i64, version: &str) -> Result<Response<Body>> {
    let id = parse_id(version, "the version")?;
    let to = match request.target()? {
        Target { tree: Tree::Restore, .. } => None,
        Target { tree: Tree::Files, path } => Some(Address::Path(path.segments().to_vec())),
        _ => return Err(Error::Forbidden("a version can only be restored".to_owned())),
    };
    twice(async || {
        let view = view(request, file, to.clone()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let node = trail.existing_file()?;
        if view.trails.get(1).is_some_and(|to| to.target().map(|target| target.id) != Some(node.id)) {
            return Err(Error::Forbidden("a version can only take the place of its own file".to_owned()));
        }
        let version = request.drive.version(node.id, id).await?;
        trail.check_unlocked(trail.target_index())?;
        view.restore(&Place::of(trail)?, &version).await?;
        Ok(empty(StatusCode::NO_CONTENT))
    })
    .await
}

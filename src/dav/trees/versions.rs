//! Earlier contents of a file as Nextcloud (`versions/{login}/versions/{file}`) and ownCloud (`meta/{file}/v`) have them:
//! listed, read, made the present content by MOVE or COPY, and deleted.

use http::{Response, StatusCode};

use crate::body::Body;
use crate::date::http_date;
use crate::dav::answer::multistatus::Multistatus;
use crate::dav::answer::response::empty;
use crate::dav::methods::options;
use crate::dav::props::property::{Name, Value};
use crate::dav::props::wanted::Wanted;
use crate::dav::request::Request;
use crate::dav::request::checksum;
use crate::dav::request::headers::Depth;
use crate::dav::request::mount::Tree;
use crate::dav::request::preconditions::Preconditions;
use crate::dav::xml::{DAV, NEXTCLOUD, OWNCLOUD};
use crate::error::{Error, Result};
use crate::resource::parse_id;
use crate::store::{Address, Node, Place, Scope, Version, View, ViewRequest, twice};
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

/// What reads the way to a file, and to something else.
fn of(file: i64, also: Option<Address>) -> ViewRequest {
    ViewRequest { addresses: [Address::Id(file)].into_iter().chain(also).collect(), ..ViewRequest::default() }
}

async fn view(request: &Request<'_>, file: i64) -> Result<View> {
    request.drive.view(&request.credentials, &of(file, None), Vec::new()).await
}

async fn find(request: &Request<'_>, file: i64, version: &str) -> Result<(View, Version)> {
    let id = parse_id(version, "the version")?;
    let view = view(request, file).await?;
    let version = request.drive.version(view.trail()?.existing_file()?.id, id).await?;
    Ok((view, version))
}

/// The versions, the latest first, or the one that the path names.
async fn list(request: &Request<'_>, file: i64, body: Body) -> Result<Response<Body>> {
    let (depth, without_root) = request.depth_of_listing()?;
    let wanted = Wanted::of(request.xml(body).await?.as_ref())?;
    let view = view(request, file).await?;
    view.caller.scopes.require(Scope::Read)?;
    let node = view.trail()?.existing_file()?;
    let versions = request.drive.versions(node.id).await?;
    let mut answer = Multistatus::new();
    let one = request.path.segments().first();
    let is_asked = |version: &&Version| match one {
        Some(one) => version.id.to_string() == *one,
        None => depth != Some(Depth::Zero),
    };
    let asked: Vec<_> = versions.iter().filter(is_asked).collect();
    if one.is_none() && !without_root {
        let name = Name { namespace: DAV, name: "resourcetype" };
        let (found, missing) = wanted.choose(vec![(name, Value::COLLECTION)]);
        answer.properties(&request.href(&[], true), &found, &missing);
    } else if one.is_some() && asked.is_empty() {
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
    let mut response = download_version(request.cx, &request.drive, node, &version).await?;
    checksum::add_known(version.content.as_ref(), &mut response);
    Ok(response)
}

/// Makes a version the present content of its file: by a destination below `restore`, as Nextcloud's clients name it, or
/// by the path of the file itself, as ownCloud's do.
async fn restore(request: &Request<'_>, file: i64, version: &str) -> Result<Response<Body>> {
    let id = parse_id(version, "the version")?;
    let preconditions = Preconditions::read(request)?;
    let target = request.target().await?;
    let to = match target.tree {
        Tree::Restore => None,
        Tree::Files => Some(target.address()),
        _ => return Err(Error::Forbidden("a version can only be restored".to_owned())),
    };
    // A version has neither locks nor an entity tag that a header could name: what is said of no resource is said of its file.
    let mut wanted = of(file, to.clone());
    let own = wanted.addresses.len();
    preconditions.extend(&mut wanted);
    twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let node = trail.existing_file()?;
        if to.is_some() && view.trails.get(1).is_some_and(|to| to.target().map(|target| target.id) != Some(node.id)) {
            return Err(Error::Forbidden("a version can only take the place of its own file".to_owned()));
        }
        let version = request.drive.version(node.id, id).await?;
        preconditions.check_if(&view, own)?;
        preconditions.unlocked(&request.files_mount(&target), trail)?;
        let linked = view.restore(&Place::of(trail)?, &version).await?;
        let mut response = empty(StatusCode::NO_CONTENT);
        request.add_identity(linked.id, &linked.etag, response.headers_mut());
        Ok(response)
    })
    .await
}

//! What is above the drives at `/remote.php/dav`: collections by which clients find the caller's own files, uploads and
//! principal (RFC 3744, 2). They cannot be changed, and what a listing shows of them is not kept anywhere.

use http::{HeaderValue, Response, header};

use crate::body::Body;
use crate::dav::answer::multistatus::Multistatus;
use crate::dav::methods::{options, search};
use crate::dav::props::property::{Name, Value};
use crate::dav::props::wanted::Wanted;
use crate::dav::request::Request;
use crate::dav::request::headers::Depth;
use crate::dav::xml::DAV;
use crate::error::{Error, Result};
use crate::resource::space_id;
use crate::store::{Caller, Scope, ViewRequest};

/// All methods here.
const ALLOW: &str = "OPTIONS, PROPFIND, SEARCH";

const PRINCIPAL: &str = "<d:collection xmlns:d=\"DAV:\"/><d:principal xmlns:d=\"DAV:\"/>";

/// Answers a request for one of the collections, or for the bulk upload among them.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    match (request.cx.method.as_str(), request.path.segments()) {
        ("POST", [bulk]) if bulk == "bulk" => super::bulk::answer(request, body).await,
        (_, [bulk]) if bulk == "bulk" => Err(Error::MethodNotAllowed("POST")),
        ("OPTIONS", _) => {
            let mut response = options::answer(request).await?;
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(ALLOW));
            Ok(response)
        }
        ("PROPFIND", _) => list(request, body).await,
        ("SEARCH", _) => search::answer(request, body).await,
        // Sync clients look for avatars here.
        ("GET" | "HEAD", path) if members(&names(path), &caller(request).await?).is_none() => Err(Error::NoResource),
        _ => Err(Error::MethodNotAllowed(ALLOW)),
    }
}

async fn list(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let (depth, without_root) = request.depth_of_listing()?;
    let depth = depth.unwrap_or(Depth::One);
    let wanted = Wanted::of(request.xml(body).await?.as_ref())?;
    let caller = caller(request).await?;
    let path = names(request.path.segments());
    let members = members(&path, &caller).ok_or(Error::NoResource)?;

    let mut answer = Multistatus::new();
    if !without_root {
        write(request, &caller, &path, &wanted, &mut answer);
    }
    if depth != Depth::Zero {
        for member in &members {
            let path: Vec<&str> = path.iter().copied().chain([member.as_str()]).collect();
            write(request, &caller, &path, &wanted, &mut answer);
        }
    }
    Ok(answer.finish())
}

async fn caller(request: &Request<'_>) -> Result<Caller> {
    let caller = request.drive.view(&request.credentials, &ViewRequest::default(), Vec::new()).await?.caller;
    caller.scopes.require(Scope::Read)?;
    Ok(caller)
}

fn names(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// The names in a collection; none where there is no such collection, or it is somebody else's.
fn members(path: &[&str], caller: &Caller) -> Option<Vec<String>> {
    let some = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    match path {
        [] => some(&["files", "principals", "spaces", "trashbin", "uploads"]),
        ["principals"] => some(&["users"]),
        ["files" | "trashbin" | "uploads"] | ["principals", "users"] => some(&[&caller.login]),
        ["spaces"] => some(&[&space_id(caller.account_id)]),
        ["trashbin", login] if *login == caller.login => some(&["restore", "trash"]),
        ["principals", "users", login] if *login == caller.login => some(&[]),
        _ => None,
    }
}

fn write(request: &Request<'_>, caller: &Caller, path: &[&str], wanted: &Wanted, answer: &mut Multistatus) {
    let (found, missing) = wanted.choose(properties(request, caller, path));
    answer.properties(&href(request, path), &found, &missing);
}

/// What there is to be known of a collection (RFC 4918, 15; RFC 5397; RFC 3744, 4 and 5).
fn properties<'a>(request: &Request<'_>, caller: &Caller, path: &[&str]) -> Vec<(Name<'a>, Value<'a>)> {
    let dav = |name| Name { namespace: DAV, name };
    let one_href =
        |path: &[&str]| Value::Xml(format!("<d:href xmlns:d=\"DAV:\">{}</d:href>", href(request, path)).into(), None);
    let own = ["principals", "users", &caller.login];
    let is_principal = path == own;
    let kind = if is_principal { Value::Xml(PRINCIPAL.into(), None) } else { Value::COLLECTION };
    let display_name = match path.last() {
        None => request.cx.config.webdav_name.clone(),
        Some(_) if is_principal => caller.display_name.clone(),
        Some(name) => (*name).to_owned(),
    };
    let mut found = vec![
        (dav("resourcetype"), kind),
        (dav("displayname"), Value::Text(display_name.into())),
        (dav("current-user-principal"), one_href(&own)),
        (dav("principal-collection-set"), one_href(&["principals", "users"])),
    ];
    if is_principal {
        found.push((dav("principal-URL"), one_href(&own)));
    }
    found
}

fn href(request: &Request<'_>, path: &[&str]) -> String {
    let names: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
    request.href(&names, true)
}

//! One WebDAV request: the mount it came by, the path in the drive, the drive. The modules read its parts. May import `xml`.

pub mod checksum;
pub mod headers;
pub mod mount;
pub mod path;
pub mod preconditions;
pub mod trash_names;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use self::headers::{Depth, HeaderError};
use self::mount::{Mount, MountedPath, Tree};
use self::path::{DavPath, PathError};
use crate::body::Body;
use crate::context::Context;
use crate::dav::xml::{self, Element, XmlError};
use crate::error::{Error, Result};
use crate::ports::{ByteSource, StreamError, read_at_most};
use crate::resource::{Ids, space_id};
use crate::store::{Address, Caller, Credentials, Drive, Scope, ViewRequest};
use crate::transfer::etag_header;

/// The longest XML body, in bytes.
const XML_LIMIT: usize = 1024 * 1024;

/// Bytes of XML that are parsed before the token is known to be one: what clients send as a rule. Before more than that, the
/// drive is asked, in a round trip of its own.
const STRANGERS_XML: usize = 16 * 1024;

/// What a Destination names.
#[derive(Debug, Clone)]
pub struct Target {
    /// What the path is in.
    pub tree: Tree,
    /// The path there.
    pub path: DavPath,
    /// The mount that it is named by, as the client sees it.
    pub mount: Mount,
}

impl Target {
    /// The node that the path names, in the drive.
    pub fn address(&self) -> Address {
        Address::Path(self.path.segments().to_vec())
    }
}

/// One WebDAV request without its body.
pub struct Request<'a> {
    /// The request.
    pub cx: &'a Context<'a>,
    /// The drive that its token names.
    pub drive: Drive,
    /// The token.
    pub credentials: Credentials,
    /// The path below the mount.
    pub path: DavPath,
    /// What is below the mount.
    pub tree: Tree,
    /// In which form clients of the mount read ids.
    pub ids: Ids,
    /// Whether the mount is one of Nextcloud's or ownCloud's.
    pub is_sync: bool,
    /// The mount as the client sees it, like `/api/dav`.
    pub mount: Mount,
}

impl<'a> Request<'a> {
    /// Reads a request below a mount. 401 without a token, 400 for a path that names nothing, 404 for another's drive.
    pub async fn read(cx: &'a Context<'a>) -> Result<Self> {
        Self::read_at(cx, cx.uri.path()).await
    }

    /// The same for another path than that of the request.
    async fn read_at(cx: &'a Context<'a>, path: &str) -> Result<Self> {
        let (drive, credentials) = cx.drive()?;
        let asked = MountedPath::find(path, &cx.config.webdav_name, Some(credentials.account));
        let mut asked = asked.ok_or(Error::NoResource)?;
        if let Some(own) = asked.maybe_login() {
            let caller = drive.view(&credentials, &ViewRequest::default(), Vec::new()).await?.caller;
            if own.login.as_ref() == Some(&caller.login) {
                asked = own;
            }
        }
        if !is_own(&asked, &drive) {
            return Err(Error::NoResource);
        }
        let mount = Mount::behind(cx.forwarded_prefix(), &asked.mount, &cx.config.webdav_name);
        let ids = if asked.space.is_some() { Ids::Spaces } else { Ids::Nextcloud };
        let is_sync = asked.login.is_some() || asked.space.is_some() || asked.mount.starts_with("/remote.php/");
        Ok(Self { cx, path: DavPath::parse(asked.rest)?, tree: asked.tree, ids, is_sync, drive, credentials, mount })
    }

    /// The node that the path names.
    pub fn address(&self) -> Address {
        match self.tree {
            Tree::Trash => trash_names::address(self.path.segments()),
            _ => Address::Path(self.path.segments().to_vec()),
        }
    }

    /// The URL path of the names below the caller's root, as the client sees it.
    pub fn href(&self, names: &[String], folder: bool) -> String {
        self.mount.href(names, folder)
    }

    /// The path in the drive that a URI names, absolute or not, by whatever mount; none where it is outside the drive.
    /// `Err` for a path that is malformed.
    pub fn path_of(&self, raw: &str) -> Result<Option<DavPath>> {
        Ok(self.target_of(raw)?.filter(|target| target.tree == Tree::Files).map(|target| target.path))
    }

    fn target_of(&self, raw: &str) -> Result<Option<Target>> {
        if let Some(rest) = raw.strip_prefix(&self.mount.prefix)
            && self.tree == Tree::Files
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return Ok(Some(Target { tree: Tree::Files, path: DavPath::parse(rest)?, mount: self.mount.clone() }));
        }
        // The path may be the client's or, where a proxy has rewritten it, ours.
        let forwarded = self.cx.forwarded_prefix();
        let behind = raw.strip_prefix(forwarded).filter(|rest| rest.starts_with('/'));
        let Some(asked) = behind.into_iter().chain([raw]).find_map(|path| self.asked(path)) else { return Ok(None) };
        let mount = Mount::behind(forwarded, &asked.mount, &self.cx.config.webdav_name);
        Ok(Some(Target { tree: asked.tree, path: DavPath::parse(asked.rest)?, mount }))
    }

    /// Asks the drive for its login where a path that leads out of another tree names one and the request does not. That is a
    /// round trip.
    async fn learn_login(&self, raw: &str) -> Result<()> {
        let behind = raw.strip_prefix(self.cx.forwarded_prefix()).unwrap_or(raw);
        let asked = MountedPath::find(behind, &self.cx.config.webdav_name, Some(self.credentials.account));
        let names_one = asked.as_ref().and_then(MountedPath::maybe_login).is_some();
        if names_one && self.tree != Tree::Files && self.drive.expected_login().is_none() {
            let view = self.drive.view(&self.credentials, &ViewRequest::default(), Vec::new()).await?;
            self.drive.expect_login(&view.caller.login);
        }
        Ok(())
    }

    /// The mount of this drive that a path is below.
    fn asked<'p>(&self, path: &'p str) -> Option<MountedPath<'p>> {
        let asked = MountedPath::find(path, &self.cx.config.webdav_name, Some(self.credentials.account));
        // Where the request itself tells the login, another mount of that login is known.
        let own =
            asked.as_ref().and_then(MountedPath::maybe_login).filter(|own| own.login == self.drive.expected_login());
        own.or(asked).filter(|asked| is_own(asked, &self.drive))
    }

    /// How far below the resource the method is to reach; none where the client does not say.
    pub fn depth(&self) -> Result<Option<Depth>> {
        headers::depth(&self.cx.headers).map_err(|error| self.wrong_depth(error))
    }

    /// The same for a PROPFIND, and whether the resource itself is left out.
    pub fn depth_of_listing(&self) -> Result<(Option<Depth>, bool)> {
        headers::depth_of_listing(&self.cx.headers).map_err(|error| self.wrong_depth(error))
    }

    fn wrong_depth(&self, error: HeaderError) -> Error {
        match self.cx.header("depth") {
            Some(value) => Error::bad(format!("Invalid Depth header value: {value}")),
            None => error.into(),
        }
    }

    /// Adds to an answer what sync clients must know of a node that was made, moved or changed: its entity tag, and its id
    /// as the mount's clients read it.
    pub fn add_identity(&self, id: i64, etag: &str, headers: &mut HeaderMap) {
        headers.insert(header::ETAG, etag_header(etag));
        headers.insert(HeaderName::from_static("oc-etag"), etag_header(etag));
        if let Ok(id) = HeaderValue::try_from(self.ids.global_id(self.drive.account(), id)) {
            headers.insert(HeaderName::from_static("oc-fileid"), id);
        }
    }

    /// The same for a node that was there before the request: without the scope `read`, the caller is told nothing but its
    /// id, which does not show whether the file has changed.
    pub fn add_moved(&self, caller: &Caller, id: i64, etag: &str, headers: &mut HeaderMap) {
        self.add_identity(id, etag, headers);
        if !caller.scopes.has(Scope::Read) {
            headers.remove(header::ETAG);
            headers.remove("oc-etag");
        }
    }

    /// The request as if it had been sent to the scope of a search: a URL path of any mount, or one below
    /// `/remote.php/dav`, as Nextcloud has it. 409 for one of another server.
    pub async fn scope(&self, href: &str) -> Result<Self> {
        let path = self.own_path(href).ok_or(Error::ConflictCondition("search-scope-valid"))?;
        let behind = path.strip_prefix(self.cx.forwarded_prefix()).filter(|rest| rest.starts_with('/'));
        let path = behind.unwrap_or(path);
        if MountedPath::find(path, &self.cx.config.webdav_name, None).is_some() {
            return Self::read_at(self.cx, path).await;
        }
        Self::read_at(self.cx, &format!("/remote.php/dav/{}", path.trim_start_matches('/'))).await
    }

    /// Where a COPY or MOVE goes: 400 without the header, 502 for another server or mount.
    pub async fn destination(&self) -> Result<Target> {
        let target = self.target().await?;
        if target.tree == Tree::Files { Ok(target) } else { Err(outside()) }
    }

    /// Where a COPY or MOVE goes, the trees beside the drive among the places.
    pub async fn target(&self) -> Result<Target> {
        let destination = headers::destination(&self.cx.headers)?;
        let destination = destination.ok_or_else(|| Error::bad("the header Destination is missing"))?;
        if let Some(authority) = &destination.authority
            && !self.is_own(authority)
        {
            return Err(Error::OtherServer(
                "the Destination is on another server; a proxy must pass Host on".to_owned(),
            ));
        }
        self.learn_login(&destination.path).await?;
        self.target_of(&destination.path)?.ok_or_else(outside)
    }

    /// The mount by which files are named in the answer to a MOVE or COPY out of another tree: that of the target, or, where
    /// it says no more than that something is to be put back, `/dav`.
    pub fn files_mount(&self, target: &Target) -> Mount {
        match target.tree {
            Tree::Files => target.mount.clone(),
            _ => Mount::behind(self.cx.forwarded_prefix(), "/dav", &self.cx.config.webdav_name),
        }
    }

    /// The address that a URI reference in an `If` header names; none where it is outside the drive.
    pub fn address_of(&self, uri: &str) -> Result<Option<Address>> {
        let Some(path) = self.own_path(uri) else { return Ok(None) };
        Ok(self.path_of(path)?.map(|path| Address::Path(path.segments().to_vec())))
    }

    /// The path of a URI reference; none for one of another server.
    fn own_path<'u>(&self, uri: &'u str) -> Option<&'u str> {
        let Some((_, rest)) = uri.split_once("://") else { return Some(uri) };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        self.is_own(authority).then_some(path)
    }

    /// Whether an authority is the one that the client knows us by. Ports are not compared, since
    /// proxies drop them from Host.
    fn is_own(&self, authority: &str) -> bool {
        let own = [self.cx.forwarded("x-forwarded-host"), self.cx.header(header::HOST.as_str())];
        let mut own = own.into_iter().chain([self.cx.uri.host()]).flatten().peekable();
        own.peek().is_none() || own.any(|own| host(own).eq_ignore_ascii_case(host(authority)))
    }

    /// The XML body: none where it is empty, 400 where it is no XML or over 1 MiB.
    pub async fn xml(&self, mut body: Body) -> Result<Option<Element>> {
        let bytes = read_at_most(&mut body as &mut dyn ByteSource, XML_LIMIT).await.map_err(|error| match error {
            StreamError::TooLong => Error::bad("the XML is over 1 MiB"),
            other => other.into(),
        })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() > STRANGERS_XML {
            self.drive.view(&self.credentials, &ViewRequest::default(), Vec::new()).await?;
        }
        Ok(Some(xml::parse(&bytes)?))
    }
}

fn outside() -> Error {
    Error::OtherServer("the Destination is outside this drive".to_owned())
}

/// Whether a mount is one of this drive, as far as can be told before the drive is read.
fn is_own(asked: &MountedPath<'_>, drive: &Drive) -> bool {
    asked.login.as_ref().is_none_or(|login| drive.expect_login(login))
        && asked.space.as_ref().is_none_or(|space| *space == space_id(drive.account()))
}

/// The host of an authority, without user and port.
fn host(authority: &str) -> &str {
    let host = authority.rsplit('@').next().unwrap_or(authority);
    match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    }
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<HeaderError> for Error {
    fn from(error: HeaderError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<XmlError> for Error {
    fn from(error: XmlError) -> Self {
        Self::bad(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_host_is_compared_without_user_and_port() {
        assert_eq!(host("drive.example:8443"), "drive.example");
        assert_eq!(host("me@drive.example"), "drive.example");
        assert_eq!(host("[::1]:8787"), "[::1]");
        assert_eq!(host("[::1]"), "[::1]");
    }
}

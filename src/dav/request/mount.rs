//! Where a drive appears in URLs: the table of mounts, and what a proxy in front of us makes of one.

use percent_encoding::percent_decode_str;

use super::path;
use crate::resource::{INSTANCE, parse_id, space_id};
use crate::store::{LockBelow, Node, Trail};

/// What is below a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// The drive, with the caller's root at its top.
    Files,
    /// Uploads that come in chunks: a folder each.
    Uploads,
    /// What was deleted.
    Trash,
    /// Where what was deleted, and earlier contents, are moved to be put back.
    Restore,
    /// The earlier contents of a file, by its number.
    Versions(i64),
    /// Where a file or folder is, by its number.
    Meta(i64),
    /// The collections above the drives.
    Top,
}

impl Tree {
    /// The same of the file or folder of that number.
    fn of(self, number: i64) -> Self {
        match self {
            Self::Versions(_) => Self::Versions(number),
            Self::Meta(_) => Self::Meta(number),
            other => other,
        }
    }
}

/// A segment in the pattern of a mount.
enum Segment {
    Literal(&'static str),
    /// `WEBDAV_NAME`
    Name,
    /// A login, which must be the caller's.
    Login,
    /// A drive's id, which must be the caller's.
    Space,
    /// The caller's drive id; anything else is a path in the drive.
    OwnSpace,
    /// The id of a file, in any of its forms.
    File,
    /// The id of a file in the form that tells its drive, which must be the caller's; anything else is a path in the drive.
    OwnFile,
}

use Segment::{File, Literal, Login, Name, OwnFile, OwnSpace, Space};

/// All mounts; the first that fits a path counts. `/dav/files/{login}` is not among them, since only the drive knows whose
/// login that is: see `maybe_login`.
const MOUNTS: [(&[Segment], Tree); 20] = [
    (&[Literal("remote.php"), Literal("dav"), Literal("files"), Login], Tree::Files),
    (&[Literal("remote.php"), Literal("dav"), Literal("spaces"), Literal("trash-bin"), Space], Tree::Trash),
    (&[Literal("remote.php"), Literal("dav"), Literal("spaces"), Space], Tree::Files),
    (&[Literal("remote.php"), Literal("dav"), Literal("uploads"), Login], Tree::Uploads),
    (&[Literal("remote.php"), Literal("dav"), Literal("trashbin"), Login, Literal("trash")], Tree::Trash),
    (&[Literal("remote.php"), Literal("dav"), Literal("trashbin"), Login, Literal("restore")], Tree::Restore),
    (
        &[Literal("remote.php"), Literal("dav"), Literal("versions"), Login, Literal("versions"), File],
        Tree::Versions(0),
    ),
    (&[Literal("remote.php"), Literal("dav"), Literal("versions"), Login, Literal("restore")], Tree::Restore),
    (&[Literal("remote.php"), Literal("dav"), Literal("meta"), File, Literal("v")], Tree::Versions(0)),
    (&[Literal("remote.php"), Literal("dav"), Literal("meta"), File], Tree::Meta(0)),
    (&[Literal("remote.php"), Literal("dav")], Tree::Top),
    (&[Literal("remote.php"), Literal("webdav")], Tree::Files),
    (&[Literal("webdav")], Tree::Files),
    (&[Literal("dav"), Literal("spaces"), Literal("trash-bin"), OwnSpace], Tree::Trash),
    (&[Literal("dav"), Literal("spaces"), OwnSpace], Tree::Files),
    // As ownCloud's web client names a file to which a version is restored.
    (&[Literal("dav"), Literal("files"), Literal("spaces"), OwnSpace], Tree::Files),
    (&[Literal("dav"), Literal("meta"), OwnFile, Literal("v")], Tree::Versions(0)),
    (&[Literal("dav"), Literal("meta"), OwnFile], Tree::Meta(0)),
    (&[Literal("dav")], Tree::Files),
    (&[Name], Tree::Files),
];

/// A path that was found below a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedPath<'a> {
    /// What is there.
    pub tree: Tree,
    /// The mount as it was asked for, like `/remote.php/dav/files/me`.
    pub mount: String,
    /// The path below it, still encoded.
    pub rest: &'a str,
    /// Whose it says that it is.
    pub login: Option<String>,
    /// The drive that it says that it is, by id.
    pub space: Option<String>,
}

impl<'a> MountedPath<'a> {
    /// The mount that a path is below, for the owner of the account `account`; none for a path of something else.
    pub fn find(path: &'a str, webdav_name: &str, account: Option<i64>) -> Option<Self> {
        MOUNTS.iter().find_map(|(pattern, tree)| Self::below(path, pattern, *tree, webdav_name, account))
    }

    fn below(path: &'a str, pattern: &[Segment], tree: Tree, webdav_name: &str, account: Option<i64>) -> Option<Self> {
        let mut asked = Self { tree, mount: String::new(), rest: path, login: None, space: None };
        for segment in pattern {
            let (raw, rest) = first_segment(asked.rest)?;
            let mut name = raw;
            let decoded = || percent_decode_str(raw).decode_utf8().ok().map(String::from);
            match segment {
                Literal(literal) if is(raw, literal) => name = literal,
                Name if is(raw, webdav_name) => name = webdav_name,
                OwnSpace if decoded() == account.map(space_id) => asked.space = decoded(),
                File => asked.tree = asked.tree.of(file_number(&decoded()?, account)?),
                OwnFile => asked.tree = asked.tree.of(own_file_number(&decoded()?, account)?),
                Login => asked.login = Some(decoded()?),
                Space => asked.space = Some(decoded()?),
                Literal(_) | Name | OwnSpace => return None,
            }
            asked.mount.push('/');
            asked.mount.push_str(name);
            asked.rest = rest;
        }
        Some(asked)
    }

    /// For a path in the drive that begins with `/files/X`: the mount of the files of login `X`, if that is who asks.
    pub fn maybe_login(&self) -> Option<Self> {
        if self.mount != "/dav" {
            return None;
        }
        let (_, rest) = first_segment(self.rest).filter(|(raw, _)| is(raw, "files"))?;
        let (raw, rest) = first_segment(rest)?;
        let login = percent_decode_str(raw).decode_utf8().ok()?.into_owned();
        Some(Self { mount: format!("{}/files/{raw}", self.mount), rest, login: Some(login), ..self.clone() })
    }
}

/// The number in an id: `42`, `00000042ocedgedrive`, or `edgedrive$1!42`.
fn file_number(id: &str, account: Option<i64>) -> Option<i64> {
    let number = |id: &str| parse_id(id, "the file").ok();
    number(id).or_else(|| number(id.strip_suffix(INSTANCE)?)).or_else(|| own_file_number(id, account))
}

fn own_file_number(id: &str, account: Option<i64>) -> Option<i64> {
    let (space, number) = id.split_once('!')?;
    parse_id(number, "the file").ok().filter(|_| Some(space) == account.map(space_id).as_deref())
}

/// Whether a segment is that name of unreserved characters, which may be percent-encoded (RFC 3986, 6.2.2.2).
fn is(raw: &str, name: &str) -> bool {
    raw == name || percent_decode_str(raw).eq(name.bytes())
}

/// The first segment of a path that is not empty, and what follows.
fn first_segment(path: &str) -> Option<(&str, &str)> {
    let path = path.trim_start_matches('/');
    let end = path.find('/').unwrap_or(path.len());
    (!path.is_empty()).then(|| path.split_at(end))
}

/// One of the URLs of a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What stands before the paths of the drive in every href: begins with `/`, does not end with
    /// one.
    pub prefix: String,
}

impl Mount {
    /// The mount that a request reached at `mount` (`/dav`, `/dav/files/demo`) behind `forwarded`, what a proxy took off the
    /// path; empty without one. A prefix that ends with `webdav_name` stands for `/dav` itself: nginx maps `/OpenCoper/` to
    /// `/dav/`, so that Explorer labels the drive with that name.
    pub fn behind(forwarded: &str, mount: &str, webdav_name: &str) -> Self {
        let is_named = forwarded.rsplit('/').next() == Some(webdav_name);
        Self { prefix: format!("{forwarded}{}", if is_named { below_first_segment(mount) } else { mount }) }
    }

    /// The URL path of the names below the caller's root, as the client sees it.
    pub fn href(&self, names: &[String], folder: bool) -> String {
        path::href(&self.prefix, names, folder)
    }

    /// The URL path of `trail.nodes()[index]`; the caller's root for one above it.
    pub fn href_on(&self, trail: &Trail, index: usize) -> String {
        let names = trail.depth(index).and_then(|depth| trail.names().get(..depth)).unwrap_or_default();
        self.href(names, trail.nodes().get(index).is_none_or(Node::is_folder))
    }

    /// The URL path of a locked node below the target of `trail`.
    pub fn href_below(&self, trail: &Trail, lock: &LockBelow) -> String {
        let names: Vec<String> = trail.names().iter().cloned().chain(lock.names().map(ToOwned::to_owned)).collect();
        self.href(&names, lock.is_folder())
    }
}

/// `/files/demo` of `/dav/files/demo`
fn below_first_segment(mount: &str) -> &str {
    let first = mount.strip_prefix('/').unwrap_or(mount);
    first.find('/').and_then(|at| first.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str) -> Option<(Tree, String, String, Option<String>)> {
        let asked = MountedPath::find(path, "OpenCoper", Some(7))?;
        Some((asked.tree, asked.mount, asked.rest.to_owned(), asked.login))
    }

    #[test]
    fn a_path_is_below_its_mount() {
        let files = |mount: &str, rest: &str, login: Option<&str>| {
            Some((Tree::Files, mount.to_owned(), rest.to_owned(), login.map(str::to_owned)))
        };
        for (path, expected) in [
            ("/dav", files("/dav", "", None)),
            ("/dav/a/b", files("/dav", "/a/b", None)),
            ("/OpenCoper/a", files("/OpenCoper", "/a", None)),
            ("//webdav//a", files("/webdav", "//a", None)),
            ("/remote.php/webdav/a", files("/remote.php/webdav", "/a", None)),
            ("/remote.php/dav/files/m%65/a", files("/remote.php/dav/files/m%65", "/a", Some("me"))),
            ("/dav/spaces/edgedrive$7/a", files("/dav/spaces/edgedrive$7", "/a", None)),
            ("/dav/spaces/edgedrive%247/a", files("/dav/spaces/edgedrive%247", "/a", None)),
            ("/dav/spaces/edgedrive$8/a", files("/dav", "/spaces/edgedrive$8/a", None)),
            ("/dav/files/me/a", files("/dav", "/files/me/a", None)),
            ("/dav/files/spaces/edgedrive$7/a", files("/dav/files/spaces/edgedrive$7", "/a", None)),
            ("/dav/files/spaces/edgedrive$8/a", files("/dav", "/files/spaces/edgedrive$8/a", None)),
            ("/%64av/a", files("/dav", "/a", None)),
            ("/remote%2Ephp/%77ebdav/a%2Eb", files("/remote.php/webdav", "/a%2Eb", None)),
            ("/Open%43oper/a", files("/OpenCoper", "/a", None)),
            ("/dav%2Fa", None),
            ("/%64avx", None),
            ("/d%6", None),
            ("/remote.php", None),
            ("/davx", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(asked(path), expected, "{path}");
        }
        let tree = |path: &str| asked(path).map(|(tree, mount, ..)| (tree, mount));
        for id in ["42", "00000042ocedgedrive", "edgedrive$7!42"] {
            let mount = format!("/remote.php/dav/meta/{id}");
            assert_eq!(tree(&mount), Some((Tree::Meta(42), mount.clone())));
            assert_eq!(tree(&format!("{mount}/v/1")), Some((Tree::Versions(42), format!("{mount}/v"))));
        }
        assert_eq!(tree("/dav/meta/42"), Some((Tree::Files, "/dav".to_owned())));
        let uploads = asked("/remote.php/dav/uploads/me/7/1").unwrap();
        assert_eq!((uploads.0, uploads.2.as_str()), (Tree::Uploads, "/7/1"));
        for rest in ["", "/", "/files", "/files/", "/principals/users/me/", "/trashbin/me"] {
            let top = asked(&format!("/remote.php/dav{rest}")).unwrap();
            assert_eq!((top.0, top.2.as_str()), (Tree::Top, rest));
        }
    }

    #[test]
    fn a_path_may_be_a_mount_of_its_own_login() {
        let asked = |path| MountedPath::find(path, "OpenCoper", Some(7)).unwrap().maybe_login();
        assert_eq!(asked("/%64av/fi%6Ces/me/a").unwrap().mount, "/dav/files/me");
        let maybe = asked("/dav/files/m%65/a").unwrap();
        assert_eq!((maybe.mount.as_str(), maybe.rest, maybe.login.as_deref()), ("/dav/files/m%65", "/a", Some("me")));
        for path in ["/dav/files", "/dav/files/", "/dav/file/me", "/webdav/files/me", "/OpenCoper/files/me"] {
            assert_eq!(asked(path), None, "{path}");
        }
    }

    fn prefix(forwarded: &str, mount: &str) -> String {
        Mount::behind(forwarded, mount, "OpenCoper").prefix
    }

    #[test]
    fn without_a_proxy_the_mount_is_as_asked() {
        assert_eq!(Mount::behind("", "/dav", "OpenCoper").prefix, "/dav");
        assert_eq!(Mount::behind("", "/OpenCoper", "OpenCoper").prefix, "/OpenCoper");
    }

    #[test]
    fn a_prefix_goes_before_the_mount() {
        assert_eq!(prefix("/api", "/dav"), "/api/dav");
        assert_eq!(prefix("/a-b/c_d.e~1", "/dav/files/demo"), "/a-b/c_d.e~1/dav/files/demo");
        assert_eq!(prefix("/api", "/OpenCoper"), "/api/OpenCoper");
    }

    #[test]
    fn a_prefix_with_the_name_replaces_the_mount() {
        assert_eq!(prefix("/OpenCoper", "/dav"), "/OpenCoper");
        assert_eq!(prefix("/x/OpenCoper", "/dav"), "/x/OpenCoper");
        assert_eq!(prefix("/OpenCoper", "/OpenCoper"), "/OpenCoper");
        assert_eq!(prefix("/OpenCoper", "/dav/files/demo"), "/OpenCoper/files/demo");
        assert_eq!(prefix("/OpenCoper/x", "/dav"), "/OpenCoper/x/dav");
        assert_eq!(prefix("/MyOpenCoper", "/dav"), "/MyOpenCoper/dav");
        assert_eq!(prefix("/opencoper", "/dav"), "/opencoper/dav");
    }
}

//! Where a drive appears in URLs, as the client sees them.
//!
//! Which mount a request asked for, the router knows; here is only what a proxy in front of us
//! makes of it.

/// The longest X-Forwarded-Prefix that is believed, in bytes.
const MAX_PREFIX: usize = 256;

/// One of the URLs of a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What stands before the paths of the drive in every href: begins with `/`, does not end with
    /// one.
    pub prefix: String,
}

impl Mount {
    /// The mount that a request reached at `mount` (`/dav`, `/dav/files/demo`) through a proxy that
    /// says in X-Forwarded-Prefix what it took off the path. A prefix that ends with `webdav_name`
    /// stands for `/dav` itself: nginx maps `/OpenCoper/` to `/dav/`, so that Explorer labels the
    /// drive with that name. A prefix that is not clean is ignored.
    pub fn from_forwarded(forwarded: Option<&str>, mount: &str, webdav_name: &str) -> Self {
        let Some(forwarded) = forwarded.and_then(clean) else { return Self { prefix: mount.to_owned() } };
        let is_named = forwarded.rsplit('/').next() == Some(webdav_name);
        Self { prefix: format!("{forwarded}{}", if is_named { below_first_segment(mount) } else { mount }) }
    }
}

/// The prefix, if each of its segments is of unreserved characters (RFC 3986, 2.3): whoever can
/// send the header must not be able to write anything else into hrefs.
fn clean(prefix: &str) -> Option<&str> {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let is_clean =
        |segment: &str| !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_unreserved);
    let segments = prefix.strip_prefix('/')?;
    (prefix.len() <= MAX_PREFIX && segments.split('/').all(is_clean)).then_some(prefix)
}

/// `/files/demo` of `/dav/files/demo`
fn below_first_segment(mount: &str) -> &str {
    let first = mount.strip_prefix('/').unwrap_or(mount);
    first.find('/').and_then(|at| first.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(forwarded: &str, mount: &str) -> String {
        Mount::from_forwarded(Some(forwarded), mount, "OpenCoper").prefix
    }

    #[test]
    fn without_a_proxy_the_mount_is_as_asked() {
        assert_eq!(Mount::from_forwarded(None, "/dav", "OpenCoper").prefix, "/dav");
        assert_eq!(Mount::from_forwarded(None, "/OpenCoper", "OpenCoper").prefix, "/OpenCoper");
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

    #[test]
    fn only_a_clean_prefix_is_believed() {
        for forwarded in [
            "",
            "/",
            "//",
            "api",
            "//api",
            "/api/",
            "/OpenCoper/",
            "/api//",
            "/a//b",
            "/..",
            "/a/../b",
            "/./a",
            "/a b",
            " /a",
            "/a%20b",
            "/a?b",
            "/a#b",
            "/a,/b",
            "/a\"b",
            "/<a>",
            "/a\r\nb",
            "/é",
            "http://evil/a",
            "/a\\b",
            "/a:b",
            "/a;b",
            "/a&b",
        ] {
            assert_eq!(prefix(forwarded, "/dav"), "/dav", "{forwarded:?}");
        }
    }

    #[test]
    fn a_prefix_has_a_longest_length() {
        let longest = format!("/{}", "a".repeat(MAX_PREFIX - 1));
        assert_eq!(prefix(&longest, "/dav"), format!("{longest}/dav"));
        assert_eq!(prefix(&format!("{longest}a"), "/dav"), "/dav");
    }

    proptest! {
        #[test]
        fn the_mount_is_always_clean(forwarded in any::<String>(), odd in "[/.a%<-]{0,12}") {
            for forwarded in [forwarded, odd] {
                let prefix = prefix(&forwarded, "/dav");
                prop_assert_eq!(clean(&prefix), Some(prefix.as_str()));
            }
        }
    }
}

//! Files and folders as rows.

use mime_guess::Mime;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use super::content_info::ContentInfo;
use super::lock::Lock;
use super::property::Property;
use crate::ports::Millis;

/// The columns of a node that are always read; `n` is the row of `nodes`.
pub(in crate::store) const NODE: &str = "n.id, n.root_of, n.parent_id, n.name, n.content_id, n.mime, n.size, n.files, \
     n.folders, n.member_files, n.member_folders, n.etag, n.created_at, n.modified_at, n.uploaded_at";

/// A file or a folder.
#[derive(Debug, Clone, Deserialize)]
pub struct Node {
    /// The number that never changes and is never given again.
    pub id: i64,
    /// The account whose root this is.
    pub root_of: Option<i64>,
    /// The folder that it is in; none for a root.
    pub parent_id: Option<i64>,
    /// Its name in that folder; empty for a root.
    pub name: String,
    /// The content of a file; none for a folder.
    pub content_id: Option<String>,
    /// The media type that the uploader declared, where that said something.
    pub(in crate::store) mime: Option<String>,
    /// Bytes: of a file's content, or of everything below a folder.
    pub size: i64,
    /// Files below a folder, at any depth.
    pub files: i64,
    /// Folders below a folder, at any depth.
    pub folders: i64,
    /// Files directly in a folder.
    #[serde(default)]
    pub member_files: i64,
    /// Folders directly in a folder.
    #[serde(default)]
    pub member_folders: i64,
    /// The entity tag, without quotes. A folder's changes with anything below it.
    pub etag: String,
    /// When it was made, here or as the client said.
    pub created_at: Millis,
    /// When its content (or a folder's list of members) last changed, or what the client said.
    pub modified_at: Millis,
    /// When a file got its present content, where that was not when it was made.
    #[serde(default)]
    pub uploaded_at: Option<Millis>,
    /// Locks on this very node, where they were asked for.
    #[serde(default, deserialize_with = "json_text")]
    pub locks: Vec<Lock>,
    /// Dead properties, where they were asked for.
    #[serde(default, deserialize_with = "json_text")]
    pub properties: Vec<Property>,
    /// What it is marked with, where dead properties were asked for; [`FAVORITE`](crate::store::FAVORITE) may be among it.
    #[serde(default, deserialize_with = "json_text")]
    pub tags: Vec<String>,
    /// The content's digests and parts, where they were asked for and it is a file.
    #[serde(default, deserialize_with = "json_text")]
    pub content: Option<ContentInfo>,
}

impl Node {
    /// How many nodes it is, with all that is below it.
    pub(in crate::store) fn count(&self) -> i64 {
        1 + self.files + self.folders
    }

    /// Whether it is a folder; else it is a file.
    pub fn is_folder(&self) -> bool {
        self.content_id.is_none()
    }

    /// The media type: what the uploader declared, else what the name suggests.
    pub fn mime(&self) -> String {
        self.mime.clone().unwrap_or_else(|| guess_mime(&self.name))
    }
}

/// The media type that a name suggests.
pub(in crate::store) fn guess_mime(name: &str) -> String {
    match mime_guess::from_path(name).first_or_octet_stream().essence_str() {
        // A name that browsers do not know for what they play by the other.
        "audio/m4a" => "audio/mp4".to_owned(),
        known => known.to_owned(),
    }
}

/// Keeps a declared media type only where it says more than the name does: another type, or the charset of the same.
///
/// Some say nothing. Others are what a library declares that sends one type for everything, and count only under a name that
/// suggests nothing else: ownCloud's web client calls each file that it writes XML.
pub(in crate::store) fn declared_mime(declared: Option<&str>, name: &str) -> Option<String> {
    const SAYS_NOTHING: [&str; 3] =
        ["application/octet-stream", "application/x-www-form-urlencoded", "binary/octet-stream"];
    const OF_EVERYTHING: [&str; 2] = ["application/xml", "text/xml"];
    let declared = declared?.trim();
    let plain = declared.len() <= 128 && declared.is_ascii() && !declared.bytes().any(|b| b.is_ascii_control());
    let essence = declared.split(';').next()?.trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    let token = |part: &str| !part.is_empty() && part != "*" && part.bytes().all(is_token_byte);
    let guess = mime_guess::from_path(name).first();
    let says_more = match guess.as_ref().map(Mime::essence_str) {
        Some(guess) if guess == essence => has_charset(declared),
        Some(guess) => !OF_EVERYTHING.contains(&essence.as_str()) || OF_EVERYTHING.contains(&guess),
        None => true,
    };
    (plain && token(kind) && token(subtype) && says_more && !SAYS_NOTHING.contains(&essence.as_str()))
        .then(|| declared.to_owned())
}

/// Whether a media type tells its charset.
fn has_charset(declared: &str) -> bool {
    let names = declared.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    names.into_iter().any(|(name, value)| name.trim().eq_ignore_ascii_case("charset") && !value.trim().is_empty())
}

/// `tchar` of RFC 9110, 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A column that holds JSON as text; NULL is the default.
pub(in crate::store) fn json_text<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(T::default()),
        Some(text) => serde_json::from_str(&text).map_err(D::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_type_is_kept_only_where_it_says_more_than_the_name() {
        assert_eq!(declared_mime(Some("text/plain"), "notes.txt"), None);
        assert_eq!(declared_mime(Some("text/plain; format=flowed"), "notes.txt"), None);
        let latin1 = "text/plain; Charset=iso-8859-1";
        assert_eq!(declared_mime(Some(latin1), "notes.txt").as_deref(), Some(latin1));
        assert_eq!(declared_mime(Some("application/octet-stream"), "x"), None);
        assert_eq!(declared_mime(Some("text/x-diary"), "notes.txt"), Some("text/x-diary".to_owned()));
        assert_eq!(declared_mime(Some("nonsense"), "x"), None);
        assert_eq!(declared_mime(Some("*/*"), "x"), None);
        assert_eq!(declared_mime(Some("text/plain\r\nX-Evil: 1"), "x"), None);
    }

    #[test]
    fn xml_is_believed_where_the_name_suggests_nothing_else() {
        for xml in ["application/xml; charset=utf-8", "text/xml"] {
            for name in ["notes.txt", "photo.jpg", "drawing.svg"] {
                assert_eq!(declared_mime(Some(xml), name), None, "{name}");
            }
            for name in ["README", "a.unknown"] {
                assert_eq!(declared_mime(Some(xml), name).as_deref(), Some(xml), "{name}");
            }
        }
        assert_eq!(declared_mime(Some("application/xml"), "a.xml").as_deref(), Some("application/xml"));
        assert_eq!(declared_mime(Some("text/xml"), "a.xml"), None);
    }
}

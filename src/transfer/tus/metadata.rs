//! What a client tells of the file that it uploads.

use data_encoding::BASE64;

use crate::date::decimal_seconds;
use crate::error::{Error, Result};
use crate::name::read_name;
use crate::ports::Millis;
use crate::resource;
use crate::store::{Address, Checksum};

/// `Upload-Metadata`: pairs of a key and a value in base64.
#[derive(Debug, Default)]
pub struct Metadata {
    filename: Option<String>,
    folder: Option<String>,
    /// The media type that the client declares.
    pub mime: Option<String>,
    /// When the client's file was last modified.
    pub modified_at: Option<Millis>,
    /// What the client has computed of the whole file, as ownCloud's clients say it: `SHA1 hex`.
    pub checksum: Option<Checksum>,
}

impl Metadata {
    /// Reads the header: none where it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut metadata = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = String::from_utf8(BASE64.decode(value.trim().as_bytes()).ok()?).ok()?;
            match key {
                "filename" | "name" => metadata.filename = Some(value),
                "folderId" => metadata.folder = Some(value),
                "filetype" | "type" => metadata.mime = Some(value).filter(|value| !value.is_empty()),
                "checksum" => metadata.checksum = Checksum::parse(&value.replacen(' ', ":", 1)),
                "mtime" => metadata.modified_at = decimal_seconds(&value),
                _ => {}
            }
        }
        Some(metadata)
    }

    /// The folder that the file is to be in, and its name there.
    pub fn place(&self, folder: Address) -> Result<(Address, String)> {
        let filename = self.filename.as_deref().ok_or_else(|| Error::bad("Upload-Metadata has no filename"))?;
        let names = filename.split('/').filter(|name| !name.is_empty()).map(read_name);
        let mut names = names.collect::<Result<Vec<_>, _>>()?;
        let name = names.pop().ok_or_else(|| Error::bad("the filename is empty"))?;
        let folder = match (folder, &self.folder) {
            (Address::Path(path), None) => Address::Path([path, names].concat()),
            (Address::Path(path), Some(id)) if path.is_empty() && names.is_empty() => {
                Address::Id(resource::parse_id(id, "the folder")?)
            }
            (Address::Id(id), None) if names.is_empty() => Address::Id(id),
            _ => return Err(Error::bad("the filename holds a slash, or the folder is named twice")),
        };
        Ok((folder, name))
    }
}

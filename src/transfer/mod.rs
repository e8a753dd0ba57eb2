//! How HTTP moves a content: downloads with conditions and ranges, uploads against the quota.
//! Shared by REST and WebDAV.

mod browser;
mod conditional;
mod disposition;
mod download;
pub mod if_header;
mod multipart;
mod range;
pub mod tus;
mod upload;

pub use self::conditional::{Conditions, Verdict};
pub use self::disposition::Disposition;
pub use self::download::{Representation, date_header, download, download_version, etag_header};
pub use self::multipart::{MultipartReader, PartReader};
pub use self::upload::{LONGEST, announced_length, check_coding, receive, unscanned};

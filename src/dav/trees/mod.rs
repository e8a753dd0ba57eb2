//! What is beside the files of a drive, with methods of its own: uploads, the trash, versions, the collections above. May
//! import `methods`, `answer`, `props`, `request` and `xml`.

mod bulk;
pub mod chunked_v1;
pub mod meta;
pub mod private_link;
pub mod top;
pub mod trash;
pub mod uploads;
pub mod versions;

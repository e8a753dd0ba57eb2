//! What methods answer with: multistatus, listings, the page of a folder. May import `props`, `request` and `xml`.

pub mod found;
pub mod index;
pub mod listing;
pub mod multistatus;
pub mod response;

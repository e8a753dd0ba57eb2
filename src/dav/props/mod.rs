//! Properties: what a resource has, what a client asks for, and what it may set. May import `request` and `xml`.

pub mod client_props;
mod live;
pub mod lock_props;
pub mod property;
pub mod resource;
pub mod sync_props;
pub mod wanted;

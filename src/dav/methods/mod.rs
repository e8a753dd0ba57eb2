//! The methods of files and folders, one file each. May import `answer`, `props`, `request` and `xml`.

mod basicsearch;
pub mod copy_move;
pub mod delete;
pub mod get;
pub mod lock;
pub mod mkcol;
pub mod options;
pub mod propfind;
pub mod proppatch;
pub mod put;
pub mod recalculate;
pub mod report;
pub mod search;
pub mod unexpected;
pub mod unlock;

//! What clients do. How proptest draws operations is in `strategy`, the request that each becomes
//! in `requests`.

use crate::bearers::{Bearer, TokenUse};
use crate::pieces::Pieces;

/// A path without slashes at either end; the root is empty.
pub type Path = &'static str;

/// One thing that a client does. `nth` counts what there is at that time, over and over.
#[derive(Debug, Clone)]
pub enum Operation {
    /// `sized` tells whether its length is announced.
    Put {
        path: Path,
        data: Data,
        sized: bool,
        condition: Condition,
        tokens: Tokens,
    },
    Mkcol {
        path: Path,
        tokens: Tokens,
    },
    Delete {
        path: Path,
        condition: Condition,
        tokens: Tokens,
    },
    Copy {
        from: Path,
        to: Path,
        overwrite: bool,
        deep: bool,
        tokens: Tokens,
    },
    Move {
        from: Path,
        to: Path,
        overwrite: bool,
        tokens: Tokens,
    },
    /// Sets a property, or removes it where there is no value.
    Proppatch {
        path: Path,
        name: &'static str,
        value: Option<u8>,
        tokens: Tokens,
    },
    Lock {
        path: Path,
        exclusive: bool,
        infinite: bool,
        tokens: Tokens,
    },
    /// LOCK without a body, for the `nth` lock, on a path or where the lock was taken.
    Refresh {
        path: Option<Path>,
        nth: usize,
    },
    /// Likewise.
    Unlock {
        path: Option<Path>,
        nth: usize,
    },
    /// `POST /files`
    Upload {
        path: Path,
        data: Data,
    },
    /// `PATCH /files/{id}` or `/folders/{id}`
    Rename {
        path: Path,
        to: Path,
    },
    /// `DELETE /files/{id}` or `/folders/{id}`
    Remove {
        path: Path,
    },
    /// Restores the `nth` version, the earliest being the first.
    Restore {
        path: Path,
        nth: usize,
    },
    /// Puts back what was the `nth` to be deleted of what is in the trash.
    Undelete {
        nth: usize,
    },
    /// Deletes it for good.
    Purge {
        nth: usize,
    },
    /// An upload in pieces, by a token.
    Pieces {
        by: Bearer,
        pieces: Pieces,
    },
    /// Tokens, and writing by them.
    Token(TokenUse),
    /// Forty minutes pass; a lock lasts an hour.
    Wait,
}

/// The bytes of a file.
#[derive(Debug, Clone, Copy)]
pub struct Data {
    /// How many.
    pub length: usize,
    /// Each of them.
    pub byte: u8,
}

/// `If-Match` and `If-None-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    None,
    /// `If-Match` with the present entity tag, or `*` where there is nothing.
    Current,
    /// `If-Match` with an entity tag that nothing has.
    Other,
    /// `If-None-Match: *`
    Vacant,
}

/// The lock tokens that a request submits, in the header `If`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    None,
    /// All, in a header that always holds.
    All,
    /// All, each with the resource where the lock was taken.
    Tagged,
    /// The `nth`, which must cover the resource.
    Nth(usize),
}

impl Data {
    /// The bytes.
    pub fn bytes(self) -> Vec<u8> {
        vec![self.byte; self.length]
    }
}

/// Folders, files, versions and a property to begin with.
pub fn fixture() -> Vec<Operation> {
    vec![
        mkcol("a"),
        mkcol("b"),
        mkcol("a/b"),
        put("a/b/c", 10),
        put("a/b/c", 100),
        put("b/c", 20),
        put("c", 300),
        put("c", 30),
        proppatch("c"),
    ]
}

/// PUT of so many bytes, without conditions.
pub fn put(path: Path, length: usize) -> Operation {
    let (data, condition, tokens) = (Data { length, byte: b'0' }, Condition::None, Tokens::All);
    Operation::Put { path, data, sized: true, condition, tokens }
}

/// MKCOL
pub fn mkcol(path: Path) -> Operation {
    Operation::Mkcol { path, tokens: Tokens::None }
}

/// DELETE
pub fn delete(path: Path) -> Operation {
    Operation::Delete { path, condition: Condition::None, tokens: Tokens::None }
}

/// COPY with Depth infinity, onto whatever is there.
pub fn copy(from: Path, to: Path) -> Operation {
    Operation::Copy { from, to, overwrite: true, deep: true, tokens: Tokens::None }
}

/// MOVE onto whatever is there.
pub fn relocate(from: Path, to: Path) -> Operation {
    Operation::Move { from, to, overwrite: true, tokens: Tokens::None }
}

/// PROPPATCH that sets a property.
pub fn proppatch(path: Path) -> Operation {
    Operation::Proppatch { path, name: "p", value: Some(0), tokens: Tokens::None }
}

/// LOCK with Depth infinity.
pub fn lock(path: Path, exclusive: bool) -> Operation {
    Operation::Lock { path, exclusive, infinite: true, tokens: Tokens::None }
}

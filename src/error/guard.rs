//! What aborts a batch of the store.

/// What aborted a batch of the store: somebody else changed what the decision was based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The folder is gone, or is a file now.
    Parent,
    /// The node is no longer where it was.
    Gone,
    /// The name is taken now.
    Exists,
    /// The entity tag is another.
    Etag,
    /// A lock came or went.
    Lock,
    /// The destination is below the source now.
    Cycle,
    /// The upload took so long that its blob was given up.
    Upload,
    /// A virus was found in what is to be copied.
    Infected,
    /// The token was revoked, or has expired.
    Token,
    /// What is written to is no longer in the drive, or no longer in the folder that the token is confined to.
    Place,
}

/// What a drive may hold no more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Files and folders.
    Nodes,
    /// Dead properties and tags.
    Properties,
    /// Locks.
    Locks,
    /// Uploads in pieces.
    Uploads,
    /// Pieces of a content.
    Pieces,
    /// The depth of a folder, or the length of its path.
    Path,
    /// What a COPY makes.
    Copy,
    /// Tokens.
    Tokens,
}

impl Limit {
    /// What the client may read.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Nodes => "the drive holds too many files and folders",
            Self::Properties => "there are too many properties and tags",
            Self::Locks => "there are too many locks in the drive",
            Self::Uploads => "too many uploads are under way",
            Self::Pieces => "the upload has too many pieces",
            Self::Path => "the folder would be too deep in others, or its path too long",
            Self::Tokens => "the account has too many tokens",
            Self::Copy => "the folder holds too much to be copied at once",
        }
    }
}

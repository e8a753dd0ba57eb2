//! What a request asks to be read, and who asks.

/// Who asks, as the request says it: a token names its account, so that no directory is asked.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The account that the token belongs to, if it exists.
    pub account: i64,
    /// SHA-256 of the token in hexadecimal.
    pub hash: String,
}

/// How a request names a node.
#[derive(Debug, Clone)]
pub enum Address {
    /// Names from the caller's root folder downwards; empty for that folder.
    Path(Vec<String>),
    /// The node's number.
    Id(i64),
    /// A name in the folder of a number, whether anything has it or not.
    Member(i64, String),
    /// Names from the top of the trash downwards; empty for the trash itself. A token that is confined to a folder sees
    /// none of it.
    Trash(Vec<String>),
}

impl Address {
    /// What has that name in the folder at this address; none below what is itself named like that.
    pub fn member(&self, name: &str) -> Option<Self> {
        let with_name = |names: &[String]| names.iter().cloned().chain([name.to_owned()]).collect();
        match self {
            Self::Path(names) => Some(Self::Path(with_name(names))),
            Self::Trash(names) => Some(Self::Trash(with_name(names))),
            Self::Id(folder) => Some(Self::Member(*folder, name.to_owned())),
            Self::Member(..) => None,
        }
    }
}

/// What to read of each node besides its row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Detail {
    /// Dead properties, and tags.
    pub properties: bool,
    /// Digests.
    pub digests: bool,
    /// Digests and the parts of the content.
    pub parts: bool,
}

/// Which nodes below the first address to read.
#[derive(Debug, Clone, Default)]
pub enum Listing {
    /// None.
    #[default]
    Nothing,
    /// The members of the folder, in the order of their names, after a name and up to a number; fewer where their dead
    /// properties, if they are asked for, come to [`PAGE_BYTES`](crate::store::PAGE_BYTES).
    Members(String, i64),
    /// Everything below it, parents before their members, up to a number of nodes and one more.
    Below(i64),
    /// The files in the folder, likewise.
    Files(String, i64),
    /// The folders in the folder, in the order of their numbers, after a number and up to a number.
    Folders(i64, i64),
    /// All folders below it, likewise.
    FoldersBelow(i64, i64),
}

/// What a request reads, in one round trip.
#[derive(Debug, Clone, Default)]
pub struct ViewRequest {
    /// The nodes to find.
    pub addresses: Vec<Address>,
    /// What to read of the nodes on the way.
    pub detail: Detail,
    /// What to list below the first address.
    pub listing: Listing,
    /// What to read of the nodes in the listing.
    pub listing_detail: Detail,
    /// Whether to find the locks below the targets, which only operations on trees heed.
    pub locks_below: bool,
}

impl ViewRequest {
    /// Just the way to one node.
    pub fn of(address: Address) -> Self {
        Self { addresses: vec![address], ..Self::default() }
    }
}

//! What a token allows.

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, Result};

/// One thing that a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// List and download.
    Read,
    /// Upload, change and delete.
    Write,
    /// Manage the account's own tokens.
    Manage,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Manage];

    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Manage => "manage",
        }
    }
}

/// All that a token allows; in the database, names with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// The set of `scopes`, in the order read, write, manage. None for an empty set.
    pub fn new(scopes: &[Scope]) -> Option<Self> {
        let set: Vec<_> = Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).collect();
        (!set.is_empty()).then_some(Self(set))
    }

    /// Whether `scope` is among them.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// 403 if `scope` is not among them.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.has(scope) { Ok(()) } else { Err(Error::missing_scope(scope.name())) }
    }

    /// Whether they allow nothing that `other` does not.
    pub fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|scope| other.has(*scope))
    }

    pub(in crate::store) fn column(&self) -> String {
        self.0.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
    }
}

impl<'de> Deserialize<'de> for Scopes {
    /// From the column; names that this version does not know allow nothing.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let column = String::deserialize(deserializer)?;
        let names: Vec<_> = column.split(' ').collect();
        Ok(Self(Scope::ALL.into_iter().filter(|scope| names.contains(&scope.name())).collect()))
    }
}

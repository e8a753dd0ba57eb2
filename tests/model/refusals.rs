//! What the model refuses, and with which statuses. Where several reasons speak against an
//! operation, the drive may give any of them.

use std::collections::BTreeSet;

use crate::operation::{Condition, Operation, Tokens};
use crate::requests::nth_lock;
use crate::tree::{Tree, is_below, parent};

/// The statuses that answer an operation which is refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Refusals(BTreeSet<u16>);

impl Refusals {
    /// Whether nothing speaks against the operation.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the status is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.contains(&status)
    }

    /// Adds a status, if its reason applies.
    pub fn add(&mut self, status: u16, applies: bool) {
        if applies {
            self.0.insert(status);
        }
    }
}

impl Tree {
    /// The reasons against an operation.
    pub fn refusals(&self, operation: &Operation) -> Refusals {
        let mut no = Refusals::default();
        match operation {
            Operation::Put { path, data, condition, tokens, .. } => {
                self.refuse_put(&mut no, path, *tokens);
                no.add(412, !condition.holds(self.exists(path)) || !tokens.hold(self, path));
                no.add(507, data.length > self.available());
            }
            Operation::Mkcol { path, tokens } => {
                no.add(405, self.exists(path));
                no.add(409, !self.has_parent(path));
                no.add(412, !tokens.hold(self, path));
                no.add(423, self.parent_locked(path, *tokens));
            }
            Operation::Delete { path, condition, tokens } => {
                no.add(403, path.is_empty());
                no.add(404, !self.exists(path));
                no.add(412, !condition.holds(self.exists(path)) || !tokens.hold(self, path));
                no.add(423, self.cannot_leave(path, *tokens));
            }
            Operation::Copy { from, to, overwrite, tokens, .. } => {
                let changes_members = !(self.is_file(from) && self.is_file(to));
                self.refuse_transfer(&mut no, from, to, *overwrite, *tokens, changes_members);
            }
            Operation::Move { from, to, overwrite, tokens } => {
                self.refuse_transfer(&mut no, from, to, *overwrite, *tokens, true);
                no.add(423, self.cannot_leave(from, *tokens));
            }
            Operation::Proppatch { path, tokens, .. } => {
                no.add(404, !self.exists(path));
                no.add(412, !tokens.hold(self, path));
                no.add(423, self.is_locked(path, *tokens));
            }
            Operation::Lock { path, exclusive, infinite, tokens } => {
                self.refuse_lock(&mut no, path, *exclusive, *infinite, *tokens);
            }
            Operation::Refresh { path, nth } => no.add(412, !self.nth_lock_covers(*nth, *path)),
            Operation::Unlock { path, nth } => {
                no.add(404, path.is_some_and(|path| !self.exists(path)));
                no.add(409, !self.nth_lock_covers(*nth, *path));
            }
            Operation::Upload { path, data } => {
                no.add(404, !self.has_parent(path));
                no.add(409, self.is_folder(path));
                no.add(413, data.length > self.available());
                no.add(423, self.is_locked(path, Tokens::None) || self.parent_locked(path, Tokens::None));
            }
            Operation::Rename { path, to } => self.refuse_rename(&mut no, path, to),
            Operation::Remove { path } => {
                no.add(404, !self.exists(path));
                no.add(423, self.cannot_leave(path, Tokens::None));
            }
            Operation::Restore { path, .. } => {
                no.add(404, self.version_count(path) == 0);
                no.add(423, self.cannot_leave(path, Tokens::None));
            }
            Operation::Undelete { nth } => {
                no.add(404, self.trashed(*nth).is_none());
                no.add(423, self.trashed(*nth).is_some_and(|it| self.is_locked(self.home_of(it), Tokens::None)));
            }
            Operation::Purge { nth } => no.add(404, self.trashed(*nth).is_none()),
            Operation::Pieces { by, pieces } => self.refuse_pieces(&mut no, *by, pieces),
            Operation::Token(token_use) => self.refuse_token_use(&mut no, token_use),
            Operation::Wait => {}
        }
        if no.is_empty() {
            no.add(507, self.would_exceed_quota(operation));
        }
        no
    }

    /// The reasons against giving a content to a path, but for its conditions and its length.
    pub fn refuse_put(&self, no: &mut Refusals, path: &str, tokens: Tokens) {
        no.add(405, self.is_folder(path));
        no.add(409, !self.has_parent(path));
        no.add(423, if self.exists(path) { self.is_locked(path, tokens) } else { self.parent_locked(path, tokens) });
    }

    fn refuse_transfer(
        &self,
        no: &mut Refusals,
        from: &str,
        to: &str,
        overwrite: bool,
        tokens: Tokens,
        changes_members: bool,
    ) {
        no.add(403, from == to || is_below(from, to) || is_below(to, from));
        no.add(404, !self.exists(from));
        no.add(409, !self.has_parent(to));
        no.add(412, !tokens.hold(self, from) || self.exists(to) && !overwrite);
        no.add(423, self.exists(to) && (self.is_locked(to, tokens) || self.below_locked(to, tokens)));
        no.add(423, changes_members && self.parent_locked(to, tokens));
    }

    fn refuse_lock(&self, no: &mut Refusals, path: &str, exclusive: bool, infinite: bool, tokens: Tokens) {
        let below = self.locks().into_iter().filter(|(at, _)| infinite && is_below(at, path));
        no.add(207, below.into_iter().any(|(_, held)| exclusive || held.exclusive));
        no.add(412, !tokens.hold(self, path));
        no.add(423, self.covering(path).iter().any(|(_, held)| exclusive || held.exclusive));
        if !self.exists(path) {
            no.add(409, !self.has_parent(path));
            no.add(423, self.parent_locked(path, tokens));
        }
    }

    fn refuse_rename(&self, no: &mut Refusals, path: &str, to: &str) {
        no.add(403, is_below(to, path));
        no.add(404, !self.exists(path) || !self.has_parent(to));
        no.add(409, path != to && self.exists(to));
        no.add(423, self.cannot_leave(path, Tokens::None) || self.parent_locked(to, Tokens::None));
    }

    fn has_parent(&self, path: &str) -> bool {
        parent(path).is_some_and(|folder| self.is_folder(folder))
    }

    /// Whether locks hold for a path, and none of them is submitted.
    pub fn is_locked(&self, path: &str, tokens: Tokens) -> bool {
        let (locks, submitted) = (self.covering(path), tokens.submitted(self));
        !locks.is_empty() && !locks.iter().any(|(_, lock)| submitted.iter().any(|(_, token)| *token == lock.token))
    }

    /// Whether locks hold for the folder that a path is in, and none of them is submitted.
    pub fn parent_locked(&self, path: &str, tokens: Tokens) -> bool {
        parent(path).is_some_and(|folder| self.exists(folder) && self.is_locked(folder, tokens))
    }

    /// Whether there are locks on something below, none of which is submitted.
    fn below_locked(&self, path: &str, tokens: Tokens) -> bool {
        let submitted = tokens.submitted(self);
        let open = |node: &str| {
            let locks = self.locks().into_iter().filter(|(at, _)| *at == node);
            submitted.iter().any(|(_, token)| locks.clone().any(|(_, lock)| lock.token == *token))
        };
        self.locks().into_iter().any(|(at, _)| is_below(at, path) && !open(at))
    }

    /// Whether a lock keeps it from going away: on it, above it, below it, or on the folder it is in.
    fn cannot_leave(&self, path: &str, tokens: Tokens) -> bool {
        self.is_locked(path, tokens) || self.parent_locked(path, tokens) || self.below_locked(path, tokens)
    }

    fn nth_lock_covers(&self, nth: usize, path: Option<&str>) -> bool {
        let (token, root) = nth_lock(self, nth);
        self.covering(path.unwrap_or(&root)).iter().any(|(_, lock)| lock.token == token)
    }

    /// Bytes that the quota has left.
    pub fn available(&self) -> usize {
        self.settings.quota.map_or(usize::MAX, |quota| quota - self.used())
    }

    fn would_exceed_quota(&self, operation: &Operation) -> bool {
        let mut after = self.clone();
        after.carry_out(operation, "");
        self.settings.quota.is_some_and(|quota| after.used() > quota)
    }
}

impl Condition {
    fn holds(self, exists: bool) -> bool {
        match self {
            Self::None => true,
            Self::Current => exists,
            Self::Other => false,
            Self::Vacant => !exists,
        }
    }
}

impl Tokens {
    /// Whether the header `If` holds in a request for `path`.
    fn hold(self, tree: &Tree, path: &str) -> bool {
        match self {
            Self::None | Self::All | Self::Tagged => true,
            Self::Nth(_) => self
                .submitted(tree)
                .iter()
                .all(|(_, token)| tree.covering(path).iter().any(|(_, lock)| lock.token == *token)),
        }
    }
}

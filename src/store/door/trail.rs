//! The way to a node: whether it exists, where it is or would be, which locks hold for it.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::store::ground::lock::Lock;
use crate::store::ground::node::Node;

/// The way from the drive's root to a node, as far as it exists.
#[derive(Debug, Clone)]
pub struct Trail {
    /// From the drive's root downwards.
    pub(super) nodes: Vec<Node>,
    /// Which of `nodes` is the caller's root.
    pub(super) start: usize,
    /// The names below the caller's root that were asked for.
    pub(super) names: Vec<String>,
    /// The locks below the target, in the order of their tokens.
    pub locks_below: Vec<LockBelow>,
}

/// A lock on a node below another.
#[derive(Debug, Clone, Deserialize)]
pub struct LockBelow {
    /// The lock.
    #[serde(flatten)]
    pub lock: Lock,
    /// The node that is locked.
    pub node_id: i64,
    folder: i64,
    /// The names from the target to the locked node, with slashes between them.
    pub path: String,
}

impl LockBelow {
    /// Whether the locked node is a folder.
    pub fn is_folder(&self) -> bool {
        self.folder == 1
    }

    /// The names from the target to the locked node.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.path.split('/')
    }
}

impl Trail {
    /// The node that was asked for, if it exists.
    pub fn target(&self) -> Option<&Node> {
        (self.nodes.len() == self.start + self.names.len() + 1).then(|| self.nodes.last()).flatten()
    }

    /// The node that was asked for, or 404.
    pub fn existing(&self) -> Result<&Node> {
        self.target().ok_or(Error::NoResource)
    }

    /// The file that was asked for, or 404; a folder is none.
    pub fn existing_file(&self) -> Result<&Node> {
        self.target().filter(|node| !node.is_folder()).ok_or(Error::NotFound("the file"))
    }

    /// The folder in which the node is or would be, and its name there. 409 where that folder does
    /// not exist or is a file; 403 for the caller's root, which is in none.
    pub fn place(&self) -> Result<(&Node, &str)> {
        let name = self.names.last().ok_or_else(|| Error::Forbidden("the root folder stays as it is".to_owned()))?;
        let parent = self.nodes.get(self.start + self.names.len() - 1);
        match parent {
            Some(parent) if parent.is_folder() => Ok((parent, name)),
            _ => Err(Error::Conflict("the parent folder does not exist".to_owned())),
        }
    }

    /// The target's place in `nodes()`, if it exists.
    pub fn target_index(&self) -> Option<usize> {
        self.target().map(|_| self.nodes.len() - 1)
    }

    /// The place in `nodes()` of the folder that the target is or would be in, if that exists; the
    /// caller's root has one if it is not the drive's.
    pub fn parent_index(&self) -> Option<usize> {
        (self.start + self.names.len()).checked_sub(1).filter(|index| *index < self.nodes.len())
    }

    /// The locks that hold for `nodes()[index]`, each with the node that it was taken on: its own,
    /// and those of infinite depth above it.
    pub fn covering(&self, index: usize) -> impl Iterator<Item = (usize, &Lock)> {
        self.nodes.iter().enumerate().take(index + 1).flat_map(move |(at, node)| {
            node.locks.iter().filter(move |lock| at == index || lock.is_infinite()).map(move |lock| (at, lock))
        })
    }

    /// The locks that hold for the target, or would if it existed.
    pub fn covering_target(&self) -> impl Iterator<Item = (usize, &Lock)> {
        let target = self.target_index();
        self.nodes.iter().enumerate().flat_map(move |(at, node)| {
            node.locks.iter().filter(move |lock| Some(at) == target || lock.is_infinite()).map(move |lock| (at, lock))
        })
    }

    /// 423 under any lock that holds for `nodes()[index]`, for a request that can bring no lock tokens.
    pub fn check_unlocked(&self, index: Option<usize>) -> Result<()> {
        match index.and_then(|index| self.covering(index).next()) {
            Some(_) => Err(Error::Locked(Vec::new())),
            None => Ok(()),
        }
    }

    /// 423 under locks that hold for the file at the end of the way, or, where there is none yet, for the members of its
    /// folder, unless the token of one of them is submitted.
    pub fn check_file_unlocked(&self, is_submitted: impl Fn(&str) -> bool) -> Result<()> {
        let index = self.target_index().or(self.parent_index());
        let mut locks = index.into_iter().flat_map(|index| self.covering(index)).peekable();
        if locks.peek().is_none() || locks.any(|(_, lock)| is_submitted(&lock.token)) {
            Ok(())
        } else {
            Err(Error::Locked(Vec::new()))
        }
    }

    /// Whether the node is the caller's root folder.
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// The names from the caller's root to the node.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The nodes that exist, from the drive's root to the target or as far as they go.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// How many names lead from the caller's root to `nodes()[index]`; none above that root.
    pub fn depth(&self, index: usize) -> Option<usize> {
        index.checked_sub(self.start)
    }

    /// 403 for a node above the caller's root: a confined token has no say over its locks.
    pub fn check_own(&self, index: usize) -> Result<()> {
        match self.depth(index) {
            Some(_) => Ok(()),
            None => Err(Error::Forbidden("the lock was taken outside the token's folder".to_owned())),
        }
    }

    /// Whether the node of that number is on the way, the target included.
    pub fn passes(&self, id: i64) -> bool {
        self.nodes.iter().any(|node| node.id == id)
    }
}

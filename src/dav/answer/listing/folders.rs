//! What the members of folders take from above, while a listing is written.
//!
//! Of a folder below the top, its name is kept and not its whole href: a deep tree takes no more memory than its names.

use std::collections::HashMap;
use std::rc::Rc;

use crate::dav::props::resource::Deletion;
use crate::dav::request::path::encode_segment;
use crate::dav::request::trash_names::item_name;
use crate::store::{Lock, Node, Trashed};

/// Locks, each with the href that it was taken on; shared by all that it holds for.
pub type Locks = Rc<[(Lock, String)]>;

/// The folders of a listing; parents come before their members.
pub struct Folders {
    /// The number of the folder at the top.
    top: i64,
    /// Its href.
    pub href: String,
    /// The locks on it that hold for everything below it.
    pub locks: Locks,
    /// How it was deleted, if it was.
    deletion: Option<Deletion>,
    /// The items of the trash, by number.
    trashed: HashMap<i64, Trashed>,
    below: HashMap<i64, Folder>,
}

struct Folder {
    parent: i64,
    name: String,
    locks: Locks,
}

impl Folders {
    /// With the folder at the top, where everything begins: its number, its href, the locks on it that hold for everything
    /// below it, and how it was deleted. In the trash, with the items that were read.
    pub fn below(top: i64, href: String, locks: Locks, deletion: Option<Deletion>, trashed: Vec<Trashed>) -> Self {
        let trashed = trashed.into_iter().map(|trashed| (trashed.node.id, trashed)).collect();
        Self { top, href, locks, deletion, trashed, below: HashMap::new() }
    }

    /// Keeps a folder, for its members.
    pub fn add(&mut self, node: &Node, locks: Locks) {
        if let Some(parent) = node.parent_id {
            self.below.insert(node.id, Folder { parent, name: node.name.clone(), locks });
        }
    }

    /// The locks that hold for everything below the folder that a node is in; none for a folder that is not known.
    pub fn locks_above(&self, node: &Node) -> Option<Locks> {
        let folder = node.parent_id?;
        let known = if folder == self.top { Some(&self.locks) } else { self.below.get(&folder).map(|it| &it.locks) };
        known.map(Rc::clone)
    }

    /// The href of a node; none where its folder is not known.
    pub fn href_of(&self, node: &Node) -> Option<String> {
        let mut names = vec![self.segment(node.id, &node.name)];
        let mut folder = node.parent_id?;
        while folder != self.top {
            let above = self.below.get(&folder)?;
            names.push(self.segment(folder, &above.name));
            folder = above.parent;
        }
        names.reverse();
        let slash = if node.is_folder() { "/" } else { "" };
        Some(format!("{}{}{slash}", self.href, names.join("/")))
    }

    /// A name as it stands in an href: an item of the trash has one of its own.
    fn segment(&self, id: i64, name: &str) -> String {
        match self.trashed.get(&id) {
            Some(trashed) => encode_segment(&item_name(trashed)).to_string(),
            None => encode_segment(name).to_string(),
        }
    }

    /// How a node of the trash was deleted, by itself or with a folder that it is in.
    pub fn deletion_of(&self, node: &Node) -> Option<Deletion> {
        let mut names = vec![node.name.as_str()];
        let mut id = node.id;
        let mut parent = node.parent_id;
        loop {
            let known = self.trashed.get(&id).map(Deletion::of);
            if let Some(known) = known.or_else(|| self.deletion.clone().filter(|_| id == self.top)) {
                // The last name is that of what is known.
                names.pop();
                names.reverse();
                return Some(known.below(&names));
            }
            id = parent.filter(|_| id != self.top)?;
            let above = self.below.get(&id);
            names.push(above.map(|above| above.name.as_str()).unwrap_or_default());
            parent = above.map(|above| above.parent);
        }
    }
}

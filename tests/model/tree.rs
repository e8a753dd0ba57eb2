//! The model: a drive as a tree in memory, and what each operation makes of it. When it refuses one
//! is in `refusals`.

use std::collections::BTreeMap;
use std::iter;
use std::rc::Rc;

use crate::bearers::Token;
use crate::listing::{Contents, Entry, Held};
use crate::operation::Operation;
use crate::pieces::Upload;
use crate::requests::nth_lock;
use crate::world::Settings;

/// How long a lock lasts, and how long `Wait` takes, in minutes.
const LOCK_MINUTES: u64 = 60;
pub const WAIT_MINUTES: u64 = 40;

/// The drive.
#[derive(Debug, Clone)]
pub struct Tree {
    /// By path, without slashes at either end; the root is empty.
    nodes: BTreeMap<String, Node>,
    /// In the order in which it was deleted.
    trash: Vec<Trashed>,
    /// Uploads in pieces, in the order in which they were begun.
    pub uploads: Vec<Upload>,
    /// Tokens, in the order in which they were made.
    pub tokens: Vec<Token>,
    /// What it was set to.
    pub settings: Settings,
    minute: u64,
    counter: u64,
}

/// A file or folder.
#[derive(Debug, Clone)]
pub struct Node {
    /// Stays the same wherever it moves.
    pub id: u64,
    /// Another one after each change at it or below it.
    pub revision: u64,
    /// None for a folder.
    file: Option<File>,
    properties: BTreeMap<&'static str, u8>,
    locks: Vec<Lock>,
}

/// A file, or a folder and everything below it, that was deleted.
#[derive(Debug, Clone)]
pub struct Trashed {
    /// The folder that it was in.
    folder: u64,
    name: String,
    /// With what follows the path of the first of them.
    nodes: Vec<(String, Node)>,
}

/// Bytes, shared by copies.
type Content = Rc<Vec<u8>>;

#[derive(Debug, Clone)]
struct File {
    content: Content,
    /// In the order in which they were replaced, with the number of that event.
    versions: Vec<(u64, Content)>,
}

/// A lock.
#[derive(Debug, Clone)]
pub struct Lock {
    pub token: String,
    pub exclusive: bool,
    pub infinite: bool,
    until: u64,
}

/// The path of the folder that a path is in; none for the root.
pub fn parent(path: &str) -> Option<&str> {
    (!path.is_empty()).then(|| path.rsplit_once('/').map_or("", |(parent, _)| parent))
}

/// The last name of a path.
pub fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether a path is below another, at any depth.
pub fn is_below(path: &str, top: &str) -> bool {
    path != top && (top.is_empty() || path.strip_prefix(top).is_some_and(|rest| rest.starts_with('/')))
}

impl Tree {
    /// An empty drive.
    pub fn new(settings: Settings) -> Self {
        let (nodes, trash, uploads, tokens) = (BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
        let mut tree = Self { nodes, trash, uploads, tokens, settings, minute: 0, counter: 0 };
        tree.insert("", None);
        tree
    }

    /// Whether there is something.
    pub fn exists(&self, path: &str) -> bool {
        self.nodes.contains_key(path)
    }

    /// Whether there is a folder.
    pub fn is_folder(&self, path: &str) -> bool {
        self.nodes.get(path).is_some_and(|node| node.file.is_none())
    }

    /// Whether there is a file.
    pub fn is_file(&self, path: &str) -> bool {
        self.exists(path) && !self.is_folder(path)
    }

    /// All files and folders with their paths.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// All locks, with the paths where they were taken.
    pub fn locks(&self) -> Vec<(&str, &Lock)> {
        self.nodes().flat_map(|(path, node)| node.locks_at(path)).collect()
    }

    /// The locks that hold for a path, whether anything is there or not, with the paths where they
    /// were taken: those on it, and those of infinite depth above it.
    pub fn covering(&self, path: &str) -> Vec<(&str, &Lock)> {
        let covers = |(at, lock): &(&str, &Lock)| *at == path || lock.infinite && is_below(path, at);
        self.locks().into_iter().filter(covers).collect()
    }

    /// The bytes of a file.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.file(path).map(|file| file.content.as_slice())
    }

    /// How many versions a file has.
    pub fn version_count(&self, path: &str) -> usize {
        self.file(path).map_or(0, |file| file.versions.len())
    }

    /// Bytes that count for the quota.
    pub fn used(&self) -> usize {
        let trashed = self.trash.iter().flat_map(|trashed| &trashed.nodes).map(|(_, node)| node);
        let files = self.nodes.values().chain(trashed).filter_map(|node| node.file.as_ref());
        let of_file = |file: &File| file.content.len() + file.versions.iter().map(|(_, old)| old.len()).sum::<usize>();
        files.map(of_file).sum::<usize>() + self.pending()
    }

    /// What a PROPFIND of everything is to show.
    pub fn entries(&self) -> BTreeMap<String, Entry> {
        self.nodes().map(|(path, node)| (path.to_owned(), self.entry(path, node))).collect()
    }

    fn entry(&self, path: &str, node: &Node) -> Entry {
        let held = |(root, lock): (&str, &Lock)| Held {
            root: root.to_owned(),
            token: lock.token.clone(),
            exclusive: lock.exclusive,
            infinite: lock.infinite,
        };
        let mut locks: Vec<_> = self.covering(path).into_iter().map(held).collect();
        locks.sort();
        Entry {
            length: node.file.as_ref().map(|file| file.content.len()),
            properties: node.properties.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect(),
            locks,
        }
    }

    /// What a client is to read of all files.
    pub fn contents(&self) -> BTreeMap<String, Contents> {
        let files = self.nodes().filter_map(|(path, node)| Some((path, node.file.as_ref()?)));
        files.map(|(path, file)| (path.to_owned(), file.contents())).collect()
    }

    /// Does what is not refused, and gives the status of the answer. `token` is what the world
    /// answered with: a lock token, the name of an upload, or a token and its number.
    pub fn carry_out(&mut self, operation: &Operation, token: &str) -> u16 {
        match operation {
            Operation::Put { path, data, .. } => created_or_changed(self.give(path, Rc::new(data.bytes()))),
            Operation::Upload { path, data } => {
                self.give(path, Rc::new(data.bytes()));
                201
            }
            Operation::Mkcol { path, .. } => {
                self.insert(path, None);
                201
            }
            Operation::Delete { path, .. } | Operation::Remove { path } => {
                self.discard(path);
                204
            }
            Operation::Copy { from, to, deep, .. } => created_or_changed(self.copy(from, to, *deep)),
            Operation::Move { from, to, .. } => created_or_changed(self.relocate(from, to)),
            Operation::Rename { path, to } => {
                if path != to {
                    self.relocate(path, to);
                }
                200
            }
            Operation::Proppatch { path, name, value, .. } => {
                self.set_property(path, name, *value);
                207
            }
            Operation::Lock { path, exclusive, infinite, .. } => self.lock(path, token, *exclusive, *infinite),
            Operation::Refresh { nth, .. } => {
                let (token, until) = (nth_lock(self, *nth).0, self.minute + LOCK_MINUTES);
                self.change_locks(|lock| {
                    if lock.token == token {
                        lock.until = until;
                    }
                    true
                });
                200
            }
            Operation::Unlock { nth, .. } => {
                let token = nth_lock(self, *nth).0;
                self.change_locks(|lock| lock.token != token);
                204
            }
            Operation::Restore { path, nth } => {
                self.restore(path, *nth);
                200
            }
            Operation::Undelete { nth } => {
                self.undelete(*nth);
                200
            }
            Operation::Purge { nth } => {
                self.trash.remove(nth % self.trash.len());
                204
            }
            Operation::Pieces { by, pieces } => self.carry_out_pieces(*by, pieces, token),
            Operation::Token(token_use) => self.use_token(token_use, token),
            Operation::Wait => {
                self.minute += WAIT_MINUTES;
                let now = self.minute;
                self.change_locks(|lock| lock.until > now);
                0
            }
        }
    }

    fn file(&self, path: &str) -> Option<&File> {
        self.nodes.get(path)?.file.as_ref()
    }

    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Notes a change at a path: for it and all folders above it.
    fn touch(&mut self, path: &str) {
        let revision = self.next();
        for above in iter::successors(Some(path), |path| parent(path)) {
            if let Some(node) = self.nodes.get_mut(above) {
                node.revision = revision;
            }
        }
    }

    /// Makes a file, or a folder.
    fn insert(&mut self, path: &str, content: Option<Content>) {
        let file = content.map(|content| File { content, versions: Vec::new() });
        let node = Node { id: self.next(), revision: 0, file, properties: BTreeMap::new(), locks: Vec::new() };
        self.nodes.insert(path.to_owned(), node);
        self.touch(path);
    }

    /// Gives a content to a name, which may be a file's; says whether the name is new.
    pub fn give(&mut self, path: &str, content: Content) -> bool {
        let (event, kept) = (self.next(), self.settings.versions_kept);
        let Some(file) = self.nodes.get_mut(path).and_then(|node| node.file.as_mut()) else {
            self.insert(path, Some(content));
            return true;
        };
        file.replace(content, event, kept);
        self.touch(path);
        false
    }

    fn remove(&mut self, path: &str) {
        self.nodes.retain(|other, _| other != path && !is_below(other, path));
        if let Some(folder) = parent(path) {
            self.touch(folder);
        }
    }

    /// Takes something to the trash, if there is one.
    fn discard(&mut self, path: &str) {
        let folder = parent(path).and_then(|folder| self.nodes.get(folder));
        if let (true, true, Some(folder)) = (self.settings.trash, self.exists(path), folder) {
            let there = |other: &str| other == path || is_below(other, path);
            let nodes = self.nodes.iter().filter(|(other, _)| there(other));
            let nodes =
                nodes.map(|(other, node)| (other[path.len()..].to_owned(), Node { locks: Vec::new(), ..node.clone() }));
            let trashed = Trashed { folder: folder.id, name: name(path).to_owned(), nodes: nodes.collect() };
            self.trash.push(trashed);
        }
        self.remove(path);
    }

    /// Whether a node is in the trash.
    pub fn is_trashed(&self, id: u64) -> bool {
        self.trash.iter().flat_map(|trashed| &trashed.nodes).any(|(_, node)| node.id == id)
    }

    /// What was the `nth` to be deleted.
    pub fn trashed(&self, nth: usize) -> Option<&Trashed> {
        self.trash.get(nth % self.trash.len().max(1))
    }

    /// The folder that something is put back into: its own, or the root if that is gone.
    pub fn home_of(&self, trashed: &Trashed) -> &str {
        self.nodes().find(|(_, node)| node.id == trashed.folder).map_or("", |(path, _)| path)
    }

    fn undelete(&mut self, nth: usize) {
        let trashed = self.trash.remove(nth % self.trash.len());
        let home = self.home_of(&trashed);
        let names = iter::once(trashed.name.clone())
            .chain(iter::once(format!("{} (restored)", trashed.name)))
            .chain((2..).map(|nth| format!("{} (restored {nth})", trashed.name)));
        let mut paths = names.map(|name| if home.is_empty() { name } else { format!("{home}/{name}") });
        let path = paths.find(|path| !self.exists(path)).expect("there are many names");
        for (rest, node) in trashed.nodes {
            self.nodes.insert(format!("{path}{rest}"), node);
        }
        if let Some(folder) = parent(&path) {
            self.touch(folder);
        }
    }

    /// Moves, and says whether the destination is new. Locks stay behind, and so do those of what is replaced; the versions of a file
    /// that a file replaces, with its content as the latest, become those of the other.
    fn relocate(&mut self, from: &str, to: &str) -> bool {
        let (event, kept) = (self.next(), self.settings.versions_kept);
        let replaced = self.nodes.get(to).cloned();
        let moved = |path: &str| path == from || is_below(path, from);
        let tree: Vec<_> =
            self.nodes.iter().filter(|(path, _)| moved(path)).map(|(p, n)| (p.clone(), n.clone())).collect();
        self.remove(from);
        if self.is_file(to) && tree.len() == 1 && tree[0].1.file.is_some() {
            self.remove(to);
        } else {
            self.discard(to);
        }
        for (path, node) in tree {
            let path = format!("{to}{}", &path[from.len()..]);
            self.nodes.insert(path, Node { locks: Vec::new(), ..node });
        }
        let created = replaced.is_none();
        self.keep_locks(to, replaced.as_ref());
        let heir = self.nodes.get_mut(to).and_then(|node| node.file.as_mut());
        if let (Some(heir), Some(old)) = (heir, replaced.and_then(|node| node.file)) {
            heir.adopt(old, event, kept);
        }
        created
    }

    /// Copies, and says whether the destination is new. Contents and properties are copied, locks
    /// and versions are not, but the locks of what is replaced stay; a file that is copied onto a file is a new content of that.
    fn copy(&mut self, from: &str, to: &str, deep: bool) -> bool {
        let created = !self.exists(to);
        let source = self.nodes[from].clone();
        if let (Some(file), false) = (&source.file, self.is_folder(to)) {
            self.give(to, file.content.clone());
            if let Some(copy) = self.nodes.get_mut(to) {
                copy.properties = source.properties;
            }
            return created;
        }
        let copied = |path: &str| path == from || deep && is_below(path, from);
        let tree: Vec<_> =
            self.nodes.iter().filter(|(path, _)| copied(path)).map(|(p, n)| (p.clone(), n.clone())).collect();
        let replaced = self.nodes.get(to).cloned();
        self.discard(to);
        for (path, node) in tree {
            let path = format!("{to}{}", &path[from.len()..]);
            self.insert(&path, node.file.map(|file| file.content));
            if let Some(copy) = self.nodes.get_mut(&path) {
                copy.properties = node.properties;
            }
        }
        self.keep_locks(to, replaced.as_ref());
        created
    }

    /// The locks of what was at a path are those of what is there now.
    fn keep_locks(&mut self, path: &str, replaced: Option<&Node>) {
        if let (Some(heir), Some(replaced)) = (self.nodes.get_mut(path), replaced) {
            heir.locks.clone_from(&replaced.locks);
        }
    }

    fn set_property(&mut self, path: &str, name: &'static str, value: Option<u8>) {
        let properties = &mut self.nodes.get_mut(path).expect("it exists").properties;
        match value {
            Some(value) => properties.insert(name, value),
            None => properties.remove(name),
        };
    }

    /// Locks; where nothing is, an empty file that it makes.
    fn lock(&mut self, path: &str, token: &str, exclusive: bool, infinite: bool) -> u16 {
        let created = !self.exists(path);
        if created {
            self.give(path, Rc::default());
        }
        let lock = Lock { token: token.to_owned(), exclusive, infinite, until: self.minute + LOCK_MINUTES };
        self.nodes.get_mut(path).expect("it exists").locks.push(lock);
        if created { 201 } else { 200 }
    }

    fn change_locks(&mut self, mut keep: impl FnMut(&mut Lock) -> bool) {
        for node in self.nodes.values_mut() {
            node.locks.retain_mut(&mut keep);
        }
    }

    fn restore(&mut self, path: &str, nth: usize) {
        let file = self.nodes.get_mut(path).and_then(|node| node.file.as_mut()).expect("it is a file");
        let (_, content) = file.versions.remove(nth % file.versions.len());
        self.give(path, content);
    }
}

fn created_or_changed(created: bool) -> u16 {
    if created { 201 } else { 204 }
}

impl Node {
    fn locks_at<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a Lock)> {
        self.locks.iter().map(move |lock| (path, lock))
    }
}

impl File {
    fn contents(&self) -> Contents {
        let versions = self.versions.iter().rev().map(|(_, content)| content.to_vec()).collect();
        Contents { present: self.content.to_vec(), versions }
    }

    /// The present content becomes a version, unless it is empty or stays.
    fn replace(&mut self, content: Content, event: u64, kept: usize) {
        if self.content != content {
            let former = std::mem::replace(&mut self.content, content);
            if !former.is_empty() {
                self.versions.push((event, former));
            }
        }
        self.prune(kept);
    }

    /// Takes over what a file had that this one replaces.
    fn adopt(&mut self, old: Self, event: u64, kept: usize) {
        self.versions.extend(old.versions);
        if !old.content.is_empty() && self.content != old.content {
            self.versions.push((event, old.content));
        }
        self.versions.sort_by_key(|(event, _)| *event);
        self.prune(kept);
    }

    fn prune(&mut self, kept: usize) {
        let surplus = self.versions.len().saturating_sub(kept);
        self.versions.drain(..surplus);
    }
}

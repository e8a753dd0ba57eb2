//! Imports run one way: a module names only modules below it, and no two files know each other. `src/lib.rs` tells the order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

/// The modules from the ground floor upwards; those of one line do not know each other.
const FLOORS: [&[&str]; 13] = [
    &["ports", "name"],
    &["body", "crypto", "date", "media", "s3", "scan"],
    &["config"],
    &["error", "page"],
    &["store"],
    &["auth", "resource"],
    &["webhooks"],
    &["jobs"],
    &["context"],
    &["cors", "fsck", "transfer"],
    &["handlers", "dav"],
    &["route"],
    &["runtime"],
];

/// The same for the rooms within a module.
const ROOMS: [(&str, &[&[&str]]); 2] = [
    ("store", &[&["ground"], &["door"], &["jobs"], &["contents"], &["tree"], &["search"], &["directory"]]),
    ("dav", &[&["xml"], &["request"], &["props"], &["answer"], &["methods"], &["trees"]]),
];

/// Names that only adapters may know.
const PLATFORMS: [&str; 5] = ["worker::", "worker_sys::", "wasm_bindgen::", "spin_sdk::", "rusqlite::"];

/// A module's path below the crate, which has none.
type Module = Vec<String>;

/// A file of the program.
#[derive(Default)]
struct Source {
    /// What is declared in it, by `mod x;`.
    children: BTreeSet<String>,
    /// Names that are here, but from elsewhere, by `pub use`.
    passed_on: BTreeMap<String, Module>,
    /// All other paths into the crate that its program names, tests left out.
    named: BTreeSet<Module>,
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each source file and its text.
fn files() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    sources(Path::new("src"), &mut paths);
    assert!(paths.len() > 50, "the sources were not found");
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn module_of(path: &Path) -> Module {
    let names =
        path.with_extension("").iter().skip(1).map(|name| name.to_str().unwrap().to_owned()).collect::<Vec<_>>();
    match names.split_last() {
        Some((last, above)) if ["mod", "lib"].contains(&last.as_str()) => above.to_vec(),
        _ => names,
    }
}

/// The program, without what is there for tests alone.
fn program() -> BTreeMap<Module, Source> {
    let mut program = BTreeMap::new();
    for (path, text) in files() {
        let module = module_of(&path);
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut reader = Reader { module: module.clone(), source: Source::default() };
        reader.visit_file(&file);
        program.insert(module, reader.source);
    }
    let tests: Vec<Module> =
        program.keys().filter(|module| module.last().is_some_and(|name| name == "tests")).cloned().collect();
    program.retain(|module, _| !tests.iter().any(|tests| module.starts_with(tests)));
    program
}

/// Collects what a file names.
struct Reader {
    module: Module,
    source: Source,
}

impl Reader {
    /// A path below the crate; none for paths into other crates, and for names that are in scope.
    fn below_the_crate(&self, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut module = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.module.clone(),
            _ => return None,
        };
        let ups = path.iter().take_while(|name| *name == "super").count();
        module.truncate(module.len().checked_sub(ups).unwrap());
        module.extend(rest.iter().skip(ups.saturating_sub(1)).cloned());
        Some(module)
    }

    fn add_use(&mut self, passed_on: bool, before: &[String], tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                self.add_use(passed_on, &[before, &[path.ident.to_string()]].concat(), &path.tree);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_use(passed_on, before, tree)),
            UseTree::Name(name) => self.add(passed_on, before, &name.ident.to_string(), None),
            UseTree::Rename(name) => {
                self.add(passed_on, before, &name.ident.to_string(), Some(name.rename.to_string()));
            }
            UseTree::Glob(_) => self.add(passed_on, before, "*", None),
        }
    }

    fn add(&mut self, passed_on: bool, before: &[String], name: &str, here: Option<String>) {
        let path = if name == "self" { before.to_vec() } else { [before, &[name.to_owned()]].concat() };
        let Some(module) = self.below_the_crate(&path) else { return };
        if passed_on {
            self.source.passed_on.insert(here.unwrap_or_else(|| name.to_owned()), module);
        } else {
            self.source.named.insert(module);
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_none() {
            self.source.children.insert(item.ident.to_string());
        }
        syn::visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_use(!matches!(item.vis, Visibility::Inherited), &[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1
            && let Some(module) = self.below_the_crate(&names)
        {
            self.source.named.insert(module);
        }
        syn::visit::visit_path(self, path);
    }
}

/// The file in which that stands which a path names.
fn home(program: &BTreeMap<Module, Source>, path: &[String]) -> Module {
    let mut module = Module::new();
    let mut rest = path;
    while let Some((name, after)) = rest.split_first() {
        let source = &program[&module];
        if source.children.contains(name) && program.contains_key(&[&*module, std::slice::from_ref(name)].concat()) {
            module.push(name.clone());
            rest = after;
        } else if let Some(elsewhere) = source.passed_on.get(name) {
            return home(program, &[&**elsewhere, after].concat());
        } else {
            break;
        }
    }
    module
}

/// Which files each file imports.
fn imports(program: &BTreeMap<Module, Source>) -> BTreeMap<&Module, BTreeSet<Module>> {
    let of = |module: &Module, source: &Source| {
        source.named.iter().map(|path| home(program, path)).filter(|other| other != module).collect()
    };
    program.iter().map(|(module, source)| (module, of(module, source))).collect()
}

fn shown(module: &[String]) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("::") }
}

#[test]
fn no_two_files_know_each_other() {
    let program = program();
    let mut left = imports(&program);
    // Whoever imports nothing that is left, or is imported by nothing that is left, is in no circle.
    loop {
        let imported: BTreeSet<Module> = left.values().flatten().cloned().collect();
        let known: BTreeSet<Module> = left.keys().map(|module| (*module).clone()).collect();
        let before = left.len();
        left.retain(|module, imports| imports.iter().any(|other| known.contains(other)) && imported.contains(*module));
        if left.len() == before {
            break;
        }
    }
    let circles: Vec<String> = left
        .iter()
        .map(|(module, imports)| {
            let others = imports.iter().filter(|other| left.contains_key(other)).map(|other| shown(other));
            format!("{} imports {}", shown(module), others.collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert!(circles.is_empty(), "in circles:\n{}", circles.join("\n"));
}

/// Holds that of the modules in `above`, whose names stand after it in a path, each imports only from below.
fn only_from_below(imports: &BTreeMap<&Module, BTreeSet<Module>>, above: &[&str], floors: &[&[&str]]) {
    let floor = |module: &[String]| {
        let inside = module.iter().zip(above).filter(|(name, above)| name == above).count() == above.len();
        let name = module.get(above.len()).filter(|_| inside)?;
        let floor = floors.iter().position(|names| names.contains(&name.as_str()));
        Some((name.clone(), floor.unwrap_or_else(|| panic!("{name} has no floor in tests/layers.rs"))))
    };
    for (module, others) in imports {
        let Some((name, own)) = floor(module) else { continue };
        for other in others {
            let Some((other_name, below)) = floor(other) else { continue };
            assert!(
                name == other_name || below < own,
                "{} imports {}, which is not below it",
                shown(module),
                shown(other)
            );
        }
    }
}

#[test]
fn a_module_imports_only_from_below() {
    let program = program();
    let imports = imports(&program);
    only_from_below(&imports, &[], &FLOORS);
    for (module, floors) in ROOMS {
        only_from_below(&imports, &module.split("::").collect::<Vec<_>>(), floors);
    }
}

#[test]
fn only_adapters_name_a_platform() {
    for (path, text) in files() {
        if path.starts_with("src/runtime") {
            continue;
        }
        let code = without_comments(&text);
        for platform in PLATFORMS {
            let named = code
                .match_indices(platform)
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':'));
            assert!(!named, "{} names {platform}", path.display());
        }
    }
}

#[test]
fn sql_is_in_the_store_and_nowhere_else() {
    for (path, text) in files() {
        if ["src/store", "src/ports", "src/runtime"].iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        for word in ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"] {
            assert!(!without_comments(&text).contains(word), "{} holds SQL", path.display());
        }
    }
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

//! Imports run one way: a module names only modules below it. `src/lib.rs` tells the order.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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
    &["runtime", "lib"],
];

/// Modules that tests of any floor may use.
const FOR_TESTS: [&str; 1] = ["runtime"];

/// Names that only adapters may know.
const PLATFORMS: [&str; 5] = ["worker::", "worker_sys::", "wasm_bindgen::", "spin_sdk::", "rusqlite::"];

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

/// Each source file with its module of the first level and its code without comments.
fn modules() -> Vec<(PathBuf, String, String)> {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    assert!(files.len() > 50, "the sources were not found");
    files
        .into_iter()
        .map(|path| {
            let module =
                path.components().nth(1).unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            (path, module, code)
        })
        .collect()
}

#[test]
fn a_module_imports_only_from_below() {
    let floor: BTreeMap<&str, usize> =
        FLOORS.iter().enumerate().flat_map(|(floor, names)| names.iter().map(move |name| (*name, floor))).collect();
    for (path, module, code) in modules() {
        let own = floor.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no floor in tests/layers.rs"));
        let (program, tests) = match code.split_once("#[cfg(test)]") {
            _ if path.ends_with("tests.rs") => ("", &*code),
            Some(parts) => parts,
            None => (&*code, ""),
        };
        for (text, is_test) in [(program, false), (tests, true)] {
            for import in text.split("crate::").skip(1) {
                let name: String = import.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let Some(other) = floor.get(name.as_str()) else { continue };
                let allowed = name == module || other < own || (is_test && FOR_TESTS.contains(&name.as_str()));
                assert!(allowed, "{} imports crate::{name}, which is not below it", path.display());
            }
        }
    }
}

#[test]
fn only_adapters_name_a_platform() {
    for (path, module, code) in modules() {
        if module == "runtime" {
            continue;
        }
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
    for (path, module, code) in modules() {
        if module == "store" || module == "ports" || module == "runtime" {
            continue;
        }
        for word in ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"] {
            assert!(!code.contains(word), "{} holds SQL", path.display());
        }
    }
}

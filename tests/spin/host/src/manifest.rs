//! `spin.toml`, manifest version 2: the part that this host can honour. Anything else in it is refused, so that a test
//! never passes here on a manifest which means something different to Spin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// An application with one component, which gets every request.
#[derive(Debug)]
pub struct Manifest {
    /// `[variables]`.
    pub variables: BTreeMap<String, Variable>,
    /// The name of the component.
    pub component_id: String,
    /// `[component.ID]`.
    pub component: Component,
}

/// An application variable.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its value unless one is given.
    pub default: Option<String>,
    /// Whether one must be given.
    #[serde(default)]
    pub required: bool,
    #[serde(default, rename = "secret")]
    _secret: bool,
    #[serde(default, rename = "description")]
    _description: String,
}

/// A component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The file with the component, relative to the manifest until [`Manifest::read`] has joined them.
    pub source: PathBuf,
    /// Templates of the values that the component can read.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Templates of the places that it may send requests to.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// The databases that it may open.
    #[serde(default)]
    pub sqlite_databases: Vec<String>,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(rename = "build")]
    _build: Option<IgnoredAny>,
    #[serde(rename = "tool")]
    _tool: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    spin_manifest_version: u32,
    #[serde(rename = "application")]
    _application: Application,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    #[serde(rename = "name")]
    _name: String,
    #[serde(default, rename = "version")]
    _version: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    #[serde(rename = "tool")]
    _tool: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    http: Vec<HttpTrigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    route: String,
    component: String,
    #[serde(default, rename = "id")]
    _id: String,
}

impl Manifest {
    /// Reads the manifest at `path`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut manifest = Self::parse(&text).with_context(|| path.display().to_string())?;
        let folder = path.parent().unwrap_or(Path::new(""));
        manifest.component.source = folder.join(&manifest.component.source);
        Ok(manifest)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                let line = 1 + text[..error.span().map_or(0, |span| span.start)].matches('\n').count();
                bail!("line {line}: {}", error.message());
            }
        };
        ensure!(file.spin_manifest_version == 2, "spin_manifest_version must be 2");
        for (name, variable) in &file.variables {
            ensure!(
                variable.required != variable.default.is_some(),
                "the variable {name} must be `required` or have a `default`"
            );
        }
        let [trigger] = <[HttpTrigger; 1]>::try_from(file.trigger.http)
            .map_err(|triggers| anyhow::anyhow!("this test host wants one [[trigger.http]], not {}", triggers.len()))?;
        ensure!(trigger.route == "/...", "this test host knows only the route \"/...\", not {:?}", trigger.route);
        let component_id = trigger.component;
        let component = file
            .component
            .remove(&component_id)
            .with_context(|| format!("there is no [component.{component_id}], which the trigger names"))?;
        ensure!(
            component.sqlite_databases.iter().all(|name| name == "default"),
            "this test host has only the database \"default\""
        );
        Ok(Self { variables: file.variables, component_id, component })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "drive"
authors = ["A"]
[variables]
token = { required = true, secret = true }
log = { default = "info", description = "How much to say" }
[[trigger.http]]
route = "/..."
component = "drive"
[component.drive]
source = "target/drive.wasm"
allowed_outbound_hosts = ["http://{{ s3 }}"]
sqlite_databases = ["default"]
[component.drive.variables]
token = "{{ token }}"
[component.drive.build]
command = "cargo build"
watch = ["src"]
"#;

    #[test]
    fn what_edgedrive_needs() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        assert!(manifest.variables["token"].required);
        assert_eq!(manifest.variables["log"].default.as_deref(), Some("info"));
        assert_eq!(manifest.component_id, "drive");
        assert_eq!(manifest.component.source, PathBuf::from("target/drive.wasm"));
        assert_eq!(manifest.component.allowed_outbound_hosts, ["http://{{ s3 }}"]);
        assert_eq!(manifest.component.variables["token"], "{{ token }}");
    }

    #[test]
    fn the_source_is_beside_the_manifest() {
        let folder = std::env::temp_dir().join(format!("spin-test-host-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("spin.toml"), MANIFEST).unwrap();
        let manifest = Manifest::read(&folder.join("spin.toml")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(manifest.component.source, folder.join("target/drive.wasm"));
    }

    #[test]
    fn what_would_mean_something_else_to_spin_is_refused() {
        for (from, to, sentence) in [
            ("version = 2", "version = 1", "spin_manifest_version must be 2"),
            ("required = true, ", "", "the variable token must be `required` or have a `default`"),
            ("required = true", "default = \"\", required = true", "the variable token must be"),
            ("\"/...\"", "\"/a/...\"", "this test host knows only the route \"/...\", not \"/a/...\""),
            ("component = \"drive\"", "component = \"x\"", "there is no [component.x], which the trigger names"),
            (
                "[component.drive]",
                "[[trigger.http]]\nroute = \"/b\"\ncomponent = \"drive\"\n[component.drive]",
                "not 2",
            ),
            ("[\"default\"]", "[\"default\", \"b\"]", "this test host has only the database \"default\""),
            ("sqlite_databases", "key_value_stores", "line 15: unknown field `key_value_stores`"),
            ("[component.drive.build]", "[component.drive.environment]", "unknown field `environment`"),
            ("[[trigger.http]]", "[[trigger.redis]]", "unknown field `redis`"),
        ] {
            let changed = MANIFEST.replacen(from, to, 1);
            assert_ne!(changed, MANIFEST, "{from}");
            let message = format!("{:#}", Manifest::parse(&changed).unwrap_err());
            assert!(message.contains(sentence), "{message}");
        }
    }
}

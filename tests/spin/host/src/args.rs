//! The command line: `up`, with those of Spin's options that edgedrive's scripts use.

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use lexopt::prelude::*;

/// What `up` was asked to do.
#[derive(Debug)]
pub struct Up {
    /// The `spin.toml`.
    pub manifest: PathBuf,
    /// Where to serve HTTP.
    pub listen: SocketAddr,
    /// Where the database is kept.
    pub state_dir: PathBuf,
    /// Values for application variables.
    pub variables: HashMap<String, String>,
}

impl Up {
    /// Reads the command line, without the name of the program.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let mut parser = lexopt::Parser::from_args(args);
        ensure!(matches!(parser.next()?, Some(Value(command)) if command == "up"), "the only command here is `up`");
        let (mut manifest, mut listen, mut state_dir, mut variables) = (None, None, None, HashMap::new());
        while let Some(arg) = parser.next()? {
            match arg {
                Long("from") => manifest = Some(PathBuf::from(parser.value()?)),
                Long("listen") => listen = Some(parser.value()?.parse()?),
                Long("state-dir") => state_dir = Some(PathBuf::from(parser.value()?)),
                Long("variable") => variables.extend([variable(&parser.value()?.string()?)?]),
                Long("runtime-config-file") => bail!(
                    "this test host has no --runtime-config-file: its database is always the file in --state-dir; use Spin"
                ),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Self {
            manifest: manifest.context("--from SPIN_TOML is missing")?,
            listen: listen.context("--listen ADDRESS:PORT is missing")?,
            state_dir: state_dir.context("--state-dir DIR is missing")?,
            variables,
        })
    }
}

/// Spin also takes `@FILE` and `NAME=@FILE`, which no script of ours needs: refused, lest it be taken for the value.
fn variable(arg: &str) -> Result<(String, String)> {
    let (name, value) = arg.split_once('=').with_context(|| format!("--variable {arg}: this is not NAME=VALUE"))?;
    ensure!(!value.starts_with('@'), "--variable {name}: this test host does not read values from files");
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Up> {
        Up::parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn all_options() {
        let up =
            parse("up --from a/spin.toml --listen 127.0.0.1:80 --state-dir s --variable a=b=c --variable d=").unwrap();
        assert_eq!(up.manifest, PathBuf::from("a/spin.toml"));
        assert_eq!(up.listen, "127.0.0.1:80".parse().unwrap());
        assert_eq!(up.state_dir, PathBuf::from("s"));
        assert_eq!(up.variables["a"], "b=c");
        assert_eq!(up.variables["d"], "");
    }

    #[test]
    fn refusals() {
        let rest = "--listen 127.0.0.1:80 --state-dir s";
        for (line, sentence) in [
            ("build", "the only command here is `up`"),
            (&format!("up {rest}"), "--from SPIN_TOML is missing"),
            (&format!("up --from f {rest} --quiet"), "invalid option '--quiet'"),
            (&format!("up --from f {rest} --variable x"), "--variable x: this is not NAME=VALUE"),
            (
                &format!("up --from f {rest} --variable x=@y"),
                "--variable x: this test host does not read values from files",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), sentence);
        }
        assert!(parse("up --runtime-config-file f").unwrap_err().to_string().contains("--runtime-config-file"));
    }
}

//! The folders of the workspace, of build output, and of installed tools.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;
use xshell::Shell;

/// The packages that are compiled with the server's feature `ssr`, and those that it does not affect. `api` and `app`
/// are compiled separately.
pub(crate) const SERVER_PACKAGES: &[&str] = &[
    "server",
    "lab",
    "queue",
    "spool",
    "store",
    "store-sqlite",
    "store-postgres",
    "tests",
    "bench",
    "xtask",
    "trunk-bindgen",
];

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Cargo's target folder. CARGO_TARGET_DIR overrides it.
    pub(crate) target: PathBuf,
    pub(crate) dist: PathBuf,
    /// Outside `target`, so that `cargo clean` keeps the tools and all checkouts share them.
    pub(crate) tools: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask stands in the workspace")?.to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(path) => env::current_dir()?.join(path),
            None => root.join("target"),
        };
        let cache = match env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
            Some(path) => PathBuf::from(path),
            None => {
                let home = env::var_os("HOME").context("set HOME (or XDG_CACHE_HOME): tools are installed below it")?;
                Path::new(&home).join(".cache")
            }
        };
        Ok(Self { dist: root.join("dist"), tools: cache.join("search4letters-tools"), root, target })
    }

    /// A shell in the workspace's root.
    pub(crate) fn shell(&self) -> anyhow::Result<Shell> {
        let shell = Shell::new()?;
        shell.change_dir(&self.root);
        shell.set_var("CARGO_TARGET_DIR", &self.target);
        Ok(shell)
    }
}

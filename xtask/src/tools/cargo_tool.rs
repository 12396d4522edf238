//! Tools from crates.io, built once into a folder of their own version.

use std::path::PathBuf;
use std::{fs, io};

use anyhow::{Context, ensure};
use xshell::{Shell, cmd};

use crate::steps::Steps;
use crate::tools::on_path;
use crate::workspace::Workspace;

pub(crate) struct CargoTool {
    program: &'static str,
    package: &'static str,
    version: String,
    /// What `cargo install` is given beside the version.
    flags: &'static [&'static str],
    takes: &'static str,
}

pub(crate) fn trunk(version: &str) -> CargoTool {
    CargoTool {
        program: "trunk",
        package: "trunk",
        version: version.to_owned(),
        // Without its default features it cannot download tools, which are ours to bring.
        flags: &["--locked", "--no-default-features"],
        takes: "about 3 minutes",
    }
}

pub(crate) fn wasm_bindgen(version: &str) -> CargoTool {
    // Without --locked: its lock file names a version that was withdrawn.
    CargoTool {
        program: "wasm-bindgen",
        package: "wasm-bindgen-cli",
        version: version.to_owned(),
        flags: &[],
        takes: "about 1 minute",
    }
}

impl CargoTool {
    /// Returns the folder in which the tool is, unless the one on PATH is of the right version.
    pub(crate) fn ensure(&self, workspace: &Workspace, steps: &mut Steps) -> anyhow::Result<Option<PathBuf>> {
        let Self { program, version, takes, .. } = self;
        let shell = workspace.shell()?;
        if on_path(program).is_some_and(|path| self.is_version(&shell, path)) {
            steps.skip(&format!("{program} {version} is on the PATH"));
            return Ok(None);
        }
        let folder = workspace.tools.join(format!("{program}-{version}"));
        if self.is_version(&shell, folder.join("bin").join(program)) {
            steps.skip(&format!("{program} {version} is installed"));
        } else {
            let what = format!("installing {program} {version} into {} ({takes}, once)", folder.display());
            steps.step(&what, || self.install(workspace, &shell, &folder))?;
        }
        Ok(Some(folder.join("bin")))
    }

    fn is_version(&self, shell: &Shell, program: PathBuf) -> bool {
        cmd!(shell, "{program} --version")
            .quiet()
            .ignore_stderr()
            .read()
            .is_ok_and(|said| said.split_whitespace().nth(1) == Some(self.version.as_str()))
    }

    fn install(&self, workspace: &Workspace, shell: &Shell, folder: &PathBuf) -> anyhow::Result<()> {
        let Self { package, version, flags, .. } = self;
        let flags = *flags;
        // The tools run for seconds and are compiled for minutes: they are built to compile fast.
        let _lto = shell.push_env("CARGO_PROFILE_RELEASE_LTO", "off");
        let _level = shell.push_env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
        let _units = shell.push_env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64");
        let _debug = shell.push_env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        // They share many dependencies, so they share what is compiled.
        let _target = shell.push_env("CARGO_TARGET_DIR", build_dir(workspace));
        cmd!(shell, "cargo install {package} --version {version} {flags...} --root {folder} --force")
            .quiet()
            .run()
            .with_context(|| {
                format!("{package} {version} could not be installed; is crates.io reachable? Running this again goes on where it stopped")
            })?;
        ensure!(
            self.is_version(shell, folder.join("bin").join(self.program)),
            "{} was installed, but does not say that it is version {version}",
            folder.display()
        );
        Ok(())
    }
}

/// Frees what compiling the tools has left, half a gigabyte.
pub(crate) fn remove_build_dir(workspace: &Workspace) -> anyhow::Result<()> {
    match fs::remove_dir_all(build_dir(workspace)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", build_dir(workspace).display()))
        }
        _ => Ok(()),
    }
}

fn build_dir(workspace: &Workspace) -> PathBuf {
    workspace.tools.join("build")
}

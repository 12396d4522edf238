//! The tools of the browser tests: three browsers, their drivers, and axe.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use xshell::cmd;

use crate::steps::Steps;
use crate::tools::rust::CargoTool;
use crate::tools::{apt, on_path};
use crate::workspace::Workspace;

/// axe-core holds the accessibility rules. Pinned, so that new rules arrive in a commit of ours.
const AXE_VERSION: &str = "4.14.1";

/// The names of Chromium's executable.
const BROWSERS: &[&str] = &["chromium", "google-chrome", "chrome"];

/// Mozilla's driver of Firefox, which Debian has no package of.
const GECKODRIVER: CargoTool =
    CargoTool { name: "geckodriver", version: "0.37.1", flags: &[], takes: "about 2 minutes" };

/// Where Ubuntu has Firefox.
const FIREFOX_SNAP: &str = "/snap/firefox/current/usr/lib/firefox/firefox";

/// The packages with WebKit's driver and its browser: newer distributions have renamed it.
const WEBKIT_DRIVERS: [&str; 2] = ["webkitgtk-webdriver", "webkit2gtk-driver"];

/// Finds or installs chromedriver, and Chromium with it. CHROMEDRIVER overrides the driver on PATH.
pub(crate) fn chromedriver(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    if let Some(path) = env::var_os("CHROMEDRIVER").map(PathBuf::from) {
        ensure!(path.is_file(), "CHROMEDRIVER names {}, which is no file", path.display());
        return Ok(path);
    }
    if on_path("chromedriver").is_none() && apt::is_ubuntu() {
        bail!(
            "chromedriver is missing. Ubuntu has Chromium only as a snap, which cannot be driven here: install Google \
             Chrome and the chromedriver of its version from https://googlechromelabs.github.io/chrome-for-testing/, \
             and put chromedriver on the PATH or its path into CHROMEDRIVER"
        );
    }
    let browser = BROWSERS.iter().find(|name| on_path(name).is_some());
    apt::ensure(workspace, &[(browser.unwrap_or(&"chromium"), "chromium"), ("chromedriver", "chromium-driver")])?;
    on_path("chromedriver").context("chromium-driver is installed, but chromedriver is not on the PATH")
}

/// The browser itself, for programs that start it without its driver. `None` if it is not on the PATH.
pub(crate) fn chromium() -> Option<PathBuf> {
    BROWSERS.iter().find_map(|name| on_path(name))
}

/// Finds or installs Firefox and its driver, and returns the driver. `None` on a system that has no package of Firefox.
pub(crate) fn geckodriver(workspace: &Workspace, steps: &Steps) -> anyhow::Result<Option<PathBuf>> {
    if on_path("firefox").is_none() && !Path::new(FIREFOX_SNAP).is_file() {
        if apt::is_ubuntu() {
            steps.skip("Firefox is not tested: Ubuntu has it only as a snap. To test it: sudo snap install firefox");
            return Ok(None);
        }
        apt::ensure(workspace, &[("firefox", "firefox-esr")])?;
    }
    Ok(Some(GECKODRIVER.ensure(workspace, steps)?.join("geckodriver")))
}

/// Finds or installs WebKit's driver, and the display that its browser needs.
pub(crate) fn webkit(workspace: &Workspace) -> anyhow::Result<()> {
    if on_path("WebKitWebDriver").is_none() {
        apt::install_first(workspace, &WEBKIT_DRIVERS)?;
    }
    apt::ensure(workspace, &[("Xvfb", "xvfb")])
}

/// Finds or installs the script of axe-core.
pub(crate) fn axe(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.tools.join(format!("axe-core-{AXE_VERSION}"));
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if !script.is_file() {
        apt::ensure(workspace, &[("npm", "npm")])?;
        eprintln!("installing axe-core {AXE_VERSION} by npm into {} (3 MB, once)", folder.display());
        let shell = workspace.shell()?;
        shell.create_dir(&folder)?;
        let package = format!("axe-core@{AXE_VERSION}");
        cmd!(shell, "npm install --prefix {folder} --ignore-scripts --no-audit --no-fund --silent {package}")
            .quiet()
            .run()
            .context("axe-core could not be installed; is the npm registry reachable?")?;
    }
    Ok(script)
}

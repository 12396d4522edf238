//! `cargo xtask screenshots`: the README's pictures, taken of the real thing.

use xshell::cmd;

use crate::place::Place;
use crate::steps::Steps;
use crate::{client, tools};

/// Writes docs/screenshots for the README, and target/screenshots with all widths for whoever reviews a change.
pub(crate) fn take(place: &Place) -> anyhow::Result<()> {
    let mut steps = Steps::new(client::steps_needed(place)? + 3);
    client::ensure(place, &mut steps)?;
    let browser = steps.step("looking for Chromium and chromedriver", || tools::browser_tools(place))?;
    let shell = place.shell()?;
    shell.set_var("CHROMEDRIVER", browser.chromedriver);
    steps.step("building the server", || {
        cmd!(shell, "cargo build --quiet --package server --package tests --bins").quiet().run()?;
        Ok(())
    })?;
    let program = place.target.join("debug/screenshots");
    let (readme, review) = (place.root.join("docs/screenshots"), place.target.join("screenshots"));
    steps.step("taking the pictures", || {
        cmd!(shell, "{program} {readme} {review}").quiet().run()?;
        Ok(())
    })
}
